//! The API keys page: its list, and what its forms do.

use super::desk::{Form, NotTaken, new_key};
use super::{Backend, Viewer, local};
use crate::components::empty_state::shell_word;
use crate::components::settings::keys::{KeyLine, KeysView, NewSecret, OPERATOR_SCOPES};
use crate::error::AppError;
use crate::query;
use crate::server_fns::Moment;
use ::ledger::{KeyId, Label, Permission, Timestamp};
use serde_json::Value;
use store::{KeyPage, KeyRow, KeyStatus, NewKey, Org, Scope, StoreError, Successor};

/// Keys on one page.
const PAGE: u32 = 50;
const MICROS_PER_DAY: i64 = 86_400_000_000;
/// A key that lives longer than ten years was meant to be without an end.
const MAX_DAYS: i64 = 3_650;

/// A secret that was drawn for a key to be.
pub struct Fresh {
    /// Where the browser reached us: requests with the key go there.
    pub origin: String,
    /// The whole key.
    pub text: String,
    /// Its public part.
    pub prefix: String,
    /// What is stored of it.
    pub hash: [u8; 32],
}

/// A key that was just made: a context of the page that shows it.
#[derive(Debug, Clone)]
pub struct Made {
    /// What is shown once.
    pub secret: NewSecret,
}

/// What came of a form.
pub enum KeyDone {
    /// A key, to be shown by the answer itself.
    Made(Box<Made>),
    /// The address that says it.
    At(String),
}

impl Backend {
    /// The page.
    ///
    /// # Errors
    /// [`AppError::Refused`] for those who may not, or what the store says.
    pub async fn keys(&self, search: &str) -> Result<KeysView, AppError> {
        let viewer = self.allowed(Permission::ManageKeys)?;
        let org = self.store.org(viewer.org).await?;
        let asked = |name: &str| query::parse(search).into_iter().find(|(key, _)| key == name).map(|(_, value)| value);
        let before = asked("before").and_then(|id| KeyId::parse(&id));
        let all = asked("status").as_deref() == Some("all");
        let page = KeyPage { active: !all, before, limit: PAGE + 1 };
        let mut rows = self.store.api_keys(org.id, page).await?;
        let more = rows.len() > PAGE as usize;
        rows.truncate(PAGE as usize);
        let status = if all { "status=all&" } else { "" };
        let older = rows.last().filter(|_| more).map(|row| format!("/settings/keys?{status}before={}", row.id));
        let revoked = match asked("revoked").and_then(|id| KeyId::parse(&id)) {
            Some(id) => self.store.api_key(org.id, id).await.ok().filter(|row| row.status == KeyStatus::Revoked),
            None => None,
        };
        Ok(KeysView {
            keys: rows.iter().map(|row| line(&org, viewer, row)).collect::<Result<_, _>>()?,
            all,
            older,
            operator: viewer.operator,
            zone: org.zone.name().to_owned(),
            form_key: new_key(),
            revoked: revoked.map(|row| row.name),
        })
    }

    /// Makes, rotates or revokes a key, as the form says.
    ///
    /// # Errors
    /// [`AppError::Refused`] for those who may not, or what the store says.
    pub async fn send_key(&self, body: &str, fresh: Fresh) -> Result<KeyDone, AppError> {
        let viewer = self.allowed(Permission::ManageKeys)?;
        let form = Form::parse(body);
        let done = match form.get("do") {
            "create" => self.create_key(viewer, &form, fresh).await,
            "rotate" => self.rotate_key(viewer, &form, fresh).await,
            "revoke" => self.revoke_key(viewer, &form).await,
            _ => Err(NotTaken::Form("stale_form")),
        };
        match done {
            Ok(done) => Ok(done),
            Err(NotTaken::Form(code)) => {
                let anchor = if form.get("do") == "create" { "create" } else { "keys" };
                Ok(KeyDone::At(form.back_to("/settings/keys", code, anchor)))
            }
            Err(NotTaken::Store(error)) => Err(error.into()),
        }
    }

