//! What was given: what is left of it, what is spent next, what expires when, what is held. For operators also the forms
//! that give and adjust.
//!
//! This page stands still: the server renders it, and the browser leaves it alone ([`crate::platform::still_page`]), so
//! that it costs first loads no code. Forms, links and `<details>` are all that moves. Links to the page itself are
//! therefore `rel="external"`: the router must not take them.

pub mod data;

mod adjust_form;
mod bar;
mod first_grant;
mod give_form;
mod holds;
mod list;
mod timeline;

use self::adjust_form::AdjustForm;
use self::data::{Desk, Ended, GrantLine, Grants};
use self::first_grant::FirstGrant;
use self::give_form::{GiveForm, Typed};
use self::holds::HoldsPanel;
use self::list::GrantList;
use self::timeline::ExpiryTimeline;
use crate::backend::Backend;
use crate::components::balance_card::brief_balance_card;
use crate::components::error_panel::ErrorPanel;
use crate::components::stat_card::stat_card;
use crate::components::still::Still;
use crate::components::time::Time;
use crate::format;
use crate::words;
use leptos::either::Either;
use leptos::prelude::*;
use leptos::reactive::computed::ScopedFuture;
use leptos_router::hooks::use_location;

/// The address of the page.
pub const PATH: &str = "/grants";

/// What the page shows, once it is read.
#[must_use]
pub fn report() -> impl IntoView {
    let search = use_location().search.get_untracked();
    let filled = ScopedFuture::new(async move {
        words::provide().await;
        match Backend::current().grants(&search).await {
            Ok(grants) => Either::Left(view! { <Report grants typed=Typed::parse(&search)/> }),
            // Without a script "Try again" is a link to this address.
            Err(error) => Either::Right(view! { <ErrorPanel error retry=|()| ()/> }),
        }
    });
    view! { <div class="page">{Suspend::new(filled)}</div> }
}

#[component]
fn Report(grants: Grants, typed: Typed) -> impl IntoView {
    let Grants { balance, zone, .. } = grants;
    let words = words::current();
    let done = grants.done.map(|text| view! { <p class="notice" role="status">{text}</p> });
    let held = match grants.hold_count {
        0 => "Nothing is reserved".to_owned(),
        count => format!("For {}", format::counted(count, "pending hold", "pending holds")),
    };
    let debt = if balance.debt.is_positive() { "The next grant repays it first" } else { "None" };
    let below = if grants.ever {
        let (open, count) = (grants.open, grants.count);
        Either::Right(view! {
            <ExpiryTimeline timeline=grants.timeline/>
            <Open open count more=grants.more later=grants.later/>
            <HoldsPanel holds=grants.holds count=grants.hold_count/>
            <Past ended=grants.ended/>
        })
    } else {
        Either::Left(view! { <FirstGrant origin=grants.origin org=grants.org operator=grants.desk.is_some()/> })
    };
    view! {
        <div class="page-head">
            <h1>"Grants"</h1>
            <p class="muted">"As of " <Time moment=grants.as_of/> {format!(", times in {zone}")}</p>
        </div>
        {done}
        <div class="stats four">
            {Still(brief_balance_card(&words, &balance))}
            {Still(stat_card(&words, "Held", balance.held, &held))}
            {Still(stat_card(&words, "Debt", balance.debt, debt))}
            {Still(stat_card(&words, "Settled", balance.settled, "Available and held, less debt"))}
        </div>
        <p class="policy"><b>{grants.state}</b> " " {grants.policy}</p>
        {below}
        <DeskPanel desk=grants.desk typed zone/>
    }
}

#[component]
fn Open(open: Vec<GrantLine>, count: i64, more: Option<String>, later: bool) -> impl IntoView {
    let list = if open.is_empty() {
        Either::Left(view! { <p class="muted">"Nothing is left of any grant."</p> })
    } else {
        Either::Right(view! { <GrantList grants=open label="Grants, in the order in which they are spent"/> })
    };
    let first = later.then(|| view! { <a class="button" href="/grants" rel="external">"First page"</a> });
    let more = more.map(|href| view! { <a class="button" href=href rel="external">"More grants"</a> });
    let turn = (first.is_some() || more.is_some()).then(|| view! { <p class="turn">{first}{more}</p> });
    view! {
        <section class="panel" aria-labelledby="open-title">
            <div class="panel-head">
                <h2 id="open-title">"Open grants"</h2>
                <p class="muted">{format!("{}, in the order in which they are spent", format::counted(count, "grant", "grants"))}</p>
            </div>
            {list}
            {turn}
        </section>
    }
}

#[component]
fn Past(ended: Option<Ended>) -> impl IntoView {
    match ended {
        None => Either::Left(view! {
            <p class="turn"><a class="button" href="/grants?status=all#ended" rel="external">"Show ended grants"</a></p>
        }),
        Some(Ended { grants, older }) => {
            let list = if grants.is_empty() {
                Either::Left(view! { <p class="muted">"No grant has ended yet."</p> })
            } else {
                Either::Right(view! { <GrantList grants label="Ended grants, newest first"/> })
            };
            let older = older.map(|href| view! { <a class="button" href=href rel="external">"Older grants"</a> });
            Either::Right(view! {
                <section id="ended" class="panel ended" aria-labelledby="ended-title">
                    <div class="panel-head">
                        <h2 id="ended-title">"Ended grants"</h2>
                        <p class="muted">"Newest first"</p>
                        <a class="panel-link" href="/grants" rel="external">"Hide"</a>
                    </div>
                    {list}
                    <p class="turn">{older}</p>
                </section>
            })
        }
    }
}

#[component]
fn DeskPanel(desk: Option<Desk>, typed: Typed, zone: String) -> impl IntoView {
    match desk {
        Some(desk) => Either::Left(view! {
            <div class="desk">
                <GiveForm desk=desk.clone() typed=typed.clone() zone/>
                <AdjustForm desk typed/>
            </div>
        }),
        None => Either::Right(view! {
            <section class="panel" aria-labelledby="desk-title">
                <h2 id="desk-title">{format!("Give or adjust {}", format::noun(&words::current()))}</h2>
                <p class="muted">
                    "Only operators, who run this server for every organization, may do that here. You can see everything; to change something, ask them."
                </p>
            </section>
        }),
    }
}
