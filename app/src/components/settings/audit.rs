//! The audit log: who changed what, when, from where; by who, what and days; as a file.

use crate::components::time::Time;
use crate::query;
use crate::server_fns::Moment;
use leptos::either::Either;
use leptos::prelude::*;

/// Which part of the log is asked for, as the address says it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only this actor; empty: all.
    pub who: String,
    /// Only this action; empty: all.
    pub what: String,
    /// From this day on, `2026-11-21`; may be empty.
    pub from: String,
    /// Until this day, included; may be empty.
    pub to: String,
    /// Only rows before this one.
    pub before: Option<i64>,
}

impl Filter {
    /// From a query string.
    #[must_use]
    pub fn parse(search: &str) -> Self {
        let mut filter = Self::default();
        for (name, value) in query::parse(search) {
            match name.as_str() {
                "who" => filter.who = value,
                "what" => filter.what = value,
                "from" => filter.from = value,
                "to" => filter.to = value,
                "before" => filter.before = value.parse().ok(),
                _ => {}
            }
        }
        filter
    }

    /// The address of the same filter, at another place of the log.
    #[must_use]
    pub fn href(&self, path: &str, before: Option<i64>) -> String {
        let mut text = String::new();
        let before = before.map(|seq| seq.to_string()).unwrap_or_default();
        let pairs =
            [("who", &self.who), ("what", &self.what), ("from", &self.from), ("to", &self.to), ("before", &before)];
        for (name, value) in pairs.into_iter().filter(|(_, value)| !value.is_empty()) {
            query::push(&mut text, name, value);
        }
        if text.is_empty() { path.to_owned() } else { format!("{path}?{text}") }
    }

    fn is_any(&self) -> bool {
        *self != Self { before: self.before, ..Self::default() }
    }
}

/// What the page shows.
pub struct AuditView {
    /// Newest first.
    pub lines: Vec<AuditLine>,
    /// Everybody who changed something.
    pub actors: Vec<String>,
    /// Everything that is noted, with its words.
    pub actions: Vec<(String, String)>,
    /// The next page.
    pub older: Option<String>,
    /// The file with all of it.
    pub csv: String,
    /// IANA name of the org's zone: times and days are its.
    pub zone: String,
    /// What was asked for.
    pub filter: Filter,
}

/// A change.
pub struct AuditLine {
    /// When.
    pub at: Moment,
    /// Who.
    pub actor: String,
    /// From where.
    pub address: Option<String>,
    /// What was done, in words.
    pub action: String,
    /// To what.
    pub target: String,
    /// What differs.
    pub details: Vec<Detail>,
}

/// One thing that was so, and is so now.
pub struct Detail {
    /// What.
    pub name: String,
    /// How it was.
    pub before: Option<String>,
    /// How it is.
    pub after: Option<String>,
}

/// The page.
#[component]
pub fn AuditPage(
    /// What it shows.
    view: AuditView,
) -> impl IntoView {
    let AuditView { lines, actors, actions, older, csv, zone, filter } = view;
    let older = older.map(|href| view! { <a class="button" href=href rel="external">"Older changes"</a> });
    let newest = filter.before.is_some().then(|| {
        view! { <a class="button" href=filter.href("/settings/audit", None) rel="external">"Newest"</a> }
    });
    let turn = (newest.is_some() || older.is_some()).then(|| view! { <p class="turn">{newest}{older}</p> });
    let list = if lines.is_empty() {
        let text = if filter.is_any() { "Nothing fits this filter." } else { "Nothing has been changed yet." };
        Either::Left(view! { <p class="muted">{text}</p> })
    } else {
        Either::Right(view! { <Changes lines/> })
    };
    view! {
        <div class="page-head">
            <h1>"Audit log"</h1>
            <p class="muted">{format!("Who changed what, newest first. Times in {zone}. Nothing here can be altered or removed.")}</p>
        </div>
        <section class="panel" aria-labelledby="changes-title">
            <div class="panel-head">
                <h2 id="changes-title">"Changes"</h2>
                <a class="panel-link" href=csv download="" rel="external">"Download CSV"</a>
            </div>
            <FilterForm filter actors actions/>
            {list}
            {turn}
        </section>
    }
}

#[component]
fn FilterForm(filter: Filter, actors: Vec<String>, actions: Vec<(String, String)>) -> impl IntoView {
    let who = actors.into_iter().map(|actor| {
        let selected = actor == filter.who;
        let text = spoken(&actor);
        view! { <option value=actor selected=selected>{text}</option> }
    });
    let what = actions.into_iter().map(|(action, words)| {
        let selected = action == filter.what;
        view! { <option value=action selected=selected>{words}</option> }
    });
    view! {
        <form class="fields" method="get" action="/settings/audit" aria-label="Filter">
            <label><span>"Who"</span><select name="who"><option value="">"Everybody"</option>{who.collect_view()}</select></label>
            <label><span>"What"</span><select name="what"><option value="">"Everything"</option>{what.collect_view()}</select></label>
            <label><span>"From"</span><input type="date" name="from" value=filter.from/></label>
            <label><span>"To, included"</span><input type="date" name="to" value=filter.to/></label>
            <button class="button">"Filter"</button>
        </form>
    }
}

#[component]
fn Changes(lines: Vec<AuditLine>) -> impl IntoView {
    let rows = lines.into_iter().map(|line| {
        let address = line.address.map(|address| view! { <span class="muted address">{address}</span> });
        let details = line.details.into_iter().map(|detail| view! { <Changed detail/> }).collect_view();
        view! {
            <tr>
                <td class="when"><Time moment=line.at/></td>
                <td class="who">{spoken(&line.actor)} {address}</td>
                <td>{line.action}</td>
                <td class="target">{line.target}</td>
                <td class="changed"><ul>{details}</ul></td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    view! {
        <div class="table-scroll" tabindex="0" role="region" aria-labelledby="changes-title">
            <table class="table audit">
                <thead>
                    <tr>
                        <th scope="col">"When"</th>
                        <th scope="col">"Who, from where"</th>
                        <th scope="col">"What"</th>
                        <th scope="col">"To what"</th>
                        <th scope="col">"Details"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
}

#[component]
fn Changed(detail: Detail) -> impl IntoView {
    let Detail { name, before, after } = detail;
    let value = match (before, after) {
        (Some(before), Some(after)) => format!("{before} \u{2192} {after}"),
        (Some(before), None) => format!("{before}, gone"),
        (None, after) => after.unwrap_or_default(),
    };
    view! { <li><span class="muted">{name}</span> " " {value}</li> }
}

/// An actor, as people call them.
fn spoken(actor: &str) -> String {
    match actor.split_once(':') {
        Some(("user", email)) => email.to_owned(),
        Some(("key", prefix)) => format!("key scrip_{prefix}_\u{2026}"),
        _ if actor == "command" => "command line".to_owned(),
        _ => actor.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_an_address_and_back() {
        let filter = Filter::parse("?who=user%3Aa%40b.c&what=key.create&from=2026-11-01&before=x");
        assert_eq!((filter.who.as_str(), filter.before), ("user:a@b.c", None));
        let href = filter.href("/settings/audit", Some(12));
        assert_eq!(Filter::parse(href.split_once('?').expect("a query").1), Filter { before: Some(12), ..filter });
        assert_eq!(Filter::default().href("/x", None), "/x");
        assert_eq!((spoken("user:a@b.c"), spoken("command")), ("a@b.c".to_owned(), "command line".to_owned()));
    }
}
