//! The first start: a link that works once, and what its owner has answered since.
//!
//! There is a link only while nobody is in the installation. Whoever uses it becomes the first owner and goes on by their
//! session; answers are kept as a draft until everything they name is made in one transaction ([`Store::found`]), so that a
//! process that dies in between leaves nothing half-made. It is over when the owner says so, or has seen the first event.

use crate::audit::{By, Change};
use crate::error::StoreError;
use crate::grant::NewGrant;
use crate::key::NewKey;
use crate::org::{NewOrg, zone_named};
use crate::settings::{installation, installation_json, write_installation, write_org_setting};
use crate::tx::Tx;
use crate::user::{UserId, insert, normalized};
use crate::{Store, member};
use ledger::label::{MAX_LABEL_BYTES, check_text};
use ledger::{Installation, OrgId, OrgSettings, Role};
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

/// For how long a link works: whoever starts a server opens it the same day. A later start prints another.
pub const LINK_US: i64 = 24 * 3_600 * 1_000_000;

/// What was answered before the org is made. Everything is checked again when it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Draft {
    /// Whether the words of the installation were chosen.
    pub worded: bool,
    /// The org's name; empty until it is said.
    pub name: String,
    /// IANA name of its zone.
    pub zone: String,
    /// ISO 4217 code.
    pub currency: String,
    /// Name of the preset; empty until it is chosen.
    pub preset: String,
    /// Name of the plan of the preset; empty for none.
    pub plan: String,
    /// Credits to begin with; may be empty.
    pub opening: String,
    /// Whether a sample is wanted beside it.
    pub sample: bool,
}

/// How far the first start has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// What was answered.
    pub draft: Draft,
    /// The org, once it is made.
    pub org: Option<OrgId>,
    /// Whether the org has its first event.
    pub received: bool,
}

/// Everything that the answers name.
#[derive(Debug, Clone)]
pub struct Founding {
    /// The org.
    pub org: NewOrg,
    /// What it is set to.
    pub settings: OrgSettings,
    /// Which of the plans it subscribes to, by name.
    pub plan: Option<String>,
    /// Credits to begin with.
    pub opening: Option<NewGrant>,
    /// Its first key; of the org that is made, whatever it says.
    pub key: NewKey,
}

impl Store {
    /// Whether anybody is in the installation.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn has_people(&self) -> Result<bool, StoreError> {
        self.read(has_people).await
    }

    /// Lays down the link of the first start in the place of any before; `false` where somebody is there already.
    ///
    /// # Errors
    /// Where the writer is busy or stopped.
    pub async fn open_setup(&self, token_hash: [u8; 32]) -> Result<bool, StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            if has_people(tx.conn)? {
                return Ok(false);
            }
            let expires_at = tx.now().micros().saturating_add(LINK_US);
            tx.conn
                .prepare_cached(
                    "INSERT INTO setup (setup_id, token_hash, expires_at) VALUES (1, ?1, ?2)
                     ON CONFLICT DO UPDATE SET token_hash = excluded.token_hash, expires_at = excluded.expires_at",
                )?
                .execute(params![token_hash.as_slice(), expires_at])?;
            Ok(true)
        };
        self.writer().call(0, run).await
    }

    /// Whether the link with that token still works.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn setup_link(&self, token_hash: [u8; 32]) -> Result<bool, StoreError> {
        let now = self.now().micros();
        self.read(move |conn| link_works(conn, &token_hash, now)).await
    }

    /// Makes the first person, an operator, and uses the link up.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where the link does not work (any more); [`StoreError::BadRange`] for no email.
    pub async fn first_owner(&self, token_hash: [u8; 32], email: &str, hash: &str) -> Result<UserId, StoreError> {
        let email = normalized(email).ok_or(StoreError::BadRange("not an email address"))?;
        let hash = hash.to_owned();
        let run = move |tx: &mut Tx<'_>| {
            if !link_works(tx.conn, &token_hash, tx.now().micros())? {
                return Err(StoreError::NotFound("link"));
            }
            let user = insert(tx, &email, &hash, true)?;
            let sql = "UPDATE setup SET token_hash = NULL, expires_at = NULL, user_id = ?1";
            tx.conn.prepare_cached(sql)?.execute([user.0])?;
            Ok(user)
        };
        self.writer().call(0, run).await
    }

    /// How far the first start of that person has come; `None` for everybody else, once it is over, and for whoever does not
    /// own the org any more.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn setup_of(&self, user: UserId) -> Result<Option<Setup>, StoreError> {
        self.read(move |conn| setup_of(conn, user)).await
    }

    /// Keeps what was answered, until the org is made.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where nothing is being set up by that person, or the org is made.
    pub async fn keep_draft(&self, user: UserId, draft: Draft) -> Result<(), StoreError> {
        self.writer().call(0, move |tx: &mut Tx<'_>| write_draft(tx, user, &draft)).await
    }

    /// Sets what the installation is called while it is being set up. The org notes it when it is made.
    ///
    /// # Errors
    /// As [`Store::keep_draft`]; [`StoreError::Refused`] naming the field.
    pub async fn name_installation(&self, user: UserId, new: Installation) -> Result<(), StoreError> {
        new.check()?;
        let run = move |tx: &mut Tx<'_>| {
            let setup = setup_of(tx.conn, user)?.ok_or(StoreError::NotFound("setup"))?;
            write_draft(tx, user, &Draft { worded: true, ..setup.draft })?;
            write_installation(tx.conn, &new)
        };
        self.writer().call(0, run).await
    }

    /// Makes everything that the answers name, at once: the org with its owner, its settings, credits and first key.
    ///
    /// # Errors
    /// As [`Store::keep_draft`], and whatever each of them is refused for.
    pub async fn found(&self, by: By, user: UserId, new: Founding) -> Result<OrgId, StoreError> {
        check_text("name", &new.org.name, MAX_LABEL_BYTES)?;
        new.org.words.check()?;
        new.settings.check()?;
        new.key.check()?;
        let zone = zone_named(&new.org.zone)?;
        let run = move |tx: &mut Tx<'_>| {
            let found = setup_of(tx.conn, user)?.filter(|setup| setup.org.is_none());
            found.ok_or(StoreError::NotFound("setup"))?;
            let org = tx.create_org(&by, &new.org, zone)?.id;
            let (target, after) = ("installation".to_owned(), Some(installation_json(&installation(tx.conn)?)));
            tx.note(org, &by, Change { action: "installation.settings", target, before: None, after })?;
            write_org_setting(tx.conn, org, &new.settings)?;
            tx.org(org)?.watch.limit = new.settings.low_balance;
            member::join(tx, org, user, Role::Owner)?;
            let (target, after) = (member::email_of(tx, user)?, Some(serde_json::json!({"role": "owner"})));
            tx.note(org, &by, Change { action: "member.add", target, before: None, after })?;
            if let Some(name) = &new.plan {
                tx.subscribe_by_name(org, &by, name)?;
            }
            if let Some(opening) = &new.opening {
                tx.give_noted(org, &by, opening)?;
            }
            tx.create_key(&by, &NewKey { org, ..new.key.clone() })?;
            tx.conn.prepare_cached("UPDATE setup SET org_id = ?1")?.execute([org.0])?;
            Ok(org)
        };
        let made = self.writer().call(0, run).await;
        self.keys().forget();
        made
    }

    /// Ends it: the owner needs no more help.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where it is over, or the org is not made yet.
    pub async fn finish_setup(&self, user: UserId) -> Result<(), StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            let now = tx.now().micros();
            let sql = "UPDATE setup SET finished_at = ?2
                       WHERE user_id = ?1 AND org_id IS NOT NULL AND finished_at IS NULL";
            let done = tx.conn.prepare_cached(sql)?.execute([user.0, now])?;
            if done == 1 { Ok(()) } else { Err(StoreError::NotFound("setup")) }
        };
        self.writer().call(0, run).await
    }
}

