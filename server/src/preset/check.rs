//! What the tables of a preset must say about themselves and each other.

use super::EMPTY;
use super::plan::{Monthly, Package};
use super::read::{Located, Reader, Sheet};
use super::shape::{Amount, Crowd, Module, Range, Shape, Workflow};
use crate::sample::number_of;
use ledger::event::Form;
use ledger::label::{MAX_LABEL_BYTES, MAX_TEXT_BYTES, check_text};
use ledger::plan::MAX_RETENTION_DAYS;
use ledger::rate::Rule;
use ledger::{Event, GrantKind, Label, Meter, RateCard, RateCardVersion, Refusal, Timestamp};
use serde_json::{Map, json};
use std::collections::HashSet;
use store::Tz;

/// Longest name of a preset: it is a file's name, and part of an address of mail.
const MAX_NAME_BYTES: usize = 40;
/// Largest number of a sample's shape: the largest quantity that an event may carry.
const MAX_NUMBER: u64 = 1_000_000_000_000_000;
/// Largest weight of a day, an hour, a workflow or a source, and largest number of users.
const MAX_WEIGHT: u64 = 1_000_000;
/// Most days that a deed lies back, lasts or lies ahead: a century.
const MAX_DAYS: u32 = 36_500;
/// Most events of one step of one run.
const MAX_TIMES: u64 = 1_000;
/// Most decimals of a quantity.
const MAX_DECIMALS: u8 = 6;

/// Checks a whole preset, as far as it could be read.
pub(super) fn sheet(sheet: &Sheet, reader: &mut Reader<'_>) {
    let missing = [
        ("name", sheet.name.is_none()),
        ("title", sheet.title.is_none()),
        ("description", sheet.description.is_none()),
        ("[words]", sheet.words.is_none()),
        ("rate_card", sheet.rate_card.is_none()),
    ];
    for (place, missing) in missing {
        // What is there but cannot be read has its own problem.
        if missing && !reader.unread(place) {
            reader.problem(None, place, "is missing");
        }
    }
    head(sheet, reader);
    sources(sheet, reader);
    meters(sheet, reader);
    card(sheet, reader);
    offers(sheet, reader);
    if let Some(Located { line, value }) = &sheet.sample {
        // A sample beside tables that could not be read would be told what is wrong with them, not with it.
        if !["[[sources]]", "[[meters]]", "[[plans]]", "[[packages]]"].iter().any(|place| reader.unread(place)) {
            Sample { sheet, shape: value, line: *line }.check(reader);
        }
    }
}

fn head(sheet: &Sheet, reader: &mut Reader<'_>) {
    if let Some(Located { line, value }) = &sheet.name {
        let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let starts = value.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
        if !starts || value.len() > MAX_NAME_BYTES || !value.bytes().all(word) {
            let what = format!("is a word of a-z, 0-9 and -, at most {MAX_NAME_BYTES} bytes: for example ai-engine");
            reader.problem(Some(*line), "name", what);
        } else if value == EMPTY {
            reader.problem(Some(*line), "name", format!("\"{EMPTY}\" means that there is no preset: choose another"));
        }
    }
    for (place, text) in [("title", &sheet.title), ("description", &sheet.description)] {
        if let Some(Located { line, value }) = text {
            text_of(reader, *line, place, place, value);
        }
    }
    if let Some(Located { line, value }) = &sheet.words
        && let Err(refusal) = value.check()
    {
        reader.problem(Some(*line), "[words]", refusal.to_string());
    }
}

fn text_of(reader: &mut Reader<'_>, line: usize, place: &str, field: &'static str, text: &str) {
    let most = if field == "description" { MAX_TEXT_BYTES } else { MAX_LABEL_BYTES };
    if let Err(refusal) = check_text(field, text, most) {
        reader.problem(Some(line), place, refusal.to_string());
    }
}

/// The same of a text that may be left out.
fn text_if_any(reader: &mut Reader<'_>, line: usize, place: &str, field: &'static str, text: &str) {
    if !text.is_empty() {
        text_of(reader, line, place, field, text);
    }
}

