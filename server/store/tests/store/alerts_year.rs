//! A year of usage, grants, billing cycles, expiries and restarts: alerts fire what a plain model says, when it says so, and nothing else.

use crate::common::{Bench, Random, credits, export};
use ledger::alert::{Kind, Per, Scope};
use ledger::{GrantKind, OrgId, Timestamp};
use rusqlite::Connection;
use std::collections::BTreeMap;
use store::alert::default_recipients;
use store::{By, FiringPage, NewGrant, NewRule};

const SEED: u64 = 0x2026_1122;
const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;
/// 5 h 30 min ahead the whole year, so days and months of the model need no calendar.
const ZONE: &str = "Asia/Kolkata";
/// 2026-01-01 in Kolkata.
const START: i64 = 1_767_205_800_000_000;
const MONTHS: [i64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const PLAN: i64 = 150;

/// What is watched: whether it falls below or reaches, at what, and in what.
#[derive(Clone, Copy, PartialEq)]
enum In {
    Balance,
    Hour,
    Day,
    Month,
}

const RULES: [(In, i64, bool); 7] = [
    (In::Balance, 60, true),
    (In::Balance, 15, true),
    (In::Hour, 7, false),
    (In::Day, 14, false),
    (In::Month, 75, false),
    (In::Month, 150, false),
    (In::Month, 300, false),
];

fn kind((of, at, _): (In, i64, bool)) -> Kind {
    let amount = credits(&at.to_string());
    match of {
        In::Balance => Kind::BalanceBelow { amount },
        In::Hour => Kind::SpendAbove { amount, per: Per::Hour },
        In::Day => Kind::SpendAbove { amount, per: Per::Day },
        // Of a plan of 150: half of it, all of it; and an amount.
        In::Month if at == 300 => Kind::SpendAbove { amount, per: Per::Cycle },
        In::Month => Kind::CycleUsage { percent: u32::try_from(at * 100 / PLAN).expect("small") },
    }
}

/// Whole credits, and what was used when: nothing that the product has.
#[derive(Default)]
struct Model {
    plan: i64,
    bought: i64,
    debt: i64,
    /// By period: hours, days, months since the start.
    used: BTreeMap<(u8, i64), i64>,
    /// Per rule: whether it is firing, and the period in which it fired last.
    state: [(bool, Option<i64>); 7],
    fired: Vec<(i64, i64)>,
}

fn month_of(local: i64) -> i64 {
    let mut days = local / DAY;
    for (month, length) in MONTHS.iter().enumerate() {
        if days < *length {
            return i64::try_from(month).expect("small");
        }
        days -= length;
    }
    12
}

impl Model {
    fn spend(&mut self, local: i64, amount: i64) {
        for (kind, period) in [(0, local / HOUR), (1, local / DAY), (2, month_of(local))] {
            *self.used.entry((kind, period)).or_default() += amount;
        }
        let of_plan = amount.min(self.plan);
        let of_bought = (amount - of_plan).min(self.bought);
        (self.plan, self.bought, self.debt) =
            (self.plan - of_plan, self.bought - of_bought, self.debt + amount - of_plan - of_bought);
    }

    fn give(&mut self, amount: i64, is_plan: bool) {
        let repaid = amount.min(self.debt);
        self.debt -= repaid;
        *(if is_plan { &mut self.plan } else { &mut self.bought }) += amount - repaid;
    }

    /// What everybody hears once something was booked.
    fn look(&mut self, at: i64) {
        // A period begins at the hour by the clock of the zone, the day or the month.
        let local = at - START;
        for (place, (of, threshold, _)) in RULES.into_iter().enumerate() {
            let (firing, told) = self.state[place];
            let (value, period) = match of {
                In::Balance => (self.plan + self.bought, None),
                In::Hour => (self.of(0, local / HOUR), Some(local / HOUR)),
                In::Day => (self.of(1, local / DAY), Some(local / DAY)),
                In::Month => (self.of(2, month_of(local)), Some(month_of(local))),
            };
            let is_crossed = if of == In::Balance { value < threshold } else { value >= threshold };
            let is_over = of == In::Balance && value * 100 >= threshold * 105;
            let fires = match period {
                None => is_crossed && !firing,
                Some(_) => is_crossed && told != period,
            };
            if fires {
                self.fired.push((i64::try_from(place).expect("small") + 1, at));
            }
            self.state[place] = ((firing || fires) && !is_over, if fires { period } else { told });
        }
    }

    fn of(&self, kind: u8, period: i64) -> i64 {
        self.used.get(&(kind, period)).copied().unwrap_or(0)
    }
}

async fn give(bench: &Bench, org: OrgId, amount: i64, ends: Option<i64>) {
    let new = NewGrant {
        kind: if ends.is_some() { GrantKind::Plan } else { GrantKind::Purchase },
        amount: credits(&amount.to_string()),
        priority: 0,
        scope: ledger::Scope::default(),
        effective_at: None,
        expires_at: ends.map(Timestamp::from_micros),
        description: "test".to_owned(),
        cost: None,
        rollover: None,
    };
    bench.store.give_grant(org, "test".to_owned(), new, None).await.expect("given");
}

async fn books(bench: &Bench) -> usize {
    let mut all = 0;
    loop {
        match bench.store.book_due().await.expect("books") {
            0 => return all,
            some => all += some,
        }
    }
}

#[tokio::test]
async fn a_year_fires_what_a_plain_model_says_and_nothing_else() {
    println!("seed {SEED:#x}");
    let mut bench = Bench::in_memory().await;
    bench.clock.set(Timestamp::from_micros(START));
    let org = bench.org("Acme", ZONE).await;
    let (mut random, mut model) = (Random(SEED), Model::default());
    let (mut restarts, mut events, mut month_end) = (0, 0, 0);
    for rule in RULES {
        let new = NewRule {
            title: "watched".to_owned(),
            kind: kind(rule),
            scope: Scope::default(),
            recipients: default_recipients(),
            margin_percent: 5,
        };
        // The balance is nothing yet, so both rules about it fire as they are made.
        bench.store.set_alert(org, By::command().into(), None, new).await.expect("made");
    }
    model.look(START);
    for day in 0..365_i64 {
        let month = usize::try_from(month_of(day * DAY)).expect("small");
        for part in 0..4_i64 {
            let at = START
                + day * DAY
                + part * 6 * HOUR
                + i64::try_from(random.below(6)).expect("small") * HOUR
                + i64::try_from(random.below(3_599_000_000)).expect("small");
            bench.clock.set(Timestamp::from_micros(at));
            if random.below(40) == 0 {
                bench.reopen().await;
                restarts += 1;
            }
            // What expires: the plan's credits of the month that is over.
            if books(&bench).await > 0 {
                model.plan = 0;
                model.look(at);
            }
            if part == 0 && day * DAY >= month_end {
                month_end += MONTHS[month] * DAY;
                give(&bench, org, PLAN, Some(START + month_end)).await;
                model.give(PLAN, true);
                model.look(at);
            }
            match random.below(10) {
                0 => {
                    let amount = 20 + i64::try_from(random.below(60)).expect("small");
                    give(&bench, org, amount, None).await;
                    model.give(amount, false);
                }
                1..=7 => {
                    let count = random.below(if month % 3 == 0 { 11 } else { 5 });
                    let batch = (0..count).map(|number| export(&format!("{day}-{part}-{number}"))).collect();
                    bench.ingest(org, batch).await;
                    events += count;
                    model.spend(at - START, i64::try_from(count).expect("small"));
                }
                // Nothing is booked: what the job finds is what there was.
                _ => {}
            }
            model.look(at);
            bench.store.look_at_alerts(org).await.expect("looks");
        }
    }
    assert!(restarts > 20 && events > 2_000, "{restarts} restarts, {events} events");
    let fired = history(&bench, org).await;
    for rule in 1..=7 {
        assert!(model.fired.iter().any(|(of, _)| *of == rule), "rule {rule} never fires: the year shows nothing of it");
    }
    println!("{} firings, {events} events, {restarts} restarts", fired.len());
    assert_eq!(fired, model.fired);
    assert_eq!(messages(&bench, org, "alert.fired"), fired.len(), "each was told, once");
    let over = bench.store.alert_history(org, FiringPage { firing: true, limit: 200, ..FiringPage::default() }).await;
    let firing = model.state.iter().filter(|(firing, _)| *firing).count();
    // What fired in a period that is over is over; what stands now stands in both.
    assert!(over.expect("reads").len() <= firing);
    assert!(messages(&bench, org, "alert.resolved") + firing >= fired.len());
    bench.assert_verified().await;
}

/// Every firing, oldest first.
async fn history(bench: &Bench, org: OrgId) -> Vec<(i64, i64)> {
    let (mut all, mut before) = (Vec::new(), None);
    loop {
        let page = FiringPage { before, limit: 200, ..FiringPage::default() };
        let rows = bench.store.alert_history(org, page).await.expect("reads");
        before = rows.last().map(|row| row.id);
        if before.is_none() {
            break;
        }
        all.extend(rows.into_iter().map(|row| (row.rule.0, row.fired_at.micros())));
    }
    all.reverse();
    all.sort_by_key(|(rule, at)| (*at, *rule));
    all
}

fn messages(bench: &Bench, org: OrgId, kind: &str) -> usize {
    let conn = Connection::open(bench.dir.path().join("scrip.db")).expect("opens");
    let sql = "SELECT count(*) FROM message WHERE org_id = ?1 AND kind = ?2";
    let count: i64 = conn.query_row(sql, rusqlite::params![org.0, kind], |row| row.get(0)).expect("counts");
    usize::try_from(count).expect("small")
}
