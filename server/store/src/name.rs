//! Looking things up by the beginning of their id or name: projects, workflows, runs, users, tenants and interactions.
//!
//! Cost: per kind two look-ups in indexes, of at most [`PER_KIND`] rows each, however many names there are.

use crate::Store;
use crate::dimension::Kind;
use crate::error::StoreError;
use ledger::OrgId;
use ledger::cube::Named;
use rusqlite::{Connection, params};

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