/// Each of `all` under a name of its own.
fn unique<'a, T: 'a>(
    reader: &mut Reader<'_>,
    place: &str,
    all: impl IntoIterator<Item = &'a Located<T>>,
    name: impl Fn(&T) -> &str,
) {
    let mut seen = HashSet::new();
    for Located { line, value } in all {
        if !seen.insert(name(value).to_owned()) {
            reader.problem(Some(*line), place, format!("\"{}\" is there twice: leave one of them out", name(value)));
        }
    }
}

fn sources(sheet: &Sheet, reader: &mut Reader<'_>) {
    unique(reader, "[[sources]]", &sheet.sources, |source| source.name.as_str());
    for Located { line, value } in &sheet.sources {
        let place = format!("[[sources]] {}", value.name);
        text_of(reader, *line, &place, "title", &value.title);
        text_if_any(reader, *line, &place, "description", &value.description);
    }
}

fn meters(sheet: &Sheet, reader: &mut Reader<'_>) {
    unique(reader, "[[meters]]", &sheet.meters, |meter| meter.meter.as_str());
    for Located { line, value } in &sheet.meters {
        let place = format!("[[meters]] {}", value.meter);
        text_of(reader, *line, &place, "title", &value.title);
        text_of(reader, *line, &place, "unit", &value.unit);
        text_if_any(reader, *line, &place, "service", &value.service);
        let charged = |lines: &Vec<_>| lines.iter().any(|line: &ledger::RateLine| line.meter == value.meter);
        if sheet.lines.as_ref().is_some_and(|lines| !charged(lines)) {
            let what = format!("no line of rate_card charges it: add \"{}: free\" or a price", value.meter);
            reader.problem(Some(*line), place, what);
        }
    }
}

fn card(sheet: &Sheet, reader: &mut Reader<'_>) {
    let (Some(text), Some(lines)) = (&sheet.rate_card, &sheet.lines) else { return };
    if let Err(refusal) = RateCard::check(lines) {
        reader.problem(Some(text.line), "rate_card", refusal.to_string());
    }
    let known: HashSet<&str> = sheet.sources.iter().map(|source| source.value.name.as_str()).collect();
    let described: HashSet<&Meter> = sheet.meters.iter().map(|meter| &meter.value.meter).collect();
    for (rate, line) in lines.iter().zip(card_lines(&text.value)) {
        let line = Some(text.line + line);
        if !described.contains(&rate.meter) && !reader.unread("[[meters]]") {
            let what = format!("{} is described nowhere: add a [[meters]] with meter = \"{}\"", rate.meter, rate.meter);
            reader.problem(line, "rate_card", what);
        }
        let sure = !reader.unread("[[sources]]");
        for source in rate.sources.iter().filter(|source| sure && !known.contains(source.as_str())) {
            let what = format!("the source {source} is listed nowhere: add a [[sources]] with name = \"{source}\"");
            reader.problem(line, "rate_card", what);
        }
    }
}

/// On which lines of a card's text its lines stand, from 0 on.
fn card_lines(text: &str) -> impl Iterator<Item = usize> {
    let says = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    text.lines().enumerate().filter(move |(_, line)| says(line)).map(|(number, _)| number)
}

fn offers(sheet: &Sheet, reader: &mut Reader<'_>) {
    unique(reader, "[[plans]]", &sheet.plans, |plan| plan.name.as_str());
    for Located { line, value } in &sheet.plans {
        let place = format!("[[plans]] {}", value.name);
        text_of(reader, *line, &place, "name", &value.name);
        text_of(reader, *line, &place, "title", &value.title);
        text_if_any(reader, *line, &place, "description", &value.description);
        if let Monthly::Credits(credits) = value.credits
            && !credits.is_positive()
        {
            reader.problem(Some(*line), &place, "credits must be above zero, or \"custom\"");
        }
        let told = [value.money().err(), value.policy().err()];
        told.into_iter().flatten().for_each(|what| reader.problem(Some(*line), &place, what));
        if value.retention_days.is_some_and(|days| !(1..=MAX_RETENTION_DAYS).contains(&days)) {
            reader.problem(Some(*line), &place, format!("retention_days must be 1 to {MAX_RETENTION_DAYS}"));
        }
    }
    unique(reader, "[[packages]]", &sheet.packages, |package| package.title.as_str());
    for Located { line, value } in &sheet.packages {
        let place = format!("[[packages]] {}", value.title);
        text_of(reader, *line, &place, "title", &value.title);
        if value.credits.is_some_and(|credits| !credits.is_positive()) {
            reader.problem(Some(*line), &place, "credits must be above zero");
        } else if let Err(what) = value.terms() {
            reader.problem(Some(*line), &place, what);
        }
    }
}

