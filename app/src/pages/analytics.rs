//! Where the credits went: any range, by credit type, source and project.
//!
//! The server is asked for a range once; everything else the URL says is sliced from the cube that is here already.

use crate::calendar::range_text;
use crate::components::chart_kind::ChartKind;
use crate::components::chart_note::ChartNote;
use crate::components::chart_panel::{Ask, ChartPanel};
use crate::components::credit_types::CreditTypes;
use crate::components::error_panel::ErrorPanel;
use crate::components::export_menu::{ExportMenu, ShareMenu};
use crate::components::facet_menu::opened;
use crate::components::filled::{Filled, FilledPage, any, report};
use crate::components::filter_bar::FilterBar;
use crate::components::grouping::Grouping;
use crate::components::icon::Icon;
use crate::components::interval_menu::IntervalMenu;
use crate::components::legend::Legend;
use crate::components::notice::notices;
use crate::components::range_picker::RangePicker;
use crate::components::still::Still;
use crate::components::tooltip::difference as difference_text;
use crate::components::usage_table::UsageTable;
use crate::components::views_menu::ViewsMenu;
use crate::error::AppError;
use crate::format;
use crate::platform;
use crate::server_fns::analytics::{Analytics, GetAnalytics};
use crate::server_fns::answer;
use crate::server_fns::answer::Shown;
use crate::server_fns::part::{FACET, GetPart, VIEWS, WHY};
use crate::steer::{Steer, days_of};
use crate::usage_chart::Usage;
use crate::usage_table::Table;
use crate::view::{Kind, View};
use crate::words;
use ledger::Cube;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_location, use_navigate};

/// What of an address is no filter, or is shown by the chart itself.
const UNPRINTED: [&str; 7] = ["from", "to", "interval", "top", "chart", "compare", "hide"];

/// The page.
#[component]
pub fn AnalyticsPage() -> impl IntoView {
    let steer = Steer::here();
    let (view, search) = (steer.view, use_location().search);
    let question = Memo::new(move |_| view.with(View::question));
    let data = answer(move || GetAnalytics { query: question.get() });
    // Asked for here, so that they stay while the rest is asked again; with no question there is nothing to see.
    let views = part(VIEWS, Box::new(String::new));
    let why = part(WHY, Box::new(move || view.with(asked_of_why)));
    let open = Memo::new(move |_| opened(&search.get()));
    let menu = part(FACET, Box::new(move || if open.with(Option::is_some) { search.get() } else { String::new() }));
    let shown = data.shown(move |told| match told {
        Ok(analytics) => any(view! { <Report analytics steer views=views.clone() why=why.clone()/> }),
        Err(error) => any(view! { <Failed error view retry=move |()| data.ask_again()/> }),
    });
    view! {
        <Title text="Analytics"/>
        {move || Still(search.with(|search| notices(search)))}
        <div on:click=move |event| steer.click(&event)>
            <FilledPage shown/>
        </div>
        <Drawer view open menu/>
    }
}

/// A part that the server writes, for a query string that changes.
fn part(name: &'static str, query: Box<dyn Fn() -> String + Send + Sync>) -> Shown {
    let query = Memo::new(move |_| query());
    report(answer(move || GetPart { part: name.to_owned(), query: query.get() }), |markup| any(Still(markup)))
}

/// What opens beside the page: it covers some of it and moves nothing.
#[component]
fn Drawer(view: Memo<View>, open: Memo<Option<String>>, menu: Shown) -> impl IntoView {
    let is_open = Memo::new(move |_| open.with(Option::is_some));
    let navigate = use_navigate();
    let close = move |event: leptos::ev::KeyboardEvent| {
        if event.key() == "Escape" {
            let scroll = NavigateOptions { scroll: false, ..NavigateOptions::default() };
            navigate(&view.with_untracked(View::href), scroll);
        }
    };
    Effect::new(move |_| {
        if is_open.get() {
            platform::focus("drawer".to_owned());
        }
    });
    let (loading, set_loading) = signal(false);
    view! {
        <div
            id="drawer"
            class="drawer"
            class:loading=loading
            tabindex="-1"
            role="dialog"
            aria-label="Filter"
            hidden=move || !is_open.get()
            on:keydown=close
        >
            <Filled shown=menu set_loading/>
        </div>
    }
}

/// The error, and a way back to a range that can be shown.
#[component]
fn Failed(error: AppError, view: Memo<View>, #[prop(into)] retry: Callback<()>) -> impl IntoView {
    let default = move || View { range: None, ..view.get() }.href();
    view! {
        <div class="page-head"><h1>"Analytics"</h1></div>
        <ErrorPanel error retry/>
        <p><a href=default>"Show the last 30 days"</a></p>
    }
}

