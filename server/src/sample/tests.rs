use super::*;
use crate::preset::Preset;
use ledger::Event;
use ledger::event::{Form, Status};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;

fn preset(name: &str) -> Preset {
    Preset::named(name, Path::new("/nowhere")).expect("right").expect("there")
}

/// All events of a sample, as they are read.
fn events(preset: &Preset, (days, events, seed): (u32, u32, u64), now: &str) -> Vec<Event> {
    let shape = preset.sample.as_ref().expect("a sample");
    let plan = Plan { shape, days, events, seed, now: Timestamp::parse("now", now).expect("valid") };
    plan.events().map(|text| Event::from_json(&text, Form::Plain).expect("an event")).collect()
}

const NOW: &str = "2026-11-21T13:37:00Z";
const SAMPLES: [&str; 5] = ["token-billing", "viewer-platform", "automation", "clinical-api", "ai-engine"];

#[test]
fn as_many_good_events_as_asked_for_and_none_in_the_future() {
    for name in SAMPLES {
        let preset = preset(name);
        let now = Timestamp::parse("now", NOW).expect("valid");
        let made = events(&preset, (90, 2_000, 7), NOW);
        assert_eq!(made.len(), 2_000, "{name}");
        assert!(made.iter().all(|event| event.time.is_some_and(|time| time <= now)), "{name}");
        assert_eq!(made.iter().map(|event| event.id.as_str()).collect::<HashSet<_>>().len(), made.len(), "{name}");
        assert!(made.iter().any(|event| event.status == Status::Failed), "{name}");
        let of = |label: fn(&Event) -> Option<&str>| made.iter().filter_map(label).collect::<BTreeSet<_>>().len();
        let [projects, workflows, users, tenants] = [
            of(|event| event.project.as_ref().map(|place| place.id.as_str())),
            of(|event| event.workflow.as_ref().map(|place| place.id.as_str())),
            of(|event| event.user.as_ref().map(|user| user.as_str())),
            of(|event| event.tenant.as_ref().map(|tenant| tenant.as_str())),
        ];
        assert!(projects > 1 && workflows > 2 && users > 20 && tenants > 4, "{name}");
        // Each user belongs to one tenant, each interaction to one of both.
        let mut whose: BTreeMap<&str, &str> = BTreeMap::new();
        let mut unmapped: BTreeSet<&str> = BTreeSet::new();
        for event in &made {
            let said = [&event.user, &event.tenant, &event.interaction];
            let [user, tenant, interaction] = said.map(|label| label.as_ref().map_or("", |label| label.as_str()));
            assert_eq!(*whose.entry(interaction).or_insert(user), user, "{name}");
            if user.is_empty() {
                unmapped.insert(interaction);
            } else {
                assert_eq!(*whose.entry(user).or_insert(tenant), tenant, "{name}");
            }
        }
        // Clinics tell some of theirs later.
        assert_eq!(unmapped.len() > 5, name == "clinical-api", "{name}");
    }
}

#[test]
fn the_same_seed_makes_the_same_events() {
    let preset = preset("ai-engine");
    let once = events(&preset, (10, 100, 7), NOW);
    assert_eq!(once, events(&preset, (10, 100, 7), NOW));
    assert_ne!(once, events(&preset, (10, 100, 8), NOW));
    assert_ne!(once, events(&preset, (11, 100, 7), NOW));
    assert_ne!(once, events(&preset, (10, 100, 7), "2026-11-22T13:37:00Z"));
}

#[test]
fn one_day_and_no_events_are_samples_too() {
    for name in SAMPLES {
        let preset = preset(name);
        // Right after midnight as well, when nothing of the day is over.
        for now in ["2026-11-21T00:00:00Z", "2026-11-21T00:20:00Z", NOW] {
            assert_eq!(events(&preset, (1, 300, 1), now).len(), 300, "{name} {now}");
            assert_eq!(events(&preset, (1, 0, 1), now).len(), 0, "{name} {now}");
            let shape = preset.sample.as_ref().expect("a sample");
            for days in [1, 90, 400] {
                let now = Timestamp::parse("now", now).expect("valid");
                let deeds = deeds(&preset, shape, now, days).expect("right");
                assert!(deeds.iter().all(|deed| deed.at <= now) && !deeds.is_empty(), "{name}");
            }
        }
    }
}

