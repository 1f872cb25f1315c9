//! What expires when, if nothing is used: a drawing of what stays available, and the days as a table.

use super::bar::percent;
use crate::components::amount::Amount;
use crate::components::grants::data::{EndingLine, ExpiryDay, Timeline};
use crate::components::time::Time;
use crate::format;
use leptos::either::Either;
use leptos::prelude::*;

/// The panel.
#[component]
pub fn ExpiryTimeline(
    /// What ends when.
    timeline: Timeline,
) -> impl IntoView {
    let filled = if timeline.days.is_empty() {
        let lasting = timeline.lasting.is_positive();
        let text = if lasting {
            "Nothing expires: all that is left stays until it is used."
        } else {
            "Nothing is left that could expire."
        };
        Either::Left(view! { <p class="muted">{text}</p> })
    } else {
        Either::Right(view! { <Filled timeline/> })
    };
    view! {
        <section class="panel" aria-labelledby="expiry-title">
            <div class="panel-head">
                <h2 id="expiry-title">"What expires when"</h2>
                <p class="muted">"If nothing is used"</p>
            </div>
            {filled}
        </section>
    }
}

#[component]
fn Filled(timeline: Timeline) -> impl IntoView {
    let steps = timeline.steps.iter().map(|step| {
        let (height, y) = (percent(step.height), percent(1_000 - step.height.min(1_000)));
        view! {
            <rect class="stretch" x=percent(step.x) y=y width=percent(step.width) height=height>
                <title>{step.title.clone()}</title>
            </rect>
        }
    });
    let steps = steps.collect_view();
    let days = timeline.days.into_iter().map(|day| view! { <DayRow day/> }).collect_view();
    let more = (timeline.more > 0).then(|| {
        view! { <p class="muted below">{format!("{} more later", format::counted(timeline.more, "ending", "endings"))}</p> }
    });
    view! {
        <svg class="stretches" width="100%" height="72" aria-hidden="true">{steps}</svg>
        <p class="stretches-axis" aria-hidden="true"><span>"Today"</span><span>{timeline.until}</span></p>
        <div class="table-scroll" tabindex="0" role="region" aria-label="Table of what expires when">
            <table class="table timeline">
                <caption class="visually-hidden">"What expires when, soonest first"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Day"</th>
                        <th scope="col" class="number">"Expires"</th>
                        <th scope="col" class="number">"Available after"</th>
                        <th scope="col">"Of"</th>
                    </tr>
                </thead>
                <tbody>{days}</tbody>
            </table>
        </div>
        {more}
    }
}

#[component]
fn DayRow(day: ExpiryDay) -> impl IntoView {
    let several = day.endings.len() > 1;
    let endings = day.endings.into_iter().map(|ending| view! { <EndingItem ending several/> }).collect_view();
    view! {
        <tr>
            <th scope="row">
                <time datetime=day.day.iso()>{day.day.medium()}</time>
                <span class="muted distance">{day.distance}</span>
            </th>
            <td class="number"><Amount credits=day.credits/></td>
            <td class="number"><Amount credits=day.after/></td>
            <td><ul class="endings">{endings}</ul></td>
        </tr>
    }
}

#[component]
fn EndingItem(ending: EndingLine, several: bool) -> impl IntoView {
    let link = ending.id.map(|id| view! { <a href=format!("#{id}") rel="external">{id.clone()}</a>" " });
    let amount = several.then(|| view! { ": " <Amount credits=ending.credits/> });
    let rolls = ending.rolls.map(|rolls| view! { <span class="muted">{format!(", {rolls}")}</span> });
    view! {
        <li>
            {link}
            {ending.title}
            {amount}
            {rolls}
            <span class="visually-hidden">", at " <Time moment=ending.at/></span>
        </li>
    }
}
