//! `scrip import`

use super::{Failure, Office};
use crate::config::Config;
use crate::import::mapping::Mapping;
use crate::import::run::{Job, Summary, run};
use clap::Args;
use ledger::Timestamp;
use std::path::PathBuf;

/// Import usage from a CSV or JSON lines file
///
/// May be stopped at any time and started again: rows that were taken before are found again and cost nothing.
/// Rows that cannot be taken go to a file with the reason for each.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  scrip import azure_llm_conv.csv --org Acme --mapping azure-llm --dry-run\n  scrip import azure_llm_conv.csv --org Acme --mapping azure-llm\n  scrip import bill.csv --org Clouds --mapping focus     (an org made with --preset cloud-costs)"
)]
pub struct Import {
    /// File to import
    file: PathBuf,
    /// Organization
    #[arg(long, value_name = "NAME")]
    org: String,
    /// What its columns mean: azure-llm, mooncake, focus, or a TOML file of your own
    #[arg(long, value_name = "MAPPING")]
    mapping: String,
    /// Read and rate everything, but send nothing
    #[arg(long)]
    dry_run: bool,
    /// Where rejected rows go [default: FILE.rejected.csv or .jsonl]
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// When a file whose times are counted from 0 began, as RFC 3339
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
}

impl Import {
    pub(super) async fn run(self, config: &Config) -> Result<(), Failure> {
        let mut mapping = Mapping::named(&self.mapping).map_err(|bad| Failure::new(bad.reason))?;
        if let Some(since) = &self.since {
            let since = Timestamp::parse("--since", since).map_err(|refusal| Failure::new(refusal.to_string()))?;
            mapping.set_since(since).map_err(|bad| Failure::new(bad.reason))?;
        }
        let Self { file, org, dry_run, rejects, .. } = self;
        let mut office = Office::open(config).await?;
        let done = run(&mut office, Job { file, org, mapping, dry_run, rejects }).await;
        office.close().await;
        report(&done?, dry_run)
    }
}

fn report(summary: &Summary, dry_run: bool) -> Result<(), Failure> {
    let Summary { read, tally, stopped } = summary;
    let (accepted, rejected, credits, balance) = (tally.accepted, tally.rejected, tally.credits, tally.balance);
    if dry_run {
        println!(
            "read {read}, would send {accepted}, would reject {rejected}, would cost {credits}, balance {balance}"
        );
    } else {
        let duplicate = tally.duplicate;
        println!(
            "read {read}, accepted {accepted}, duplicate {duplicate}, rejected {rejected}, credits {credits}, balance {balance}"
        );
    }
    if *stopped {
        return Err(Failure::new(
            "stopped before the end: the same command goes on from here, and counts no row twice",
        ));
    }
    if *read > 0 && rejected >= *read {
        return Err(Failure::new(
            "no row could be taken: does the mapping fit the file, and the organization's rate card the mapping's meters?",
        ));
    }
    Ok(())
}
