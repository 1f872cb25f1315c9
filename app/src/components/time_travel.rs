//! The panel that shows how things stood: a slider over the ledger's life, and the figures of that instant.
//!
//! The slider is a GET form. With a script its address follows the thumb, and the figures follow the address.

use super::filled::{Filled, any};
use super::still::Still;
use crate::calendar::date_and_seconds;
use crate::error::AppError;
use crate::ledger_view::LedgerView;
use crate::markup::{Markup, hidden};
use crate::server_fns::Answer;
use crate::zone_clock::ZoneClock;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use std::time::Duration;

/// Between two questions to the server while the thumb moves.
const PAUSE: Duration = Duration::from_millis(160);
/// The slider's steps in seconds, of which the smallest is taken that gives at most [`MAX_STEPS`].
const STEPS_S: [i64; 9] = [1, 5, 15, 60, 300, 900, 3_600, 21_600, 86_400];
/// More steps than that no hand can tell apart.
const MAX_STEPS: i64 = 1_500;

/// Where the slider begins and how far it goes with a step, so that it ends with `now`.
fn scale(since: i64, now: i64) -> (i64, i64) {
    let life = (now - since).max(1);
    let step = STEPS_S.into_iter().find(|step| life / step <= MAX_STEPS).unwrap_or(STEPS_S[STEPS_S.len() - 1]);
    (now - (life + step - 1) / step * step, step)
}

/// The panel.
#[component]
pub fn TimeTravel(
    /// What the address says.
    view: Memo<LedgerView>,
    /// The org's clock.
    clock: ZoneClock,
    /// The second in which the ledger began.
    since: i64,
    /// The second in which the page was made.
    now: i64,
    /// How things stood at the instant of the address.
    standing: Answer<Markup>,
) -> impl IntoView {
    let (loading, set_loading) = signal(false);
    let figures = standing.shown(|told| {
        let alert =
            |error: AppError| Markup::new("p").class("form-error").attr("role", "alert").text(&error.to_string());
        any(Still(told.unwrap_or_else(alert)))
    });
    view! {
        <section class="panel travel" aria-labelledby="stood">
            <div class="panel-head"><h2 id="stood">"As it stood"</h2></div>
            <Slider view clock since now/>
            <div class="standing" class:loading=loading aria-live="polite">
                <Filled shown=figures fallback=|| any(Still(Markup::new("div").class("skeleton"))) set_loading/>
            </div>
        </section>
    }
}

#[component]
fn Slider(view: Memo<LedgerView>, clock: ZoneClock, since: i64, now: i64) -> impl IntoView {
    let (start, step) = scale(since, now);
    let clock = StoredValue::new(clock);
    let ready = RwSignal::new(false);
    Effect::new(move |_| ready.set(true));
    let dragged = RwSignal::new(None::<i64>);
    let of_address = move || view.with(|v| v.at.as_deref().and_then(|text| clock.with_value(|c| c.instant(text))));
    let second = Memo::new(move |_| dragged.get().or_else(of_address).unwrap_or(now));
    let label = move || match second.get() {
        second if second == now => "Now".to_owned(),
        second => clock.with_value(|c| c.local(second)).map(date_and_seconds).unwrap_or_default(),
    };
    let thumb = move || second.get().clamp(start, now).to_string();
    // The address is followed again once it says what the thumb said, and when a link changes it.
    Effect::new(move |_| {
        view.track();
        dragged.set(None);
    });
    let navigate = use_navigate();
    let mut go = debounce(PAUSE, move |second: i64| {
        let next = view.with_untracked(|v| v.at_second((second < now).then_some(second)));
        navigate(&next.href(), NavigateOptions { scroll: false, replace: true, ..NavigateOptions::default() });
    });
    let drag = move |event: web_sys::Event| {
        if let Ok(second) = event_target_value(&event).parse() {
            dragged.set(Some(second));
            go(second);
        }
    };
    // Only for the form without a script, which is made anew with every page.
    let kept = view.with_untracked(|v| LedgerView { at: None, ..v.clone() }.pairs());
    let kept = Markup::new("div").class("hidden").children(hidden(kept));
    view! {
        <form class="slider" method="get" action="/ledger" aria-label="Instant">
            {Still(kept)}
            <label for="at">"Instant"</label>
            <output for="at">{label}</output>
            <input
                id="at"
                type="range"
                name="at"
                min=start.to_string()
                max=now.to_string()
                step=step.to_string()
                value=untrack(thumb)
                prop:value=thumb
                aria-valuetext=label
                autocomplete="off"
                on:input=drag
            />
            <button class="button" class:invisible=ready>"Show"</button>
        </form>
    }
}

#[cfg(test)]
mod tests {
    use super::scale;

    #[test]
    fn the_slider_ends_now_and_begins_before_the_ledger() {
        for (since, now) in [(0, 0), (0, 1), (5, 1_000), (0, 86_400), (7, 31_536_000), (0, 3_000_000_000)] {
            let (start, step) = scale(since, now);
            assert!(start <= since && since - start < step + 1 && (now - start) % step == 0, "{since} {now}");
        }
        assert_eq!(scale(0, 86_400).1, 60);
    }
}