#[test]
fn weekdays_growth_quiet_days_and_failures_can_be_seen() {
    let preset = preset("token-billing");
    let made = events(&preset, (90, 30_000, 3), "2026-11-21T23:59:00Z");
    let day = |event: &Event| event.time.expect("said").micros().div_euclid(DAY_US);
    let today = made.iter().map(day).max().expect("some");
    let (mut calls, mut failed) = (BTreeMap::<i64, u64>::new(), BTreeMap::<i64, u64>::new());
    for event in &made {
        *calls.entry(today - day(event)).or_default() += 1;
        *failed.entry(today - day(event)).or_default() += u64::from(event.status == Status::Failed);
    }
    // 21 November 2026 is a Saturday.
    assert!(calls[&4] > calls[&6] * 2, "a Tuesday beside a Sunday");
    assert!(calls[&4] * 2 > calls[&88] * 3, "a Tuesday beside the same twelve weeks before");
    assert!(calls[&23] * 10 < calls[&22] + calls[&24], "a quiet day beside its neighbours");
    assert!(failed[&12] * 1_000 / calls[&12] > 80 && failed[&5] * 1_000 / calls[&5] < 40, "a bad day");
}

#[test]
fn credits_are_bought_in_whole_packages_until_there_are_enough() {
    let preset = preset("ai-engine");
    let shape = preset.sample.as_ref().expect("a sample");
    let credits = |text: &str| ledger::Credits::parse(text).expect("an amount");
    let bought = |available, wanted| {
        let new = topped_up(&preset, shape, credits(available), credits(wanted)).expect("fits");
        new.map(|new| (new.amount.to_string(), new.cost.expect("paid").to_string(), new.description))
    };
    let packages = |credits: &str, cost: &str, text: &str| Some((credits.to_owned(), cost.to_owned(), text.to_owned()));
    assert_eq!(bought("300", "300"), None);
    assert_eq!(bought("299.999999", "300"), packages("2500.000000", "249.00 USD", "Package of 2,500 credits"));
    assert_eq!(bought("-2200", "300"), packages("2500.000000", "249.00 USD", "Package of 2,500 credits"));
    assert_eq!(bought("-2200.000001", "300"), packages("5000.000000", "498.00 USD", "2 × Package of 2,500 credits"));
}

/// Calls of the samples, whose weeks are alike but for their growth, so that the same day of the week before is hard to beat: forecasts
/// come within a tenth of it, and their bands hold what they say. Both are printed.
#[test]
fn forecasts_of_the_samples_come_near_the_week_before_and_their_bands_hold() {
    for name in SAMPLES {
        let made = events(&preset(name), (200, 20_000, 7), NOW);
        let day = |event: &Event| event.time.map_or(0, |time| time.micros().div_euclid(86_400_000_000));
        let first = made.iter().map(day).min().expect("some");
        let last = made.iter().map(day).max().expect("some");
        let mut days = vec![0_i64; usize::try_from(last - first + 1).expect("few")];
        for event in &made {
            days[usize::try_from(day(event) - first).expect("few")] += 1;
        }
        // Today is not over.
        days.pop();
        let off = ledger::forecast::backtest(&days, 84).expect("enough");
        println!(
            "{name}: forecast {} ppm, week before {} ppm, {} ppm in band",
            off.error_ppm, off.last_week_ppm, off.within_ppm
        );
        assert!(off.error_ppm * 10 <= off.last_week_ppm * 11, "{name}: {off:?}");
        assert!((700_000..=900_000).contains(&off.within_ppm), "{name}: {off:?}");
    }
}
