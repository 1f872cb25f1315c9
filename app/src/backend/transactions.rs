//! Transactions, as the page lists them and as a file that is written while it is sent.

use super::grants::kind_word;
use super::overview::{exactly, refused};
use super::{Store, local};
use crate::components::overview::transactions::{Kind, Line};
use crate::error::AppError;
use crate::exports;
use crate::format;
use chrono::{Datelike, Timelike};
use ledger::cube::MeterInfo;
use ledger::entry::Head;
use ledger::event::Status;
use ledger::{Credits, EntryKind, Grant, OrgId, Quantity};
use std::collections::BTreeMap;
use store::transaction::MAX_PAGE;
use store::{Cursor, Org, Transaction, What};

/// A transaction as the page lists it.
pub(super) fn line(org: &Org, meters: &[MeterInfo], one: &Transaction) -> Result<Line, AppError> {
    let at = exactly(org, one.at)?;
    let nothing = Line {
        href: format!("/ledger?entry={}", one.entry),
        at,
        kind: Kind::Usage,
        services: Vec::new(),
        amount: Credits::ZERO,
        quantities: Vec::new(),
        description: String::new(),
        costs: Vec::new(),
    };
    match &one.what {
        What::Booking { kind, grant, change } => {
            let (word, description) = booking(kind, grant.as_deref(), *change);
            let kind = if change.is_negative() { Kind::Taken(word) } else { Kind::Given(word) };
            Ok(Line { kind, services: vec!["\u{2013}".to_owned()], amount: *change, description, ..nothing })
        }
        What::Pruned { events, credits } => {
            let description = format!("{}; details are no longer kept", format::counted(*events, "event", "events"));
            let amount = credits.negated().map_err(refused)?;
            Ok(Line { services: vec!["\u{2013}".to_owned()], amount, description, ..nothing })
        }
        What::Usage { seq, event, charges, credits } => {
            let failed = event.status == Status::Failed;
            let mut by_unit: BTreeMap<String, Quantity> = BTreeMap::new();
            let mut costs = Vec::with_capacity(charges.len());
            for charge in charges {
                let info = meters.iter().find(|info| info.meter == charge.meter);
                let unit = info.map_or("", |info| info.unit.as_str());
                let sum = by_unit.entry(unit.to_owned()).or_default();
                *sum = sum.plus(charge.quantity).map_err(refused)?;
                costs.push((service(info, charge.meter.as_str()), charge.credits));
            }
            Ok(Line {
                href: format!("/events/{seq}"),
                kind: if failed { Kind::FailedUsage } else { Kind::Usage },
                services: costs.iter().map(|(service, _)| service.clone()).collect(),
                amount: credits.negated().map_err(refused)?,
                quantities: by_unit.into_iter().collect(),
                description: described(event),
                costs,
                ..nothing
            })
        }
    }
}

/// What lists of transactions call a meter.
fn service(info: Option<&MeterInfo>, meter: &str) -> String {
    match info {
        Some(info) if !info.service.is_empty() => info.service.clone(),
        Some(info) => info.title.clone(),
        None => meter.to_owned(),
    }
}

/// What an event was for, in its own words or in those of where it came from.
fn described(event: &ledger::Event) -> String {
    if let Some(text) = &event.description {
        return text.clone();
    }
    let place = event.workflow.as_ref().or(event.project.as_ref());
    let place = place.map(|place| place.name.as_ref().unwrap_or(&place.id).as_str());
    let parts = [Some(event.operation.as_str()), place, Some(event.source.as_str())];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" \u{b7} ")
}

/// What an entry that is no usage is called, and what it was for.
fn booking(kind: &EntryKind, grant: Option<&Grant>, change: Credits) -> (&'static str, String) {
    let about = || grant.map(|grant| grant.description.clone()).unwrap_or_default();
    match kind {
        EntryKind::Grant { .. } => (grant.map_or("Grant", |grant| kind_word(grant.kind)), about()),
        EntryKind::Void { event, reason, .. } if change.is_negative() => ("Void", format!("{event}: {reason}")),
        EntryKind::Void { event, reason, .. } => ("Refund", format!("{event}: {reason}")),
        EntryKind::Adjustment { reason, .. } => ("Adjustment", reason.clone()),
        EntryKind::Rollover { .. } | EntryKind::Expiry { .. } => ("Expiry", about()),
        EntryKind::RateCard { .. }
        | EntryKind::Repayment { .. }
        | EntryKind::Hold { .. }
        | EntryKind::Extension { .. }
        | EntryKind::Release { .. }
        | EntryKind::HoldExpiry { .. }
        | EntryKind::Usage { .. }
        | EntryKind::Capture { .. } => ("Entry", about()),
    }
}

