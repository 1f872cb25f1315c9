//! The form by which an operator puts a balance right: first it says what would change, then it is booked.

use super::give_form::Typed;
use crate::components::amount::Amount;
use crate::components::grants::data::{Desk, Preview};
use crate::refused::sentence;
use crate::{format, words};
use leptos::prelude::*;

/// The panel with the form and, once asked, what it would do.
#[component]
#[expect(clippy::needless_pass_by_value, reason = "a component owns what it shows")]
pub fn AdjustForm(
    /// What the forms need.
    desk: Desk,
    /// What was typed before.
    typed: Typed,
) -> impl IntoView {
    let asked = typed.get("adjust").is_some();
    let words = words::current();
    let (preview, refused) = match desk.preview {
        None => (None, None),
        Some(Ok(preview)) => (Some(preview), None),
        Some(Err(problem)) => (None, Some(problem)),
    };
    let error = refused.or_else(|| typed.error.as_deref().filter(|_| asked).map(|code| sentence(code, &words)));
    let invalid = error.is_some().then_some("adjust-error");
    let error = error.map(|text| view! { <p id="adjust-error" class="form-error" role="alert">{text}</p> });
    let from = typed.get("from").unwrap_or_default();
    let options = desk.takeable.into_iter().map(|(id, text)| {
        let selected = id == from;
        view! { <option value=id selected=selected>{text}</option> }
    });
    let options = options.collect_view();
    let book = preview.map(|preview| view! { <Book preview key=desk.adjust_key/> });
    let reason = typed.get("reason").filter(|_| asked);
    view! {
        <section id="adjust" class="panel desk-form" aria-labelledby="adjust-title">
            <h2 id="adjust-title">"Adjust by hand"</h2>
            <p class="muted">"Puts a balance right, with a reason that stays in the ledger. You see what changes before it is booked."</p>
            {error}
            <form method="get" action="/grants#adjust" aria-labelledby="adjust-title">
                <div class="desk-fields">
                    <label class="field">
                        <span>{format!("Amount in {}, above or below zero", words.unit)}</span>
                        <input name="adjust" inputmode="text" required maxlength="32" autocomplete="off" placeholder="\u{2212}5" value=typed.get("adjust") aria-describedby=invalid/>
                    </label>
                    <label class="field">
                        <span>"Taken from"</span>
                        <select name="from">
                            <option value="">"Grants in the order of spending"</option>
                            {options}
                        </select>
                    </label>
                    <label class="field whole">
                        <span>"Reason"</span>
                        <input name="reason" required maxlength="1000" value=reason aria-describedby=invalid/>
                    </label>
                </div>
                <p class="form-foot"><button class="button">"Preview"</button></p>
            </form>
            {book}
        </section>
    }
}

#[component]
fn Book(preview: Preview, key: String) -> impl IntoView {
    let Preview { amount, grant, reason, before, after, grants } = preview;
    let words = words::current();
    let row = |name: String, a: ledger::Credits, b: ledger::Credits| {
        let change = b.minus(a).unwrap_or_default();
        view! {
            <tr>
                <th scope="row">{name}</th>
                <td class="number"><Amount credits=a/></td>
                <td class="number"><Amount credits=b/></td>
                <td class="number" title=format::in_full(&words, change)>{format::signed(&words, change)}</td>
            </tr>
        }
    };
    let balances = [
        row("Available".to_owned(), before.available, after.available),
        row("Debt".to_owned(), before.debt, after.debt),
        row("Settled".to_owned(), before.settled, after.settled),
    ];
    let grants = grants.into_iter().map(|(id, a, b)| row(id, a, b)).collect_view();
    view! {
        <div class="desk-preview" role="status">
            <h3>"What would change"</h3>
            <table class="table">
                <caption class="visually-hidden">"Balances and grants before and after"</caption>
                <thead>
                    <tr>
                        <th scope="col"><span class="visually-hidden">"Of what"</span></th>
                        <th scope="col" class="number">"Before"</th>
                        <th scope="col" class="number">"After"</th>
                        <th scope="col" class="number">"Change"</th>
                    </tr>
                </thead>
                <tbody>{balances}{grants}</tbody>
            </table>
            <form class="form-foot" method="post" action="/grants/adjust">
                <input type="hidden" name="key" value=key/>
                <input type="hidden" name="adjust" value=amount/>
                <input type="hidden" name="from" value=grant/>
                <input type="hidden" name="reason" value=reason/>
                <button class="button primary">"Book"</button>
                <a class="button quiet" href="/grants#adjust" rel="external">"Cancel"</a>
            </form>
        </div>
    }
}
