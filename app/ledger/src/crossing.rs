//! What is told of a balance: once when it crosses the org's own limit, nothing, or the point at which new work is refused, and not again
//! before it was clearly on the other side.

use crate::balance::{Balance, OrgState};
use crate::credits::Credits;
use crate::message::MessageKind;

/// How far above the limit a balance must come before it counts as enough again: a tenth of the limit, so that a balance that trembles
/// around it is told of once.
const MARGIN: i64 = 10;

/// How much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// More than the limit.
    Enough,
    /// The limit or less.
    Low,
    /// Nothing.
    Depleted,
}

impl Level {
    const ALL: [Self; 3] = [Self::Enough, Self::Low, Self::Depleted];

    /// Its name in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enough => "enough",
            Self::Low => "low",
            Self::Depleted => "depleted",
        }
    }

    /// The level of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == text)
    }
}

/// What was last said of a balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// How much there was.
    pub level: Level,
    /// Whether new work was refused.
    pub paused: bool,
}

/// What a balance is after what was told of it, and what is to be told now. An org that has never had credits has nothing that could run
/// out: of it nothing is told, nor of the first look at one that has some. While holds may still give credits back, nothing counts as used
/// up, since the end of every hold would be news.
#[must_use]
pub fn weigh(told: Option<Told>, balance: &Balance, limit: Option<Credits>) -> (Option<Told>, Vec<MessageKind>) {
    let open = balance.held.is_positive();
    let is_paused = balance.state == OrgState::Paused;
    let Some(told) = told else {
        let first = Told { level: level_now(Level::Enough, balance, limit), paused: is_paused };
        return (balance.available.is_positive().then_some(first), Vec::new());
    };
    let level = match level_now(told.level, balance, limit) {
        Level::Depleted if open => told.level,
        level => level,
    };
    let paused = if open { told.paused && is_paused } else { is_paused };
    let mut news = Vec::new();
    if told.level == Level::Enough && (level == Level::Low || (level == Level::Depleted && limit.is_some())) {
        news.push(MessageKind::BalanceLow);
    }
    if told.level != Level::Depleted && level == Level::Depleted {
        news.push(MessageKind::BalanceDepleted);
    }
    match (told.paused, paused) {
        (false, true) => news.push(MessageKind::OrgPaused),
        (true, false) => news.push(MessageKind::OrgResumed),
        _ => {}
    }
    (Some(Told { level, paused }), news)
}

fn level_now(before: Level, balance: &Balance, limit: Option<Credits>) -> Level {
    if !balance.available.is_positive() {
        return Level::Depleted;
    }
    let Some(limit) = limit else { return Level::Enough };
    let was_low = before != Level::Enough;
    let margin = if was_low { limit.micros() / MARGIN } else { 0 };
    let is_low = balance.available.micros() <= limit.micros().saturating_add(margin);
    if is_low { Level::Low } else { Level::Enough }
}

#[cfg(test)]
mod tests {
    use super::*;
    use MessageKind::{BalanceDepleted, BalanceLow, OrgPaused, OrgResumed};

    fn balance(available: i64, held: i64, debt: i64) -> Balance {
        let c = Credits::from_micros;
        Balance::new(c(available), c(held), c(debt), c(0)).expect("fits")
    }

    /// Goes through balances; tells what was said at each.
    fn said(limit: Option<i64>, balances: &[(i64, i64, i64)]) -> Vec<Vec<MessageKind>> {
        let mut told = None;
        let mut step = |&(available, held, debt): &(i64, i64, i64)| {
            let (now, news) = weigh(told, &balance(available, held, debt), limit.map(Credits::from_micros));
            told = now;
            news
        };
        balances.iter().map(&mut step).collect()
    }

    #[test]
    fn what_never_had_anything_is_not_told_of() {
        assert!(said(Some(100), &[(0, 0, 0), (0, 0, 5), (1_000, 0, 0)]).concat().is_empty());
        assert!(said(Some(100), &[(50, 0, 0), (40, 0, 0)]).concat().is_empty());
    }

    #[test]
    fn each_crossing_is_told_once_and_a_balance_that_trembles_is_not_told_again() {
        let steps =
            [(1_000, 0, 0), (100, 0, 0), (101, 0, 0), (99, 0, 0), (110, 0, 0), (90, 0, 0), (111, 0, 0), (100, 0, 0)];
        let low = vec![BalanceLow];
        assert_eq!(said(Some(100), &steps), [vec![], low.clone(), vec![], vec![], vec![], vec![], vec![], low]);
    }

    #[test]
    fn what_falls_through_both_is_told_of_both_and_what_comes_back_re_arms_them() {
        let steps = [(1_000, 0, 0), (0, 0, 7), (0, 0, 9), (50, 0, 0), (0, 0, 0), (1_000, 0, 0), (0, 0, 0)];
        let all = vec![BalanceLow, BalanceDepleted, OrgPaused];
        let again = vec![BalanceDepleted, OrgPaused];
        let back = vec![OrgResumed];
        let expected = [vec![], all.clone(), vec![], back.clone(), again, back, all];
        assert_eq!(said(Some(100), &steps), expected);
        assert_eq!(
            said(None, &[(1_000, 0, 0), (1, 0, 0), (0, 0, 0)]),
            [vec![], vec![], vec![BalanceDepleted, OrgPaused]]
        );
    }

    #[test]
    fn what_holds_may_give_back_is_not_used_up() {
        let steps = [(10, 0, 0), (0, 10, 0), (4, 6, 0), (0, 10, 0), (0, 0, 0), (0, 5, 0), (5, 0, 0)];
        let expected = [vec![], vec![], vec![], vec![], vec![BalanceDepleted, OrgPaused], vec![], vec![OrgResumed]];
        assert_eq!(said(None, &steps), expected);
    }

    #[test]
    fn names_are_read_back() {
        assert!(Level::ALL.into_iter().all(|level| Level::parse(level.as_str()) == Some(level)));
    }
}
