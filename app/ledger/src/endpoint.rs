//! Where messages go besides people, and the rules of sending there: what is tried again and when, when an endpoint rests, and when
//! nothing is sent to it any more.

use crate::Timestamp;

/// After how many seconds a delivery is tried again, each counted from the try before. The schedule that Standard Webhooks recommends: the
/// ten tries take three days, so that a receiver that is down over a weekend misses nothing.
pub const RETRY_AFTER_S: [i64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
/// Longest wait that a receiver may ask for by `Retry-After`.
const MAX_ASKED_S: i64 = 86_400;
/// Attempts in a row that may fail before an endpoint rests.
const PATIENCE: i64 = 5;
/// How long its first rest is; each failure after it doubles the next.
const FIRST_REST_S: i64 = 30;
/// Longest rest: how late the first message is after a receiver came back.
const LONGEST_REST_S: i64 = 600;
/// How long attempts may fail, all of them, before nothing is sent there any more.
const GIVE_UP_AFTER_S: i64 = 5 * 86_400;
/// How long both secrets sign after a rotation.
pub const ROTATION_S: i64 = 86_400;

/// What is sent there looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// JSON signed by Standard Webhooks.
    Webhook,
    /// What Slack's incoming webhooks take.
    Slack,
    /// What the webhooks of Teams' workflows take.
    Teams,
}

impl Shape {
    /// All.
    pub const ALL: [Self; 3] = [Self::Webhook, Self::Slack, Self::Teams];

    /// Its name in tables and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Slack => "slack",
            Self::Teams => "teams",
        }
    }

    /// What people read.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Webhook => "Webhook",
            Self::Slack => "Slack",
            Self::Teams => "Microsoft Teams",
        }
    }

    /// The shape of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|shape| shape.as_str() == text)
    }
}

/// Why nothing is sent to an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disabled {
    /// Somebody wanted it so.
    ByHand,
    /// It answered 410: nobody is there any more.
    Gone,
    /// Every attempt failed, for days.
    Failing,
}

impl Disabled {
    const ALL: [Self; 3] = [Self::ByHand, Self::Gone, Self::Failing];

    /// Its name in tables and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ByHand => "by_hand",
            Self::Gone => "gone",
            Self::Failing => "failing",
        }
    }

    /// The reason of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver took it.
    Taken,
    /// It did not, or could not be reached; it may have said after how many seconds to come again.
    Failed {
        /// From `Retry-After`.
        again_after_s: Option<i64>,
    },
    /// Nobody is there any more.
    Gone,
}

/// When a delivery that failed is tried again; `None`: it is given up. `tries` were made before this one; `spread` (any number of its own)
/// keeps deliveries that failed at once from coming back at once: it adds up to a tenth.
#[must_use]
pub fn next_try(tries: u32, now: Timestamp, again_after_s: Option<i64>, spread: i64) -> Option<Timestamp> {
    let wait = *RETRY_AFTER_S.get(usize::try_from(tries).ok()?)?;
    let wait = wait + wait * spread.rem_euclid(101) / 1_000;
    let asked = again_after_s.unwrap_or(0).clamp(0, MAX_ASKED_S);
    Some(later(now, wait.max(asked)))
}

/// Until when nothing is tried at an endpoint of which so many attempts in a row failed: it shall not be besieged, nor keep others waiting.
#[must_use]
pub fn rests_until(failures: i64, now: Timestamp) -> Timestamp {
    match failures - PATIENCE {
        ..0 => now,
        over => later(
            now,
            FIRST_REST_S
                .checked_shl(over.try_into().unwrap_or(32).min(32))
                .unwrap_or(LONGEST_REST_S)
                .min(LONGEST_REST_S),
        ),
    }
}

/// Whether an endpoint of which every attempt failed since then is given up.
#[must_use]
pub fn is_given_up(failing_since: Timestamp, now: Timestamp) -> bool {
    now >= later(failing_since, GIVE_UP_AFTER_S)
}

fn later(from: Timestamp, seconds: i64) -> Timestamp {
    Timestamp::from_micros(from.micros().saturating_add(seconds.saturating_mul(1_000_000)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_795_262_400_000_000);

    fn seconds(until: Timestamp) -> i64 {
        (until.micros() - NOW.micros()) / 1_000_000
    }

    #[test]
    fn ten_tries_take_three_days() {
        let waits: Vec<i64> = (0..12).map_while(|tries| next_try(tries, NOW, None, 0)).map(seconds).collect();
        assert_eq!(waits, RETRY_AFTER_S);
        let all: i64 = waits.iter().sum();
        assert!((3 * 86_400..4 * 86_400).contains(&all), "{all}");
        let spread: Vec<i64> = (0..200).filter_map(|spread| next_try(1, NOW, None, spread)).map(seconds).collect();
        assert_eq!((spread.iter().min(), spread.iter().max()), (Some(&300), Some(&330)));
    }

    #[test]
    fn a_receiver_may_ask_for_a_later_time_but_neither_a_sooner_one_nor_one_after_days() {
        let asked = |asked| next_try(1, NOW, Some(asked), 0).map(seconds);
        assert_eq!(asked(1), Some(300));
        assert_eq!(asked(-1), Some(300));
        assert_eq!(asked(900), Some(900));
        assert_eq!(asked(i64::MAX), Some(86_400));
        assert_eq!(next_try(9, NOW, Some(900), 0), None);
    }

    #[test]
    fn an_endpoint_rests_after_five_failures_and_longer_each_time() {
        let rests: Vec<i64> = (0..14).map(|failures| seconds(rests_until(failures, NOW))).collect();
        assert_eq!(rests, [0, 0, 0, 0, 0, 30, 60, 120, 240, 480, 600, 600, 600, 600]);
        assert_eq!(seconds(rests_until(i64::MAX, NOW)), 600);
        let since = |days: i64| later(NOW, -days * 86_400);
        assert!(!is_given_up(since(4), NOW) && is_given_up(since(5), NOW));
    }

    #[test]
    fn names_are_read_back() {
        assert!(Shape::ALL.into_iter().all(|shape| Shape::parse(shape.as_str()) == Some(shape)));
        assert!(Disabled::ALL.into_iter().all(|reason| Disabled::parse(reason.as_str()) == Some(reason)));
        assert_eq!((Shape::parse("Slack"), Disabled::parse("")), (None, None));
    }
}