/// A sample beside what it refers to.
struct Sample<'s> {
    sheet: &'s Sheet,
    shape: &'s Shape,
    line: usize,
}

impl Sample<'_> {
    fn check(&self, reader: &mut Reader<'_>) {
        for what in self.general().into_iter().chain(self.credits()) {
            reader.problem(Some(self.line), "[sample]", what);
        }
        let mut ids = HashSet::new();
        for workflow in &self.shape.workflows {
            let line = reader.line_of(&workflow.span());
            let workflow = workflow.get_ref();
            let place = format!("[[sample.workflows]] {}", workflow.id);
            if !ids.insert(&workflow.id) {
                reader.problem(Some(line), &place, "is there twice: give each an id of its own");
            }
            for what in self.workflow(workflow) {
                reader.problem(Some(line), &place, what);
            }
            for module in &workflow.modules {
                let line = reader.line_of(&module.span());
                let module = module.get_ref();
                let place = format!("[[sample.workflows.modules]] {}.{}", workflow.id, module.id);
                for what in self.module(workflow, module) {
                    reader.problem(Some(line), &place, what);
                }
            }
        }
    }

    fn general(&self) -> Vec<String> {
        let shape = self.shape;
        let mut wrong = Vec::new();
        if shape.zone.parse::<Tz>().is_err() {
            wrong.push(format!("there is no zone \"{}\": use an IANA name such as Europe/Berlin", shape.zone));
        }
        if let Some(org) = &shape.org {
            wrong.extend(check_text("org", org, MAX_LABEL_BYTES).err().map(|refusal| refusal.to_string()));
        }
        if shape.owner.as_ref().is_some_and(|owner| !owner.contains('@')) {
            wrong.push("owner is an email address".to_owned());
        }
        let weights =
            [&shape.weekdays[..], &shape.hours[..], &[shape.growth_percent], &shape.failing[..], &[shape.unmapped]]
                .concat();
        if weights.iter().any(|weight| *weight > MAX_WEIGHT) || shape.hours.iter().all(|weight| *weight == 0) {
            wrong.push(format!(
                "weekdays, hours, growth_percent, failing and unmapped go up to {MAX_WEIGHT}; not all hours are 0"
            ));
        }
        for (name, crowd) in [("users", &shape.users), ("tenants", &shape.tenants)] {
            wrong.extend(crowd_wrong(name, crowd));
        }
        if shape.users.count < shape.tenants.count {
            wrong.push("users.count is below tenants.count: each tenant has a user at least".to_owned());
        }
        let ids: Vec<&str> = shape.projects.iter().map(|project| project.id.as_str()).collect();
        if ids.iter().collect::<HashSet<_>>().len() != ids.len() {
            wrong.push("a project is there twice: give each an id of its own".to_owned());
        }
        let names = shape.projects.iter().flat_map(|project| [&project.id, &project.name]);
        wrong.extend(names.filter_map(|name| Label::parse("the project", name).err()).map(|bad| bad.to_string()));
        if shape.workflows.is_empty() || shape.workflows.iter().all(|workflow| workflow.get_ref().weight == 0) {
            wrong.push("needs a [[sample.workflows]] with a weight above 0".to_owned());
        }
        wrong
    }

    fn credits(&self) -> Vec<String> {
        let shape = self.shape;
        let mut wrong = Vec::new();
        match self.sheet.plans.iter().find(|plan| plan.value.name == shape.plan) {
            None => wrong.push(format!("plan = \"{}\": there is no such [[plans]]", shape.plan)),
            Some(plan) if plan.value.credits == Monthly::Custom => {
                wrong.push(format!("plan = \"{}\": its credits are custom; choose one that says how many", shape.plan));
            }
            Some(_) => {}
        }
        let package = |title: &str| -> Option<&Located<Package>> {
            self.sheet.packages.iter().find(|package| package.value.title == title)
        };
        let bought = shape.purchases.iter().map(|purchase| &purchase.package).chain([&shape.top_up.package]);
        for title in bought.filter(|title| package(title).is_none()) {
            wrong.push(format!("package = \"{title}\": there is no [[packages]] of that title"));
        }
        if shape.top_up.below.is_negative() {
            wrong.push("top_up.below must not be below zero".to_owned());
        }
        let days = shape.gifts.iter().flat_map(|gift| [gift.days_ago, gift.days]);
        let days = days.chain(shape.purchases.iter().flat_map(|bought| [Some(bought.days_ago), bought.starts_in_days]));
        let days = days.chain(shape.holds.iter().map(|hold| Some(hold.days_ago)));
        if days.flatten().any(|days| days > MAX_DAYS) {
            wrong.push(format!("days of gifts, purchases and holds go up to {MAX_DAYS}"));
        }
        let texts = shape.gifts.iter().map(|gift| &gift.description);
        let texts = texts.chain(shape.holds.iter().map(|hold| &hold.description));
        let texts = texts.chain(shape.purchases.iter().filter_map(|bought| bought.note.as_ref()));
        wrong.extend(
            texts.filter_map(|text| check_text("description", text, MAX_LABEL_BYTES).err()).map(|bad| bad.to_string()),
        );
        for gift in &shape.gifts {
            if !matches!(gift.kind, GrantKind::Promotion | GrantKind::Refund | GrantKind::Adjustment) {
                wrong.push(format!("gift \"{}\": its kind is promotion, refund or adjustment", gift.description));
            }
            if !gift.credits.is_positive() || gift.days == Some(0) {
                wrong.push(format!("gift \"{}\": credits and days must be above zero", gift.description));
            }
            for meter in gift.meters.iter().filter(|meter| !self.knows(meter)) {
                wrong.push(format!("gift \"{}\": there is no meter {meter}", gift.description));
            }
        }
        for hold in &shape.holds {
            let worked = hold.captured.is_none_or(|captured| captured.is_positive());
            if !hold.credits.is_positive() || !worked || !(1..=31).contains(&hold.days) {
                wrong.push(format!("hold \"{}\": credits above zero, and 1 to 31 days", hold.description));
            }
            if let Some(project) = hold.project.as_ref().filter(|id| !self.has_project(id)) {
                wrong.push(format!("hold \"{}\": there is no project {project}", hold.description));
            }
        }
        wrong
    }

    fn knows(&self, meter: &Meter) -> bool {
        self.sheet.meters.iter().any(|known| known.value.meter == *meter)
    }

    fn has_project(&self, id: &str) -> bool {
        self.shape.projects.iter().any(|project| project.id == id)
    }

    fn workflow(&self, workflow: &Workflow) -> Vec<String> {
        let mut wrong = Vec::new();
        if !self.has_project(&workflow.project) {
            wrong.push(format!("there is no project {}: list it under [sample] projects", workflow.project));
        }
        let labels = [&workflow.id, &workflow.name];
        wrong.extend(
            labels.iter().filter_map(|text| Label::parse("the workflow", text).err()).map(|bad| bad.to_string()),
        );
        for source in workflow.sources.keys() {
            if !self.sheet.sources.iter().any(|known| known.value.name.as_str() == source) {
                wrong.push(format!("there is no source {source}: add a [[sources]] with that name"));
            }
        }
        let too_heavy = |weight: &u64| *weight > MAX_WEIGHT;
        if workflow.sources.values().all(|weight| *weight == 0)
            || workflow.sources.values().any(too_heavy)
            || too_heavy(&workflow.weight)
        {
            wrong.push(format!("weights are whole numbers up to {MAX_WEIGHT}, and one source has one above 0"));
        }
        for source in workflow.sources.iter().filter(|(_, weight)| **weight > 0).map(|(source, _)| source) {
            if !workflow.modules.iter().any(|module| module.get_ref().is_in_runs_from(source)) {
                wrong.push(format!("no [[sample.workflows.modules]] is for runs from {source}: add one"));
            }
        }
        wrong
    }

    fn module(&self, workflow: &Workflow, module: &Module) -> Vec<String> {
        let mut wrong = Vec::new();
        let [least, most] = module.times;
        if least > most || most > MAX_TIMES {
            wrong.push(format!("times is [least, most], up to {MAX_TIMES}"));
        }
        wrong.extend(module.ranges().filter_map(|(name, range)| range_wrong(name, range)));
        if module.bytes.is_some_and(|bytes| bytes.decimals > 0) {
            wrong.push("bytes are whole: leave decimals out".to_owned());
        }
        if let Some(meter) = &module.bytes_of
            && (module.bytes.is_some() || module.quantities.get(meter).is_none_or(|amount| amount.decimals != 0))
        {
            wrong.push(format!("bytes_of = \"{meter}\": name a whole quantity of this module, and leave bytes out"));
        }
        for source in module.sources.iter().filter(|source| !workflow.sources.contains_key(*source)) {
            wrong.push(format!("runs of this workflow never come from {source}"));
        }
        for (meter, amount) in &module.quantities {
            let problem = match (amount.range, &amount.of, amount.percent) {
                (Some(range), None, None) => range_wrong(meter.as_str(), Range { range, decimals: amount.decimals }),
                (None, Some(of), Some(percent)) => {
                    let whole = module.quantities.get(of).is_some_and(|whole| whole.range.is_some());
                    let good = whole && (1..=100).contains(&percent) && amount.step > 0 && amount.step <= MAX_NUMBER;
                    (!good).then(|| {
                        format!("{meter}: of names another quantity with a range; percent is 1 to 100, step above 0")
                    })
                }
                _ => Some(format!("{meter}: give a range = [from, to], or of = \"meter\" with percent")),
            };
            wrong.extend(problem);
        }
        wrong.extend(self.rated(workflow, module));
        wrong
    }

    /// Whether the rate card has a price for what the module reports, wherever it comes from.
    fn rated(&self, workflow: &Workflow, module: &Module) -> Vec<String> {
        let Some(lines) = &self.sheet.lines else { return Vec::new() };
        let card =
            RateCard { version: RateCardVersion(1), effective_at: Timestamp::from_micros(0), lines: lines.clone() };
        let mut wrong = Vec::new();
        let meant = |(source, weight): &(&String, &u64)| **weight > 0 && module.is_in_runs_from(source);
        for (source, _) in workflow.sources.iter().filter(meant) {
            let event = match specimen(source, module) {
                Ok(event) => event,
                Err(refusal) => return vec![refusal.to_string()],
            };
            for (meter, _) in &event.quantities {
                match card.line_for(meter, &event) {
                    Err(refusal) => wrong.push(format!("from {source}: {refusal}")),
                    Ok((_, line)) if matches!(line.rule, Rule::Reported) && module.credits.is_none() => {
                        wrong.push(format!("{meter} is charged as reported: say which credits it reports"));
                    }
                    Ok((_, line)) if !matches!(line.rule, Rule::Reported) && module.credits.is_some() => {
                        wrong.push(format!("{meter} is not charged as reported: leave its credits out"));
                    }
                    Ok(_) => {}
                }
            }
        }
        wrong
    }
}

