//! Passwords: Argon2id, a few at a time, and equally slow for people who do not exist.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use tokio::sync::Semaphore;

/// Hashes computed at once. Each takes 19 MiB and a core for some tens of milliseconds: guessing must not starve the rest.
const AT_ONCE: usize = 2;
/// Longest password that is looked at: more is an attack on the hash.
const MAX_BYTES: usize = 1_024;

/// What is verified against when there is no such person: a hash of a password that nobody has.
static NOBODY: LazyLock<String> = LazyLock::new(|| hash(&super::api_key::random_text(32)));

/// Checks passwords.
pub struct Passwords {
    places: Arc<Semaphore>,
    checked: Arc<AtomicU64>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(AT_ONCE)), checked: Arc::default() }
    }
}

impl Passwords {
    /// Hashes that were computed so far, by which it can be told that nobody is spared one.
    #[must_use]
    pub fn checked(&self) -> u64 {
        self.checked.load(Ordering::Relaxed)
    }

    /// Whether `password` is the one behind `hash`; `None` for a person who does not exist, which takes as long.
    pub async fn verify(&self, password: String, hash: Option<String>) -> bool {
        // Never closed.
        let Ok(_place) = self.places.acquire().await else { return false };
        let checked = Arc::clone(&self.checked);
        let check = move || {
            let known = hash.is_some();
            let hash = hash.unwrap_or_else(|| NOBODY.clone());
            if password.len() > MAX_BYTES {
                return false;
            }
            checked.fetch_add(1, Ordering::Relaxed);
            password_auth::verify_password(&password, &hash).is_ok() && known
        };
        tokio::task::spawn_blocking(check).await.unwrap_or(false)
    }
}

/// Makes what is verified against for nobody: otherwise the first person who does not exist would take twice as long.
pub fn prepare() {
    LazyLock::force(&NOBODY);
}

/// What is stored of a password.
#[must_use]
pub fn hash(password: &str) -> String {
    password_auth::generate_hash(password)
}

/// The same without holding up others; `None` where the process is ending.
pub async fn hashed(password: String) -> Option<String> {
    tokio::task::spawn_blocking(move || hash(&password)).await.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_of_a_real_person_fits() {
        let passwords = Passwords::default();
        let stored = hash("correct horse");
        assert!(stored.starts_with("$argon2id$"));
        assert!(passwords.verify("correct horse".to_owned(), Some(stored.clone())).await);
        assert!(!passwords.verify("wrong horse".to_owned(), Some(stored)).await);
        assert!(!passwords.verify("correct horse".to_owned(), None).await);
    }
}
