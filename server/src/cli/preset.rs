//! `scrip preset list` and `scrip preset check`

use super::Failure;
use crate::config::Config;
use crate::preset::{Preset, PresetError};
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Presets: list, check
///
/// A preset is a ready set-up: words, sources, meters, a rate card, plans and packages. Own ones are files NAME.toml in
/// presets/ of the data folder; docs/presets.md says how one is written.
#[derive(Subcommand)]
pub enum PresetVerb {
    /// List presets: those of scrip itself, and those in presets/ of the data folder
    List,
    Check(Check),
}

/// Check a preset and tell everything that is wrong with it
#[derive(Args)]
#[command(after_help = "Example:\n  scrip preset check data/presets/print-shop.toml")]
pub struct Check {
    /// File to check, wherever it lies
    file: PathBuf,
}

impl PresetVerb {
    pub(super) fn run(self, config: &Config) -> Result<(), Failure> {
        match self {
            Self::List => list(config),
            Self::Check(check) => check.run(),
        }
    }
}

fn list(config: &Config) -> Result<(), Failure> {
    let failure = |error: PresetError| Failure::new(error.to_string());
    let line =
        |preset: &Preset, whose: &str| println!("{}\t{}\t{whose}\t{}", preset.name, preset.title, preset.description);
    for preset in Preset::embedded().map_err(failure)? {
        line(&preset, "scrip");
    }
    let mut wrong = None;
    for read in Preset::own_of(&config.data).map_err(failure)? {
        match read {
            Ok(preset) => line(&preset, "own"),
            Err(error) => wrong = wrong.or(Some(error)),
        }
    }
    wrong.map_or(Ok(()), |error| Err(failure(error)))
}

impl Check {
    fn run(&self) -> Result<(), Failure> {
        let file = self.file.display();
        match Preset::in_file(&self.file) {
            Ok(preset) if Preset::hides_own(&self.file, &preset.name) => {
                let name = preset.name;
                println!("{file}: name: there is a preset {name} in scrip itself: give yours another name");
                Err(Failure::new(format!("{file} cannot be used: 1 problem")))
            }
            Ok(preset) => {
                let Preset { name, lines, meters, plans, packages, sample, .. } = preset;
                let sample = if sample.is_some() { "with a sample" } else { "without a sample" };
                println!(
                    "{name} is right: {}, {} of the rate card, {}, {}, {sample}",
                    counted(meters.len(), "meter", "meters"),
                    counted(lines.len(), "line", "lines"),
                    counted(plans.len(), "plan", "plans"),
                    counted(packages.len(), "package", "packages")
                );
                // Wherever it lies now, in a data folder its name counts.
                if self.file.file_stem().is_none_or(|stem| stem != name.as_str()) {
                    eprintln!("note: in presets/ of a data folder this file must be called {name}.toml");
                }
                Ok(())
            }
            Err(PresetError::Invalid { problems, .. }) => {
                for problem in &problems {
                    println!("{file}: {problem}");
                }
                let count = counted(problems.len(), "problem", "problems");
                Err(Failure::new(format!("{file} cannot be used: {count}")))
            }
            Err(error) => Err(Failure::new(error.to_string())),
        }
    }
}

fn counted(number: usize, one: &str, several: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { several })
}