    async fn create_key(&self, viewer: &Viewer, form: &Form, fresh: Fresh) -> Result<KeyDone, NotTaken> {
        let once = form.once("create-key")?;
        let scopes: Vec<Scope> = form.all("scope").filter_map(Scope::parse).collect();
        within(viewer, &scopes)?;
        let project = Some(form.get("project")).filter(|text| !text.is_empty());
        let project = project.map(|text| Label::parse("project", text)).transpose();
        let new = NewKey {
            org: viewer.org,
            name: form.get("name").to_owned(),
            prefix: fresh.prefix.clone(),
            hash: fresh.hash,
            scopes,
            project: project.map_err(|_| NotTaken::Form("bad_project"))?,
            expires_at: end(self.store.now(), form.get("days"))?,
        };
        let done = self.store.create_key(viewer.by(), new, Some(once)).await?;
        self.shown(viewer, fresh, done.answer, done.replayed).await
    }

    async fn rotate_key(&self, viewer: &Viewer, form: &Form, fresh: Fresh) -> Result<KeyDone, NotTaken> {
        let once = form.once("rotate-key")?;
        let row = self.key_of(viewer, form).await?;
        // Whoever rotates a key holds the new one in hand.
        within(viewer, &row.scopes)?;
        let overlap_hours = form.get("hours").parse().map_err(|_| NotTaken::Form("bad_overlap"))?;
        let to = Successor { prefix: fresh.prefix.clone(), hash: fresh.hash, overlap_hours };
        let done = self.store.rotate_key(viewer.by(), viewer.org, row.id, to, Some(once)).await?;
        self.shown(viewer, fresh, done.answer, done.replayed).await
    }

    async fn revoke_key(&self, viewer: &Viewer, form: &Form) -> Result<KeyDone, NotTaken> {
        let row = self.key_of(viewer, form).await?;
        self.store.revoke_key(viewer.by(), viewer.org, row.id).await?;
        Ok(KeyDone::At(format!("/settings/keys?revoked={}", row.id)))
    }

    async fn key_of(&self, viewer: &Viewer, form: &Form) -> Result<KeyRow, NotTaken> {
        let id = KeyId::parse(form.get("id")).ok_or(NotTaken::Form("unknown_key"))?;
        match self.store.api_key(viewer.org, id).await {
            Err(StoreError::NotFound(_)) => Err(NotTaken::Form("unknown_key")),
            found => Ok(found?),
        }
    }

    /// The page with the key. What was sent before made one, but its secret is gone with the first answer.
    async fn shown(&self, viewer: &Viewer, fresh: Fresh, id: KeyId, replayed: bool) -> Result<KeyDone, NotTaken> {
        if replayed {
            return Ok(KeyDone::At("/settings/keys?error=key_shown_before#keys".to_owned()));
        }
        let row = self.store.api_key(viewer.org, id).await?;
        let meters = self.store.meters(viewer.org).await?;
        let meter = meters.first().map_or_else(|| "export".to_owned(), |info| info.meter.to_string());
        let curl = curl(&fresh.origin, &fresh.text, &row, &meter);
        Ok(KeyDone::Made(Box::new(Made { secret: NewSecret { name: row.name, text: fresh.text, curl } })))
    }
}

/// Keys that give credits are the operators' to make: members would otherwise give their own org credits.
fn within(viewer: &Viewer, scopes: &[Scope]) -> Result<(), NotTaken> {
    let beyond = scopes.iter().any(|scope| OPERATOR_SCOPES.contains(&scope.as_str()));
    if beyond && !viewer.operator { Err(NotTaken::Form("operator_scope")) } else { Ok(()) }
}

/// When a key of so many days ends; none for one without an end.
fn end(now: Timestamp, days: &str) -> Result<Option<Timestamp>, NotTaken> {
    if days.is_empty() {
        return Ok(None);
    }
    let days: i64 = days.parse().ok().filter(|days| (1..=MAX_DAYS).contains(days)).ok_or(NotTaken::Form("bad_days"))?;
    Ok(Some(Timestamp::from_micros(now.micros().saturating_add(days * MICROS_PER_DAY))))
}

