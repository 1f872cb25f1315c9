//! Everything of an org, row by row: what its owner takes along before it is deleted, or at any time.
//!
//! Which tables belong to an org is what the schema says (a column `org_id`), so that no table can be forgotten. Each line is
//! a JSON object: a row, with its table in `table`. Amounts are micro-credits, times microseconds since 1970 UTC, bytes
//! hexadecimal; `migrations/` explains each column. The first line says what it is, the last how many lines there are and
//! where the org's chain ends: a file without it is not whole.
//!
//! Read in pages of [`PAGE`] rows, each in a snapshot of its own, so that a slow reader holds nothing up. What is
//! append-only is exact; a cache that changes meanwhile is as new as its page.

use crate::Store;
use crate::error::StoreError;
use ledger::OrgId;
use ledger::canon::hex;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Row, params_from_iter};
use serde_json::json;

/// Rows read at once.
const PAGE: usize = 500;
/// What nobody may take along: secrets, and hashes of them.
const SECRETS: [(&str, &str); 4] =
    [("api_key", "key_hash"), ("invitation", "token_hash"), ("endpoint", "secret"), ("endpoint", "old_secret")];

/// A table whose rows belong to orgs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    /// Its name.
    pub(crate) name: String,
    /// The columns of its primary key.
    pub(crate) key: Vec<String>,
    columns: Vec<String>,
}

/// An export under way.
pub struct Dump {
    store: Store,
    org: OrgId,
    tables: std::vec::IntoIter<Table>,
    present: Option<(Table, Option<Vec<Value>>)>,
    lines: u64,
    begun: bool,
}

impl Store {
    /// Begins an export of everything that an org has.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or where the database fails.
    pub async fn dump(&self, org: OrgId) -> Result<Dump, StoreError> {
        self.org(org).await?;
        let tables = self.read(tables).await?;
        Ok(Dump { store: self.clone(), org, tables: tables.into_iter(), present: None, lines: 0, begun: false })
    }
}

impl Dump {
    /// Some more lines; `None` after the last.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn next(&mut self) -> Result<Option<String>, StoreError> {
        let mut text = String::new();
        if !self.begun {
            self.begun = true;
            let org = self.store.org(self.org).await?;
            let head = json!({"table": "export", "format": 1, "org": self.org.to_string(), "name": org.name,
                "made_at": self.store.now().to_string()});
            self.line(&mut text, &head.to_string());
        }
        let (table, after) = match self.present.take().or_else(|| self.tables.next().map(|table| (table, None))) {
            Some(present) => present,
            None if self.lines == u64::MAX => return Ok(None),
            None => return self.end().await.map(Some),
        };
        let (org, asked) = (self.org, table.clone());
        let (rows, last) = self.store.read(move |conn| page(conn, org, &asked, after)).await?;
        if rows.len() == PAGE {
            self.present = Some((table, last));
        }
        for row in &rows {
            self.line(&mut text, row);
        }
        // An empty piece is not the end: the next table follows.
        Ok(Some(text))
    }

    async fn end(&mut self) -> Result<String, StoreError> {
        let chain = self.store.totals(self.org).await?.chain;
        let head = hex(&chain.hash);
        let end =
            json!({"table": "end", "lines": self.lines, "chain_head": {"entry": chain.seq.to_string(), "hash": head}});
        self.lines = u64::MAX;
        Ok(format!("{end}\n"))
    }

    fn line(&mut self, text: &mut String, line: &str) {
        text.push_str(line);
        text.push('\n');
        self.lines += 1;
    }
}

