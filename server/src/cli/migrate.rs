//! `scrip migrate`

use super::{Failure, Office};
use crate::config::Config;
use clap::Args;

/// Bring the database to this release's schema, and stop
///
/// Every other command does the same when it opens the folder; this one is for upgrades done by hand. Forward only.
#[derive(Args)]
#[command(after_help = "Example:\n  scrip migrate --data /var/lib/scrip\n\nTake a backup with the old release first.")]
pub struct Migrate {}

impl Migrate {
    pub(super) async fn run(self, config: &Config) -> Result<(), Failure> {
        let office = Office::open_or_create(config).await?;
        let by = match office {
            Office::Here(_) => "",
            Office::Server(_) => " (by the server that runs there)",
        };
        office.close().await;
        println!("{} is at this release's schema{by}", config.data.display());
        Ok(())
    }
}
