//! Signed-in browsers. Only the hash of a token is stored: a stolen database signs nobody in.

use crate::Store;
use crate::audit::By;
use crate::error::StoreError;
use crate::member::note_account;
use crate::rows::unreadable;
use crate::tx::Tx;
use crate::user::{UserId, role_of};
use ledger::{OrgId, Role, Timestamp};
use rusqlite::{OptionalExtension, params};
use sha2::{Digest, Sha256};

/// Without a request for this long a session ends.
pub const IDLE_LIMIT_US: i64 = 24 * 3_600 * 1_000_000;
/// A session that began within this has just proved who its person is: nothing needs to be proved again.
pub const FRESH_US: i64 = 10 * 60 * 1_000_000;
/// A session's last use is written at most this often: reading pages must not queue writes.
const SEEN_EVERY_US: i64 = 10 * 60 * 1_000_000;

/// Sessions that a person is shown: more are signs of a program, and "sign out everywhere" ends them all.
const MAX_SESSIONS_SHOWN: i64 = 50;
/// Longest User-Agent that is kept, and longest address: more tells nobody anything.
const MAX_AGENT_CHARS: usize = 300;
const MAX_ADDRESS_CHARS: usize = 64;

/// Who is behind a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The person.
    pub user: UserId,
    /// Their email.
    pub email: String,
    /// The org they look at: the one they chose, else the first they are a member of.
    pub org: OrgId,
    /// What they are there.
    pub role: Role,
    /// Whether they may give and correct credits.
    pub operator: bool,
}

/// What begins a session.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// SHA-256 of the token.
    pub token_hash: [u8; 32],
    /// Whose.
    pub user: UserId,
    /// When it ends, however active.
    pub expires_at: Timestamp,
    /// What the browser says it is.
    pub agent: Option<String>,
    /// Where it connects from.
    pub address: Option<String>,
}

/// Which sessions end.
#[derive(Debug, Clone, Copy)]
pub enum EndSessions {
    /// That whose token's hash begins so.
    One([u8; 8]),
    /// All but the one with this hash.
    AllBut([u8; 32]),
    /// All.
    All,
}

/// A signed-in browser as its person sees it.
#[derive(Debug, Clone)]
pub struct SessionRow {
    /// SHA-256 of the token.
    pub token_hash: [u8; 32],
    /// What the browser said it is.
    pub agent: Option<String>,
    /// Where it signed in from.
    pub address: Option<String>,
    /// When.
    pub created_at: Timestamp,
    /// Its last request, to some minutes.
    pub seen_at: Timestamp,
}

/// What is stored of a token. Tokens are 256 bits of chance: a slow hash would add nothing but load.
#[must_use]
pub fn token_hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Hash of the token, agent, address, beginning, last use.
type DeviceRow = (Vec<u8>, Option<String>, Option<String>, i64, i64);

