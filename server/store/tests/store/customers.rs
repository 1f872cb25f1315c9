//! On whose behalf: users, tenants and interactions against sums made from the events by hand, whatever was mapped when.

use crate::common::{Bench, NOON, Random, event};
use chrono::{DateTime, Days, Utc};
use ledger::{EventSeq, Facet, Label, OrgId, Timestamp};
use std::collections::BTreeMap;
use store::trace::{Sort, TraceKind, TraceQuery};
use store::{By, CorrectionRequest, Mapping, Once, Range, RankPage, Ranking, StoreError, Tz, Wide};

const SEED: u64 = 20_261_122;
const STEPS: usize = 260;
const SPAN_S: usize = 9 * 86_400;
const ZONES: [Tz; 3] = [Tz::Europe__Copenhagen, Tz::Asia__Kathmandu, Tz::America__St_Johns];

/// An event as it was sent.
#[derive(Debug, Clone)]
struct Plain {
    at: i64,
    said: [String; 4],
    micros: i64,
    failed: bool,
    bytes: i64,
    stands: bool,
}

const USER: usize = 0;
const TENANT: usize = 1;
const INTERACTION: usize = 2;
const PROJECT: usize = 3;

/// Everything that was sent, and what was mapped last.
#[derive(Default)]
struct Model {
    events: Vec<Plain>,
    mapped: BTreeMap<String, [String; 2]>,
}

impl Model {
    fn send(&mut self, random: &mut Random) -> String {
        let number = self.events.len();
        let mut choose = |name: &str, values: usize| match random.below(values + 1) {
            0 => String::new(),
            value => format!("{name}{value}"),
        };
        let said = [choose("u", 4), choose("t", 2), choose("i", 9), choose("p", 2)];
        let back = i64::try_from(random.below(SPAN_S) * 1_000_000).expect("small");
        let units = 1 + i64::try_from(random.below(9)).expect("small");
        let (failed, bytes) = (random.below(6) == 0, i64::try_from(random.below(500)).expect("small"));
        let at = NOON.micros() - back;
        let mut data = serde_json::json!({"bytes": bytes, "status": if failed { "failed" } else { "succeeded" }});
        for (name, value) in ["user", "tenant", "interaction", "project"].into_iter().zip(&said) {
            if !value.is_empty() {
                data[name] = value.clone().into();
            }
        }
        let kind = if random.below(2) == 0 {
            data["quantity"] = units.into();
            "export"
        } else {
            data["quantities"] = serde_json::json!({"export": units, "viewer_session": 0});
            "both"
        };
        // A session costs a credit as soon as it is opened.
        let micros = units * 1_000_000 + if kind == "both" { 1_000_000 } else { 0 };
        self.events.push(Plain { at, said, micros, failed, bytes, stands: true });
        let time = Timestamp::from_micros(at).to_string();
        serde_json::json!({"id": number.to_string(), "source": "api", "type": kind, "time": time, "data": data})
            .to_string()
    }

    /// For whom an event counts.
    fn owner(&self, event: &Plain, of: usize) -> String {
        let mapped = self.mapped.get(&event.said[INTERACTION]).map_or("", |to| to[of].as_str());
        if mapped.is_empty() { event.said[of].clone() } else { mapped.to_owned() }
    }

    /// Micro-credits, events, failed ones and bytes per value; `""` for nobody.
    fn sums(&self, of: usize, counts: impl Fn(&Plain) -> bool) -> BTreeMap<String, [i64; 4]> {
        let mut sums: BTreeMap<String, [i64; 4]> = BTreeMap::new();
        for event in self.events.iter().filter(|event| event.stands && counts(event)) {
            let sum = sums.entry(self.owner(event, of)).or_default();
            let more = [event.micros, 1, event.failed.into(), event.bytes];
            sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
        }
        sums
    }
}

/// What is asked of interactions, in plain words.
#[derive(Debug)]
struct Asked {
    period: Option<(i64, i64)>,
    /// A user or a tenant, `""` for none.
    owner: Option<(usize, String)>,
    mapped: Option<bool>,
}

