//! Which passwords are taken: long ones that are not the first that somebody would guess (NIST SP 800-63B §3.1.1).
//!
//! Length over composition: no character is demanded. Refused is what guessing begins with: common passwords also with
//! figures behind and letters replaced by figures, one thing repeated, a run of the keyboard, and what is known about the
//! account (email, organizations, the product). Cost: one pass over a list of some 200 words.

use std::fmt;

/// Shortest: with the list of common ones this is beyond guessing over the network, which is slowed down too.
pub const MIN_CHARS: usize = 10;
/// Longest: more than any password manager makes, and a bound for the hash's work.
pub const MAX_CHARS: usize = 128;
/// Words of the account that are shorter say little: a password may hold "jo".
const MIN_WORD_CHARS: usize = 3;
/// What must be left beside common words and those of the account, figures at its ends not counted.
const MIN_REST_CHARS: usize = 4;
/// Fewer different characters than these are a pattern.
const MIN_DIFFERENT: usize = 5;
/// The words themselves; what people put around them is taken off before looking.
const COMMON: &str = include_str!("common_passwords.txt");
const PRODUCT: &str = "scrip";

/// Why a password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weak {
    /// Fewer than [`MIN_CHARS`].
    TooShort,
    /// More than [`MAX_CHARS`].
    TooLong,
    /// Among the first that are tried.
    Common,
    /// Made of the email, the organization or the product.
    Personal,
}

impl Weak {
    /// The stable name, for pages and commands.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooShort => "password_too_short",
            Self::TooLong => "password_too_long",
            Self::Common => "password_common",
            Self::Personal => "password_personal",
        }
    }
}

impl fmt::Display for Weak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort => write!(f, "a password has at least {MIN_CHARS} characters: four words do well"),
            Self::TooLong => write!(f, "a password has at most {MAX_CHARS} characters"),
            Self::Common => f.write_str("this password is among the first that are guessed: choose another"),
            Self::Personal => {
                f.write_str("this password is made of the email, the organization or the product: choose another")
            }
        }
    }
}

/// Whether `password` may be somebody's whose `words` (email, names of organizations) are known.
///
/// # Errors
/// Why not.
pub fn check(password: &str, words: &[&str]) -> Result<(), Weak> {
    let length = password.chars().count();
    if length < MIN_CHARS {
        return Err(Weak::TooShort);
    }
    if length > MAX_CHARS {
        return Err(Weak::TooLong);
    }
    let plain = plain(password);
    let letters: String = plain.chars().filter(|c| c.is_alphabetic()).collect();
    let bare = unleeted(&plain);
    if is_pattern(password) || [&letters, &bare].into_iter().any(|text| is_common(text)) {
        return Err(Weak::Common);
    }
    let known = words.iter().copied().chain([PRODUCT]).flat_map(|text| text.split(|c: char| !c.is_alphanumeric()));
    let rest = known.filter(|word| word.chars().count() >= MIN_WORD_CHARS).fold(plain, |rest, word| {
        // What remains beside the words is what has to be guessed.
        rest.replace(&word.to_lowercase(), "")
    });
    let personal = rest.trim_matches(|c: char| !c.is_alphabetic()).chars().filter(|c| c.is_alphanumeric()).count()
        < MIN_REST_CHARS;
    if personal { Err(Weak::Personal) } else { Ok(()) }
}

fn plain(password: &str) -> String {
    password.trim().to_lowercase()
}

/// Figures and signs that stand for letters, read as these; the figures at the ends dropped before.
fn unleeted(text: &str) -> String {
    let letter = |c: char| match c {
        '0' => Some('o'),
        '1' | '!' => Some('i'),
        '3' => Some('e'),
        '4' | '@' => Some('a'),
        '5' | '$' => Some('s'),
        '7' => Some('t'),
        c => c.is_alphabetic().then_some(c),
    };
    text.trim_matches(|c: char| !c.is_alphabetic() && c != '@' && c != '$').chars().filter_map(letter).collect()
}

/// Nothing but common words, one after another; without any letter it is a number.
fn is_common(text: &str) -> bool {
    let mut rest = text;
    while !rest.is_empty() {
        // Greedy by the longest word: a list of common words needs no cleverer reading.
        let longest = COMMON.split_whitespace().filter(|word| rest.starts_with(word)).map(str::len).max();
        let Some(length) = longest else { break };
        rest = &rest[length..];
        if rest.len() == text.len() {
            break;
        }
    }
    rest.chars().count() < MIN_REST_CHARS && (rest.len() < text.len() || text.is_empty())
}

/// Few different characters, or each the neighbour of the one before.
fn is_pattern(password: &str) -> bool {
    let mut different: Vec<char> = password.chars().collect();
    let step = |pair: &[char]| i64::from(u32::from(pair[1])) - i64::from(u32::from(pair[0]));
    let first = different.windows(2).next().map(step);
    let run = first.is_some_and(|first| first.abs() <= 1 && different.windows(2).all(|pair| step(pair) == first));
    different.sort_unstable();
    different.dedup();
    run || different.len() < MIN_DIFFERENT
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: [&str; 2] = ["ada.lovelace@engines.example", "Analytical Engines Ltd"];

    #[test]
    fn what_is_guessed_first_is_refused() {
        for common in [
            "password123",
            "P@ssw0rd1234",
            "Passwort2026!",
            "qwertyuiop",
            "1234567890",
            "aaaaaaaaaaaa",
            "abcdefghijkl",
            "iloveyou1234",
            "Welcome2026!!",
            "letmein!letmein",
            "20261121123456",
            "monkeydragon",
            "ababababab",
            "changeme2026",
            "summer2026!",
        ] {
            assert_eq!(check(common, &WORDS), Err(Weak::Common), "{common}");
        }
        for personal in [
            "lovelace2026".to_owned() + "!",
            "Analytical1".to_owned(),
            "engines-engines".to_owned(),
            "scrip-scrip-1".to_owned(),
        ] {
            assert_eq!(check(&personal, &WORDS), Err(Weak::Personal), "{personal}");
        }
    }

    #[test]
    fn length_counts_and_composition_does_not() {
        assert_eq!(check("k3#xQ9!vP", &WORDS), Err(Weak::TooShort));
        assert_eq!(check(&"xy9k".repeat(33), &WORDS), Err(Weak::TooLong));
        for good in [
            "correct horse battery staple",
            "purple teapots sing",
            "ein langer deutscher satz",
            "zażółć gęślą jaźń",
            "правильный гвоздь",
            "pass на концерт сегодня",
            "tr0mbone-ladder",
            "k3#xQ9!vPz",
            "lovelace eats green apples",
        ] {
            assert_eq!(check(good, &WORDS), Ok(()), "{good}");
        }
    }

    #[test]
    fn the_list_is_plain_words() {
        assert!(COMMON.split_whitespace().all(|word| word.bytes().all(|b| b.is_ascii_lowercase())));
        assert!(COMMON.split_whitespace().count() > 200);
    }
}
