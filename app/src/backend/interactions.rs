//! Interactions: lists of them, one with its events, and mapping them.

use super::customers::used;
use super::{Backend, local};
use crate::components::customers::data::{
    EventLine, Interaction, InteractionLine, Interactions, Mapping, MappingNote, MeterEvents, Told, Used,
};
use crate::error::AppError;
use crate::format;
use crate::query;
use crate::server_fns::Moment;
use crate::view::View;
use ledger::cube::MeterInfo;
use ledger::{Credits, EventSeq, Facet, Label, Permission, Quantity};
use std::collections::BTreeMap;
use store::trace::{Sort, TraceCursor, TraceEvents, TraceKind, TraceQuery};
use store::{AuditRow, Org, StoreError, TraceDetail};

/// Events on one page of an interaction.
const EVENTS: u32 = 200;
/// Changes of a mapping that are listed.
const HISTORY: u32 = 20;

impl Backend {
    /// Interactions of the days of a view, heaviest first, from a place in the list on; those whose id begins so.
    ///
    /// # Errors
    /// [`AppError::NotSignedIn`], or what the store says.
    pub async fn interactions(
        &self,
        org: &Org,
        view: &View,
        (after, prefix): (&str, &str),
        limit: usize,
    ) -> Result<Interactions, AppError> {
        let viewer = self.viewer.as_ref().ok_or(AppError::NotSignedIn)?;
        let days = self.days(org, view)?;
        let of = |wanted: Facet| {
            view.facets.iter().filter(|(facet, _)| *facet == wanted).map(|(_, value)| value.clone()).collect::<Vec<_>>()
        };
        let mut query = TraceQuery::new(TraceKind::Interaction);
        query.sort = Sort::Credits;
        query.overlapping = true;
        query.from = Some(store::calendar::day_start(org.zone, days.from.date())?);
        query.before = Some(store::calendar::day_start(org.zone, days.to.plus_days(1).date())?);
        query.workflows = of(Facet::Workflow);
        query.users = of(Facet::User);
        query.tenants = of(Facet::Tenant);
        query.projects.clone_from(&view.projects);
        prefix.clone_into(&mut query.search);
        query.cursor = TraceCursor::parse(after);
        query.limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let page = self.store.traces(viewer.org, query).await?;
        let mut lines = Vec::with_capacity(page.traces.len());
        for trace in page.traces {
            let whole = Used { credits: trace.credits, events: trace.events, failed: trace.failed, bytes: trace.bytes };
            lines.push(InteractionLine {
                id: trace.place.id.to_string(),
                first: Moment::new(trace.first_at, local(org, trace.first_at)?),
                used: trace.within.map_or(whole, used),
                reaches_out: trace.within.is_some(),
                at_least: trace.short,
                user: trace.user,
                tenant: trace.tenant,
            });
        }
        // What reaches beyond the days stands where all of it would: within a page it is put right.
        lines.sort_by_key(|line| std::cmp::Reverse(line.used.credits));
        Ok(Interactions {
            days,
            lines,
            next: page.on.map(TraceCursor::text),
            whole: page.whole,
            may_map: self.may_map(),
        })
    }

    fn may_map(&self) -> bool {
        self.allowed(Permission::ManageSettings).is_ok()
    }

    /// One interaction with a page of its events, after one of them.
    ///
    /// # Errors
    /// [`AppError::NotFound`] where neither an event nor anybody ever named it; or what the store says.
    pub async fn interaction(&self, org: &Org, id: &str, after: &str) -> Result<Interaction, AppError> {
        let viewer = self.viewer.as_ref().ok_or(AppError::NotSignedIn)?;
        let label = Label::kept(id).map_err(|_| AppError::NotFound)?;
        let mapped = self.store.mapping(viewer.org, label.clone()).await?;
        let history = self.store.mapping_history(viewer.org, &label, HISTORY).await?;
        let after = EventSeq::parse(after);
        let (detail, events) = match self.store.trace(viewer.org, TraceKind::Interaction, id.to_owned(), None).await {
            Ok(detail) => {
                let of = (viewer.org, TraceKind::Interaction, id.to_owned());
                let page = self.store.trace_events(of.0, of.1, of.2, None, after, EVENTS).await?;
                (Some(detail), page)
            }
            // Mapped before its first event, or all of them voided.
            Err(StoreError::NotFound(_)) if !history.is_empty() => {
                (None, TraceEvents { events: Vec::new(), next: None })
            }
            Err(error) => return Err(error.into()),
        };
        let text = |label: &Option<Label>| label.as_ref().map_or_else(String::new, ToString::to_string);
        let mapping = Mapping {
            user: text(&mapped.user),
            tenant: text(&mapped.tenant),
            history: history.iter().map(|row| note(org, row)).collect::<Result<_, _>>()?,
        };
        let when = detail.as_ref().map(|TraceDetail { trace, .. }| {
            let moment = |at| Ok::<_, AppError>(Moment::exact(at, local(org, at)?));
            Ok::<_, AppError>((moment(trace.first_at)?, moment(trace.last_at)?))
        });
        let trace = detail.as_ref().map(|detail| &detail.trace);
        Ok(Interaction {
            user: trace.map_or_else(|| mapping.user.clone(), |trace| trace.user.clone()),
            tenant: trace.map_or_else(|| mapping.tenant.clone(), |trace| trace.tenant.clone()),
            when: when.transpose()?,
            used: trace.map_or_else(Used::default, |trace| Used {
                credits: trace.credits,
                events: trace.events,
                failed: trace.failed,
                bytes: trace.bytes,
            }),
            pruned: trace.map_or(0, |trace| trace.pruned),
            meters: by_meter(org, detail.as_ref(), &events)?,
            next: events.next.map(|next| next.to_string()),
            later: after.is_some(),
            mapping,
            may_map: self.may_map(),
        })
    }

