//! Looking things up by the beginning of their id or name: projects, workflows, runs, users, tenants and interactions.
//!
//! Cost: per kind two look-ups in indexes, of at most [`PER_KIND`] rows each, however many names there are.

use crate::Store;
use crate::dimension::Kind;
use crate::error::StoreError;
use crate::{identity, org};
use ledger::cube::Named;
use ledger::event::Place;
use ledger::{EventSeq, Label, OrgId};
use rusqlite::{Connection, OptionalExtension, params};

/// Most things of one kind that are found.
pub const PER_KIND: usize = 5;
/// Behind every text that begins with another one: the last letter there is.
const LAST: char = '\u{10FFFF}';

/// What events name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noun {
    /// A project.
    Project,
    /// A workflow.
    Workflow,
    /// A run.
    Run,
    /// One of the customer's users.
    User,
    /// One of the customer's tenants.
    Tenant,
    /// An interaction.
    Interaction,
}

impl Noun {
    /// In the order in which they are listed.
    pub const ALL: [Self; 6] = [Self::Project, Self::Workflow, Self::Run, Self::User, Self::Tenant, Self::Interaction];

    const fn kind(self) -> Kind {
        match self {
            Self::Project => Kind::Project,
            Self::Workflow => Kind::Workflow,
            Self::Run => Kind::Run,
            Self::User => Kind::User,
            Self::Tenant => Kind::Tenant,
            Self::Interaction => Kind::Interaction,
        }
    }
}

impl Store {
    /// What an org has whose id begins with that text, or whose name does in any case of Latin letters. Nothing for no text.
    ///
    /// # Errors
    /// What the database says.
    pub async fn names(&self, org: OrgId, begin: &str) -> Result<Vec<(Noun, Named)>, StoreError> {
        if begin.is_empty() {
            return Ok(Vec::new());
        }
        let begin = begin.to_owned();
        self.read(move |conn| {
            let mut found = Vec::new();
            for noun in Noun::ALL {
                found.extend(of_kind(conn, org, noun.kind(), &begin)?.into_iter().map(|named| (noun, named)));
            }
            Ok(found)
        })
        .await
    }
}

/// Most of one kind that a form offers: more are typed.
pub const OFFERED: i64 = 50;

/// What can be chosen of an org's usage, by the members of `ledger::alert::Scope`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choices(Vec<(&'static str, Vec<String>)>);

impl Choices {
    /// Ids for a member of a scope, the newest first.
    #[must_use]
    pub fn of(&self, member: &str) -> &[String] {
        self.0.iter().find(|(name, _)| *name == member).map_or(&[], |(_, ids)| ids.as_slice())
    }
}

impl Store {
    /// What a rule can be limited to: the newest [`OFFERED`] of each kind.
    ///
    /// # Errors
    /// What the database says.
    pub async fn choices(&self, org: OrgId) -> Result<Choices, StoreError> {
        const KINDS: [(&str, Kind); 5] = [
            ("project", Kind::Project),
            ("workflow", Kind::Workflow),
            ("source", Kind::Source),
            ("user", Kind::User),
            ("tenant", Kind::Tenant),
        ];
        let meters = self.meters(org).await?.into_iter().map(|meter| meter.meter.to_string()).collect();
        self.read(move |conn| {
            let sql = "SELECT value FROM dimension WHERE org_id = ?1 AND kind = ?2 ORDER BY id DESC LIMIT ?3";
            let mut found = vec![("type", meters)];
            for (member, kind) in KINDS {
                let mut select = conn.prepare_cached(sql)?;
                let rows = select.query_map(params![org.0, kind as i64, OFFERED], |row| row.get(0))?;
                found.push((member, rows.collect::<Result<_, _>>()?));
            }
            Ok(Choices(found))
        })
        .await
    }
}

/// Sources that are tried for an event's own id: there are a handful.
const SOURCES: u32 = 50;

