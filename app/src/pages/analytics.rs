//! Where the credits went: any range, by credit type, source and project.
//!
//! The server is asked for a range once; everything else the URL says is sliced from the cube that is here already.

use crate::components::chart_note::ChartNote;
use crate::components::chart_panel::ChartPanel;
use crate::components::credit_types::CreditTypes;
use crate::components::error_panel::ErrorPanel;
use crate::components::export_menu::{ExportMenu, ShareMenu};
use crate::components::facet_menu::opened;
use crate::components::filled::{Filled, FilledPage, any, report};
use crate::components::filter_bar::FilterBar;
use crate::components::grouping::Grouping;
use crate::components::interval_menu::IntervalMenu;
use crate::components::legend::Legend;
use crate::components::notice::notices;
use crate::components::range_picker::RangePicker;
use crate::components::still::Still;
use crate::components::usage_table::UsageTable;
use crate::components::views_menu::ViewsMenu;
use crate::error::AppError;
use crate::format;
use crate::platform;
use crate::server_fns::analytics::{Analytics, GetAnalytics};
use crate::server_fns::answer;
use crate::server_fns::answer::Shown;
use crate::server_fns::part::{FACET, GetPart, VIEWS, WHY};
use crate::usage_chart::Usage;
use crate::usage_table::Table;
use crate::view::View;
use crate::words;
use ledger::Cube;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_location, use_navigate};

/// The page.
#[component]
pub fn AnalyticsPage() -> impl IntoView {
    let search = use_location().search;
    let view = Memo::new(move |_| View::parse(&search.get()));
    let question = Memo::new(move |_| view.with(View::question));
    let data = answer(move || GetAnalytics { query: question.get() });
    // Asked for here, so that they stay while the rest is asked again; with no question there is nothing to see.
    let views = part(VIEWS, Box::new(String::new));
    let why = part(WHY, Box::new(move || view.with(|v| if v.compare.is_some() { v.query() } else { String::new() })));
    let open = Memo::new(move |_| opened(&search.get()));
    let menu = part(FACET, Box::new(move || if open.with(Option::is_some) { search.get() } else { String::new() }));
    let shown = data.shown(move |told| match told {
        Ok(analytics) => any(view! { <Report analytics view views=views.clone() why=why.clone()/> }),
        Err(error) => any(view! { <Failed error view retry=move |()| data.ask_again()/> }),
    });
    view! {
        <Title text="Analytics"/>
        {move || Still(search.with(|search| notices(search)))}
        <FilledPage shown/>
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
fn Report(analytics: Analytics, view: Memo<View>, views: Shown, why: Shown) -> impl IntoView {
    let Analytics { from, to, today, cube, compared: _, reach, difference, as_of, origin } = analytics;
    let (zone, interval, shown) = (cube.zone.clone(), cube.interval, (from, to));
    let cube = StoredValue::new(cube);
    let usage = Memo::new(move |_| view.with(|view| cube.with_value(|cube| sliced(cube, view))));
    let ready = RwSignal::new(false);
    Effect::new(move |_| ready.set(true));
    let words = words::current();
    let per = format!("{} per {}", format::unit_head(&words), interval.as_str());
    let note = format!("Amounts in {}", words.unit);
    view! {
        <div class="page-head">
            <h1>"Analytics"</h1>
            <div class="controls">
                <ViewsMenu view saved=views/>
                <ShareMenu view shown origin/>
                <ExportMenu view shown/>
            </div>
        </div>
        <div class="range-row">
            <RangePicker view shown today ready/>
            <p class="muted">{format!("Days in {zone}")}</p>
        </div>
        <CreditTypes view cube/>
        <FilterBar view cube/>
        <section class="panel" aria-labelledby="usage-title">
            <div class="panel-head">
                <h2 id="usage-title">{per.clone()}</h2>
                <Summary usage/>
                <div class="panel-controls">
                    <IntervalMenu view shown interval/>
                    <Grouping view/>
                </div>
            </div>
            <div class="chart-place">
                <ChartPanel id="usage-chart" title=per usage/>
                <ChartNote view usage reach/>
            </div>
            <Legend usage as_of=as_of.text/>
            {Still(difference)}
        </section>
        <Why view why/>
        <section class="panel" aria-labelledby="table-title">
            <div class="panel-head">
                <h2 id="table-title">"Figures"</h2>
                <p class="muted">{note}</p>
            </div>
            <Figures view cube/>
        </section>
    }
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

#[component]
fn Summary(usage: Memo<Usage>) -> impl IntoView {
    let total = move || usage.with(|u| u.total);
    let words = StoredValue::new(words::current());
    let amount = move || words.with_value(|words| format::amount(words, total().credits));
    let in_full = move || words.with_value(|words| format::in_full(words, total().credits));
    view! {
        <dl class="summary">
            <div>
                <dt>"Total"</dt>
                <dd title=in_full>{amount}</dd>
            </div>
            <div><dt>"Calls"</dt><dd>{move || format::count(total().events)}</dd></div>
            <div><dt>"Failed"</dt><dd>{move || format::count(total().failed)}</dd></div>
        </dl>
    }
}

/// The table. It follows the chart a moment later: a year of days is some 3,000 cells, which would hold up the frame in
/// which the chart is redrawn.
#[component]
fn Figures(view: Memo<View>, cube: StoredValue<Cube>) -> impl IntoView {
    let late = RwSignal::new(view.get_untracked());
    Effect::new(move |_| {
        let now = view.get();
        if now != late.get_untracked() {
            platform::after_paint(move || late.set(view.get_untracked()));
        }
    });
    let words = words::current();
    let table = Memo::new(move |_| {
        late.with(|view| cube.with_value(|cube| Table::of(cube, view, &sliced(cube, view), &words.unit)))
    });
    view! { <UsageTable table caption="Amounts and calls of the range"/> }
}

/// The view of the cube. Sums beyond what an amount can hold cannot come from the ledger, whose balances hold them; then
/// nothing is shown rather than something wrong.
fn sliced(cube: &Cube, view: &View) -> Usage {
    Usage::of(cube, view).unwrap_or_default()
}