fn has_people(conn: &Connection) -> Result<bool, StoreError> {
    Ok(conn.prepare_cached("SELECT 1 FROM user LIMIT 1")?.exists([])?)
}

fn link_works(conn: &Connection, token_hash: &[u8; 32], now: i64) -> Result<bool, StoreError> {
    let sql = "SELECT token_hash FROM setup WHERE token_hash IS NOT NULL AND expires_at > ?1";
    let stored: Option<Vec<u8>> = conn.prepare_cached(sql)?.query_row([now], |row| row.get(0)).optional()?;
    Ok(stored.is_some_and(|stored| same(&stored, token_hash)) && !has_people(conn)?)
}

/// Whether two hashes are the same, in a time that does not tell where they begin to differ.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && std::hint::black_box(a.iter().zip(b).fold(0, |differ, (a, b)| differ | (a ^ b))) == 0
}

fn setup_of(conn: &Connection, user: UserId) -> Result<Option<Setup>, StoreError> {
    let sql =
        "SELECT draft, org_id, org_id IS NOT NULL AND EXISTS (SELECT 1 FROM identity i WHERE i.org_id = setup.org_id)
               FROM setup WHERE user_id = ?1 AND finished_at IS NULL AND (org_id IS NULL OR EXISTS
                   (SELECT 1 FROM member m WHERE m.org_id = setup.org_id AND m.user_id = ?1 AND m.role = 'owner'))";
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?, row.get(2)?));
    let found: Option<(String, _, bool)> = conn.prepare_cached(sql)?.query_row([user.0], read).optional()?;
    // What another release answered and this one cannot read is asked again.
    Ok(found.map(|(draft, org, received)| Setup {
        draft: serde_json::from_str(&draft).unwrap_or_default(),
        org: org.map(OrgId),
        received,
    }))
}

fn write_draft(tx: &Tx<'_>, user: UserId, draft: &Draft) -> Result<(), StoreError> {
    let text = serde_json::to_string(draft).map_err(|error| StoreError::Internal(error.to_string()))?;
    let sql = "UPDATE setup SET draft = ?2 WHERE user_id = ?1 AND org_id IS NULL AND finished_at IS NULL";
    let kept = tx.conn.prepare_cached(sql)?.execute(params![user.0, text])?;
    if kept == 1 { Ok(()) } else { Err(StoreError::NotFound("setup")) }
}
