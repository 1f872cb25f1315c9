//! The Audit log page, and its file.

use super::desk::instant;
use super::{Backend, local};
use crate::calendar::parse_iso;
use crate::components::settings::audit::{AuditLine, AuditView, Detail, Filter};
use crate::error::AppError;
use crate::exports;
use crate::server_fns::Moment;
use ::ledger::{OrgId, Permission, Timestamp};
use serde_json::Value;
use std::collections::BTreeSet;
use store::audit::{ACTIONS, MAX_PAGE};
use store::{AuditPage, AuditRow, Org, Store};

/// Rows on one page.
const PAGE: u32 = 50;
/// Longest text of one detail on the page; the file has all of it.
const MAX_DETAIL_CHARS: usize = 300;

/// What is known of something that was deleted.
#[derive(Debug, Clone)]
pub struct Deleted {
    /// When.
    pub at: Timestamp,
    /// What it was then, as the log noted it.
    pub before: Value,
}

impl Deleted {
    /// What it was called; else those words.
    #[must_use]
    pub fn title(&self, otherwise: &str) -> String {
        let title = self.before["title"].as_str().filter(|title| !title.is_empty());
        title.unwrap_or(otherwise).to_owned()
    }
}

impl Backend {
    /// What was deleted, by the action that noted it. Whoever may see the thing may hear that it is gone; who did it is the log's to say.
    ///
    /// # Errors
    /// [`AppError::NotFound`] where it never was, or what the store says.
    pub(super) async fn deleted(&self, org: &Org, action: &'static str, target: String) -> Result<Deleted, AppError> {
        let found = self.store.deleted(org.id, action, target).await?;
        found.map(|(at, before)| Deleted { at, before }).ok_or(AppError::NotFound)
    }

    /// The page.
    ///
    /// # Errors
    /// [`AppError::Refused`] for those who may not, [`AppError::BadRange`] for days that are none, or what the store says.
    pub async fn audit(&self, search: &str) -> Result<AuditView, AppError> {
        let viewer = self.allowed(Permission::SeeAudit)?;
        let org = self.store.org(viewer.org).await?;
        let filter = Filter::parse(search);
        let page = AuditPage { limit: PAGE + 1, ..page_of(&org, &filter)? };
        let mut rows = self.store.audit(org.id, page).await?;
        let more = rows.len() > PAGE as usize;
        rows.truncate(PAGE as usize);
        let older = rows.last().filter(|_| more).map(|row| filter.href("/settings/audit", Some(row.seq)));
        Ok(AuditView {
            lines: rows.iter().map(|row| line(&org, row)).collect::<Result<_, _>>()?,
            actors: self.store.audit_actors(org.id).await?,
            actions: ACTIONS.iter().map(|(action, words)| ((*action).to_owned(), (*words).to_owned())).collect(),
            older,
            csv: filter.href("/exports/audit.csv", None),
            zone: org.zone.name().to_owned(),
            filter,
        })
    }
}

fn page_of(org: &Org, filter: &Filter) -> Result<AuditPage, AppError> {
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let midnight = |day: &str, later: i64| {
        if day.is_empty() {
            return Ok(None);
        }
        let bad =
            || AppError::BadRange { problem: "A day is not complete: choose it again, or leave it out.".to_owned() };
        let day = parse_iso(day).ok_or_else(bad)?.plus_days(later);
        instant(org, &format!("{}T00:00", day.iso())).map_err(|_| bad())
    };
    Ok(AuditPage {
        actor: some(&filter.who),
        action: some(&filter.what),
        from: midnight(&filter.from, 0)?,
        until: midnight(&filter.to, 1)?,
        before: filter.before,
        limit: MAX_PAGE,
    })
}

fn line(org: &Org, row: &AuditRow) -> Result<AuditLine, AppError> {
    let words = ACTIONS.iter().find(|(action, _)| *action == row.action).map(|(_, words)| (*words).to_owned());
    Ok(AuditLine {
        at: Moment::exact(row.at, local(org, row.at)?),
        actor: row.actor.clone(),
        address: row.address.clone(),
        action: words.unwrap_or_else(|| row.action.clone()),
        target: row.target.clone(),
        details: details(row),
    })
}

