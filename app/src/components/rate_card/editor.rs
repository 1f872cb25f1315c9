//! A card being written: what is wrong with it, line by line, and what it would have cost, at every key.
//!
//! The form is still markup that works without a script; here its text is read as it is typed.

use super::outcome::{Outcome, outcome, overtaken};
use crate::components::still::Still;
use crate::markup::Markup;
use crate::platform;
use crate::server_fns::rate_card::Trial;
use crate::words;
use leptos::prelude::*;

/// Id of the text in the form.
pub const TEXT_ID: &str = "card-text";
/// Id of the time at which it takes effect.
pub const TIME_ID: &str = "card-time";
/// On a link to a line of the text: which, from 1.
pub const LINE_ATTRIBUTE: &str = "data-line";

/// The panel.
#[component]
pub fn Editor(
    /// The form.
    form: Markup,
    /// What is in it.
    text: String,
    /// When it is to take effect, as typed.
    effective_at: String,
    /// By what it is tried out.
    trial: Trial,
) -> impl IntoView {
    let when = trial.when.clone();
    let (trial, words) = (StoredValue::new(trial), words::current());
    let (text, effective_at) = (RwSignal::new(text), RwSignal::new(effective_at));
    let told = Memo::new(move |_| text.with(|text| trial.with_value(|trial| outcome(trial, &words, text))));
    // What a browser kept of a form that was left is not what the server sent.
    Effect::new(move |_| {
        if let Some(kept) = platform::text_of(TEXT_ID).filter(|kept| text.with_untracked(|text| text != kept)) {
            text.set(kept);
        }
    });
    let typed = move |event: web_sys::Event| {
        if platform::is_from(&event, TEXT_ID) {
            text.set(event_target_value(&event));
        } else if platform::is_from(&event, TIME_ID) {
            effective_at.set(event_target_value(&event));
        }
    };
    let go = move |event: web_sys::MouseEvent| {
        if let Some(line) = platform::attribute_of(&event, LINE_ATTRIBUTE).and_then(|line| line.parse().ok()) {
            event.prevent_default();
            let (start, end) = text.with_untracked(|text| place(text, line));
            platform::select(TEXT_ID, start, end);
        }
    };
    let overtaken = move || effective_at.with(|at| trial.with_value(|trial| overtaken(trial, at)));
    let summary = move || told.with(|Outcome { summary, .. }| summary.clone());
    let detail = move || Still(told.with(|Outcome { detail, .. }| detail.clone()));
    view! {
        <div class="card-desk" on:input=typed on:click=go>
            {Still(form)}
            <section class="panel" id="preview" aria-labelledby="preview-title">
                <div class="panel-head"><h2 id="preview-title">{format!("What {when} would have cost")}</h2></div>
                <p class="card-summary" role="status">{summary}</p>
                {detail}
                <p class="card-warning" role="status">{overtaken}</p>
            </section>
        </div>
    }
}

/// Begin and end of a line, counted from 1, in the units of the browser: UTF-16.
fn place(text: &str, line: usize) -> (u32, u32) {
    let length = |text: &str| u32::try_from(text.encode_utf16().count()).unwrap_or(u32::MAX);
    let before: u32 = text.split('\n').take(line.saturating_sub(1)).map(|line| length(line).saturating_add(1)).sum();
    let this = text.split('\n').nth(line.saturating_sub(1)).map_or(0, length);
    (before, before.saturating_add(this))
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn a_line_has_its_place_in_the_browsers_units() {
        let text = "# 𝛑\nexport: 1 each\n\nb: free";
        assert_eq!(place(text, 1), (0, 4));
        assert_eq!(place(text, 2), (5, 19));
        assert_eq!(place(text, 3), (20, 20));
        assert_eq!(place(text, 4), (21, 28));
    }
}