    /// Maps the interaction of a page, or the one that a form names, as the form says. Tells which one it was.
    ///
    /// # Errors
    /// [`AppError::Refused`] for those who may not and for what cannot be read; or what the store says.
    pub async fn map_interaction(&self, id: Option<&str>, form: &str) -> Result<String, AppError> {
        let viewer = self.allowed(Permission::ManageSettings)?;
        let fields = query::parse(form);
        let get = |name: &str| fields.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.trim());
        let refused = |refusal: ledger::Refusal| AppError::Refused { problem: refusal.to_string() };
        let label = |field: &'static str, text: &str| {
            (!text.is_empty()).then(|| Label::parse(field, text)).transpose().map_err(refused)
        };
        let interaction = Label::parse("interaction", id.unwrap_or_else(|| get("interaction"))).map_err(refused)?;
        let (user, tenant) = (label("user", get("user"))?, label("tenant", get("tenant"))?);
        if id.is_none() && user.is_none() && tenant.is_none() {
            return Err(AppError::Refused { problem: "name a user, a tenant or both".to_owned() });
        }
        let mapping = store::Mapping { interaction: interaction.clone(), user, tenant };
        self.store.map_interaction(viewer.org, viewer.by(), mapping, None).await?;
        Ok(interaction.to_string())
    }
}

/// What a form answers for which nothing was done.
///
/// # Errors
/// What is not about the form.
pub fn told(error: AppError) -> Result<Told, AppError> {
    match error {
        AppError::Refused { problem } => {
            let mut text = problem;
            if let Some(first) = text.get_mut(..1) {
                first.make_ascii_uppercase();
            }
            Ok(Told::Refused(format!("{text}.")))
        }
        error => Err(error),
    }
}

/// Events of a page under their meters, in the order of the rate card; the sums are those of the whole interaction.
fn by_meter(org: &Org, detail: Option<&TraceDetail>, events: &TraceEvents) -> Result<Vec<MeterEvents>, AppError> {
    let mut sums: BTreeMap<String, (MeterInfo, Quantity, Credits)> = BTreeMap::new();
    let mut order: Vec<String> = Vec::new();
    for used in detail.iter().flat_map(|detail| &detail.modules).flat_map(|module| &module.uses) {
        let name = used.meter.meter.to_string();
        if !order.contains(&name) {
            order.push(name.clone());
        }
        let sum = sums.entry(name).or_insert_with(|| (used.meter.clone(), Quantity::ZERO, Credits::ZERO));
        sum.1 = sum.1.plus(used.quantity).map_err(super::overview::refused)?;
        sum.2 = sum.2.plus(used.credits).map_err(super::overview::refused)?;
    }
    let with_unit =
        |meter: &MeterInfo, quantity| format::units(&format::quantity(quantity), super::event::unit_of(meter));
    let mut found = Vec::new();
    for name in order {
        let Some((info, quantity, credits)) = sums.remove(&name) else { continue };
        let mut lines = Vec::new();
        for event in &events.events {
            let Some(used) = event.uses.iter().find(|used| used.meter.meter == info.meter) else { continue };
            lines.push(EventLine {
                event: event.seq.to_string(),
                id: event.id.clone(),
                at: Moment::exact(event.at, local(org, event.at)?),
                quantity: with_unit(&info, used.quantity),
                failed: event.failed,
                credits: used.credits,
            });
        }
        if !lines.is_empty() {
            let quantity = with_unit(&info, quantity);
            found.push(MeterEvents { meter: name, title: info.title, quantity, credits, events: lines });
        }
    }
    Ok(found)
}

fn note(org: &Org, row: &AuditRow) -> Result<MappingNote, AppError> {
    let owner = |said: &Option<String>| -> [String; 2] {
        let said: serde_json::Value =
            said.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        ["user", "tenant"].map(|name| said.get(name).and_then(|id| id.as_str()).unwrap_or_default().to_owned())
    };
    Ok(MappingNote {
        at: Moment::exact(row.at, local(org, row.at)?),
        by: row.actor.clone(),
        before: owner(&row.before),
        after: owner(&row.after),
    })
}