fn line(org: &Org, viewer: &Viewer, row: &KeyRow) -> Result<KeyLine, AppError> {
    let moment = |at: Timestamp| Ok::<_, AppError>(Moment::new(at, local(org, at)?));
    Ok(KeyLine {
        id: row.id.to_string(),
        name: row.name.clone(),
        shown: format!("scrip_{}_\u{2026}", row.prefix),
        scopes: row.scopes.iter().map(|scope| scope.as_str()).collect(),
        project: row.project.as_ref().map(Label::to_string),
        status: row.status.as_str(),
        active: row.status == KeyStatus::Active,
        ended: matches!(row.status, KeyStatus::Expired | KeyStatus::Revoked),
        created: moment(row.created_at)?,
        created_by: row.created_by.clone(),
        expires: row.expires_at.map(moment).transpose()?,
        used: row.used_at.map(moment).transpose()?,
        form_key: new_key(),
        rotatable: within(viewer, &row.scopes).is_ok(),
    })
}

/// A first request with the key, as a shell takes it.
fn curl(origin: &str, key: &str, row: &KeyRow, meter: &str) -> String {
    let auth = format!("  -H \"Authorization: Bearer {key}\"");
    let allows = |scope| row.scopes.contains(&scope) || row.scopes.contains(&Scope::Admin);
    if !allows(Scope::EventsWrite) {
        let path = if allows(Scope::UsageRead) { "usage" } else { "balance" };
        return format!("curl {origin}/api/v1/{path} \\\n{auth}");
    }
    let text = |text: &str| Value::from(text).to_string();
    let project =
        row.project.as_ref().map(|project| format!(r#","project":{}"#, text(project.as_str()))).unwrap_or_default();
    // By hand, so that the members come in the order in which they are explained.
    let event = format!(r#"{{"id":"first-1","source":"api","type":{},"data":{{"quantity":1{project}}}}}"#, text(meter));
    let event = shell_word(&event);
    format!(
        "curl -X POST {origin}/api/v1/events \\\n{auth} \\\n  -H \"content-type: application/json\" \\\n  -d {event}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_request_is_one_word_of_json_for_a_shell() {
        let at = Timestamp::from_micros(0);
        let row = |scopes: Vec<Scope>, project: Option<&str>| KeyRow {
            id: KeyId(1),
            name: "x".to_owned(),
            prefix: "abcdefgh".to_owned(),
            scopes,
            project: project.map(|id| Label::parse("project", id).expect("a label")),
            created_at: at,
            created_by: String::new(),
            expires_at: None,
            revoked_at: None,
            used_at: None,
            replaced_by: None,
            status: KeyStatus::Active,
        };
        let line = curl("http://h", "scrip_k", &row(vec![Scope::EventsWrite], Some("it's \"x\"")), "images");
        let word = line.split_once("-d '").and_then(|(_, rest)| rest.strip_suffix('\'')).expect("a word");
        let event: Value = serde_json::from_str(&word.replace("'\\''", "'")).expect("JSON");
        assert_eq!((&event["type"], &event["data"]["project"]), (&Value::from("images"), &Value::from("it's \"x\"")));
        assert!(
            curl("http://h", "k", &row(vec![Scope::UsageRead], None), "x").starts_with("curl http://h/api/v1/usage")
        );
        assert!(curl("http://h", "k", &row(vec![Scope::LedgerRead], None), "x").contains("/balance"));
        assert!(curl("http://h", "k", &row(vec![Scope::Admin], None), "x").contains("/events"));
    }

    #[test]
    fn a_key_ends_after_whole_days_or_never() {
        let now = Timestamp::from_micros(0);
        assert!(matches!(end(now, ""), Ok(None)));
        assert!(matches!(end(now, "2"), Ok(Some(at)) if at.micros() == 2 * MICROS_PER_DAY));
        for bad in ["0", "-1", "3651", "x", "9999999999999999999999"] {
            assert!(matches!(end(now, bad), Err(NotTaken::Form("bad_days"))), "{bad}");
        }
    }
}
