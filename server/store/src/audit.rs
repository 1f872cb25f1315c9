//! The audit log: who changed what, when, from where, before and after.
//!
//! A change notes itself ([`Tx::note`]) in the transaction that makes it, so that there is never one without the other.
//! Append-only by triggers. A note never holds a secret, nor the hash of one: it is shown to admins and exported.
//!
//! Cost of a page with a filter: a pass over what the org has noted since, newest first. Bounds: [`MAX_PAGE`],
//! [`MAX_DETAIL_BYTES`].

use crate::Store;
use crate::error::StoreError;
use crate::tx::Tx;
use ledger::{OrgId, Timestamp};
use rusqlite::params;
use serde_json::Value;

/// Most rows of one page.
pub const MAX_PAGE: u32 = 500;
/// Longest JSON of what was, or is: names and figures. What is longer is a mistake of whoever notes it, and is left out.
const MAX_DETAIL_BYTES: usize = 16 * 1024;
/// Longest address that is kept: an IPv6 address with a zone has some 60.
const MAX_ADDRESS_BYTES: usize = 64;

/// Everything that is noted, in words for people, in the order in which a filter offers it.
pub const ACTIONS: &[(&str, &str)] = &[
    ("org.create", "Organization created"),
    ("org.policy", "Policy changed"),
    ("org.export", "Organization exported"),
    ("org.end", "End of the organization asked for"),
    ("org.keep", "Organization kept after all"),
    ("org.settings", "Organization changed"),
    ("org.words", "Terminology changed"),
    ("installation.settings", "Installation changed"),
    ("member.add", "Member added"),
    ("member.role", "Role changed"),
    ("member.remove", "Member removed"),
    ("member.leave", "Member left"),
    ("invitation.send", "Invitation sent"),
    ("invitation.revoke", "Invitation taken back"),
    ("invitation.accept", "Invitation accepted"),
    ("password.change", "Password changed"),
    ("password.reset", "Password reset by mail"),
    ("second_factor.on", "Second factor turned on"),
    ("second_factor.off", "Second factor turned off"),
    ("recovery_codes.renew", "Recovery codes renewed"),
    ("recovery_code.use", "Recovery code used"),
    ("passkey.add", "Passkey added"),
    ("passkey.rename", "Passkey renamed"),
    ("passkey.remove", "Passkey removed"),
    ("elsewhere.link", "Account elsewhere linked"),
    ("elsewhere.unlink", "Account elsewhere unlinked"),
    ("session.end", "Sessions ended"),
    ("key.create", "API key created"),
    ("key.rotate", "API key rotated"),
    ("key.revoke", "API key revoked"),
    ("api.try", "API call sent from the page"),
    ("operator.verify", "Installation verified"),
    ("operator.backup", "Installation backed up"),
    ("operator.download", "Backup of the installation downloaded"),
    ("top_up.set", "Auto top-up changed"),
    ("plan.offer", "Plans offered"),
    ("subscription.begin", "Plan subscribed to"),
    ("subscription.change", "Plan changed"),
    ("subscription.cancel", "Subscription cancelled"),
    ("subscription.resume", "Subscription kept after all"),
    ("grant.give", "Credits given"),
    ("ledger.adjust", "Balance adjusted"),
    ("event.void", "Event voided"),
    ("event.replace", "Event replaced"),
    ("rate_card.create", "Rate card laid down"),
    ("interaction.map", "Interaction mapped"),
    ("workflow.settings", "Workflow changed"),
    ("package.offer", "Packages offered"),
    ("purchase.open", "Purchase begun"),
    ("purchase.refund", "Purchase given back"),
    ("payment.confirm", "Payment confirmed"),
    ("method.add", "Payment method added"),
    ("method.default", "Payment method chosen"),
    ("method.remove", "Payment method removed"),
    ("installation.seller", "Seller changed"),
    ("org.billing_details", "Billing details changed"),
    ("invoice.adjust", "Invoice adjusted"),
    ("invoice.pay", "Invoice payment begun"),
    ("alert.create", "Alert made"),
    ("alert.change", "Alert changed"),
    ("alert.delete", "Alert taken away"),
    ("alert.snooze", "Alert snoozed"),
    ("alert.mute", "Alert muted or unmuted"),
    ("alert.acknowledge", "Alert acknowledged"),
    ("budget.create", "Budget made"),
    ("budget.change", "Budget changed"),
    ("budget.delete", "Budget taken away"),
    ("endpoint.create", "Webhook made"),
    ("endpoint.change", "Webhook changed"),
    ("endpoint.delete", "Webhook deleted"),
    ("endpoint.rotate", "Webhook\u{2019}s secret rotated"),
    ("endpoint.enable", "Webhook enabled"),
    ("endpoint.disable", "Webhook disabled"),
    ("endpoint.test", "Webhook tested"),
    ("delivery.redeliver", "Message sent again"),
];