#[component]
fn Report(analytics: Analytics, steer: Steer, views: Shown, why: Shown) -> impl IntoView {
    let Analytics { from, to, today, cube, compared, reach, last, difference, as_of, origin } = analytics;
    let (zone, interval, shown) = (cube.zone.clone(), cube.interval, (from, to));
    let (view, late) = (steer.view, steer.late);
    let (cube, compared) = (StoredValue::new(cube), StoredValue::new(compared));
    let usage = Memo::new(move |_| {
        let of = |view: &View| {
            cube.with_value(|cube| compared.with_value(|compared| Usage::beside(cube, compared.as_ref(), view)))
        };
        view.with(of).unwrap_or_default()
    });
    let ready = RwSignal::new(false);
    Effect::new(move |_| ready.set(true));
    let words = words::current();
    let per = format!("{} per {}", format::unit_head(&words), interval.as_str());
    let note = format!("Amounts in {}", words.unit);
    let heading = {
        let per = per.clone();
        Signal::derive(move || {
            let is_running = view.with(|view| view.kind == Kind::Cumulative);
            if is_running { format!("{per}, running total") } else { per.clone() }
        })
    };
    let ask = Callback::new(move |ask| match ask {
        Ask::ZoomIn(first, last, by_keyboard) => {
            if let Some(days) = cube.with_value(|cube| days_of(cube, (first, last), (from, to))) {
                steer.zoom(days, by_keyboard);
            }
        }
        Ask::ZoomOut => steer.zoom_out(),
        Ask::Begun if steer.takes_focus() => platform::focus("usage-chart-keys".to_owned()),
        Ask::Begun => {}
    });
    // Before all that stands above it, so that a click reaches it first.
    let chart = view! { <ChartPanel id="usage-chart" title=per usage ask/> };
    let back = Signal::derive(move || steer.back().map(|view| view.href()).unwrap_or_default());
    let is_back = Signal::derive(move || {
        back.with(|href| if href.is_empty() { "button quiet hidden" } else { "button quiet" }).to_owned()
    });
    let read_at = as_of.text.clone();
    // On paper there are no controls that would say it.
    let printed = Signal::derive(move || {
        let filters = late.with(View::pairs).into_iter().filter(|(name, _)| !UNPRINTED.contains(&name.as_str()));
        let filters: String = filters.map(|(name, value)| format!(" · {name}: {value}")).collect();
        format!("{}{filters} · data as of {read_at}", range_text(from, to))
    });
    view! {
        <div class="page-head">
            <h1>"Analytics"</h1>
            <p class="print-head">{printed}</p>
            <div class="controls">
                <ViewsMenu view=steer.opened saved=views/>
                <ShareMenu view=steer.opened shown origin/>
                <ExportMenu view=steer.opened shown/>
            </div>
        </div>
        <div class="range-row">
            <RangePicker steer shown today ready/>
            <p class="muted">{format!("Days in {zone}")}</p>
        </div>
        <CreditTypes steer cube/>
        <FilterBar steer cube/>
        <section class="panel" aria-labelledby="usage-title">
            <div class="panel-head">
                <h2 id="usage-title">{heading}</h2>
                <Summary usage/>
                <div class="panel-controls">
                    <IntervalMenu steer shown interval/>
                    <Grouping steer/>
                </div>
            </div>
            <div class="chart-controls">
                <ChartKind steer/>
                <a class=is_back href=back data-noscroll=""><Icon name="left"/>"Zoom out"</a>
            </div>
            <div class="chart-place">
                {chart}
                <ChartNote view usage reach last/>
            </div>
            <Legend usage as_of=as_of.text steer/>
            {Still(difference)}
        </section>
        <Why view why/>
        <section class="panel" aria-labelledby="table-title">
            <div class="panel-head">
                <h2 id="table-title">"Figures"</h2>
                <p class="muted">{note}</p>
            </div>
            <Figures view=late cube/>
        </section>
    }
}

/// What is asked of "why": what the legend hides is still part of it.
fn asked_of_why(view: &View) -> String {
    if view.compare.is_none() { String::new() } else { View { hidden: Vec::new(), ..view.clone() }.query() }
}

/// Why the figures differ from those they are compared with.
#[component]
fn Why(view: Memo<View>, why: Shown) -> impl IntoView {
    let compares = Memo::new(move |_| view.with(|v| v.compare.is_some()));
    let (loading, set_loading) = signal(false);
    view! {
        <section class="panel why" class:loading=loading aria-label="Why did it change?" hidden=move || !compares.get()>
            <Filled shown=why set_loading/>
        </section>
    }
}

/// What the view comes to, and what it is compared with; what the legend hides counts too.
#[component]
fn Summary(usage: Memo<Usage>) -> impl IntoView {
    let words = words::current();
    let figures = move || {
        usage.with(|usage| {
            let amount =
                |name, credits| (name, None, Some(format::in_full(&words, credits)), format::amount(&words, credits));
            let now = usage.total.credits;
            let mut figures = vec![amount("Total", now)];
            if let Some(before) = &usage.plot.before {
                let was = before.total.credits;
                let (name, _, in_full, text) = amount("Before", was);
                figures.push((name, Some(before.range.clone()), in_full, text));
                figures.push(("Change", None, None, difference_text(&words, was.micros(), now.micros())));
            }
            figures.push(("Calls", None, None, format::count(usage.total.events)));
            figures.push(("Failed", None, None, format::count(usage.total.failed)));
            let figure = |(name, range, in_full, text)| {
                view! { <div><dt title=range>{name}</dt><dd title=in_full>{text}</dd></div> }
            };
            figures.into_iter().map(figure).collect::<Vec<_>>()
        })
    };
    view! { <dl class="summary">{figures}</dl> }
}

/// The table. A year of days is some 3,000 cells, so it follows the chart a moment later.
#[component]
fn Figures(view: Memo<View>, cube: StoredValue<Cube>) -> impl IntoView {
    let words = words::current();
    let table = Memo::new(move |_| {
        view.with(|view| cube.with_value(|cube| Table::of(cube, view, &sliced(cube, view), &words.unit)))
    });
    view! { <UsageTable table caption="Amounts and calls of the range"/> }
}

/// The view of the cube. Sums beyond what an amount can hold cannot come from the ledger, whose balances hold them; then
/// nothing is shown rather than something wrong.
fn sliced(cube: &Cube, view: &View) -> Usage {
    Usage::of(cube, view).unwrap_or_default()
}
