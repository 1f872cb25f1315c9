//! A sample organization: made up, labelled so, and the same for the same seed and day.
//!
//! It goes through the same commands as everything else. What it shows: weekdays busier than weekends, growth, two quiet
//! days, a bad day on which calls failed, three sources, four projects, workflows with runs and modules, customers.
//! All arithmetic is in integers: no float, no clock of its own, no randomness but the seed.

use ledger::Timestamp;
use serde_json::{Value, json};

/// What the org is called.
pub const ORG: &str = "Sample (synthetic)";
/// Its zone: with daylight saving, so that the days of a change can be seen.
pub const ZONE: &str = "Europe/Berlin";

const DAY_US: i64 = 86_400_000_000;
/// How busy a day is, Monday first.
const WEEKDAYS: [u64; 7] = [100, 112, 118, 110, 92, 28, 22];
/// How busy an hour is (UTC).
const HOURS: [u64; 24] = [3, 2, 2, 2, 3, 6, 14, 30, 48, 58, 60, 56, 44, 52, 60, 58, 50, 38, 26, 20, 16, 12, 8, 5];
/// Days before today on which hardly anything happened, and one on which much failed.
const QUIET_DAYS: [u64; 2] = [23, 51];
const BAD_DAY: u64 = 12;
/// Of a thousand calls, how many fail, and on the bad day.
const FAILING: [u64; 2] = [18, 140];

struct Workflow {
    project: (&'static str, &'static str),
    id: &'static str,
    name: &'static str,
    weight: u64,
    /// Of a hundred runs, how many come from `platform` and from `backend`; the others from `api`.
    sources: [u64; 2],
    modules: &'static [(&'static str, &'static str, Kind)],
}

#[derive(Clone, Copy)]
enum Kind {
    /// Tokens: at most this many in, how much of it may be cached in percent, at most this many out.
    Text(u64, u64, u64),
    /// At most this many images.
    Images(u64),
}

const SUPPORT: (&str, &str) = ("support", "Support assistant");
const CATALOG: (&str, &str) = ("catalog", "Product catalog");
const RESEARCH: (&str, &str) = ("research", "Research");
const STUDIO: (&str, &str) = ("studio", "Design studio");

const WORKFLOWS: [Workflow; 7] = [
    Workflow {
        project: SUPPORT,
        id: "answer-ticket",
        name: "Answer a ticket",
        weight: 40,
        sources: [10, 20],
        modules: &[
            ("classify", "Classify", Kind::Text(1_800, 60, 12)),
            ("draft", "Draft an answer", Kind::Text(9_000, 50, 900)),
        ],
    },
    Workflow {
        project: SUPPORT,
        id: "summarize-day",
        name: "Summarize the day",
        weight: 6,
        sources: [0, 100],
        modules: &[("summarize", "Summarize", Kind::Text(42_000, 10, 1_600))],
    },
    Workflow {
        project: CATALOG,
        id: "describe-product",
        name: "Describe a product",
        weight: 22,
        sources: [55, 30],
        modules: &[
            ("extract", "Extract facts", Kind::Text(5_200, 25, 420)),
            ("write", "Write", Kind::Text(3_600, 20, 1_100)),
        ],
    },
    Workflow {
        project: CATALOG,
        id: "translate",
        name: "Translate",
        weight: 14,
        sources: [20, 70],
        modules: &[("translate", "Translate", Kind::Text(4_400, 30, 4_200))],
    },
    Workflow {
        project: RESEARCH,
        id: "deep-report",
        name: "Deep report",
        weight: 7,
        sources: [85, 5],
        modules: &[
            ("plan", "Plan", Kind::Text(6_000, 10, 1_500)),
            ("read", "Read sources", Kind::Text(90_000, 35, 2_400)),
            ("compose", "Compose", Kind::Text(36_000, 45, 6_500)),
        ],
    },
    Workflow {
        project: STUDIO,
        id: "mood-board",
        name: "Mood board",
        weight: 8,
        sources: [90, 0],
        modules: &[("prompt", "Write prompts", Kind::Text(1_200, 0, 500)), ("draw", "Draw", Kind::Images(24))],
    },
    Workflow {
        project: STUDIO,
        id: "product-shots",
        name: "Product shots",
        weight: 9,
        sources: [15, 60],
        modules: &[("draw", "Draw", Kind::Images(60))],
    },
];