/// An event as the module reports it, with the most that it can.
fn specimen(source: &str, module: &Module) -> Result<Event, Refusal> {
    let mut data = json!({ "attributes": module.attributes, "module": {"id": module.id, "name": module.name} });
    if !module.quantities.is_empty() {
        let most = |amount: &Amount| amount.range.map_or(json!(1), |[_, most]| number_of(most, amount.decimals));
        let quantities = module.quantities.iter().map(|(meter, amount)| (meter.to_string(), most(amount)));
        data["quantities"] = quantities.collect::<Map<_, _>>().into();
    }
    for (name, Range { range: [_, most], decimals }) in module.ranges() {
        data[name] = number_of(most, decimals);
    }
    let event = json!({ "id": "1", "source": source, "type": module.operation, "data": data });
    Event::from_json(&event.to_string(), Form::Plain)
}

fn crowd_wrong(name: &str, crowd: &Crowd) -> Option<String> {
    let good = (1..=MAX_WEIGHT).contains(&crowd.count) && check_text("prefix", &crowd.prefix, 100).is_ok();
    (!good).then(|| format!("{name} has a prefix, and a count from 1 to {MAX_WEIGHT}"))
}

fn range_wrong(name: &str, Range { range: [from, to], decimals }: Range) -> Option<String> {
    let good = from <= to && to <= MAX_NUMBER && decimals <= MAX_DECIMALS;
    (!good).then(|| format!("{name}: range is [from, to], up to {MAX_NUMBER}, with at most {MAX_DECIMALS} decimals"))
}
