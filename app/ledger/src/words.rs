//! How credits and workflows are called: what people read, never what programs compare.

use crate::label::check_text;
use crate::refusal::Refusal;
use serde::{Deserialize, Serialize};

/// Longest word in bytes: it stands in headings and beside figures.
pub const MAX_WORD_BYTES: usize = 32;
/// Most decimals that can be shown: all that an amount has.
const MAX_DECIMALS: u8 = 6;

/// Where the credit's symbol stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitPosition {
    /// `$5`
    Before,
    /// `5 credits`
    After,
}

impl UnitPosition {
    /// Its name in tables and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
        }
    }

    /// The position of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Before, Self::After].into_iter().find(|position| position.as_str() == name)
    }
}

/// The words of an org.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// The credit's symbol or word: `$`, `credits`.
    pub unit: String,
    /// Where it stands.
    pub unit_position: UnitPosition,
    /// Decimals shown; all six where the pointer rests.
    pub decimals: u8,
    /// One workflow: `Scenario`.
    pub workflow: String,
    /// Several: `Scenarios`.
    pub workflows: String,
}

impl Default for Words {
    fn default() -> Self {
        Self {
            unit: "credits".to_owned(),
            unit_position: UnitPosition::After,
            decimals: 2,
            workflow: "Workflow".to_owned(),
            workflows: "Workflows".to_owned(),
        }
    }
}

impl Words {
    /// Checks words before they are shown to anybody.
    ///
    /// # Errors
    /// [`Refusal::BadLabel`] naming the word.
    pub fn check(&self) -> Result<(), Refusal> {
        check_text("unit", &self.unit, MAX_WORD_BYTES)?;
        check_text("workflow", &self.workflow, MAX_WORD_BYTES)?;
        check_text("workflows", &self.workflows, MAX_WORD_BYTES)?;
        if self.decimals > MAX_DECIMALS {
            let problem = format!("is {}, choose 0 to {MAX_DECIMALS}", self.decimals);
            return Err(Refusal::BadLabel { field: "decimals", problem });
        }
        Ok(())
    }
}