impl Asked {
    fn random(random: &mut Random) -> Self {
        let from = NOON.micros() - i64::try_from(random.below(SPAN_S)).expect("small") * 1_000_000;
        let to = from + i64::try_from(1 + random.below(SPAN_S / 2)).expect("small") * 1_000_000;
        let owner = [(USER, "u"), (TENANT, "t")][random.below(2)];
        let id = if random.below(3) == 0 { String::new() } else { format!("{}{}", owner.1, 1 + random.below(6)) };
        Self {
            period: (random.below(3) > 0).then_some((from, to)),
            owner: (random.below(2) == 0).then_some((owner.0, id)),
            mapped: [None, None, Some(true), Some(false)][random.below(4)],
        }
    }

    fn query(&self) -> TraceQuery {
        let mut query = TraceQuery::new(TraceKind::Interaction);
        query.sort = Sort::Credits;
        query.overlapping = true;
        query.from = self.period.map(|(from, _)| Timestamp::from_micros(from));
        query.before = self.period.map(|(_, to)| Timestamp::from_micros(to));
        query.mapped = self.mapped;
        query.limit = 3;
        match &self.owner {
            Some((USER, id)) => query.users = vec![id.clone()],
            Some((_, id)) => query.tenants = vec![id.clone()],
            None => {}
        }
        query
    }
}

impl Model {
    /// User and tenant of each interaction, and what of it was used in a period, of those that are asked for.
    fn interactions(&self, asked: &Asked) -> BTreeMap<String, ([String; 2], [i64; 4])> {
        let mut found = BTreeMap::new();
        let ids: Vec<&String> =
            self.events.iter().map(|event| &event.said[INTERACTION]).filter(|id| !id.is_empty()).collect();
        for id in ids {
            let mut own: Vec<&Plain> = self.events.iter().filter(|e| e.stands && e.said[INTERACTION] == *id).collect();
            own.sort_by_key(|event| event.at);
            let first =
                |of| own.iter().map(|event| self.owner(event, of)).find(|owner| !owner.is_empty()).unwrap_or_default();
            let owner = [first(USER), first(TENANT)];
            let inside = |event: &&&Plain| asked.period.is_none_or(|(from, to)| (from..to).contains(&event.at));
            let used = own.iter().filter(inside).fold([0; 4], |sum: [i64; 4], event| {
                [sum[0] + event.micros, sum[1] + 1, sum[2] + i64::from(event.failed), sum[3] + event.bytes]
            });
            let is_mapped = owner.iter().any(|owner| !owner.is_empty());
            let wanted = asked.owner.as_ref().is_none_or(|(of, wanted)| owner[*of] == *wanted)
                && asked.mapped.is_none_or(|mapped| mapped == is_mapped);
            if wanted && used[1] > 0 {
                found.insert(id.clone(), (owner, used));
            }
        }
        found
    }
}

async fn compare_interactions(bench: &Bench, org: OrgId, model: &Model, random: &mut Random) {
    let asked = Asked::random(random);
    let (mut query, mut found, mut costs) = (asked.query(), BTreeMap::new(), Vec::new());
    loop {
        let page = bench.store.traces(org, query.clone()).await.expect("reads");
        for trace in page.traces {
            let used = trace.within.unwrap_or(store::Used {
                credits: trace.credits,
                events: trace.events,
                failed: trace.failed,
                bytes: trace.bytes,
            });
            let used = [used.credits.micros(), used.events, used.failed, used.bytes];
            costs.push(trace.credits);
            let id = trace.place.id.as_str().to_owned();
            assert!(found.insert(id, ([trace.user, trace.tenant], used)).is_none(), "twice: {asked:?}");
        }
        query.cursor = page.on;
        if page.on.is_none() {
            break;
        }
    }
    assert!(costs.is_sorted_by(|a, b| a >= b), "heaviest first: {asked:?}");
    assert_eq!(found, model.interactions(&asked), "{asked:?}");
}

fn label(text: &str) -> Label {
    Label::parse("label", text).expect("a label")
}

fn mapping(interaction: &str, to: &[String; 2]) -> Mapping {
    let maybe = |text: &String| (!text.is_empty()).then(|| label(text));
    Mapping { interaction: label(interaction), user: maybe(&to[USER]), tenant: maybe(&to[TENANT]) }
}

async fn pages(bench: &Bench, org: OrgId, page: RankPage) -> (Vec<(String, [i64; 4])>, Ranking) {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let ranking = bench.store.ranking(org, RankPage { after, ..page.clone() }).await.expect("in range");
        for value in &ranking.values {
            let used = value.used;
            all.push((value.id.clone(), [used.credits.micros(), used.events, used.failed, used.bytes]));
        }
        after = ranking.values.last().map(|value| value.cursor);
        if !ranking.more {
            return (all, ranking);
        }
    }
}