impl Store {
    /// The events whose own id is that text, one per source at most, oldest first.
    ///
    /// Cost: a look-up per source, and a pass over the identities that are not in the index yet, up to 32,768.
    ///
    /// # Errors
    /// What the database says.
    pub async fn events_called(&self, org: OrgId, id: &str) -> Result<Vec<EventSeq>, StoreError> {
        let id = id.to_owned();
        self.read(move |conn| {
            let (merged, _) = org::totals(conn, org)?;
            let recent =
                "SELECT seq FROM identity WHERE org_id = ?1 AND seq > ?2 AND external_id = ?3 ORDER BY seq LIMIT ?4";
            let mut select = conn.prepare_cached(recent)?;
            let rows = select.query_map(params![org.0, merged, id, SOURCES], |row| row.get(0))?;
            let mut found: Vec<i64> = rows.collect::<Result<_, _>>()?;
            let sources = "SELECT value FROM dimension WHERE org_id = ?1 AND kind = ?2 ORDER BY id LIMIT ?3";
            let mut select = conn.prepare_cached(sources)?;
            let rows = select.query_map(params![org.0, Kind::Source as i64, SOURCES], |row| row.get(0))?;
            for source in rows.collect::<Result<Vec<String>, _>>()? {
                let sql = "SELECT seq FROM identity_index WHERE org_id = ?1 AND key = ?2";
                let key = identity::key(&source, &id);
                let known: Result<i64, _> =
                    conn.prepare_cached(sql)?.query_row(params![org.0, key.as_slice()], |row| row.get(0));
                found.extend(known.optional()?);
            }
            found.sort_unstable();
            found.dedup();
            Ok(found.into_iter().map(EventSeq).collect())
        })
        .await
    }

    /// What each of these ids is called, in their order; an id of no name is its own.
    ///
    /// # Errors
    /// What the database says.
    pub async fn titles(&self, org: OrgId, noun: Noun, ids: Vec<String>) -> Result<Vec<String>, StoreError> {
        self.read(move |conn| {
            let sql = "SELECT name FROM dimension WHERE org_id = ?1 AND kind = ?2 AND value = ?3";
            let mut select = conn.prepare_cached(sql)?;
            let mut title = |id: String| -> Result<String, StoreError> {
                let found: Option<Option<String>> =
                    select.query_row(params![org.0, noun.kind() as i64, id], |row| row.get(0)).optional()?;
                Ok(found.flatten().unwrap_or(id))
            };
            ids.into_iter().map(&mut title).collect()
        })
        .await
    }

    /// What of a kind an org has, by id, the first `limit`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn places(&self, org: OrgId, noun: Noun, limit: u32) -> Result<Vec<Place>, StoreError> {
        self.read(move |conn| {
            let sql = "SELECT value, name FROM dimension WHERE org_id = ?1 AND kind = ?2 ORDER BY value LIMIT ?3";
            let mut select = conn.prepare_cached(sql)?;
            let mut rows = select.query(params![org.0, noun.kind() as i64, limit])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let (id, name): (String, Option<String>) = (row.get(0)?, row.get(1)?);
                let name = name.map(|name| Label::kept(&name)).transpose()?;
                found.push(Place { id: Label::kept(&id)?, name });
            }
            Ok(found)
        })
        .await
    }
}

fn of_kind(conn: &Connection, org: OrgId, kind: Kind, begin: &str) -> Result<Vec<Named>, StoreError> {
    const BY_NAME: &str = "SELECT value, name FROM dimension
        WHERE org_id = ?1 AND kind = ?2 AND name IS NOT NULL AND name COLLATE NOCASE >= ?3 AND name COLLATE NOCASE < ?4
        ORDER BY name COLLATE NOCASE LIMIT ?5";
    const BY_ID: &str = "SELECT value, coalesce(name, value) FROM dimension
        WHERE org_id = ?1 AND kind = ?2 AND value >= ?3 AND value < ?4 ORDER BY value LIMIT ?5";
    let after = format!("{begin}{LAST}");
    let mut found: Vec<Named> = Vec::new();
    for sql in [BY_NAME, BY_ID] {
        let limit = i64::try_from(PER_KIND).unwrap_or(1);
        let mut select = conn.prepare_cached(sql)?;
        let rows = select.query_map(params![org.0, kind as i64, begin, after, limit], |row| {
            Ok(Named { id: row.get(0)?, name: row.get(1)? })
        })?;
        for named in rows {
            let named = named?;
            if found.len() < PER_KIND && !found.contains(&named) {
                found.push(named);
            }
        }
    }
    Ok(found)
}
