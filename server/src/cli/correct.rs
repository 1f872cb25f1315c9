//! `scrip correct`

use super::{Failure, Office, unexpected};
use crate::command::{Answer, Change, Command};
use crate::config::Config;
use clap::{Args, Subcommand};
use ledger::{Balance, Credits, EventSeq, GrantId, Refusal, Timestamp};
use store::Correction;

/// Take back, replace or adjust what is booked
///
/// Nothing is changed: a correction is a new entry that names the old. Prints which balances and which analytics change,
/// and by how much; with --preview that is all it does.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  scrip correct void event_12 --org Acme --reason \"Reported twice\" --preview\n  scrip correct replace event_12 --org Acme --reason \"Wrong quantity\" --with '{\"id\":\"a-2\",\"source\":\"api\",\"type\":\"images\"}'\n  scrip correct adjust -5 --org Acme --reason \"Agreed with the customer\""
)]
pub struct Correct {
    #[command(subcommand)]
    what: What,
    /// Organization
    #[arg(long, value_name = "NAME", global = true, default_value = "")]
    org: String,
    /// Why, in words that somebody will understand in a year
    #[arg(long, value_name = "TEXT", global = true, default_value = "")]
    reason: String,
    /// Only say what would happen
    #[arg(long, global = true)]
    preview: bool,
}

#[derive(Subcommand)]
enum What {
    /// Take an event back: what it cost returns to whoever paid
    Void {
        /// Such as event_12
        event: String,
    },
    /// Take an event back and let another stand in its place
    Replace {
        /// Such as event_12
        event: String,
        /// What should have been reported, as JSON, with an id of its own
        #[arg(long, value_name = "JSON")]
        with: String,
    },
    /// Give credits, or take some
    Adjust {
        /// Above zero gives a new grant, below takes from what is left
        #[arg(allow_negative_numbers = true)]
        amount: String,
        /// Take only from this grant, such as grant_1
        #[arg(long, value_name = "GRANT")]
        grant: Option<String>,
        /// When the new grant expires, as RFC 3339
        #[arg(long, value_name = "TIME")]
        expires_at: Option<String>,
    },
}

impl Correct {
    pub(super) async fn run(self, config: &Config) -> Result<(), Failure> {
        if self.org.is_empty() {
            return Err(Failure::new("--org: name the organization"));
        }
        let (change, preview) = (self.what.change()?, self.preview);
        let command = Command::Correct { org: self.org, change, reason: self.reason, preview };
        let Answer::Correction(correction) = Office::once(config, command).await? else { return Err(unexpected()) };
        show(&correction).map_err(|refusal| Failure::new(refusal.to_string()))
    }
}

impl What {
    fn change(self) -> Result<Change, Failure> {
        let refused = |flag: &'static str| move |refusal: Refusal| Failure::new(format!("{flag}: {refusal}"));
        Ok(match self {
            Self::Void { event } => Change::Void(event_of(&event)?),
            Self::Replace { event, with } => Change::Replace(event_of(&event)?, with),
            Self::Adjust { amount, grant, expires_at } => {
                let no_grant = || Failure::new("--grant: ids look like grant_1");
                let expires_at = expires_at.as_deref().map(|text| Timestamp::parse("--expires-at", text)).transpose();
                Change::Adjust {
                    amount: Credits::parse(&amount).map_err(refused("AMOUNT"))?,
                    grant: grant.map(|id| GrantId::parse(&id).ok_or_else(no_grant)).transpose()?,
                    expires_at: expires_at.map_err(refused("--expires-at"))?,
                }
            }
        })
    }
}

fn event_of(id: &str) -> Result<EventSeq, Failure> {
    EventSeq::parse(id).ok_or_else(|| Failure::new("EVENT: ids look like event_12, as GET /api/v1/events lists them"))
}

fn show(correction: &Correction) -> Result<(), Refusal> {
    let entries = correction.entries.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let done = if correction.booked { "booked as" } else { "preview, nothing is booked; it would be" };
    println!("{done} {entries} in {}", correction.booked_in);
    if let Some(cycle) = correction.happened_in.filter(|cycle| *cycle < correction.booked_in) {
        println!("the event happened in {cycle}, which is closed and stays as it is");
    }
    if let Some(replacement) = correction.replacement {
        println!("replaced by {replacement}");
    }
    let parts = |balance: &Balance| [balance.available, balance.held, balance.debt];
    for ((name, before), after) in
        ["available", "held", "debt"].into_iter().zip(parts(&correction.before)).zip(parts(&correction.after))
    {
        if before != after {
            println!("{name}\t{before} → {after}\t({})", signed(after.minus(before)?));
        }
    }
    for change in &correction.grants {
        let by = signed(change.after.minus(change.before)?);
        println!("{}\t{} → {}\t({by})", change.grant, change.before, change.after);
    }
    for change in &correction.rollups {
        let project = change.project.as_ref().map(|project| format!(", project {project}")).unwrap_or_default();
        let (credits, quantity) = (signed(change.credits), change.quantity);
        println!(
            "analytics {}\t{} from {}{project}\t{credits} credits, quantity {quantity}",
            change.day, change.meter, change.source
        );
    }
    Ok(())
}

fn signed(amount: Credits) -> String {
    if amount.is_negative() { amount.to_string() } else { format!("+{amount}") }
}