/// What to make.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Days up to and with today.
    pub days: u32,
    /// Events over all of them.
    pub events: u32,
    /// Chooses everything that looks like chance.
    pub seed: u64,
    /// The ledger's time; nothing happens after it.
    pub now: Timestamp,
}

impl Plan {
    /// The events of all days, oldest first, as JSON text in the API's plain form.
    pub fn events(&self) -> impl Iterator<Item = String> + use<> {
        let plan = *self;
        let days = u64::from(plan.days);
        let weights: Vec<u64> = (0..days).map(|day| plan.weight(days - 1 - day)).collect();
        let total = weights.iter().sum::<u64>().max(1);
        let (mut before, mut number) = (0_u64, 0_u64);
        weights.into_iter().enumerate().flat_map(move |(index, weight)| {
            // Shares of a running sum, so that they add up to exactly what was asked for.
            let from = u64::from(plan.events) * before / total;
            before += weight;
            let count = u64::from(plan.events) * before / total - from;
            let day = Day::new(&plan, days - 1 - index as u64, number);
            number += count;
            day.events(count)
        })
    }

    fn today(&self) -> i64 {
        self.now.micros().div_euclid(DAY_US)
    }

    /// How busy the day is that lies so many days back: weekday × growth, hardly anything on quiet days.
    fn weight(&self, days_back: u64) -> u64 {
        let day = self.today().saturating_sub(i64::try_from(days_back).unwrap_or_default());
        // 1970-01-01 was a Thursday.
        let weekday = usize::try_from((day + 3).rem_euclid(7)).unwrap_or_default();
        let growth = 100 + u64::from(self.days).saturating_sub(days_back);
        let whole = WEEKDAYS[weekday] * growth;
        let quiet = if QUIET_DAYS.contains(&days_back) { whole / 20 } else { whole };
        // The day is not over: only its share so far.
        if days_back == 0 { quiet * self.share_of_today() / 1_000 } else { quiet }
    }

    fn share_of_today(&self) -> u64 {
        let hour = usize::try_from(self.now.micros().rem_euclid(DAY_US) / (DAY_US / 24)).unwrap_or_default();
        HOURS.iter().take(hour).sum::<u64>() * 1_000 / HOURS.iter().sum::<u64>()
    }
}

struct Day {
    chance: Chance,
    start: i64,
    end: i64,
    failing: u64,
    seed: u64,
    number: u64,
}

impl Day {
    fn new(plan: &Plan, days_back: u64, number: u64) -> Self {
        let start = plan.today().saturating_sub(i64::try_from(days_back).unwrap_or_default()) * DAY_US;
        Self {
            chance: Chance(plan.seed ^ start.unsigned_abs()),
            start,
            end: (start + DAY_US).min(plan.now.micros()),
            failing: FAILING[usize::from(days_back == BAD_DAY)],
            seed: plan.seed,
            number,
        }
    }

    fn events(mut self, count: u64) -> Vec<String> {
        let mut made: Vec<(i64, Value)> = Vec::new();
        while (made.len() as u64) < count {
            let left = count - made.len() as u64;
            self.run(left, &mut made);
        }
        made.sort_by_key(|(time, _)| *time);
        made.into_iter().map(|(_, event)| event.to_string()).collect()
    }

    /// One run of one workflow: a call per module, at most `left`.
    fn run(&mut self, left: u64, made: &mut Vec<(i64, Value)>) {
        let workflow = &WORKFLOWS[self.chance.weighted(&WORKFLOWS.map(|workflow| workflow.weight))];
        let mut time = self.time();
        let run = self.number + made.len() as u64;
        let dice = self.chance.below(100);
        let [platform, backend] = workflow.sources;
        let source = if dice < platform {
            "platform"
        } else if dice < platform + backend {
            "backend"
        } else {
            "api"
        };
        let tenant = format!("customer-{:02}", self.chance.between(1, 12));
        let user = format!("user-{:03}", self.chance.below(120) + 1);
        for (id, name, kind) in workflow.modules.iter().take(usize::try_from(left).unwrap_or(usize::MAX)) {
            let failed = self.chance.below(1_000) < self.failing;
            let (operation, quantities) = self.quantities(*kind, failed);
            let at = Timestamp::from_micros(time);
            let event = json!({
                "id": format!("sample-{}-{}", self.seed, self.number + made.len() as u64),
                "source": source, "type": operation, "time": at,
                "data": {
                    "quantities": quantities,
                    "project": {"id": workflow.project.0, "name": workflow.project.1},
                    "workflow": {"id": workflow.id, "name": workflow.name},
                    "run": format!("run-{}-{run}", self.seed), "module": {"id": id, "name": name},
                    "user": user, "tenant": tenant, "interaction": format!("interaction-{run}"),
                    "status": if failed { "failed" } else { "succeeded" },
                }
            });
            made.push((time, event));
            if failed {
                return;
            }
            let later = i64::try_from(1_000_000 + self.chance.below(20_000_000)).unwrap_or_default();
            time = (time + later).min(self.end - 1);
        }
    }

