//! The last events, in the order in which they came in, newest first.

use super::amount::Amount;
use super::time::Time;
use crate::server_fns::overview::EventLine;
use crate::{format, words};
use ledger::event::Status;
use leptos::prelude::*;

/// A row per event; scrolls inside its panel where it is too wide.
#[component]
pub fn EventsTable(
    /// The events.
    events: Vec<EventLine>,
) -> impl IntoView {
    let unit = format::unit_head(&words::current());
    let rows = events.into_iter().map(|event| view! { <EventRow event/> }).collect_view();
    view! {
        <div class="table-scroll" tabindex="0" role="region" aria-label="Table of the last events">
            <table class="table">
                <caption class="visually-hidden">"Last events, in the order in which they came in, newest first"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Time"</th>
                        <th scope="col">"Operation"</th>
                        <th scope="col">"Usage"</th>
                        <th scope="col">"Source"</th>
                        <th scope="col">"Project"</th>
                        <th scope="col">"Status"</th>
                        <th scope="col" class="number">{unit}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
}

#[component]
fn EventRow(event: EventLine) -> impl IntoView {
    let usage = event.quantities.into_iter().map(|(title, quantity)| {
        view! { <span class="usage"><span class="muted">{title}</span>" "{quantity}</span> }
    });
    let (status, class) = match event.status {
        Status::Succeeded => ("Succeeded", "status quiet"),
        Status::Failed => ("Failed", "status danger"),
    };
    view! {
        <tr>
            <td class="nowrap"><a href=format!("/events/{}", event.seq)><Time moment=event.time/></a></td>
            <td>{event.operation}</td>
            <td class="usages">{usage.collect_view()}</td>
            <td>{event.source}</td>
            <td>{event.project.unwrap_or_else(|| "–".to_owned())}</td>
            <td><span class=class>{status}</span></td>
            <td class="number"><Amount credits=event.credits bare=true/></td>
        </tr>
    }
}
