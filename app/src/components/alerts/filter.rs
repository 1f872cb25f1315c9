//! Which rules and budgets the Alerts page lists: a plain form whose answer is an address, so that it works without a script and can be
//! sent to a colleague. All of an org's rules are read and measured anyway (200 at most), so they are chosen here, and not by SQL.

use super::button_to;
use super::words::KINDS;
use crate::backend::alerts::{ALERTS, Budget, Measured};
use crate::components::written::Asked;
use crate::markup::Markup;
use crate::query;
use ledger::alert::Kind;

/// Rows of rules, or of budgets, on a page.
const ROWS: usize = 25;
/// Fewer than so many are seen at a glance: nobody has to search among them.
const WORTH_SEARCHING: usize = 8;
/// How a rule can stand, as a filter names it, and in words.
const STATES: [(&str, &str); 4] = [("firing", "Firing"), ("snoozed", "Snoozed"), ("muted", "Muted"), ("ok", "OK")];

/// What the address asks for.
pub(super) struct Filter<'a> {
    text: &'a str,
    state: &'a str,
    kind: &'a str,
    rules_page: usize,
    budgets_page: usize,
}

impl<'a> Filter<'a> {
    /// As an address says it; what it says wrongly is not said.
    pub(super) fn of(asked: &'a Asked<'_>) -> Self {
        let page = |name: &str| asked.get(name).parse::<usize>().unwrap_or_default().clamp(1, 1_000);
        let known = |name: &str, is: &dyn Fn(&str) -> bool| Some(asked.get(name)).filter(|text| is(text)).unwrap_or("");
        Self {
            text: asked.get("q").trim(),
            state: known("state", &|text| STATES.iter().any(|(name, _)| *name == text)),
            kind: known("kind", &|text| Kind::NAMES.contains(&text)),
            rules_page: page("rules"),
            budgets_page: page("budgets"),
        }
    }

    /// Whether anything is chosen.
    pub(super) fn is_set(&self) -> bool {
        !(self.text.is_empty() && self.state.is_empty() && self.kind.is_empty())
    }

    /// Those that it chooses: what fires first, the newest first, then what speaks, then what is silenced.
    pub(super) fn rules<'r>(&self, rules: &'r [Measured]) -> Vec<&'r Measured> {
        let mut chosen: Vec<&Measured> = rules.iter().filter(|of| self.chooses(of)).collect();
        chosen.sort_by_key(|of| {
            let since = of.rule.state.firing.map_or(i64::MAX, |firing| -firing.since.micros());
            (of.rule.firing.is_none(), of.rule.acknowledged, is_silenced(of), since)
        });
        chosen
    }

    fn chooses(&self, of: &Measured) -> bool {
        let rule = &of.rule;
        let stands = match self.state {
            "firing" => rule.firing.is_some(),
            "snoozed" => rule.voice.snoozed_until.is_some() && !rule.voice.muted,
            "muted" => rule.voice.muted,
            "ok" => rule.firing.is_none() && !is_silenced(of),
            _ => true,
        };
        stands && (self.kind.is_empty() || rule.kind.as_str() == self.kind) && self.names(&rule.title)
    }

    /// Those budgets that the text names, the farthest used first.
    pub(super) fn budgets<'b>(&self, budgets: &'b [Budget]) -> Vec<&'b Budget> {
        let named = |budget: &&Budget| self.names(&budget.terms.title) || self.names(budget.terms.id.as_str());
        let mut chosen: Vec<&Budget> = budgets.iter().filter(named).collect();
        chosen.sort_by_key(|budget| std::cmp::Reverse(budget.counted.spent.map(|spent| budget.terms.standing(spent))));
        chosen
    }

    fn names(&self, title: &str) -> bool {
        self.text.is_empty() || title.to_lowercase().contains(&self.text.to_lowercase())
    }

    /// The rows of the page of rules, and the way to the others.
    pub(super) fn page_of_rules<'l, T>(&self, all: &'l [T]) -> (&'l [T], Option<Markup>) {
        self.page(all, "rules", self.rules_page)
    }

    /// The same of budgets.
    pub(super) fn page_of_budgets<'l, T>(&self, all: &'l [T]) -> (&'l [T], Option<Markup>) {
        self.page(all, "budgets", self.budgets_page)
    }

    fn page<'l, T>(&self, all: &'l [T], list: &'static str, number: usize) -> (&'l [T], Option<Markup>) {
        let number = number.min(all.len().div_ceil(ROWS)).max(1);
        let first = (number - 1) * ROWS;
        let last = all.len().min(first + ROWS);
        let go = |number: usize, text: &str| {
            let href = format!("{}#{list}", self.address(&[(list, &number.to_string())]));
            button_to(&href, text, false)
        };
        let back = (number > 1).then(|| go(number - 1, "Back"));
        let on = (last < all.len()).then(|| go(number + 1, "More"));
        let told = Markup::new("span").class("muted").text(&format!("{} to {last} of {}", first + 1, all.len()));
        let turn = (back.is_some() || on.is_some())
            .then(|| Markup::new("p").class("turn alerts-turn").children(back).child(told).children(on));
        (&all[first..last], turn)
    }

    /// The address of the page with what is chosen, and something more.
    pub(super) fn address(&self, more: &[(&str, &str)]) -> String {
        let mut search = String::new();
        let chosen = [("q", self.text), ("state", self.state), ("kind", self.kind)];
        for (name, value) in chosen.into_iter().chain(more.iter().copied()).filter(|(_, value)| !value.is_empty()) {
            query::push(&mut search, name, value);
        }
        if search.is_empty() { ALERTS.to_owned() } else { format!("{ALERTS}?{search}") }
    }

    /// The form; nothing where there is little to choose from.
    pub(super) fn form(&self, count: usize) -> Option<Markup> {
        if count < WORTH_SEARCHING && !self.is_set() {
            return None;
        }
        let label = |text: &str, field: Markup| Markup::new("label").child(Markup::new("span").text(text)).child(field);
        let select = |name: &'static str, chosen: &str, options: &mut dyn Iterator<Item = (&str, &str)>| {
            let option = |(value, text): (&str, &str)| {
                let selected = (value == chosen).then_some("");
                Markup::new("option").attr("value", value).maybe_attr("selected", selected).text(text)
            };
            let all = std::iter::once(("", "All"));
            Markup::new("select").attr("name", name).children(all.chain(options).map(option))
        };
        let search = Markup::new("input").attr("type", "search").attr("name", "q").attr("value", self.text);
        let search = search.attr("maxlength", "120").attr("placeholder", "Part of its name");
        let kinds = &mut KINDS.iter().map(|(name, title, _)| (*name, *title));
        let clear = self.is_set().then(|| button_to(ALERTS, "Clear", false));
        let form = Markup::new("form")
            .class("fields alerts-filter")
            .attr("method", "get")
            .attr("action", ALERTS)
            .attr("role", "search")
            .attr("aria-label", "Alerts and budgets")
            .child(label("Name", search))
            .child(label("State", select("state", self.state, &mut STATES.into_iter())))
            .child(label("Watches for", select("kind", self.kind, kinds)))
            .child(Markup::new("button").class("button").attr("type", "submit").text("Show"))
            .children(clear);
        Some(form)
    }
}

fn is_silenced(of: &Measured) -> bool {
    of.rule.voice.muted || of.rule.voice.snoozed_until.is_some()
}
