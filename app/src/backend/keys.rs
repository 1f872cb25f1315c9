//! The API keys page: its list, and what its forms do.

use super::desk::{Form, NotTaken, new_key};
use super::{Backend, Viewer, local};
use crate::components::empty_state::shell_word;
use crate::components::settings::keys::{KeyLine, KeysView, NewSecret, OPERATOR_SCOPES};
use crate::error::AppError;
use crate::query;
use crate::server_fns::Moment;
use ::ledger::{KeyId, Label, OrgId, Permission, RateLine, Rule, Timestamp};
use serde_json::Value;
use store::{KeyPage, KeyRow, KeyStatus, NewKey, Org, Scope, Store, StoreError, Successor};

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

    /// An event that the viewer's rate card has a price for, with that id, as JSON to be read; none where it has no line.
    ///
    /// # Errors
    /// [`AppError::NotSignedIn`], or what the store says.
    pub async fn example_event(&self, id: &str) -> Result<Option<String>, AppError> {
        let viewer = self.viewer.as_ref().ok_or(AppError::NotSignedIn)?;
        let Some(line) = first_line(&self.store, viewer.org).await? else { return Ok(None) };
        let mut example: Value = serde_json::from_str(&event(&line, None)).unwrap_or_default();
        example["id"] = Value::from(id);
        Ok(serde_json::to_string_pretty(&example).ok())
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
        let line = first_line(&self.store, viewer.org).await?;
        let curl = curl(&fresh.origin, &fresh.text, &row, line.as_ref());
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

/// A line that sends the first event of an org with a key, as a shell takes it.
pub(super) async fn first_request(store: &Store, org: OrgId, origin: &str, key: &str) -> Result<String, StoreError> {
    let page = KeyPage { active: true, before: None, limit: 1 };
    let row = store.api_keys(org, page).await?.into_iter().next().ok_or(StoreError::NotFound("key"))?;
    Ok(curl(origin, key, &row, first_line(store, org).await?.as_ref()))
}

/// The first line of the rate card that costs something: an event of it shows the most.
async fn first_line(store: &Store, org: OrgId) -> Result<Option<RateLine>, StoreError> {
    let mut lines = store.rate_card(org).await?.lines;
    let costs = lines.iter().position(|line| line.rule != Rule::Free).unwrap_or_default();
    Ok((!lines.is_empty()).then(|| lines.swap_remove(costs)))
}

/// A first request with the key, as a shell takes it.
fn curl(origin: &str, key: &str, row: &KeyRow, line: Option<&RateLine>) -> String {
    let auth = format!("  -H \"Authorization: Bearer {key}\"");
    let allows = |scope| row.scopes.contains(&scope) || row.scopes.contains(&Scope::Admin);
    if !allows(Scope::EventsWrite) {
        let path = if allows(Scope::UsageRead) { "usage" } else { "balance" };
        return format!("curl {origin}/api/v1/{path} \\\n{auth}");
    }
    let project = row.project.as_ref().map(Label::as_str);
    let event = line
        .map_or_else(|| r#"{"id":"first-1","source":"api","type":"export"}"#.to_owned(), |line| event(line, project));
    let event = shell_word(&event);
    format!(
        "curl -X POST {origin}/api/v1/events \\\n{auth} \\\n  -H \"content-type: application/json\" \\\n  -d {event}"
    )
}

/// An event that a line is for, as much of it as its price names. By hand, so that the members come in the order in which
/// they are explained.
fn event(line: &RateLine, project: Option<&str>) -> String {
    let text = |text: &str| Value::from(text).to_string();
    let (quantity, credits) = match &line.rule {
        Rule::Unit { per, .. } => (per.to_string(), ""),
        Rule::Tiers(tiers) => (tiers.per.to_string(), ""),
        Rule::Block { size, .. } => (size.to_string(), ""),
        Rule::Formula(_) => ("10".to_owned(), ""),
        Rule::Reported => ("1".to_owned(), r#","credits":"0.5""#),
        Rule::Free => ("1".to_owned(), ""),
    };
    let pair = |(name, value): (&Label, &Label)| format!("{}:{}", text(name.as_str()), text(value.as_str()));
    let attributes: Vec<String> = line.attributes.iter().map(pair).collect();
    let attributes = match attributes.as_slice() {
        [] => String::new(),
        pairs => format!(r#","attributes":{{{}}}"#, pairs.join(",")),
    };
    let project = project.map(|project| format!(r#","project":{}"#, text(project))).unwrap_or_default();
    let (source, meter) = (line.sources.first().map_or("api", Label::as_str), line.meter.as_str());
    let data = format!(r#"{{"quantity":{quantity}{credits}{project}{attributes}}}"#);
    format!(r#"{{"id":"first-1","source":{},"type":{},"data":{data}}}"#, text(source), text(meter))
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
        let card = ledger::card_text::parse("images from web where size=large: 2 per 1000").expect("a card");
        let row_of = row(vec![Scope::EventsWrite], Some("it's \"x\""));
        let line = curl("http://h", "scrip_k", &row_of, card.first());
        let word = line.split_once("-d '").and_then(|(_, rest)| rest.strip_suffix('\'')).expect("a word");
        let event: Value = serde_json::from_str(&word.replace("'\\''", "'")).expect("JSON");
        assert_eq!((&event["type"], &event["data"]["project"]), (&Value::from("images"), &Value::from("it's \"x\"")));
        assert_eq!((&event["data"]["quantity"], &event["source"]), (&Value::from(1000), &Value::from("web")));
        assert_eq!(event["data"]["attributes"]["size"], "large");
        assert!(
            curl("http://h", "k", &row(vec![Scope::UsageRead], None), None).starts_with("curl http://h/api/v1/usage")
        );
        assert!(curl("http://h", "k", &row(vec![Scope::LedgerRead], None), None).contains("/balance"));
        assert!(curl("http://h", "k", &row(vec![Scope::Admin], None), None).contains("/events"));
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
