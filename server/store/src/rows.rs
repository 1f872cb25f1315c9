//! What several tables have in common on their way into types.

use crate::error::StoreError;
use rusqlite::types::FromSql;
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Row, Sqlite, Type};

/// The meters of a set, from `1,2,3`.
pub(crate) fn members(text: &str) -> Vec<i64> {
    text.split(',').filter_map(|member| member.parse().ok()).collect()
}

/// For what the database holds and no rule allows.
pub(crate) fn unreadable(what: &str) -> StoreError {
    StoreError::Internal(format!("unreadable {what} in the database"))
}

/// A row by position, whichever of the two libraries read it: pages read through sqlx, checks of everything through
/// rusqlite, and both must see the same event.
pub(crate) trait Columns {
    fn get<T>(&self, column: usize) -> Result<T, StoreError>
    where
        T: FromSql + Type<Sqlite> + for<'r> Decode<'r, Sqlite>;
}

impl Columns for rusqlite::Row<'_> {
    fn get<T: FromSql>(&self, column: usize) -> Result<T, StoreError> {
        Ok(rusqlite::Row::get(self, column)?)
    }
}

impl Columns for SqliteRow {
    fn get<T>(&self, column: usize) -> Result<T, StoreError>
    where
        T: Type<Sqlite> + for<'r> Decode<'r, Sqlite>,
    {
        Ok(Row::try_get(self, column)?)
    }
}
