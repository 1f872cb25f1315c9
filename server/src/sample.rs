//! A sample organization: made up, labelled so, and the same for the same preset, days, events, seed and day.
//!
//! It goes through the same commands as everything else. What it shows is the preset's [`Shape`]: weekdays busier than
//! weekends, growth, quiet days, days on which calls failed, sources, projects, workflows with runs and modules, users
//! and tenants. This is one mechanism for all shapes: all arithmetic is in integers, without a clock of its own and
//! without chance but the seed.

mod chance;
mod deeds;

pub use deeds::{Act, Deed, deeds, topped_up};

use crate::preset::{Amount, Crowd, Module, Preset, Range, Shape, Workflow};
use chance::Chance;
use ledger::{Quantity, Timestamp};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use toml::Spanned;

const DAY_US: i64 = 86_400_000_000;

/// What to make.
#[derive(Debug, Clone, Copy)]
pub struct Plan<'p> {
    /// What it looks like.
    pub shape: &'p Shape,
    /// Days up to and with today.
    pub days: u32,
    /// Events over all of them.
    pub events: u32,
    /// Chooses everything that looks like chance.
    pub seed: u64,
    /// The ledger's time; nothing happens after it.
    pub now: Timestamp,
}

/// What the sample's org is called.
#[must_use]
pub fn org_of(preset: &Preset, shape: &Shape) -> String {
    shape.org.clone().unwrap_or_else(|| format!("Sample: {} (synthetic)", preset.title))
}

/// Who owns it.
#[must_use]
pub fn owner_of(preset: &Preset, shape: &Shape) -> String {
    shape.owner.clone().unwrap_or_else(|| format!("owner@{}.example", preset.name))
}

impl<'p> Plan<'p> {
    /// The events of all days, oldest first, as JSON text in the API's plain form.
    pub fn events(self) -> impl Iterator<Item = String> + use<'p> {
        let days = u64::from(self.days);
        let weights: Vec<u64> = (0..days).map(|day| self.weight(days - 1 - day)).collect();
        let total = weights.iter().map(|weight| u128::from(*weight)).sum::<u128>().max(1);
        let (mut before, mut number) = (0_u128, 0_u64);
        weights.into_iter().enumerate().flat_map(move |(index, weight)| {
            // Shares of a running sum, so that they add up to exactly what was asked for. They are at most an u32.
            let share = |part: u128| u64::try_from(u128::from(self.events) * part / total).unwrap_or_default();
            let from = share(before);
            before += u128::from(weight);
            let count = share(before) - from;
            let day = Day::new(self, days - 1 - index as u64, number);
            number += count;
            day.events(count)
        })
    }

    fn today(&self) -> i64 {
        self.now.micros().div_euclid(DAY_US)
    }

    /// How busy the day is that lies so many days back: weekday × growth, hardly anything on quiet days. Never nothing,
    /// so that there is a day for each event.
    fn weight(&self, days_back: u64) -> u64 {
        let day = self.today().saturating_sub(i64::try_from(days_back).unwrap_or_default());
        // 1970-01-01 was a Thursday.
        let weekday = usize::try_from((day + 3).rem_euclid(7)).unwrap_or_default();
        let growth = 100 + u64::from(self.days).saturating_sub(days_back) * self.shape.growth_percent;
        let whole = self.shape.weekdays[weekday] * growth;
        let quiet = if self.shape.quiet_days.contains(&days_back) { whole / 20 } else { whole };
        // The day is not over: only its share so far.
        let weight = if days_back == 0 { quiet * self.share_of_today() / 1_000 } else { quiet };
        weight.max(1)
    }

    fn share_of_today(&self) -> u64 {
        let hour = usize::try_from(self.now.micros().rem_euclid(DAY_US) / (DAY_US / 24)).unwrap_or_default();
        let hours = &self.shape.hours;
        hours.iter().take(hour).sum::<u64>() * 1_000 / hours.iter().sum::<u64>().max(1)
    }
}

struct Day<'p> {
    shape: &'p Shape,
    workflows: Vec<u64>,
    chance: Chance,
    start: i64,
    end: i64,
    failing: u64,
    seed: u64,
    number: u64,
}

/// What all events of a run have in common.
struct Run<'p> {
    workflow: &'p Workflow,
    number: u64,
    source: &'p str,
    /// User and tenant, where they are said.
    parties: Option<(String, String)>,
}