/// Users or tenants over a random range, of all projects or of one.
async fn compare(bench: &Bench, org: OrgId, zone: Tz, model: &Model, random: &mut Random) {
    let of = random.below(2);
    let today = NOON.to_chrono().expect("in range").with_timezone(&zone).date_naive();
    let first = today - Days::new(random.below(9) as u64);
    let last = first + Days::new(random.below(9) as u64);
    let instants = random.below(3) == 0;
    // Quarters of an hour.
    let from = NOON.micros() - i64::try_from(random.below(700)).expect("small") * 900_000_000;
    let to = from + i64::try_from(1 + random.below(300)).expect("small") * 900_000_000;
    let project = (random.below(2) == 0).then(|| format!("p{}", random.below(3)).replace("p0", ""));
    let counts = |event: &Plain| {
        let day = DateTime::<Utc>::from_timestamp_micros(event.at).expect("in range").with_timezone(&zone).date_naive();
        let inside = if instants { (from..to).contains(&event.at) } else { (first..=last).contains(&day) };
        inside && project.as_ref().is_none_or(|project| event.said[PROJECT] == *project)
    };
    let range = match instants {
        true => Range::Instants(Timestamp::from_micros(from), Timestamp::from_micros(to)),
        false => Range::Days(first, last),
    };
    let page = RankPage {
        facet: [Facet::User, Facet::Tenant][of].clone(),
        range,
        chosen: Vec::new(),
        projects: project.iter().cloned().collect(),
        sources: Vec::new(),
        prefix: String::new(),
        after: None,
        limit: 2,
    };
    let (found, ranking) = pages(bench, org, page).await;
    let mut expected = model.sums(of, counts);
    let all = expected.values().fold([0; 2], |sum, more| [sum[0] + more[0], sum[1] + more[1]]);
    assert_eq!([ranking.total.credits.micros(), ranking.total.events], all);
    let unsaid = expected.remove("").unwrap_or_default();
    assert_eq!(
        [ranking.unsaid.credits.micros(), ranking.unsaid.events, ranking.unsaid.failed, ranking.unsaid.bytes],
        unsaid
    );
    assert!(found.is_sorted_by(|a, b| a.1[0] >= b.1[0]), "heaviest first: {found:?}");
    assert_eq!(found.len(), ranking.count);
    assert_eq!(found.into_iter().collect::<BTreeMap<_, _>>(), expected);
}

#[tokio::test]
async fn whatever_is_mapped_when_every_sum_follows_at_once() {
    println!("seed {SEED}");
    for (round, zone) in ZONES.into_iter().enumerate() {
        let mut random = Random(SEED + round as u64);
        let bench = Bench::in_memory().await;
        let org = bench.org("Acme", zone.name()).await;
        let mut model = Model::default();
        for _ in 0..STEPS {
            match random.below(7) {
                0 | 1 => {
                    let sent: Vec<String> = (0..1 + random.below(12)).map(|_| model.send(&mut random)).collect();
                    bench.ingest(org, sent.iter().map(|json| event(json)).collect()).await;
                }
                2 => {
                    bench.store.widen_from(1).await.expect("widens");
                }
                3 if !model.events.is_empty() => {
                    let index = random.below(model.events.len());
                    if std::mem::replace(&mut model.events[index].stands, false) {
                        let event = EventSeq(i64::try_from(index + 1).expect("small"));
                        let void = CorrectionRequest::Void { event, reason: "sent by mistake".to_owned() };
                        bench.store.correct(org, By::command(), void, false, None).await.expect("stands");
                    }
                }
                _ => map(&bench, org, &mut model, &mut random).await,
            }
            if random.below(4) == 0 {
                compare(&bench, org, zone, &model, &mut random).await;
                compare_interactions(&bench, org, &model, &mut random).await;
            }
        }
        let asked = Wide { facet: Some(Facet::User), ..Wide::default() };
        assert!(bench.store.difference(org, &asked).await.expect("reads").is_zero());
        bench.assert_verified().await;
        while bench.store.widen_from(1).await.expect("widens") > 0 {}
        for _ in 0..30 {
            compare(&bench, org, zone, &model, &mut random).await;
            compare_interactions(&bench, org, &model, &mut random).await;
        }
        bench.assert_verified().await;
    }
}

