//! Presets: ready set-ups as TOML. Those in `presets/` are embedded into the binary; an installation may have its own in
//! `presets/` of its data folder. `docs/presets.md` says how one is written.
//!
//! A preset that is there is right: it is read and checked as a whole ([`read`], [`check`]), and whatever is wrong is
//! told at once, with its line. Adding one to the binary: its file, and its line in [`EMBEDDED`].

mod check;
mod plan;
mod read;
mod shape;

pub use plan::{Package, Plan};
pub use read::Problem;
pub use shape::{Amount, Crowd, Module, Range, Shape, Workflow};

use ledger::cube::MeterInfo;
use ledger::{Label, Meter, RateLine, Words};
use serde::Deserialize;
use std::fmt;
use std::path::{Path, PathBuf};
use store::{NewOrg, Offers};

/// The presets there are, by name, in the order in which they are listed.
const EMBEDDED: [(&str, &str); 6] = [
    ("token-billing", include_str!("../../presets/token-billing.toml")),
    ("viewer-platform", include_str!("../../presets/viewer-platform.toml")),
    ("automation", include_str!("../../presets/automation.toml")),
    ("clinical-api", include_str!("../../presets/clinical-api.toml")),
    ("ai-engine", include_str!("../../presets/ai-engine.toml")),
    ("cloud-costs", include_str!("../../presets/cloud-costs.toml")),
];
/// The preset of an org that is created without naming one.
pub const DEFAULT: &str = "token-billing";
/// The name for an empty rate card.
pub const EMPTY: &str = "none";
/// Where an installation's own presets lie in its data folder, and how their files end.
const OWN_FOLDER: &str = "presets";
const OWN_ENDING: &str = "toml";
/// Largest file that is read as a preset, in bytes: a card of 500 long lines, and a sample, many times over.
const MAX_FILE_BYTES: u64 = 1_000_000;

/// A ready set-up.
#[derive(Debug, Clone)]
pub struct Preset {
    /// What it is called on the command line.
    pub name: String,
    /// What people read.
    pub title: String,
    /// What it is for.
    pub description: String,
    /// How credits and workflows are called.
    pub words: Words,
    /// Where usage comes from.
    pub sources: Vec<Source>,
    /// Meters, in the order in which they are shown.
    pub meters: Vec<MeterText>,
    /// The rate card's first version as a person wrote it.
    pub rate_card: String,
    /// The same as lines.
    pub lines: Vec<RateLine>,
    /// What can be subscribed to.
    pub plans: Vec<Plan>,
    /// What can be bought once.
    pub packages: Vec<Package>,
    /// What its sample looks like, if it has one.
    pub sample: Option<Shape>,
}

/// Where usage comes from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// What events say.
    pub name: Label,
    /// What people read.
    pub title: String,
    /// What it stands for.
    #[serde(default)]
    pub description: String,
}

/// A meter as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeterText {
    /// Its name.
    pub meter: Meter,
    /// What people read.
    pub title: String,
    /// The unit of its quantities.
    pub unit: String,
    /// What lists of transactions call it; the meter's name where it is empty.
    #[serde(default)]
    pub service: String,
    /// Whether a workflow that uses it is an AI agent.
    #[serde(default)]
    pub agent: bool,
}

/// Why a preset cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PresetError {
    /// No such preset.
    #[error("there is no preset \"{name}\": choose {known}, or {EMPTY} for an empty rate card")]
    Unknown {
        /// What was asked for.
        name: String,
        /// Which there are.
        known: String,
    },
    /// It is there, but wrong.
    #[error("the preset {file} cannot be used: {}", first_of(problems))]
    Invalid {
        /// Where it was read.
        file: String,
        /// What is wrong with it, at least one thing.
        problems: Vec<Problem>,
    },
    /// The files cannot be read.
    #[error("{file}: {reason}")]
    Unreadable {
        /// Which.
        file: String,
        /// Why.
        reason: String,
    },
}

fn first_of(problems: &[Problem]) -> impl fmt::Display {
    let first = problems.first().map(Problem::to_string).unwrap_or_default();
    match problems.len() {
        0 | 1 => first,
        more => format!("{first} (and {} more: scrip preset check tells them all)", more - 1),
    }
}

impl Preset {
    /// The preset of that name, of the binary or of the data folder; `None` for [`EMPTY`].
    ///
    /// # Errors
    /// [`PresetError::Unknown`] says which there are.
    pub fn named(name: &str, data: &Path) -> Result<Option<Self>, PresetError> {
        if name == EMPTY {
            return Ok(None);
        }
        if let Some((_, text)) = EMBEDDED.iter().find(|(known, _)| *known == name) {
            return Self::parse(name, text).map(Some);
        }
        let own = own_files(data)?;
        if let Some(file) = own.iter().find(|file| stem(file) == name) {
            return Self::own(file).map(Some);
        }
        let embedded = EMBEDDED.iter().map(|(name, _)| (*name).to_owned());
        let known = embedded.chain(own.iter().map(|file| stem(file))).collect::<Vec<_>>().join(", ");
        Err(PresetError::Unknown { name: name.to_owned(), known })
    }

    /// The presets of the binary, each checked by the tests.
    ///
    /// # Errors
    /// Only where the binary was built with a preset that is wrong.
    pub fn embedded() -> Result<Vec<Self>, PresetError> {
        EMBEDDED.iter().map(|(name, text)| Self::parse(name, text)).collect()
    }