impl<'p> Day<'p> {
    fn new(plan: Plan<'p>, days_back: u64, number: u64) -> Self {
        let start = plan.today().saturating_sub(i64::try_from(days_back).unwrap_or_default()) * DAY_US;
        Self {
            shape: plan.shape,
            workflows: plan.shape.workflows.iter().map(|workflow| workflow.get_ref().weight).collect(),
            chance: Chance(plan.seed ^ start.unsigned_abs()),
            start,
            end: (start + DAY_US).min(plan.now.micros()),
            failing: plan.shape.failing[usize::from(plan.shape.bad_days.contains(&days_back))],
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

    /// One run of one workflow: its modules' events, at least one, at most `left`.
    fn run(&mut self, left: u64, made: &mut Vec<(i64, Value)>) {
        let workflow = self.shape.workflows[self.chance.weighted(&self.workflows)].get_ref();
        let mut time = self.time();
        let number = self.number + made.len() as u64;
        let (names, weights): (Vec<&String>, Vec<u64>) = workflow.sources.iter().unzip();
        let source = names[self.chance.weighted(&weights)];
        let parties = self.parties();
        // Drawn only where it is asked for, so that other samples stay what they were.
        let unmapped = self.shape.unmapped > 0 && self.chance.below(1_000) < self.shape.unmapped;
        let run = Run { workflow, number, source, parties: (!unmapped).then_some(parties) };
        let mut steps = Vec::new();
        let modules = || workflow.modules.iter().map(Spanned::get_ref).filter(|module| module.is_in_runs_from(source));
        for module in modules() {
            let [least, most] = module.times;
            for _ in 0..self.chance.between(least, most) {
                steps.push(module);
            }
        }
        // A run in which nothing happened would be no event, and this would go on for ever.
        if steps.is_empty() {
            steps.extend(modules().next());
        }
        for module in steps.into_iter().take(usize::try_from(left).unwrap_or(usize::MAX)) {
            let failed = self.chance.below(1_000) < self.failing;
            let event = self.event(&run, module, time, self.number + made.len() as u64, failed);
            made.push((time, event));
            if failed {
                return;
            }
            let later = i64::try_from(1_000_000 + self.chance.below(20_000_000)).unwrap_or_default();
            time = (time + later).min(self.end - 1).max(time);
        }
    }

    fn event(&mut self, run: &Run<'_>, module: &Module, time: i64, number: u64, failed: bool) -> Value {
        let project = self.shape.projects.iter().find(|project| project.id == run.workflow.project);
        let mut data = json!({
            "project": project.map(|project| json!({"id": project.id, "name": project.name})),
            "workflow": {"id": run.workflow.id, "name": run.workflow.name},
            "run": format!("run-{}-{}", self.seed, run.number), "module": {"id": module.id, "name": module.name},
            "interaction": format!("interaction-{}", run.number),
            "status": if failed { "failed" } else { "succeeded" },
        });
        if let Some((user, tenant)) = &run.parties {
            data["user"] = json!(user);
            data["tenant"] = json!(tenant);
        }
        if !module.quantities.is_empty() {
            let quantities = self.quantities(module, failed);
            if let Some(bytes) = module.bytes_of.as_ref().and_then(|meter| quantities.get(meter.as_str())) {
                data["bytes"] = bytes.clone();
            }
            data["quantities"] = Value::Object(quantities);
        }
        for (name, range) in
            [("credits", module.credits), ("bytes", module.bytes), ("compute_units", module.compute_units)]
        {
            if let Some(Range { range: [from, to], decimals }) = range {
                data[name] = number_of(self.chance.between(from, to), decimals);
            }
        }
        if !module.attributes.is_empty() {
            data["attributes"] = json!(module.attributes);
        }
        let id = format!("sample-{}-{number}", self.seed);
        let time = Timestamp::from_micros(time);
        json!({ "id": id, "source": run.source, "type": module.operation, "time": time, "data": data })
    }

    /// A user and the tenant that is theirs.
    fn parties(&mut self) -> (String, String) {
        let (users, tenants) = (&self.shape.users, &self.shape.tenants);
        let tenant = self.chance.between(1, tenants.count);
        let theirs = (users.count - tenant) / tenants.count + 1;
        let user = tenant + tenants.count * self.chance.below(theirs);
        (named(users, user), named(tenants, tenant))
    }

    fn time(&mut self) -> i64 {
        let hour = i64::try_from(self.chance.weighted(&self.shape.hours)).unwrap_or_default();
        let within = i64::try_from(self.chance.below(3_600_000_000)).unwrap_or_default();
        let time = self.start + hour * (DAY_US / 24) + within;
        if time < self.end {
            return time;
        }
        // Today, and later than now: some time before instead.
        let passed = u64::try_from(self.end - self.start).unwrap_or_default().max(1);
        self.start + i64::try_from(self.chance.below(passed)).unwrap_or_default()
    }

    fn quantities(&mut self, module: &Module, failed: bool) -> Map<String, Value> {
        let mut drawn: BTreeMap<&str, (u64, u8)> = BTreeMap::new();
        for (meter, amount) in &module.quantities {
            if let Some([from, to]) = amount.range {
                let quantity = if failed && amount.result { 0 } else { self.chance.between(from, to) };
                drawn.insert(meter.as_str(), (quantity, amount.decimals));
            }
        }
        for (meter, Amount { of, percent, step, .. }) in &module.quantities {
            let (Some(of), Some(percent)) = (of, percent) else { continue };
            let Some((whole, decimals)) = drawn.get_mut(of.as_str()) else { continue };
            let part = *whole * self.chance.below(percent + 1) / 100 / step * step;
            let decimals = *decimals;
            *whole -= part;
            if part > 0 {
                drawn.insert(meter.as_str(), (part, decimals));
            }
        }
        drawn.into_iter().map(|(meter, (number, decimals))| (meter.to_owned(), number_of(number, decimals))).collect()
    }
}

/// As many digits as the last of them has.
fn named(crowd: &Crowd, number: u64) -> String {
    let width = crowd.count.to_string().len();
    format!("{}{number:0width$}", crowd.prefix)
}

/// A number of so many decimals: whole ones as JSON numbers, others as text, which no reader makes a float of.
pub(crate) fn number_of(number: u64, decimals: u8) -> Value {
    if decimals == 0 {
        return json!(number);
    }
    let micros = i128::from(number) * 10_i128.pow(6_u32.saturating_sub(u32::from(decimals)));
    json!(Quantity::from_micros(micros).to_string())
}

#[cfg(test)]
mod tests;