/// One or several interactions, known or not yet, to a user, a tenant, both or nobody.
async fn map(bench: &Bench, org: OrgId, model: &mut Model, random: &mut Random) {
    let mut to = || {
        let mut choose = |name: &str, values: usize| match random.below(values + 1) {
            0 => String::new(),
            value => format!("{name}{value}"),
        };
        (choose("i", 9), [choose("u", 6), choose("t", 3)])
    };
    let wanted: Vec<(String, [String; 2])> = (0..3).map(|_| to()).filter(|(id, _)| !id.is_empty()).collect();
    if random.below(2) == 0 {
        let all = wanted.iter().map(|(id, to)| mapping(id, to)).collect();
        bench.store.map_interactions(org, By::command(), all).await.expect("maps");
        model.mapped.extend(wanted);
    } else if let Some((id, to)) = wanted.into_iter().next() {
        let done = bench.store.map_interaction(org, By::command(), mapping(&id, &to), None).await.expect("maps");
        let said =
            [&done.answer.user, &done.answer.tenant].map(|label| label.as_ref().map_or("", Label::as_str).to_owned());
        assert_eq!(said, to);
        model.mapped.insert(id, to);
    }
}

#[tokio::test]
async fn mapping_is_done_once_noted_once_and_taken_back() {
    let bench = Bench::new().await;
    let org = bench.org("Acme", "UTC").await;
    let to = |user: &str| mapping("visit ../\u{1F600}\"'", &[user.to_owned(), String::new()]);
    let once = |key: &str, request| Some(Once { key: key.to_owned(), request: [request; 32] });
    let map = async |mapping, once| bench.store.map_interaction(org, By::command(), mapping, once).await;
    let first = map(to("ada"), once("a", 1)).await.expect("maps");
    assert!(!first.replayed && first.answer.at == Some(NOON));
    // Mapped again, and again as it is.
    map(to("ben"), None).await.expect("maps");
    map(to("ben"), None).await.expect("maps");
    let again = map(to("ada"), once("a", 1)).await.expect("the first answer");
    assert_eq!((again.replayed, &again.answer), (true, &first.answer));
    assert!(matches!(map(to("ada"), once("a", 2)).await, Err(StoreError::Refused(_))));
    let id = &first.answer.interaction;
    assert_eq!(bench.store.mapping(org, id.clone()).await.expect("reads").user, Some(label("ben")));
    let nobody = Mapping { user: None, ..to("") };
    assert_eq!(map(nobody, None).await.expect("maps").answer.at, None);
    let history = bench.store.mapping_history(org, id, 10).await.expect("reads");
    let told: Vec<&str> = history.iter().filter_map(|row| row.after.as_deref()).collect();
    let none = r#"{"tenant":null,"user":null}"#;
    assert_eq!(told, [none, r#"{"tenant":null,"user":"ben"}"#, r#"{"tenant":null,"user":"ada"}"#]);
    assert_eq!(history[2].before.as_deref(), Some(none));
    bench.assert_verified().await;
}

#[tokio::test]
async fn what_could_not_be_moved_at_once_is_refused() {
    let bench = Bench::in_memory().await;
    let org = bench.org("Acme", "UTC").await;
    let one = |n: usize, id: &str| {
        event(&format!(r#"{{"id":"{n}","source":"api","type":"export","data":{{"interaction":"{id}"}}}}"#))
    };
    bench.ingest(org, (0..10_000).map(|n| one(n, "large")).collect()).await;
    bench.ingest(org, vec![one(10_000, "large"), one(10_001, "small")]).await;
    // What is in no sum yet needs no moving.
    while bench.store.widen_from(1).await.expect("widens") > 0 {}
    let to = ["ada".to_owned(), String::new()];
    let refused = bench.store.map_interaction(org, By::command(), mapping("large", &to), None).await;
    assert!(matches!(refused, Err(StoreError::TooMany(_))), "{refused:?}");
    let both = vec![mapping("large", &to), mapping("small", &to)];
    let outcomes = bench.store.map_interactions(org, By::command(), both).await.expect("maps");
    use store::interaction::Outcome::{Changed, TooMany};
    assert_eq!(outcomes, [(label("large"), TooMany), (label("small"), Changed)]);
}
