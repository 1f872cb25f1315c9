//! Page, file and API say the same of the same view, and it is what the events add up to.

use super::common::Server;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const SEED: u64 = 20_261_121;
const EVENTS: usize = 240;
const VIEWS: usize = 40;

struct Random(u64);

impl Random {
    /// SplitMix64.
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).expect("small")
    }
}

/// What an event said, by the names that views use, and its micro-credits by credit type.
struct Sent {
    day: String,
    said: BTreeMap<&'static str, String>,
    cost: BTreeMap<&'static str, i64>,
}

fn sent(random: &mut Random, number: usize) -> (Sent, Value) {
    let day = format!("2026-{:02}-{:02}", 10 + random.below(2), 1 + random.below(20));
    let mut said = BTreeMap::new();
    let mut data = json!({});
    for (name, values) in [("project", 3), ("workflow", 4), ("user", 5), ("tenant", 2)] {
        let value = random.below(values + 1);
        if value > 0 {
            data[name] = format!("{name} {value}").into();
            said.insert(name, format!("{name} {value}"));
        }
    }
    if random.below(3) > 0 {
        let region = ["eu", "us"][random.below(2)];
        data["attributes"] = json!({"region": region});
        said.insert("attribute.region", region.to_owned());
    }
    let status = ["succeeded", "failed"][usize::from(random.below(6) == 0)];
    data["status"] = status.into();
    said.insert("status", status.to_owned());
    let source = format!("source{}", random.below(3));
    said.insert("source", source.clone());
    // 0.60 and 1.00 credits per million of tokens: what they cost is plain.
    let (input, output) = (1 + random.below(5), random.below(3));
    let mut cost = BTreeMap::from([("input_tokens", 600_000 * i64::try_from(input).expect("small"))]);
    data["quantities"] = json!({"input_tokens": input * 1_000_000});
    if output > 0 {
        data["quantities"]["completion_tokens"] = (output * 1_000_000).into();
        cost.insert("completion_tokens", 1_000_000 * i64::try_from(output).expect("small"));
    }
    let time = format!("{day}T{:02}:{:02}:00Z", random.below(24), random.below(60));
    let event = json!({"id": number.to_string(), "source": source, "type": "ai_text", "time": time, "data": data});
    (Sent { day, said, cost }, event)
}

/// A view as its query string has it, and what it lets through.
struct Asked {
    from: String,
    to: String,
    chosen: Vec<(&'static str, String)>,
    group: &'static str,
}

impl Asked {
    fn random(random: &mut Random, events: &[Sent]) -> Self {
        const NAMES: [&str; 8] =
            ["type", "source", "project", "workflow", "user", "tenant", "status", "attribute.region"];
        let mut days = [0; 2].map(|_| format!("2026-{:02}-{:02}", 10 + random.below(2), 1 + random.below(20)));
        days.sort();
        let [from, to] = days;
        let mut chosen = Vec::new();
        for _ in 0..random.below(4) {
            let name = NAMES[random.below(NAMES.len())];
            let event = &events[random.below(events.len())];
            let value = if name == "type" { "input_tokens" } else { event.said.get(name).map_or("", String::as_str) };
            chosen.push((name, value.to_owned()));
        }
        Self { from, to, chosen, group: NAMES[random.below(NAMES.len())] }
    }

    fn query(&self, group: &str) -> String {
        let mut pairs = vec![("from", self.from.as_str()), ("to", self.to.as_str()), (group, self.group)];
        pairs.extend(self.chosen.iter().map(|(name, value)| (*name, value.as_str())));
        serde_urlencoded::to_string(pairs).expect("texts")
    }

