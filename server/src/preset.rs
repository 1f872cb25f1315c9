//! Presets: ready set-ups as TOML, embedded into the binary from `presets/`.

use ledger::cube::MeterInfo;
use ledger::{RateCard, RateLine, Words};
use serde::Deserialize;

/// The presets there are, by name.
const EMBEDDED: [(&str, &str); 2] = [
    ("token-billing", include_str!("../../presets/token-billing.toml")),
    ("cloud-costs", include_str!("../../presets/cloud-costs.toml")),
];
/// The preset of an org that is created without naming one.
pub const DEFAULT: &str = "token-billing";
/// The name for an empty rate card.
pub const EMPTY: &str = "none";

/// A ready set-up.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// What it is called on the command line.
    pub name: String,
    /// What people read.
    pub title: String,
    /// What it is for.
    pub description: String,
    /// How credits and workflows are called.
    pub words: Words,
    /// Operations that services report.
    #[serde(default)]
    pub services: Vec<Service>,
    /// Meters, in the order in which they are shown.
    pub meters: Vec<MeterInfo>,
    /// The rate card's first version.
    pub lines: Vec<RateLine>,
}

/// An operation that services report.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// The events' `type`.
    #[serde(rename = "type")]
    pub operation: String,
    /// What people read.
    pub title: String,
}

/// Why a preset cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PresetError {
    /// No such preset.
    #[error("there is no preset \"{name}\": choose {}, or {EMPTY} for an empty rate card", names())]
    Unknown {
        /// What was asked for.
        name: String,
    },
    /// It is there, but wrong.
    #[error("the preset \"{name}\" cannot be used: {reason}")]
    Invalid {
        /// Which.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl Preset {
    /// The embedded preset of that name; `None` for [`EMPTY`].
    ///
    /// # Errors
    /// [`PresetError::Unknown`] says which there are.
    pub fn named(name: &str) -> Result<Option<Self>, PresetError> {
        if name == EMPTY {
            return Ok(None);
        }
        let found = EMBEDDED.iter().find(|(known, _)| *known == name);
        let (name, text) = found.ok_or_else(|| PresetError::Unknown { name: name.to_owned() })?;
        Self::parse(name, text).map(Some)
    }

    fn parse(name: &str, text: &str) -> Result<Self, PresetError> {
        let invalid = |reason: String| PresetError::Invalid { name: name.to_owned(), reason };
        let preset: Self = toml::from_str(text).map_err(|error| invalid(error.to_string()))?;
        preset.words.check().map_err(|refusal| invalid(refusal.to_string()))?;
        RateCard::check(&preset.lines).map_err(|refusal| invalid(refusal.to_string()))?;
        for line in &preset.lines {
            if !preset.meters.iter().any(|info| info.meter == line.meter) {
                return Err(invalid(format!("a line names the meter {}, which it does not have", line.meter)));
            }
        }
        Ok(preset)
    }
}

/// The names of all presets, as a sentence has them.
#[must_use]
pub fn names() -> String {
    EMBEDDED.map(|(name, _)| name).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::words::UnitPosition;

    #[test]
    fn every_preset_loads_under_its_name() {
        for (name, _) in EMBEDDED {
            let preset = Preset::named(name).expect(name).expect("not empty");
            assert_eq!(preset.name, name);
            assert!(!preset.lines.is_empty() && !preset.meters.is_empty() && !preset.title.is_empty());
        }
        assert!(Preset::named(EMPTY).expect("known").is_none());
    }

    #[test]
    fn token_billing_has_the_published_prices() {
        let preset = Preset::named("token-billing").expect("loads").expect("not empty");
        let lines: Vec<String> = preset.lines.iter().map(|l| serde_json::to_string(l).expect("serializes")).collect();
        assert_eq!(
            lines,
            [
                r#"{"meter":"input_tokens","rule":"unit","price":"0.6","per":1000000}"#,
                r#"{"meter":"completion_tokens","rule":"unit","price":"1","per":1000000}"#,
                r#"{"meter":"cached_tokens","rule":"unit","price":"0.075","per":1000000}"#,
                r#"{"meter":"images","rule":"unit","price":"0.0001","per":1}"#,
            ]
        );
        assert_eq!((preset.words.unit.as_str(), preset.words.unit_position), ("$", UnitPosition::Before));
    }

    #[test]
    fn mistakes_are_named() {
        let unknown = Preset::named("tokens").expect_err("unknown").to_string();
        assert!(unknown.contains("token-billing"), "{unknown}");
        let text = include_str!("../../presets/cloud-costs.toml").replace("title = \"Cloud costs\"", "titel = \"x\"");
        assert!(Preset::parse("x", &text).expect_err("misspelt").to_string().contains("titel"));
    }
}