/// All transactions of an org as CSV, a page of the store at a time: there may be millions.
pub struct TransactionExport {
    store: Store,
    org: Org,
    meters: Vec<MeterInfo>,
    head: Head,
    name: String,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Head,
    /// Behind that place; nothing of what was booked since the file was begun.
    Rows(Cursor),
    End,
    Done,
}

impl TransactionExport {
    /// Begins a file named after `prefix` and the time in the org's zone. What is booked afterwards is not in it.
    ///
    /// # Errors
    /// What the store says.
    pub async fn begin(store: &Store, org: OrgId, prefix: &str) -> Result<Self, AppError> {
        let org = store.org(org).await?;
        let meters = store.meters(org.id).await?;
        let head = store.head(org.id).await?;
        let now = local(&org, store.now())?;
        let name = format!(
            "{prefix}_{:04}-{:02}-{:02}_{:02}-{:02}-{:02}.csv",
            now.year(),
            now.month(),
            now.day(),
            now.hour(),
            now.minute(),
            now.second()
        );
        Ok(Self { store: store.clone(), org, meters, head, name, stage: Stage::Head })
    }

    /// `token_usage_history_2025-06-30_14-30-15.csv`.
    #[must_use]
    pub fn file_name(&self) -> &str {
        &self.name
    }

    /// The next piece of the file; `None` after the last.
    ///
    /// # Errors
    /// What the store says. What was written until then is no whole file: its last row is not the chain's end.
    pub async fn next(&mut self) -> Result<Option<String>, AppError> {
        match self.stage {
            Stage::Head => {
                let after = ledger::EntrySeq(self.head.seq.0.saturating_add(1));
                self.stage = Stage::Rows(Cursor { entry: after, event: None });
                Ok(Some(exports::transaction_head(self.meters.iter().map(|info| info.meter.as_str()))))
            }
            Stage::Rows(place) => {
                let (page, next) = self.store.transactions(self.org.id, Some(place), MAX_PAGE).await?;
                self.stage = next.map_or(Stage::End, Stage::Rows);
                let mut text = String::new();
                for one in &page {
                    self.row(&mut text, one)?;
                }
                Ok(Some(text))
            }
            Stage::End => {
                self.stage = Stage::Done;
                Ok(Some(exports::transaction_end(self.head, self.meters.len())))
            }
            Stage::Done => Ok(None),
        }
    }

    fn row(&self, text: &mut String, one: &Transaction) -> Result<(), AppError> {
        let line = line(&self.org, &self.meters, one)?;
        let (mut id, mut source, mut project, mut status) = (one.entry.to_string(), "", "", "");
        let mut quantities = vec![String::new(); self.meters.len()];
        if let What::Usage { seq, event, charges, .. } = &one.what {
            id = seq.to_string();
            source = event.source.as_str();
            project = event.project.as_ref().map_or("", |project| project.id.as_str());
            status = if event.status == Status::Failed { "failed" } else { "succeeded" };
            for charge in charges {
                if let Some(place) = self.meters.iter().position(|info| info.meter == charge.meter) {
                    quantities[place] = charge.quantity.to_string();
                }
            }
        }
        let kind = match line.kind {
            Kind::Usage | Kind::FailedUsage => "usage".to_owned(),
            Kind::Given(word) | Kind::Taken(word) => word.to_lowercase(),
        };
        let services = if matches!(one.what, What::Usage { .. }) { line.services.join(" ") } else { String::new() };
        let (amount, at) = (line.amount.to_string(), one.at.to_string());
        let local = local(&self.org, one.at)?.format("%Y-%m-%d %H:%M:%S").to_string();
        let first = [id.as_str(), at.as_str(), local.as_str(), kind.as_str(), services.as_str(), amount.as_str()];
        let last = [source, project, status, line.description.as_str()];
        exports::transaction_row(text, first, quantities.iter().map(String::as_str), last);
        Ok(())
    }
}
