//! The one home of randomness: secrets come from the operating system.

/// `N` unpredictable bytes.
///
/// # Panics
/// Where the operating system has no randomness to give: no secret made then would be one.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is randomness's one home")]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}