impl Store {
    /// Begins a session; ended ones are swept away in passing.
    ///
    /// # Errors
    /// Where the writer is busy or stopped.
    pub async fn create_session(&self, new: NewSession) -> Result<(), StoreError> {
        let cut = |text: &Option<String>, max| text.as_ref().map(|text| text.chars().take(max).collect::<String>());
        let (agent, address) = (cut(&new.agent, MAX_AGENT_CHARS), cut(&new.address, MAX_ADDRESS_CHARS));
        let run = move |tx: &mut Tx<'_>| {
            let now = tx.now().micros();
            tx.conn
                .prepare_cached("DELETE FROM session WHERE expires_at <= ?1 OR seen_at <= ?1 - ?2")?
                .execute([now, IDLE_LIMIT_US])?;
            tx.conn
                .prepare_cached(
                    "INSERT INTO session (token_hash, user_id, created_at, seen_at, expires_at, agent, address, org_id)
                     SELECT ?1, user_id, ?3, ?3, ?4, ?5, ?6, last_org_id FROM user WHERE user_id = ?2",
                )?
                .execute(params![
                    new.token_hash.as_slice(),
                    new.user.0,
                    now,
                    new.expires_at.micros(),
                    agent,
                    address
                ])?;
            Ok(())
        };
        self.writer().call(0, run).await
    }

    /// Where somebody is signed in, last used first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn sessions(&self, user: UserId) -> Result<Vec<SessionRow>, StoreError> {
        let now = self.now().micros();
        let found: Vec<DeviceRow> = sqlx::query_as(
            "SELECT token_hash, agent, address, created_at, seen_at FROM session
             WHERE user_id = ?1 AND expires_at > ?2 AND seen_at > ?2 - ?3 ORDER BY seen_at DESC, created_at DESC LIMIT ?4",
        )
        .bind(user.0)
        .bind(now)
        .bind(IDLE_LIMIT_US)
        .bind(MAX_SESSIONS_SHOWN)
        .fetch_all(self.reader())
        .await?;
        let row = |(hash, agent, address, created_at, seen_at): (Vec<u8>, _, _, _, _)| {
            Ok(SessionRow {
                token_hash: hash.try_into().map_err(|_| unreadable("token hash"))?,
                agent,
                address,
                created_at: Timestamp::from_micros(created_at),
                seen_at: Timestamp::from_micros(seen_at),
            })
        };
        found.into_iter().map(row).collect()
    }

    /// Ends sessions of a person, and tells how many: the one whose hash begins with `which`, or all but `keep`.
    ///
    /// # Errors
    /// Where the writer is busy or stopped.
    pub async fn end_sessions(&self, user: UserId, which: EndSessions, by: By) -> Result<usize, StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            let (sql, hash) = match which {
                EndSessions::One(start) => {
                    ("DELETE FROM session WHERE user_id = ?1 AND substr(token_hash, 1, 8) = ?2", start.to_vec())
                }
                EndSessions::AllBut(keep) => {
                    ("DELETE FROM session WHERE user_id = ?1 AND token_hash <> ?2", keep.to_vec())
                }
                // No token hashes to the empty text.
                EndSessions::All => ("DELETE FROM session WHERE user_id = ?1 AND token_hash <> ?2", Vec::new()),
            };
            let ended = tx.conn.prepare_cached(sql)?.execute(params![user.0, hash])?;
            if ended > 0 {
                note_account(tx, user, &by, "session.end", Some(&serde_json::json!({ "ended": ended })))?;
            }
            Ok(ended)
        };
        self.writer().call(0, run).await
    }

    /// From now on this session looks at `org`, and so do those that begin later.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where the session's person is no member of it.
    pub async fn switch_org(&self, token_hash: [u8; 32], org: OrgId) -> Result<(), StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            let user: Option<i64> = tx
                .conn
                .prepare_cached(
                    "UPDATE session SET org_id = ?2 WHERE token_hash = ?1
                     AND EXISTS (SELECT 1 FROM member m WHERE m.org_id = ?2 AND m.user_id = session.user_id)
                     RETURNING user_id",
                )?
                .query_row(params![token_hash.as_slice(), org.0], |row| row.get(0))
                .optional()?;
            let user = user.ok_or(StoreError::NotFound("organization"))?;
            tx.conn.prepare_cached("UPDATE user SET last_org_id = ?2 WHERE user_id = ?1")?.execute([user, org.0])?;
            Ok(())
        };
        self.writer().call(0, run).await
    }

    /// Ends a session, if there is one.
    ///
    /// # Errors
    /// Where the writer is busy or stopped.
    pub async fn end_session(&self, token_hash: [u8; 32]) -> Result<(), StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            tx.conn.prepare_cached("DELETE FROM session WHERE token_hash = ?1")?.execute([token_hash.as_slice()])?;
            Ok(())
        };
        self.writer().call(0, run).await
    }

    /// Who is behind a token; `None` where the session has ended, was idle too long, or belongs to no org any more.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn session(&self, token_hash: [u8; 32]) -> Result<Option<Session>, StoreError> {
        let now = self.now().micros();
        let found: Option<(i64, String, i64, String, i64, bool)> = sqlx::query_as(
            "SELECT s.user_id, u.email, m.org_id, m.role, s.seen_at, u.operator FROM session s
             JOIN user u ON u.user_id = s.user_id JOIN member m ON m.user_id = s.user_id
             WHERE s.token_hash = ?1 AND s.expires_at > ?2 AND s.seen_at > ?2 - ?3
             ORDER BY m.org_id = coalesce(s.org_id, 0) DESC, m.created_at, m.org_id LIMIT 1",
        )
        .bind(token_hash.as_slice())
        .bind(now)
        .bind(IDLE_LIMIT_US)
        .fetch_optional(self.reader())
        .await?;
        let Some((user, email, org, role, seen_at, operator)) = found else { return Ok(None) };
        if seen_at < now - SEEN_EVERY_US {
            self.touch_session(token_hash).await;
        }
        Ok(Some(Session { user: UserId(user), email, org: OrgId(org), role: role_of(&role)?, operator }))
    }

    /// Which org a session looks at, as [`Store::session`], without noting that it was used: a page that waits for news is no
    /// person who does something.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn session_org(&self, token_hash: [u8; 32]) -> Result<Option<OrgId>, StoreError> {
        let found: Option<i64> = sqlx::query_scalar(
            "SELECT m.org_id FROM session s JOIN member m ON m.user_id = s.user_id
             WHERE s.token_hash = ?1 AND s.expires_at > ?2 AND s.seen_at > ?2 - ?3
             ORDER BY m.org_id = coalesce(s.org_id, 0) DESC, m.created_at, m.org_id LIMIT 1",
        )
        .bind(token_hash.as_slice())
        .bind(self.now().micros())
        .bind(IDLE_LIMIT_US)
        .fetch_optional(self.reader())
        .await?;
        Ok(found.map(OrgId))
    }

    /// Whose session a token is, also where they belong to no org: all that they may do is to join one.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn session_person(&self, token_hash: [u8; 32]) -> Result<Option<(UserId, String)>, StoreError> {
        let found: Option<(i64, String)> = sqlx::query_as(
            "SELECT s.user_id, u.email FROM session s JOIN user u ON u.user_id = s.user_id
             WHERE s.token_hash = ?1 AND s.expires_at > ?2 AND s.seen_at > ?2 - ?3",
        )
        .bind(token_hash.as_slice())
        .bind(self.now().micros())
        .bind(IDLE_LIMIT_US)
        .fetch_optional(self.reader())
        .await?;
        Ok(found.map(|(user, email)| (UserId(user), email)))
    }

    /// When a session began: its person proved then who they are.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn session_began(&self, token_hash: [u8; 32]) -> Result<Option<Timestamp>, StoreError> {
        let found: Option<(i64,)> = sqlx::query_as("SELECT created_at FROM session WHERE token_hash = ?1")
            .bind(token_hash.as_slice())
            .fetch_optional(self.reader())
            .await?;
        Ok(found.map(|(at,)| Timestamp::from_micros(at)))
    }

    /// Notes that a session was used. Best effort: a full queue only makes it look idle a little longer.
    async fn touch_session(&self, token_hash: [u8; 32]) {
        let run = move |tx: &mut Tx<'_>| {
            let now = tx.now().micros();
            tx.conn
                .prepare_cached("UPDATE session SET seen_at = ?2 WHERE token_hash = ?1")?
                .execute(params![token_hash.as_slice(), now])?;
            Ok(())
        };
        if let Err(error) = self.writer().call(0, run).await {
            tracing::debug!(%error, "a session's last use was not noted");
        }
    }
}
