//! Files of a view of usage: its table as CSV and as a workbook, and the events behind it.

use super::{Backend, Store, events_csv, local_day};
use crate::calendar::{Day, range_text};
use crate::error::AppError;
use crate::exports::{self, CREDITS};
use crate::filters;
use crate::server_fns::analytics::{Analytics, DEFAULT_DAYS};
use crate::usage_chart::Usage;
use crate::usage_table::Table;
use crate::view::View;
use ::ledger::canon::hex;
use ::ledger::{Facet, Permission, Timestamp};
use store::{EventExport, EventFilter, Org};

/// The name of a file, and what is in it.
pub struct File<T> {
    /// `usage_2026-11-01_2026-11-21.csv`: letters, digits, `-`, `_` and `.` only.
    pub name: String,
    /// All of it.
    pub content: T,
}

/// A view with its answer, sliced.
struct Shown {
    org: Org,
    view: View,
    analytics: Analytics,
    table: Table,
}

impl Backend {
    /// The table of a page's query string as CSV.
    ///
    /// # Errors
    /// What the page would say, in words and figures that programs can rely on.
    pub async fn usage_csv(&self, query: &str) -> Result<File<String>, AppError> {
        let shown = self.exported(query).await?;
        Ok(File { name: shown.name("csv"), content: exports::usage(&shown.table) })
    }

    /// The same as a workbook, with a sheet that says what it holds.
    ///
    /// # Errors
    /// As [`Backend::usage_csv`].
    pub async fn usage_xlsx(&self, query: &str) -> Result<File<Vec<u8>>, AppError> {
        let shown = self.exported(query).await?;
        let about = about(&self.store, &shown).await?;
        let made = exports::xlsx::workbook(&shown.table, shown.analytics.cube.interval, &about);
        let content = made.map_err(|error| {
            tracing::error!(%error, "a workbook could not be made");
            AppError::Internal { request_id: super::request_id() }
        })?;
        Ok(File { name: shown.name("xlsx"), content })
    }

    async fn exported(&self, query: &str) -> Result<Shown, AppError> {
        let org = self.store.org(self.allowed(Permission::Export)?.org).await?;
        let view = View::parse(query);
        let analytics = super::analytics(&self.store, org.id, &view).await?;
        let usage = Usage::of(&analytics.cube, &view).map_err(|r| AppError::Refused { problem: r.to_string() })?;
        let table = Table::of(&analytics.cube, &view, &usage, CREDITS);
        Ok(Shown { org, view, analytics, table })
    }
}

impl Shown {
    fn name(&self, ending: &str) -> String {
        format!("usage_{}_{}.{ending}", self.analytics.from.iso(), self.analytics.to.iso())
    }
}

async fn about(store: &Store, shown: &Shown) -> Result<Vec<(&'static str, String)>, AppError> {
    let Shown { org, view, analytics, .. } = shown;
    let totals = store.totals(org.id).await?;
    let difference = store.difference(org.id, &super::wide(view)).await?;
    let chosen = filters::chosen(&analytics.cube, view);
    let told = |chosen: &filters::Chosen| format!("{}: {}", filters::title(&chosen.dimension, &org.words), chosen.text);
    let told: Vec<String> = chosen.iter().map(told).collect();
    Ok(vec![
        ("Organization", org.name.clone()),
        ("Range", range_text(analytics.from, analytics.to)),
        ("Time zone", org.zone.name().to_owned()),
        ("Interval", analytics.cube.interval.as_str().to_owned()),
        ("Filters", if told.is_empty() { "none".to_owned() } else { told.join("; ") }),
        ("Grouped by", filters::title(&view.group, &org.words)),
        ("Amounts in", org.words.unit.clone()),
        ("Data as of", analytics.as_of.iso.clone()),
        ("Difference to the ledger", difference.to_string()),
        ("Last ledger entry", totals.chain.seq.to_string()),
        ("Hash of that entry", hex(&totals.chain.hash)),
        ("View", view.with_range(analytics.from, analytics.to).href()),
    ])
}

/// The events behind a view as CSV, piece by piece: there may be millions.
pub struct EventsCsv {
    export: EventExport,
    org: Org,
    days: (Day, Day),
    begun: bool,
    /// Until when what the days cover is pruned, until that is said.
    pruned: Option<Timestamp>,
}

impl EventsCsv {
    /// Begins it, with what was accepted until now.
    ///
    /// # Errors
    /// [`AppError::Refused`] for those who may not, or what the store says.
    pub async fn begin(backend: &Backend, query: &str) -> Result<Self, AppError> {
        let store = &backend.store;
        let org = store.org(backend.allowed(Permission::Export)?.org).await?;
        let view = View::parse(query);
        let today = local_day(&org, store.now())?;
        let days = view.days(today).unwrap_or((today.plus_days(1 - DEFAULT_DAYS), today));
        let start = |day: Day| store::calendar::day_start(org.zone, day.date()).map_err(AppError::from);
        // The calendar's last day has none after it, and nothing in it either.
        let range = (start(days.0)?, start(days.1.plus_days(1))?);
        let export = store.events_behind(org.id, range, filter_of(&view)).await?;
        Ok(Self { pruned: export.pruned(), export, org, days, begun: false })
    }

    /// `events_2026-11-01_2026-11-21.csv`
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("events_{}_{}.csv", self.days.0.iso(), self.days.1.iso())
    }

    /// The next piece of the file; `None` after the last.
    ///
    /// # Errors
    /// What the store says.
    pub async fn next(&mut self) -> Result<Option<String>, AppError> {
        if !self.begun {
            self.begun = true;
            return Ok(Some(events_csv::head(self.export.meters())));
        }
        // Nothing is sent of stretches where nothing is found: an empty piece would end the answer.
        while let Some(events) = self.export.next().await? {
            if !events.is_empty() {
                let mut text = String::new();
                events.iter().for_each(|event| events_csv::row(&mut text, event, self.org.zone));
                return Ok(Some(text));
            }
        }
        // The last line says what is not in the file.
        Ok(self.pruned.take().map(|until| events_csv::pruned(until, self.org.zone, self.export.meters().len())))
    }
}

fn filter_of(view: &View) -> EventFilter {
    let mut filter = EventFilter {
        types: view.types.clone(),
        sources: view.sources.clone(),
        projects: view.projects.clone(),
        ..EventFilter::default()
    };
    for (facet, value) in view.facets.iter().cloned() {
        match facet {
            Facet::Workflow => filter.workflows.push(value),
            Facet::User => filter.users.push(value),
            Facet::Tenant => filter.tenants.push(value),
            Facet::Status => filter.statuses.push(value),
            Facet::Attribute(name) => filter.attributes.push((name, value)),
        }
    }
    filter
}
