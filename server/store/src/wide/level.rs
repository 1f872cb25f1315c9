//! Levels of detail: the same usage, with dimensions left out that a question does not ask about.
//!
//! A view of workflows over a quarter reads rows per day and workflow, not those of every user in every quarter of an hour; one that
//! neither filters by sources and projects nor shows them reads rows that leave these out as well. Credit types and status are in
//! all of them. Each level can be made from the most detailed one alone.

use super::segment::{ATTRIBUTES, Fact, Key, PROJECT, QUARTER, SOURCE, TENANT, USER, WORKFLOW};

/// How much a segment tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Level {
    /// Its number in the database.
    pub(crate) number: i64,
    /// Whether it knows days of the org's zone, not quarters of an hour.
    by_day: bool,
    /// What it tells apart of [`OPTIONAL`].
    keeps: &'static [usize],
    /// The number of the one before that it is made from.
    pub(crate) from: usize,
}

/// The columns that a level may leave out.
const OPTIONAL: [usize; 6] = [SOURCE, PROJECT, WORKFLOW, USER, TENANT, ATTRIBUTES];

impl Level {
    /// Everything, by quarters of an hour: what all others are made from.
    pub(crate) const FULL: Self = Self::quarters(0, &OPTIONAL, 0);

    /// All of them, by number.
    pub(crate) const ALL: [Self; 16] = [
        Self::FULL,
        Self::days(1, &OPTIONAL, 0),
        Self::days(2, &[SOURCE, PROJECT], 1),
        Self::days(3, &[SOURCE, PROJECT, WORKFLOW], 1),
        Self::days(4, &[SOURCE, PROJECT, USER], 1),
        Self::days(5, &[SOURCE, PROJECT, TENANT], 1),
        Self::days(6, &[SOURCE, PROJECT, ATTRIBUTES], 1),
        Self::quarters(7, &[SOURCE, PROJECT], 0),
        Self::days(8, &[], 2),
        Self::days(9, &[WORKFLOW], 3),
        Self::days(10, &[USER], 4),
        Self::days(11, &[TENANT], 5),
        Self::days(12, &[ATTRIBUTES], 6),
        Self::quarters(13, &[], 7),
        Self::quarters(14, &[SOURCE], 7),
        Self::quarters(15, &[PROJECT], 7),
    ];

    const fn quarters(number: i64, keeps: &'static [usize], from: usize) -> Self {
        Self { number, by_day: false, keeps, from }
    }

    const fn days(number: i64, keeps: &'static [usize], from: usize) -> Self {
        Self { number, by_day: true, keeps, from }
    }

    /// The least detailed one that knows these columns; of days where whole days of the org's zone will do.
    pub(crate) fn knowing(columns: &[usize], by_day: bool) -> Self {
        let asked: Vec<usize> = OPTIONAL.into_iter().filter(|column| columns.contains(column)).collect();
        let knows = |level: &Self| (by_day || !level.by_day) && asked.iter().all(|column| level.keeps.contains(column));
        let knowing = Self::ALL.into_iter().filter(knows);
        knowing.min_by_key(|level| (level.by_day != by_day, level.keeps.len())).unwrap_or(Self::FULL)
    }

    /// Rows of one day, which begins with the quarter `first`, as this level has them.
    pub(crate) fn of(self, facts: &[Fact], first: i64) -> Vec<Fact> {
        let key = |key: &Key| {
            let mut key = *key;
            OPTIONAL.into_iter().filter(|column| !self.keeps.contains(column)).for_each(|column| key[column] = 0);
            if self.by_day {
                key[QUARTER] = first;
            }
            key
        };
        facts.iter().map(|fact| Fact { key: key(&fact.key), ..fact.clone() }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wide::segment::FAILED;

    #[test]
    fn each_is_at_its_number_and_made_from_one_that_knows_as_much() {
        for (level, place) in Level::ALL.iter().zip(0..) {
            let from = Level::ALL[level.from];
            assert_eq!(level.number, place);
            assert!(level.keeps.iter().all(|column| from.keeps.contains(column)));
            assert!(place == 0 || from.number < place);
            assert!(level.by_day || !from.by_day);
        }
    }

    #[test]
    fn a_question_is_answered_from_the_fewest_rows_that_know_the_answer() {
        let number = |columns: &[usize], by_day| Level::knowing(columns, by_day).number;
        assert_eq!(number(&[], true), 8);
        assert_eq!(number(&[FAILED], true), 8);
        assert_eq!(number(&[FAILED, USER], true), 10);
        assert_eq!(number(&[SOURCE], true), 2);
        assert_eq!(number(&[SOURCE, TENANT], true), 5);
        assert_eq!(number(&[USER, WORKFLOW], true), 1);
        assert_eq!(number(&[PROJECT], false), 15);
        assert_eq!(number(&[SOURCE, PROJECT], false), 7);
        assert_eq!(number(&[ATTRIBUTES], false), 0);
    }
}