fn page(
    conn: &Connection,
    org: OrgId,
    table: &Table,
    after: Option<Vec<Value>>,
) -> Result<(Vec<String>, Option<Vec<Value>>), StoreError> {
    let (key, columns) = (table.key.join(", "), table.columns.join(", "));
    let marks: Vec<String> = (0..table.key.len()).map(|index| format!("?{}", index + 2)).collect();
    let beyond = if after.is_some() { format!(" AND ({key}) > ({})", marks.join(", ")) } else { String::new() };
    let sql = format!("SELECT {columns} FROM {} WHERE org_id = ?1{beyond} ORDER BY {key} LIMIT {PAGE}", table.name);
    let mut select = conn.prepare_cached(&sql)?;
    let values = std::iter::once(Value::Integer(org.0)).chain(after.unwrap_or_default());
    let mut rows = select.query(params_from_iter(values))?;
    let (mut lines, mut last) = (Vec::new(), None);
    while let Some(row) = rows.next()? {
        lines.push(line(table, row)?);
        let key = table.key.iter().map(|column| row.get::<_, Value>(column.as_str()));
        last = Some(key.collect::<Result<_, _>>()?);
    }
    Ok((lines, last))
}

fn line(table: &Table, row: &Row<'_>) -> Result<String, StoreError> {
    let mut object = serde_json::Map::new();
    object.insert("table".to_owned(), json!(table.name));
    for (index, column) in table.columns.iter().enumerate() {
        let value = match row.get_ref(index)? {
            ValueRef::Null => serde_json::Value::Null,
            ValueRef::Integer(number) => json!(number),
            ValueRef::Real(number) => json!(number),
            ValueRef::Text(text) => json!(String::from_utf8_lossy(text)),
            ValueRef::Blob(bytes) => json!(hex(bytes)),
        };
        object.insert(column.clone(), value);
    }
    Ok(serde_json::Value::Object(object).to_string())
}

/// All tables whose rows belong to orgs, those first to which others refer, without the columns that are secret.
pub(crate) fn tables(conn: &Connection) -> Result<Vec<Table>, StoreError> {
    let mut select = conn.prepare(
        "SELECT m.name, c.name, c.pk FROM sqlite_schema m JOIN pragma_table_info(m.name) c
         WHERE m.type = 'table' AND m.name NOT IN ('session', 'org_ending', 'org_deleted')
            AND EXISTS (SELECT 1 FROM pragma_table_info(m.name) o WHERE o.name = 'org_id')
         ORDER BY m.name, c.cid",
    )?;
    let mut found: Vec<(Table, Vec<(i64, String)>)> = Vec::new();
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let (name, column, pk): (String, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        if found.last().is_none_or(|(table, _)| table.name != name) {
            found.push((Table { name: name.clone(), key: Vec::new(), columns: Vec::new() }, Vec::new()));
        }
        let Some((table, key)) = found.last_mut() else { continue };
        if pk > 0 {
            key.push((pk, column.clone()));
        }
        if !SECRETS.contains(&(name.as_str(), column.as_str())) {
            table.columns.push(column);
        }
    }
    let with_key = found.into_iter().map(|(table, mut key)| {
        key.sort();
        Table { key: key.into_iter().map(|(_, column)| column).collect(), ..table }
    });
    parents_first(conn, with_key.collect())
}

fn parents_first(conn: &Connection, mut waiting: Vec<Table>) -> Result<Vec<Table>, StoreError> {
    let mut select = conn.prepare("SELECT DISTINCT \"table\" FROM pragma_foreign_key_list(?1)")?;
    let mut ordered: Vec<Table> = Vec::new();
    while !waiting.is_empty() {
        let before = waiting.len();
        let mut later = Vec::new();
        for table in waiting {
            let parents: Vec<String> = select.query_map([&table.name], |row| row.get(0))?.collect::<Result<_, _>>()?;
            let is_there = |parent: &String| ordered.iter().any(|table| table.name == *parent);
            let outside = |parent: &String| *parent == table.name || *parent == "user";
            if parents.iter().all(|parent| is_there(parent) || outside(parent)) {
                ordered.push(table);
            } else {
                later.push(table);
            }
        }
        if later.len() == before {
            return Err(StoreError::Internal(format!("tables refer to one another: {}", later[0].name)));
        }
        waiting = later;
    }
    Ok(ordered)
}
