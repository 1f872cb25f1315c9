//! Light, dark, or whatever the system says.
//!
//! The choice is a cookie, so that the server writes it into the first byte of HTML and nothing flashes.

/// The cookie's name.
pub const COOKIE: &str = "scrip_theme";

/// What was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// As the system does.
    #[default]
    System,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

impl Theme {
    /// In the order of the switch.
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// Its name in the cookie; anything else is [`Theme::System`].
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::System,
        }
    }

    /// The cookie among others, as a `Cookie` header has them.
    #[must_use]
    pub fn of_cookies(cookies: &str) -> Self {
        let pairs = cookies.split(';').filter_map(|pair| pair.trim().split_once('='));
        pairs.filter(|(name, _)| *name == COOKIE).map(|(_, value)| Self::parse(value)).next_back().unwrap_or_default()
    }

    /// Its name; `None` for the default.
    #[must_use]
    pub fn attribute(self) -> Option<&'static str> {
        match self {
            Self::System => None,
            Self::Light => Some("light"),
            Self::Dark => Some("dark"),
        }
    }

    /// What people read.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::System => "System theme",
            Self::Light => "Light theme",
            Self::Dark => "Dark theme",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn found_among_other_cookies() {
        assert_eq!(Theme::of_cookies("a=b; scrip_theme=dark; c"), Theme::Dark);
        assert_eq!(Theme::of_cookies("xscrip_theme=dark"), Theme::System);
        assert_eq!(Theme::of_cookies("scrip_theme=\"><script>"), Theme::System);
    }
}