    /// The micro-credits of each event that it lets through.
    fn costs<'e>(&self, events: &'e [Sent]) -> Vec<(&'e Sent, i64)> {
        let wants = |event: &Sent, name: &str| {
            let values: Vec<&str> =
                self.chosen.iter().filter(|(n, _)| *n == name).map(|(_, value)| value.as_str()).collect();
            values.is_empty() || values.contains(&event.said.get(name).map_or("", String::as_str))
        };
        let types: Vec<&str> =
            self.chosen.iter().filter(|(name, _)| *name == "type").map(|(_, value)| value.as_str()).collect();
        let names: Vec<&str> = self.chosen.iter().map(|(name, _)| *name).filter(|name| *name != "type").collect();
        let within = |event: &&Sent| (self.from.as_str()..=self.to.as_str()).contains(&event.day.as_str());
        let cost = |event: &'e Sent| {
            let counted = event.cost.iter().filter(|(meter, _)| types.is_empty() || types.contains(meter));
            (event, counted.map(|(_, micros)| micros).sum())
        };
        events.iter().filter(within).filter(|event| names.iter().all(|name| wants(event, name))).map(cost).collect()
    }
}

fn decimal(micros: i64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

/// The total of a column of the file, by its head.
fn column(csv: &str, head: &str) -> String {
    let line = |text: &str| text.split(',').map(str::to_owned).collect::<Vec<_>>();
    let heads = line(csv.lines().next().expect("a head"));
    let place = heads.iter().position(|h| h == head).unwrap_or_else(|| panic!("{head} is not in {heads:?}"));
    line(csv.lines().find(|line| line.starts_with("Total,")).expect("totals"))[place].clone()
}

#[tokio::test]
async fn page_file_and_api_say_what_the_events_add_up_to() {
    println!("seed {SEED}");
    let mut random = Random(SEED);
    let server = Server::start().await;
    let cookie = server.person(super::common::ORG, "owner", false).await;
    let (events, said): (Vec<Sent>, Vec<Value>) = (0..EVENTS).map(|n| sent(&mut random, n)).unzip();
    assert_eq!(server.post_json(&said.into()).await.json()["accepted"], EVENTS);
    let mut something = 0;
    for view in 0..VIEWS {
        if view == VIEWS / 2 {
            assert!(server.store.widen_from(1).await.expect("widens") > 0);
        }
        let asked = Asked::random(&mut random, &events);
        let costs = asked.costs(&events);
        let (total, calls) = (decimal(costs.iter().map(|(_, micros)| micros).sum()), costs.len());
        something += usize::from(calls > 0);

        let query = asked.query("group_by");
        let answer = server.get(&format!("/api/v1/usage?{query}")).await.json();
        let told = (answer["total"]["credits"].as_str(), answer["total"]["events"].as_u64());
        assert_eq!(told, (Some(total.as_str()), Some(calls as u64)), "{query}");
        if asked.group != "type" {
            let mut by_hand: BTreeMap<&str, i64> = BTreeMap::new();
            for (event, micros) in &costs {
                *by_hand.entry(event.said.get(asked.group).map_or("", String::as_str)).or_default() += micros;
            }
            let series = answer["series"].as_array().expect("series").iter();
            let series = series.map(|s| (s["key"][asked.group].as_str().expect("a value"), s["credits"].as_str()));
            let by_hand: BTreeMap<&str, String> = by_hand.into_iter().map(|(key, sum)| (key, decimal(sum))).collect();
            let by_hand: BTreeMap<&str, Option<&str>> =
                by_hand.iter().map(|(key, sum)| (*key, Some(sum.as_str()))).collect();
            assert_eq!(series.collect::<BTreeMap<_, _>>(), by_hand, "{query}");
        }

        let query = asked.query("group");
        let csv = server.open(&cookie, &format!("/exports/usage.csv?{query}")).await.text();
        let head = if csv.lines().next().is_some_and(|head| head.contains("Total credits")) {
            "Total credits"
        } else {
            "Credits"
        };
        assert_eq!((column(&csv, head), column(&csv, "Calls")), (total.clone(), calls.to_string()), "{query}");
        let page = server.open(&cookie, &format!("/analytics?{query}")).await.text();
        assert!(page.contains(&format!("{total}\"")), "{query}: {total} is not on the page");
    }
    assert!(something > VIEWS / 2, "{something} of {VIEWS} views showed something");
}
