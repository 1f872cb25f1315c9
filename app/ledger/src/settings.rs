//! What an installation and its orgs can be set to. Words are in [`crate::words`].

use crate::credits::Credits;
use crate::label::{MAX_LABEL_BYTES, check_text};
use crate::money::Currency;
use crate::refusal::Refusal;
use crate::words::Words;
use std::ops::RangeInclusive;

/// Longest name of the product in bytes: it stands in the header, in titles and in subjects of mails.
pub const MAX_PRODUCT_BYTES: usize = 48;
/// Longest address of a contact in bytes.
pub const MAX_CONTACT_BYTES: usize = 200;
/// For how many days the detail of events can be kept: less than a month could not be billed from, and more than ten years
/// was meant to be for ever.
pub const RETENTION_DAYS: RangeInclusive<u32> = 30..=3_650;

/// What holds for the whole installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// What the product is called.
    pub product: String,
    /// How credits and workflows are called where an org does not say.
    pub words: Words,
    /// Where whoever needs help finds it.
    pub support: Option<Support>,
}

impl Default for Installation {
    fn default() -> Self {
        Self { product: "Scrip".to_owned(), words: Words::default(), support: None }
    }
}

impl Installation {
    /// Checks it before it is shown to anybody.
    ///
    /// # Errors
    /// [`Refusal::BadLabel`] naming the field.
    pub fn check(&self) -> Result<(), Refusal> {
        check_product(&self.product)?;
        self.words.check()
    }
}

/// Checks the name of a product.
///
/// # Errors
/// [`Refusal::BadLabel`].
pub fn check_product(product: &str) -> Result<(), Refusal> {
    check_text("product", product, MAX_PRODUCT_BYTES)
}

/// Where whoever needs help finds it: an email address, or a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Support(String);

impl Support {
    /// Reads an email address, or an address that begins with `https://` or `http://`. Nothing else becomes a link.
    ///
    /// # Errors
    /// [`Refusal::BadLabel`].
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        check_text("support", text, MAX_CONTACT_BYTES)?;
        if is_page(text) || is_email(text) {
            return Ok(Self(text.to_owned()));
        }
        let problem = "is neither an email address nor an address that begins with https://".to_owned();
        Err(Refusal::BadLabel { field: "support", problem })
    }

    /// As it was typed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where a link to it leads.
    #[must_use]
    pub fn href(&self) -> String {
        if is_page(&self.0) { self.0.clone() } else { format!("mailto:{}", self.0) }
    }
}

fn is_page(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    let plain = |b: u8| b.is_ascii_graphic() && !b"\"'<>\\^`{|}".contains(&b);
    !host.is_empty() && !host.contains('@') && text.bytes().all(plain)
}

pub(crate) fn is_email(text: &str) -> bool {
    // What would be a parameter of a link to it is not among the letters.
    let letter = |b: u8| b.is_ascii_alphanumeric() || b".!#$*+-/=^_~".contains(&b);
    text.split_once('@').is_some_and(|(name, domain)| !name.is_empty() && name.bytes().all(letter) && is_domain(domain))
}

fn is_domain(text: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    text.contains('.') && text.split('.').all(label)
}

/// What an org is set to, beside its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrgSettings {
    /// What people call it; unique in the installation.
    pub name: String,
    /// IANA name of its zone.
    pub zone: String,
    /// What it pays with.
    pub currency: Currency,
    /// Whom to write to about it: an email address, or the domain that is its own.
    pub contact: Option<String>,
    /// At what available balance, or below, pages say that it is low; never where there is none.
    pub low_balance: Option<Credits>,
    /// For how many days the detail of events is to be kept; for ever where there is none.
    pub retention_days: Option<u32>,
}

impl OrgSettings {
    /// Checks all but the zone, whose names are not known here.
    ///
    /// # Errors
    /// [`Refusal::BadLabel`] naming the field.
    pub fn check(&self) -> Result<(), Refusal> {
        check_text("name", &self.name, MAX_LABEL_BYTES)?;
        self.contact.as_deref().map_or(Ok(()), check_contact)?;
        if self.low_balance.is_some_and(|limit| !limit.is_positive()) {
            let problem = "must be above zero; leave it empty for none".to_owned();
            return Err(Refusal::BadLabel { field: "low_balance", problem });
        }
        if self.retention_days.is_some_and(|days| !RETENTION_DAYS.contains(&days)) {
            let problem = format!("is {} to {} days, or empty for ever", RETENTION_DAYS.start(), RETENTION_DAYS.end());
            return Err(Refusal::BadLabel { field: "retention_days", problem });
        }
        Ok(())
    }
}

/// Checks whom to write to about an org.
///
/// # Errors
/// [`Refusal::BadLabel`].
pub fn check_contact(text: &str) -> Result<(), Refusal> {
    check_text("contact", text, MAX_CONTACT_BYTES)?;
    if is_email(text) || is_domain(text) {
        return Ok(());
    }
    Err(Refusal::BadLabel { field: "contact", problem: "is neither an email address nor a domain".to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn support_is_an_email_or_a_page_and_never_anything_that_runs() {
        for (text, href) in [
            ("help@example.com", "mailto:help@example.com"),
            ("https://example.com/help?x=1#y", "https://example.com/help?x=1#y"),
            ("http://localhost:8080", "http://localhost:8080"),
        ] {
            assert_eq!(Support::parse(text).map(|support| support.href()), Ok(href.to_owned()));
        }
        for bad in [
            "",
            "help",
            "javascript:alert(1)",
            "data:text/html,x",
            "https://",
            "https://user@evil.example",
            "https://a\"onclick=b",
            "a@b",
            "a@b.example?bcc=c@d.example",
            "a b@c.example",
            "\u{202e}a@b.example",
            "ftp://a.example",
        ] {
            assert!(Support::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn settings_of_an_org_are_checked_field_by_field() {
        let good = OrgSettings {
            name: "Acme".to_owned(),
            zone: "UTC".to_owned(),
            currency: Currency::parse("EUR").expect("a currency"),
            contact: Some("acme.example".to_owned()),
            low_balance: Some(Credits::from_micros(1)),
            retention_days: Some(30),
        };
        assert_eq!(good.check(), Ok(()));
        let field = |settings: OrgSettings| match settings.check() {
            Err(Refusal::BadLabel { field, .. }) => field,
            other => panic!("{other:?}"),
        };
        assert_eq!(field(OrgSettings { name: " ".to_owned(), ..good.clone() }), "name");
        assert_eq!(field(OrgSettings { contact: Some("nobody".to_owned()), ..good.clone() }), "contact");
        assert_eq!(field(OrgSettings { low_balance: Some(Credits::ZERO), ..good.clone() }), "low_balance");
        assert_eq!(field(OrgSettings { retention_days: Some(29), ..good }), "retention_days");
    }
}