/// Who does something, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    /// `user:ada@example.com`, `key:1a2b3c4d` or `command`.
    pub actor: String,
    /// The address that the request came from; none for the command line.
    pub address: Option<String>,
}

impl By {
    /// Whoever types at the machine itself.
    #[must_use]
    pub fn command() -> Self {
        Self { actor: "command".to_owned(), address: None }
    }

    /// A signed-in person.
    #[must_use]
    pub fn user(email: &str, address: Option<String>) -> Self {
        Self { actor: format!("user:{email}"), address }
    }

    /// A program, by its key's public part.
    #[must_use]
    pub fn key(prefix: &str, address: Option<String>) -> Self {
        Self { actor: format!("key:{prefix}"), address }
    }
}

impl From<String> for By {
    /// Whoever the ledger knows by that cause, from nowhere in particular.
    fn from(actor: String) -> Self {
        Self { actor, address: None }
    }
}

/// What is done.
#[derive(Debug, Clone)]
pub struct Change {
    /// One of [`ACTIONS`].
    pub action: &'static str,
    /// What was changed: `key_3`.
    pub target: String,
    /// How it was, as far as it changes; none where it is new.
    pub before: Option<Value>,
    /// How it is now; none where it is gone.
    pub after: Option<Value>,
}

/// Which part of the log, newest first.
#[derive(Debug, Clone, Default)]
pub struct AuditPage {
    /// Only what this actor did.
    pub actor: Option<String>,
    /// Only this action.
    pub action: Option<String>,
    /// From this instant on.
    pub from: Option<Timestamp>,
    /// Before this instant.
    pub until: Option<Timestamp>,
    /// Only rows before this one.
    pub before: Option<i64>,
    /// At most so many; no more than [`MAX_PAGE`].
    pub limit: u32,
}

/// A row of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Its number in the org, from 1 on.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// From where.
    pub address: Option<String>,
    /// What was done.
    pub action: String,
    /// To what.
    pub target: String,
    /// JSON of how it was.
    pub before: Option<String>,
    /// JSON of how it is.
    pub after: Option<String>,
}

impl Tx<'_> {
    /// Notes a change, to be committed with it.
    pub(crate) fn note(&mut self, org: OrgId, by: &By, change: Change) -> Result<(), StoreError> {
        debug_assert!(ACTIONS.iter().any(|(action, _)| *action == change.action), "{} has no words", change.action);
        let address = by.address.as_deref().filter(|address| address.len() <= MAX_ADDRESS_BYTES);
        let text = |value: Option<Value>| value.map(|v| v.to_string()).filter(|text| text.len() <= MAX_DETAIL_BYTES);
        // The clock may jump back; the log's order is the order of writing.
        self.conn
            .prepare_cached(
                "INSERT INTO audit (org_id, audit_seq, at, actor, address, action, target, before, after)
                 SELECT ?1, coalesce(last.audit_seq, 0) + 1, max(?2, coalesce(last.at, ?2)), ?3, ?4, ?5, ?6, ?7, ?8
                 FROM (SELECT 1) LEFT JOIN (
                     SELECT audit_seq, at FROM audit WHERE org_id = ?1 ORDER BY audit_seq DESC LIMIT 1) AS last",
            )?
            .execute(params![
                org.0,
                self.now().micros(),
                by.actor,
                address,
                change.action,
                change.target,
                text(change.before),
                text(change.after)
            ])?;
        Ok(())
    }

    /// When the last change was noted, as the log has it: never before the one before it, though a clock may go back.
    pub(crate) fn noted_at(&self, org: OrgId) -> Result<Timestamp, StoreError> {
        let sql = "SELECT at FROM audit WHERE org_id = ?1 ORDER BY audit_seq DESC LIMIT 1";
        Ok(self.conn.prepare_cached(sql)?.query_row([org.0], |row| row.get(0).map(Timestamp::from_micros))?)
    }
}

