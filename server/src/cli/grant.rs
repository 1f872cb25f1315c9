//! `scrip grant`

use super::{Failure, Office, unexpected};
use crate::command::{Answer, Command};
use crate::config::Config;
use clap::Args;
use ledger::rollover::Cap;
use ledger::{Credits, GrantKind, Label, Meter, Money, Refusal, Rollover, Scope, Timestamp};
use store::NewGrant;

/// Give credits to an organization
///
/// A debt, if there is one, is repaid from it first, unless it has a scope: nobody knows what the debt was for. Lower priorities are spent first, then what expires soonest.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  scrip grant --org Acme --amount 100 --cost \"90.00 EUR\"\n  scrip grant --org Acme --amount 20 --kind promotion --expires-at 2027-01-01T00:00:00Z --description \"Welcome\"\n  scrip grant --org Acme --amount 1000 --kind plan --expires-at 2026-12-01T00:00:00Z --rollover custom --rollover-cap 20% --rollover-months 2"
)]
pub struct GiveGrant {
    /// Organization
    #[arg(long, value_name = "NAME")]
    org: String,
    /// How many credits, with at most six decimals
    #[arg(long, allow_negative_numbers = true)]
    amount: String,
    /// plan, purchase, promotion, rollover, adjustment or refund
    #[arg(long, default_value = "purchase")]
    kind: String,
    /// Lower is spent first
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    priority: i16,
    /// Only for this meter; may be repeated
    #[arg(long = "meter", value_name = "METER")]
    meters: Vec<String>,
    /// Only for this project, by id; may be repeated
    #[arg(long = "project", value_name = "ID")]
    projects: Vec<String>,
    /// When it can be spent from, as RFC 3339, also in the past; now where it is not said
    #[arg(long, value_name = "TIME")]
    effective_at: Option<String>,
    /// When what is left of it expires, as RFC 3339; never where it is not said
    #[arg(long, value_name = "TIME")]
    expires_at: Option<String>,
    /// What was paid for it, such as "50.00 EUR"
    #[arg(long, value_name = "MONEY", allow_hyphen_values = true)]
    cost: Option<String>,
    /// What becomes of a plan's rest when it expires: none (it expires), professional (three months more) or custom
    #[arg(long, default_value = "none", value_name = "TERMS")]
    rollover: String,
    /// custom: at most so many credits, such as 200, or so much of the grant, such as 20%; all where it is not said
    #[arg(long, value_name = "CAP", allow_negative_numbers = true)]
    rollover_cap: Option<String>,
    /// custom: for so many months, 1 to 120, or never to expire
    #[arg(long, value_name = "MONTHS", allow_negative_numbers = true)]
    rollover_months: Option<String>,
    /// What people read beside it
    #[arg(long, default_value = "Granted by the operator", value_name = "TEXT")]
    description: String,
}

impl GiveGrant {
    pub(super) async fn run(self, config: &Config) -> Result<(), Failure> {
        let (org, new) = (self.org.clone(), self.new_grant()?);
        let mut office = Office::open(config).await?;
        let given = office.run(Command::Grant { org: org.clone(), new }).await;
        let balance = office.run(Command::Balance { org: org.clone() }).await;
        office.close().await;
        let (Answer::Grant(grant), Answer::Balance(available)) = (given?, balance?) else { return Err(unexpected()) };
        println!("{} {} credits to {org}: {available} available", grant.id, grant.amount);
        Ok(())
    }

    fn new_grant(self) -> Result<NewGrant, Failure> {
        let kinds = || GrantKind::ALL.map(GrantKind::as_str).join(", ");
        let no_kind = || Failure::new(format!("--kind: there is no kind \"{}\": choose {}", self.kind, kinds()));
        let time = |field: &'static str, text: &Option<String>| {
            text.as_deref().map(|text| Timestamp::parse(field, text)).transpose().map_err(named(field))
        };
        let meters = self.meters.iter().map(|meter| Meter::parse(meter)).collect::<Result<_, _>>();
        let projects = self.projects.iter().map(|id| Label::parse("the id", id)).collect::<Result<_, _>>();
        Ok(NewGrant {
            kind: GrantKind::parse(&self.kind).ok_or_else(no_kind)?,
            amount: Credits::parse(&self.amount).map_err(named("--amount"))?,
            priority: self.priority,
            scope: Scope { meters: meters.map_err(named("--meter"))?, projects: projects.map_err(named("--project"))? },
            effective_at: time("--effective-at", &self.effective_at)?,
            expires_at: time("--expires-at", &self.expires_at)?,
            cost: self.cost.as_deref().map(Money::parse).transpose().map_err(named("--cost"))?,
            rollover: rollover(&self.rollover, self.rollover_cap.as_deref(), self.rollover_months.as_deref())?,
            description: self.description,
        })
    }
}

fn named(flag: &'static str) -> impl Fn(Refusal) -> Failure {
    move |refusal| Failure::new(format!("{flag}: {refusal}"))
}

fn rollover(terms: &str, cap: Option<&str>, months: Option<&str>) -> Result<Option<Rollover>, Failure> {
    match (terms, cap, months) {
        ("none", None, None) => Ok(None),
        ("professional", None, None) => Ok(Some(Rollover::PROFESSIONAL)),
        ("none" | "professional", _, _) => {
            Err(Failure::new("--rollover-cap and --rollover-months belong to --rollover custom"))
        }
        ("custom", cap, Some(months)) => {
            let cap = cap.map(cap_of).transpose()?;
            let bad = |_| Failure::new("--rollover-months: give a number from 1 to 120, or never");
            let months = (months != "never").then(|| months.parse().map_err(bad)).transpose()?;
            Ok(Some(Rollover { cap, months }))
        }
        // For ever is much to give away by leaving something out.
        ("custom", _, None) => Err(Failure::new("--rollover custom needs --rollover-months: a number, or never")),
        _ => Err(Failure::new(format!("--rollover: there is no \"{terms}\": choose none, professional or custom"))),
    }
}

fn cap_of(text: &str) -> Result<Cap, Failure> {
    let bad = |_| Failure::new("--rollover-cap: give whole percent from 1% to 100%, or credits such as 200");
    match text.strip_suffix('%') {
        Some(percent) => Ok(Cap::Percent(percent.parse().map_err(bad)?)),
        None => Ok(Cap::Credits(Credits::parse(text).map_err(named("--rollover-cap"))?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_read_as_people_write_them() {
        let terms = |terms, cap, months| rollover(terms, cap, months).map_err(|failure| failure.to_string());
        assert_eq!(terms("none", None, None), Ok(None));
        assert_eq!(terms("professional", None, None), Ok(Some(Rollover::PROFESSIONAL)));
        let percent = Rollover { cap: Some(Cap::Percent(20)), months: Some(2) };
        assert_eq!(terms("custom", Some("20%"), Some("2")), Ok(Some(percent)));
        let credits = Rollover { cap: Some(Cap::Credits(Credits::from_micros(200_500_000))), months: None };
        assert_eq!(terms("custom", Some("200.5"), Some("never")), Ok(Some(credits)));
        for (name, cap, months) in [
            ("custom", None, None),
            ("custom", Some("20 %"), Some("1")),
            ("custom", Some("2.5%"), Some("1")),
            ("custom", Some("-1%"), Some("1")),
            ("custom", None, Some("300")),
            ("none", Some("20%"), None),
            ("sometimes", None, None),
        ] {
            assert!(terms(name, cap, months).is_err_and(|line| line.starts_with("--rollover")), "{name} {cap:?}");
        }
    }
}
