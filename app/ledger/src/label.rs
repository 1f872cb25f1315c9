//! Names that come from outside: bounded, printable, compared byte by byte.

use crate::refusal::Refusal;
use serde::{Deserialize, Deserializer, Serialize};
use std::borrow::Borrow;
use std::fmt;

/// Longest label in bytes. Ids of real systems (URLs as CloudEvents sources, ARNs, UUIDs) fit; a pasted document does not.
pub const MAX_LABEL_BYTES: usize = 256;
/// Longest name of a meter in bytes: it is a column head and a tab.
pub const MAX_METER_BYTES: usize = 64;
/// Longest free text (an event's description) in bytes.
pub const MAX_TEXT_BYTES: usize = 1_024;

/// A non-empty printable text of at most [`MAX_LABEL_BYTES`]: a source, an id, a name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Label(String);

impl Label {
    /// Checks `text`, which was given as `field`.
    ///
    /// # Errors
    /// [`Refusal::BadLabel`] naming the field and what is wrong with it.
    pub fn parse(field: &'static str, text: &str) -> Result<Self, Refusal> {
        check_text(field, text, MAX_LABEL_BYTES)?;
        Ok(Self(text.to_owned()))
    }

    /// One that was kept before: what is refused today may stand in an old ledger, and is read as it is.
    ///
    /// # Errors
    /// [`Refusal::BadLabel`] for what was never taken.
    pub fn kept(text: &str) -> Result<Self, Refusal> {
        check_kept("stored", text, MAX_LABEL_BYTES)?;
        Ok(Self(text.to_owned()))
    }

    /// Checks one that was read without being parsed.
    ///
    /// # Errors
    /// What [`Label::parse`] says.
    pub fn check(&self, field: &'static str) -> Result<(), Refusal> {
        check_text(field, &self.0, MAX_LABEL_BYTES)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Checks any text from outside: not empty, at most `max_bytes`, nothing that a terminal, a log or a page would act on,
/// and nothing that nobody sees, by which two texts that look the same would be two.
///
/// # Errors
/// [`Refusal::BadLabel`].
pub fn check_text(field: &'static str, text: &str, max_bytes: usize) -> Result<(), Refusal> {
    check_kept(field, text, max_bytes)?;
    match unseen(text) {
        None => Ok(()),
        Some(c) => Err(Refusal::BadLabel {
            field,
            problem: format!("contains a character that nobody sees (U+{:04X}): leave it out", u32::from(c)),
        }),
    }
}

/// The first character that is not seen. Joiners and variation selectors are, in a way, between letters of scripts and in
/// emoji that need them; among plain letters they are not.
fn unseen(text: &str) -> Option<char> {
    let mut before = ' ';
    text.chars().find(|c| {
        let needs_them = !before.is_ascii() && !matches!(before, '\u{200C}' | '\u{200D}');
        before = *c;
        match c {
            '\u{200C}' | '\u{200D}' | '\u{FE00}'..='\u{FE0F}' => !needs_them,
            _ => is_unseen(*c),
        }
    })
}

const fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{AD}'
            | '\u{34F}'
            | '\u{61C}'
            | '\u{115F}'
            | '\u{1160}'
            | '\u{17B4}'
            | '\u{17B5}'
            | '\u{180B}'..='\u{180F}'
            | '\u{200B}'
            | '\u{200E}'
            | '\u{200F}'
            | '\u{2060}'..='\u{2065}'
            | '\u{206A}'..='\u{206F}'
            | '\u{3164}'
            | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFFB}'
            | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}'
    )
}

/// The same for a text that was kept before.
///
/// # Errors
/// [`Refusal::BadLabel`].
pub fn check_kept(field: &'static str, text: &str, max_bytes: usize) -> Result<(), Refusal> {
    let problem = if text.is_empty() {
        "is empty".to_owned()
    } else if text.len() > max_bytes {
        format!("is {} bytes long; at most {max_bytes} are kept", text.len())
    } else if text.chars().any(is_unprintable) {
        "contains control or direction-changing characters".to_owned()
    } else if text.trim() != text {
        "starts or ends with white space".to_owned()
    } else {
        return Ok(());
    };
    Err(Refusal::BadLabel { field, problem })
}

/// What a terminal, a log or a page would act on. Bidirectional overrides can make a name read as another one ("Trojan Source",
/// CVE-2021-42574).
#[must_use]
pub fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}' | '\u{2028}' | '\u{2029}')
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for Label {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Label {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // Rate cards and scopes are kept as JSON: whoever takes one from outside checks it besides.
        check_kept("label", &text, MAX_LABEL_BYTES).map_err(serde::de::Error::custom)?;
        Ok(Self(text))
    }
}

/// The name of a meter: a lower-case ASCII word such as `input_tokens`. People see it as a credit type.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Meter(String);

impl Meter {
    /// Checks `text`: `a-z`, digits, `_`, `-` and `.`, starting with a letter, at most [`MAX_METER_BYTES`].
    ///
    /// # Errors
    /// [`Refusal::BadMeter`].
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-' | b'.');
        let starts_right = text.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
        if starts_right && text.len() <= MAX_METER_BYTES && text.bytes().all(word) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Refusal::BadMeter {
                name: text.chars().filter(|c| !is_unprintable(*c) && !is_unseen(*c)).take(MAX_METER_BYTES).collect(),
            })
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for Meter {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Meter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_labels_are_refused_and_the_field_is_named() {
        for text in ["", " a", "a\n", "a\0b", "a\u{202E}b", "\u{1b}[31m", &"x".repeat(10_000)] {
            let refused = Label::parse("source", text).expect_err("hostile");
            assert!(refused.to_string().starts_with("source "), "{refused}");
        }
        assert_eq!(Label::parse("source", "zürich/本番 ✓").map(|l| l.to_string()), Ok("zürich/本番 ✓".to_owned()));
    }

    #[test]
    fn what_nobody_sees_is_refused_and_what_scripts_need_is_not() {
        for text in ["a\u{200B}pi", "api\u{200D}", "\u{2060}api", "a\u{AD}pi", "api\u{FE0F}", "\u{3164}", "x\u{E0041}"]
        {
            let refused = Label::parse("source", text).expect_err("unseen");
            assert!(refused.to_string().contains("nobody sees (U+"), "{refused}");
            assert!(Label::kept(text).is_ok(), "an old ledger stays readable: {text:?}");
        }
        for text in ["می\u{200C}خواهم", "👩\u{200D}🚀", "✔\u{FE0F}", "क्\u{200D}ष"] {
            assert!(Label::parse("name", text).is_ok(), "{text:?}");
        }
    }

    #[test]
    fn meters_are_lower_case_words() {
        assert!(Meter::parse("input_tokens").is_ok());
        for text in ["", "Input", "1st", "a b", "é", "_x", &"m".repeat(65)] {
            assert!(Meter::parse(text).is_err(), "{text:?}");
        }
    }
}