impl Store {
    /// Notes what an operator did to the whole installation, in the org from which it was done.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn note_operator(
        &self,
        org: OrgId,
        by: By,
        action: &'static str,
        target: String,
    ) -> Result<(), StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            tx.note(org, &by, Change { action, target: target.clone(), before: None, after: None })
        };
        self.writer().call(0, run).await
    }

    /// Notes that somebody sent a call from the page that tries the API: the ledger knows it as the key's.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn note_tried(&self, org: OrgId, by: By, call: String, key: String) -> Result<(), StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            let after = Some(serde_json::json!({ "key": key }));
            tx.note(org, &by, Change { action: "api.try", target: call.clone(), before: None, after })
        };
        self.writer().call(0, run).await
    }
}

type Columns = (i64, i64, String, Option<String>, String, String, Option<String>, Option<String>);

fn row((seq, at, actor, address, action, target, before, after): Columns) -> AuditRow {
    AuditRow { seq, at: Timestamp::from_micros(at), actor, address, action, target, before, after }
}

impl Store {
    /// A page of the log, newest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn audit(&self, org: OrgId, page: AuditPage) -> Result<Vec<AuditRow>, StoreError> {
        let rows: Vec<Columns> = sqlx::query_as(
            "SELECT audit_seq, at, actor, address, action, target, before, after FROM audit
             WHERE org_id = ?1 AND audit_seq < ?2 AND (?3 IS NULL OR actor = ?3) AND (?4 IS NULL OR action = ?4)
                AND at >= ?5 AND at < ?6 ORDER BY audit_seq DESC LIMIT ?7",
        )
        .bind(org.0)
        .bind(page.before.unwrap_or(i64::MAX))
        .bind(page.actor)
        .bind(page.action)
        .bind(page.from.map_or(i64::MIN, Timestamp::micros))
        .bind(page.until.map_or(i64::MAX, Timestamp::micros))
        .bind(page.limit.min(MAX_PAGE))
        .fetch_all(self.reader())
        .await?;
        Ok(rows.into_iter().map(row).collect())
    }

    /// What was done to one thing, newest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub(crate) async fn audit_of(&self, org: OrgId, target: String, limit: u32) -> Result<Vec<AuditRow>, StoreError> {
        let rows: Vec<Columns> = sqlx::query_as(
            "SELECT audit_seq, at, actor, address, action, target, before, after FROM audit
             WHERE org_id = ?1 AND target = ?2 ORDER BY audit_seq DESC LIMIT ?3",
        )
        .bind(org.0)
        .bind(target)
        .bind(limit.min(MAX_PAGE))
        .fetch_all(self.reader())
        .await?;
        Ok(rows.into_iter().map(row).collect())
    }

    /// When something was deleted, and what it was then, as `action` noted it; `None` where it never was.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn deleted(
        &self,
        org: OrgId,
        action: &'static str,
        target: String,
    ) -> Result<Option<(Timestamp, Value)>, StoreError> {
        let found: Option<(i64, Option<String>)> = sqlx::query_as(
            "SELECT at, before FROM audit WHERE org_id = ?1 AND target = ?2 AND action = ?3 ORDER BY audit_seq DESC LIMIT 1",
        )
        .bind(org.0)
        .bind(target)
        .bind(action)
        .fetch_optional(self.reader())
        .await?;
        let read = |(at, before): (i64, Option<String>)| {
            Ok((
                Timestamp::from_micros(at),
                before.as_deref().map(serde_json::from_str).transpose()?.unwrap_or_default(),
            ))
        };
        found.map(read).transpose()
    }

    /// Everybody who has changed something in an org.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn audit_actors(&self, org: OrgId) -> Result<Vec<String>, StoreError> {
        let rows: Vec<(String,)> =
            sqlx::query_as("SELECT DISTINCT actor FROM audit WHERE org_id = ?1 ORDER BY actor LIMIT ?2")
                .bind(org.0)
                .bind(MAX_PAGE)
                .fetch_all(self.reader())
                .await?;
        Ok(rows.into_iter().map(|(actor,)| actor).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::FixedClock;
    use crate::{NewOrg, Options};
    use ledger::Words;
    use serde_json::json;
    use std::sync::Arc;

    const START: i64 = 1_795_262_400_000_000;

    async fn store(clock: &Arc<FixedClock>) -> (tempfile::TempDir, Store, [OrgId; 2]) {
        let dir = tempfile::tempdir().expect("a folder");
        let options = Options { clock: Arc::clone(clock) as _, ..Options::new(dir.path()) };
        let store = Store::open(options).await.expect("opens");
        let new = |name: &str| NewOrg {
            offers: crate::offer::Offers::default(),
            name: name.to_owned(),
            zone: "UTC".to_owned(),
            synthetic: false,
            words: Words::default(),
            meters: vec![],
            agents: vec![],
            lines: vec![],
        };
        let acme = store.create_org(new("Acme")).await.expect("made").id;
        let other = store.create_org(new("Other")).await.expect("made").id;
        (dir, store, [acme, other])
    }

    async fn note(store: &Store, org: OrgId, by: By, target: &str) {
        let target = target.to_owned();
        let run = move |tx: &mut Tx<'_>| {
            let after = Some(json!({"name": "x"}));
            tx.note(org, &by, Change { action: "key.create", target: target.clone(), before: None, after })
        };
        store.writer().call(0, run).await.expect("noted");
    }

    fn micros(offset: i64) -> Timestamp {
        Timestamp::from_micros(START + offset)
    }

    #[tokio::test]
    async fn each_org_reads_its_own_log_newest_first_and_by_who_what_and_when() {
        let clock = Arc::new(FixedClock::at(micros(0)));
        let (_dir, store, [acme, other]) = store(&clock).await;
        let ada = || By::user("ada@example.com", Some("192.0.2.1".to_owned()));
        note(&store, acme, ada(), "key_1").await;
        clock.set(micros(10));
        note(&store, acme, By::command(), "key_2").await;
        note(&store, other, By::command(), "key_3").await;
        // The clock jumps back: the order stays.
        clock.set(micros(5));
        note(&store, acme, ada(), "key_4").await;
        let page = |page: AuditPage| {
            let store = store.clone();
            async move {
                let rows =
                    store.audit(acme, AuditPage { action: Some("key.create".to_owned()), limit: 10, ..page }).await;
                rows.expect("reads").into_iter().map(|row| row.target).collect::<Vec<_>>()
            }
        };
        assert_eq!(page(AuditPage::default()).await, ["key_4", "key_2", "key_1"]);
        let by = AuditPage { actor: Some("user:ada@example.com".to_owned()), ..AuditPage::default() };
        assert_eq!(page(by).await, ["key_4", "key_1"]);
        assert_eq!(page(AuditPage { from: Some(micros(1)), ..AuditPage::default() }).await, ["key_4", "key_2"]);
        assert_eq!(page(AuditPage { until: Some(micros(1)), ..AuditPage::default() }).await, ["key_1"]);
        let rows = store.audit(acme, AuditPage { limit: 1, ..AuditPage::default() }).await.expect("reads");
        assert_eq!((rows[0].at, rows[0].address.as_deref()), (micros(10), Some("192.0.2.1")));
        assert_eq!((rows[0].before.as_deref(), rows[0].after.as_deref()), (None, Some(r#"{"name":"x"}"#)));
        let older = page(AuditPage { before: Some(rows[0].seq), ..AuditPage::default() }).await;
        assert_eq!(older, ["key_2", "key_1"]);
        assert_eq!(store.audit_actors(other).await.expect("reads"), ["command"]);
    }

    #[tokio::test]
    async fn what_is_noted_stays_and_what_is_undone_is_not_noted() {
        let clock = Arc::new(FixedClock::at(micros(0)));
        let (_dir, store, [acme, _]) = store(&clock).await;
        note(&store, acme, By::command(), "key_1").await;
        for sql in ["UPDATE audit SET actor = 'x'", "DELETE FROM audit"] {
            let run = move |tx: &mut Tx<'_>| Ok(tx.conn.execute(sql, []).is_err());
            assert!(store.writer().call(0, run).await.expect("runs"), "{sql}");
        }
        let refused = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
            let change = Change { action: "key.create", target: "key_9".to_owned(), before: None, after: None };
            tx.note(acme, &By::command(), change)?;
            Err(StoreError::Conflict("name"))
        };
        assert!(store.writer().call(0, refused).await.is_err());
        let rows = store.audit(acme, AuditPage { limit: 10, ..AuditPage::default() }).await.expect("reads");
        assert!(rows.iter().all(|row| row.target != "key_9") && rows.iter().any(|row| row.target == "key_1"));
    }
}