    fn time(&mut self) -> i64 {
        let hour = i64::try_from(self.chance.weighted(&HOURS)).unwrap_or_default();
        let within = i64::try_from(self.chance.below(3_600_000_000)).unwrap_or_default();
        let time = self.start + hour * (DAY_US / 24) + within;
        if time < self.end {
            return time;
        }
        // Today, and later than now: some time before instead.
        let passed = u64::try_from(self.end - self.start).unwrap_or_default().max(1);
        self.start + i64::try_from(self.chance.below(passed)).unwrap_or_default()
    }

    fn quantities(&mut self, kind: Kind, failed: bool) -> (&'static str, Value) {
        match kind {
            Kind::Images(most) => {
                let images = if failed { 0 } else { 1 + self.chance.below(most) };
                ("ai_images", json!({ "images": images }))
            }
            Kind::Text(most_in, cached_percent, most_out) => {
                let all = self.chance.between(most_in / 2, most_in * 4);
                // Caches work in blocks.
                let cached = all * self.chance.below(cached_percent + 1) / 100 / 128 * 128;
                let out = if failed { 0 } else { self.chance.between(most_out / 6, most_out) };
                let mut quantities = json!({ "input_tokens": all - cached, "completion_tokens": out });
                if cached > 0 {
                    quantities["cached_tokens"] = json!(cached);
                }
                ("ai_text", quantities)
            }
        }
    }
}

/// Numbers that look like chance: splitmix64 (Steele, Lea and Flood 2014).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From 0 to before `bound`, which is above 0. The bias of a remainder is far below what a sample could show.
    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// Rather low than high, as sizes of real calls are.
    fn between(&mut self, low: u64, high: u64) -> u64 {
        let width = high - low + 1;
        low + self.below(width).min(self.below(width))
    }

    /// An index, by weight.
    fn weighted(&mut self, weights: &[u64]) -> usize {
        let mut left = self.below(weights.iter().sum());
        for (index, weight) in weights.iter().enumerate() {
            if left < *weight {
                return index;
            }
            left -= weight;
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::Event;
    use ledger::event::{Form, Status};

    fn plan(days: u32, events: u32) -> Plan {
        Plan { days, events, seed: 7, now: Timestamp::parse("now", "2026-11-21T13:37:00Z").expect("valid") }
    }

    #[test]
    fn as_many_good_events_as_asked_for_and_none_in_the_future() {
        let plan = plan(90, 5_000);
        let events: Vec<Event> =
            plan.events().map(|text| Event::from_json(&text, Form::Plain).expect("an event")).collect();
        assert_eq!(events.len(), 5_000);
        assert!(events.iter().all(|event| event.time.is_some_and(|time| time <= plan.now)));
        let ids: std::collections::HashSet<_> = events.iter().map(|event| event.id.as_str()).collect();
        assert_eq!(ids.len(), events.len());
        let sources: std::collections::BTreeSet<_> = events.iter().map(|event| event.source.as_str()).collect();
        assert_eq!(sources.into_iter().collect::<Vec<_>>(), ["api", "backend", "platform"]);
        assert!(events.iter().any(|event| event.status == Status::Failed));
    }

    #[test]
    fn the_same_seed_makes_the_same_events() {
        let once: Vec<String> = plan(10, 100).events().collect();
        assert_eq!(once, plan(10, 100).events().collect::<Vec<_>>());
        let other = Plan { seed: 8, ..plan(10, 100) };
        assert_ne!(once, other.events().collect::<Vec<_>>());
    }
}