    /// What lies in `presets/` of the data folder: of each file the preset, or what is wrong with it.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn own_of(data: &Path) -> Result<Vec<Result<Self, PresetError>>, PresetError> {
        Ok(own_files(data)?.iter().map(|file| Self::own(file)).collect())
    }

    /// All that an org can be made from: those of the binary, then those of the data folder that are right. What became wrong
    /// since the start keeps nobody from the others; the next start tells it.
    #[must_use]
    pub fn usable(data: &Path) -> Vec<Self> {
        let own = Self::own_of(data).unwrap_or_default().into_iter().flatten();
        Self::embedded().unwrap_or_default().into_iter().chain(own).collect()
    }

    /// Checks everything that [`Preset::named`] could find, so that nobody finds it wrong later.
    ///
    /// # Errors
    /// The first that is wrong.
    pub fn check_all(data: &Path) -> Result<(), PresetError> {
        Self::embedded()?;
        Self::own_of(data)?.into_iter().try_for_each(|read| read.map(drop))
    }

    /// The preset in that file, wherever it lies.
    ///
    /// # Errors
    /// [`PresetError::Invalid`] with everything that is wrong with it.
    pub fn in_file(file: &Path) -> Result<Self, PresetError> {
        let shown = file.display().to_string();
        let unreadable = |reason: String| PresetError::Unreadable { file: shown.clone(), reason };
        let size = std::fs::metadata(file).map_err(|error| unreadable(error.to_string()))?.len();
        if size > MAX_FILE_BYTES {
            return Err(unreadable(format!("has {size} bytes; a preset has at most {MAX_FILE_BYTES}")));
        }
        let text = std::fs::read_to_string(file).map_err(|error| unreadable(error.to_string()))?;
        Self::parse(&shown, &text)
    }

    /// Whether it would stand in the way of one of scrip's own: another preset under its name.
    #[must_use]
    pub fn hides_own(file: &Path, name: &str) -> bool {
        let own = EMBEDDED.iter().find(|(known, _)| *known == name);
        own.is_some_and(|(_, text)| std::fs::read_to_string(file).is_ok_and(|written| written != *text))
    }

    /// A file of the data folder, whose name is the preset's.
    fn own(file: &Path) -> Result<Self, PresetError> {
        let preset = Self::in_file(file)?;
        let stem = stem(file);
        let what = if preset.name != stem {
            format!(
                "the file of a preset has its name: call the file {}.{OWN_ENDING}, or the preset {stem}",
                preset.name
            )
        } else if EMBEDDED.iter().any(|(known, _)| *known == stem) {
            format!("there is a preset {stem} in scrip itself: give yours another name")
        } else {
            return Ok(preset);
        };
        let problems = vec![Problem { line: Some(1), place: "name".to_owned(), what }];
        Err(PresetError::Invalid { file: file.display().to_string(), problems })
    }

    fn parse(file: &str, text: &str) -> Result<Self, PresetError> {
        read::preset(text).map_err(|problems| PresetError::Invalid { file: file.to_owned(), problems })
    }

    /// An org of that name and zone that begins with it.
    ///
    /// # Errors
    /// As [`Preset::offers`].
    pub fn new_org(self, name: String, zone: String, synthetic: bool) -> Result<NewOrg, String> {
        let (meters, agents, offers) = (self.meter_infos(), self.agents(), self.offers()?);
        Ok(NewOrg { name, zone, synthetic, words: self.words, meters, agents, lines: self.lines, offers })
    }

    /// What it sells, as it is offered to an org.
    ///
    /// # Errors
    /// A sentence; only for presets that were not checked.
    pub fn offers(&self) -> Result<Offers, String> {
        let plans = self.plans.iter().map(Plan::offer).collect::<Result<_, _>>()?;
        let packages = self.packages.iter().map(Package::offer).collect::<Result<_, _>>()?;
        Ok(Offers { plans, packages })
    }

    /// Its meters as an org has them.
    #[must_use]
    pub fn meter_infos(&self) -> Vec<MeterInfo> {
        let info = |text: &MeterText| MeterInfo {
            meter: text.meter.clone(),
            title: text.title.clone(),
            unit: text.unit.clone(),
            service: text.service.clone(),
        };
        self.meters.iter().map(info).collect()
    }

    /// Its meters that make a workflow that uses them an AI agent.
    #[must_use]
    pub fn agents(&self) -> Vec<Meter> {
        self.meters.iter().filter(|text| text.agent).map(|text| text.meter.clone()).collect()
    }

    /// The plan of that name.
    ///
    /// # Errors
    /// A sentence that says which there are.
    pub fn plan(&self, name: &str) -> Result<&Plan, String> {
        let known = || match self.plans.as_slice() {
            [] => "it has none".to_owned(),
            plans => {
                format!("choose {}", plans.iter().map(|plan| plan.name.as_str()).collect::<Vec<_>>().join(", "))
            }
        };
        let missing = || format!("the preset {} has no plan \"{name}\": {}", self.name, known());
        self.plans.iter().find(|plan| plan.name == name).ok_or_else(missing)
    }
}

/// The files of own presets, by name; none where there is no such folder.
fn own_files(data: &Path) -> Result<Vec<PathBuf>, PresetError> {
    let folder = data.join(OWN_FOLDER);
    let unreadable = |error: std::io::Error| PresetError::Unreadable {
        file: folder.display().to_string(),
        reason: error.to_string(),
    };
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let file = entry.map_err(unreadable)?.path();
        if file.extension().is_some_and(|ending| ending == OWN_ENDING) {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

fn stem(file: &Path) -> String {
    file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
