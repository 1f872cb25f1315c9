//! A form as it was sent: names and texts.

use app::query;

/// What was typed.
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Of a body as browsers send it.
    #[must_use]
    pub fn parse(body: &str) -> Self {
        Self(query::parse(body))
    }

    /// The text of a field without spaces around it; empty where it was not sent.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// The text of a field as it was typed: of a password every character counts.
    #[must_use]
    pub fn raw(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }
}