/// What differs between before and after, name by name.
fn details(row: &AuditRow) -> Vec<Detail> {
    let (before, after) = (members(row.before.as_deref()), members(row.after.as_deref()));
    let names: BTreeSet<&str> = before.iter().chain(&after).map(|(name, _)| name.as_str()).collect();
    let value = |members: &[(String, String)], name: &str| {
        members.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    };
    let detail = |name: &str| {
        let (before, after) = (value(&before, name), value(&after, name));
        // What stayed needs no saying where something changed; where all is new or all is gone, it is all there is.
        (before != after).then(|| Detail { name: name.replace('_', " "), before, after })
    };
    names.into_iter().filter_map(detail).collect()
}

fn members(json: Option<&str>) -> Vec<(String, String)> {
    let Some(Value::Object(members)) = json.and_then(|json| serde_json::from_str(json).ok()) else { return Vec::new() };
    members.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name, told(&value))).collect()
}

fn told(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(told).collect::<Vec<_>>().join(", "),
        Value::Object(members) => {
            members.iter().map(|(name, value)| format!("{name} {}", told(value))).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    };
    text.chars().take(MAX_DETAIL_CHARS).collect()
}

/// The log as CSV, a page of the store at a time.
pub struct AuditExport {
    store: Store,
    org: OrgId,
    page: AuditPage,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Head,
    Rows,
    Done,
}

impl AuditExport {
    /// For the page's query string; a file holds all rows of its filter, whichever page was looked at.
    ///
    /// # Errors
    /// As [`Backend::audit`].
    pub async fn begin(backend: &Backend, query: &str) -> Result<Self, AppError> {
        let viewer = backend.allowed(Permission::SeeAudit)?;
        let org = backend.store.org(viewer.org).await?;
        let page = AuditPage { before: None, ..page_of(&org, &Filter::parse(query))? };
        Ok(Self { store: backend.store.clone(), org: org.id, page, stage: Stage::Head })
    }

    /// The next piece of the file; `None` after the last.
    ///
    /// # Errors
    /// What the store says.
    pub async fn next(&mut self) -> Result<Option<String>, AppError> {
        match self.stage {
            Stage::Head => {
                self.stage = Stage::Rows;
                Ok(Some(exports::audit_head()))
            }
            Stage::Rows => {
                let rows = self.store.audit(self.org, self.page.clone()).await?;
                self.page.before = rows.last().map(|row| row.seq);
                if rows.len() < MAX_PAGE as usize {
                    self.stage = Stage::Done;
                }
                let mut text = String::new();
                for row in &rows {
                    let part = |text: &Option<String>| text.clone().unwrap_or_default();
                    let (seq, at) = (row.seq.to_string(), row.at.to_string());
                    let (address, before, after) = (part(&row.address), part(&row.before), part(&row.after));
                    let cells = [&seq, &at, &row.actor, &address, &row.action, &row.target, &before, &after];
                    exports::audit_row(&mut text, cells.map(String::as_str));
                }
                Ok(Some(text))
            }
            Stage::Done => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::ledger::Timestamp;

    fn row(before: Option<&str>, after: Option<&str>) -> AuditRow {
        AuditRow {
            seq: 1,
            at: Timestamp::from_micros(0),
            actor: "command".to_owned(),
            address: None,
            action: "key.rotate".to_owned(),
            target: "key_1".to_owned(),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
        }
    }

    #[test]
    fn what_changed_is_told_name_by_name_and_what_stayed_is_not() {
        let told = |before, after| -> Vec<String> {
            let text = |part: Option<String>| part.unwrap_or_else(|| "-".to_owned());
            details(&row(before, after))
                .into_iter()
                .map(|d| format!("{}: {} > {}", d.name, text(d.before), text(d.after)))
                .collect()
        };
        assert_eq!(told(Some(r#"{"name":"a","prefix":"x"}"#), Some(r#"{"name":"a","prefix":"y"}"#)), ["prefix: x > y"]);
        assert_eq!(
            told(None, Some(r#"{"scopes":["a","b"],"project":null,"old_end":1}"#)),
            ["old end: - > 1", "scopes: - > a, b"]
        );
        assert_eq!(told(Some("no JSON"), None), Vec::<String>::new());
    }
}
