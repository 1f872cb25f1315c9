//! The form by which an operator gives credits. Plain HTML: the server takes it with or without a script.

use crate::components::grants::data::Desk;
use crate::format;
use crate::query;
use crate::refused::{field, sentence};
use crate::words;
use leptos::prelude::*;

/// What can be given here, with its words.
const KINDS: [(&str, &str); 4] =
    [("purchase", "Purchase"), ("promotion", "Promotion"), ("plan", "Plan"), ("refund", "Refund")];
const ROLLOVERS: [(&str, &str); 4] = [
    ("none", "Expires"),
    ("all", "All rolls over"),
    ("percent", "Rolls over up to % of the grant"),
    ("credits", "Rolls over up to an amount"),
];

/// What was typed before and sent back, and the code of what was wrong with it.
#[derive(Clone)]
pub struct Typed {
    pairs: Vec<(String, String)>,
    /// The code, where something was wrong.
    pub error: Option<String>,
}

impl Typed {
    /// From the page's query string.
    #[must_use]
    pub fn parse(search: &str) -> Self {
        let pairs = query::parse(search);
        let error = pairs.iter().find(|(name, _)| name == "error").map(|(_, code)| code.clone());
        Self { pairs, error }
    }

    /// The first value of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        self.pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    }

    fn has(&self, name: &str, value: &str) -> bool {
        self.pairs.iter().any(|(key, other)| key == name && other == value)
    }

    /// `aria-invalid` of a field.
    #[must_use]
    pub fn invalid(&self, name: &str) -> Option<&'static str> {
        self.error.as_deref().is_some_and(|code| field(code) == name).then_some("true")
    }
}

/// The panel with the form.
#[component]
#[expect(clippy::needless_pass_by_value, reason = "a component owns what it shows")]
pub fn GiveForm(
    /// What the forms need.
    desk: Desk,
    /// What was typed before.
    typed: Typed,
    /// IANA name of the org's zone: the times are its.
    zone: String,
) -> impl IntoView {
    // An adjustment has its own form for its errors.
    let typed = if typed.get("adjust").is_some() { Typed { pairs: Vec::new(), error: None } } else { typed };
    let error = typed.error.as_deref().map(|code| {
        view! { <p id="give-error" class="form-error" role="alert">{sentence(code, &words::current())}</p> }
    });
    let more = typed.error.is_some();
    let text = |name: &'static str| (typed.get(name), typed.invalid(name));
    let chosen = |name: &'static str, value: &str, default: bool| match typed.get(name) {
        Some(typed) => typed == value,
        None => default,
    };
    let kinds = KINDS.map(|(value, word)| {
        view! { <option value=value selected=chosen("kind", value, value == "purchase")>{word}</option> }
    });
    let rollovers = ROLLOVERS.map(|(value, word)| {
        view! { <option value=value selected=chosen("rollover", value, value == "none")>{word}</option> }
    });
    let meters = desk.meters.into_iter().map(|(meter, title)| {
        let checked = typed.has("meter", &meter);
        view! { <label class="choice"><input type="checkbox" name="meter" value=meter checked=checked/><span>{title}</span></label> }
    });
    let meters = meters.collect_view();
    let input = |name: &'static str, label: &'static str, mode: &'static str, hint: &str, max: u32| {
        let (value, invalid) = text(name);
        view! {
            <label class="field">
                <span>{label}</span>
                <input name=name inputmode=mode value=value placeholder=hint.to_owned() maxlength=max autocomplete="off" aria-invalid=invalid aria-describedby=invalid.map(|_| "give-error")/>
            </label>
        }
    };
    let time = |name: &'static str, label: &'static str| {
        let (value, invalid) = text(name);
        view! {
            <label class="field">
                <span>{label}</span>
                <input type="datetime-local" name=name value=value aria-invalid=invalid aria-describedby=invalid.map(|_| "give-error")/>
            </label>
        }
    };
    let (amount, amount_invalid) = text("amount");
    let words = words::current();
    let noun = format::noun(&words);
    let give = format!("Give {noun}");
    let expire = format!("When a plan\u{2019}s {noun} expire");
    let (description, description_invalid) = text("description");
    view! {
        <form id="give" class="panel desk-form" method="post" action="/grants" aria-labelledby="give-title">
            <h2 id="give-title">{give.clone()}</h2>
            {error}
            <input type="hidden" name="key" value=desk.give_key/>
            <div class="desk-fields">
                <label class="field"><span>"Kind"</span><select name="kind">{kinds}</select></label>
                <label class="field">
                    <span>{format!("Amount in {}", words.unit)}</span>
                    <input name="amount" inputmode="decimal" required value=amount maxlength="32" autocomplete="off" aria-invalid=amount_invalid aria-describedby=amount_invalid.map(|_| "give-error")/>
                </label>
                <label class="field whole">
                    <span>"Description"</span>
                    <input name="description" required value=description maxlength="250" placeholder="What people read beside it" aria-invalid=description_invalid aria-describedby=description_invalid.map(|_| "give-error")/>
                </label>
            </div>
            <details open=more>
                <summary>"Times, cost, scope, rollover"</summary>
                <p class="muted hint">{format!("Times in {zone}. Without them: from now on, never expiring.")}</p>
                <div class="desk-fields">
                    {time("effective_at", "Takes effect")}
                    {time("expires_at", "Expires")}
                    {input("cost", "Paid for it", "decimal", "50.00", 24)}
                    {input("currency", "Currency", "text", &desk.currency, 3)}
                    {input("priority", "Priority, lower is spent first", "numeric", "0", 6)}
                    {input("projects", "Only for projects, by id, with commas", "text", "All", 2_000)}
                </div>
                <fieldset class="choices">
                    <legend>"Only for credit types; all where none is chosen"</legend>
                    {meters}
                </fieldset>
                <div class="desk-fields three">
                    <label class="field"><span>{expire}</span><select name="rollover">{rollovers}</select></label>
                    {input("cap", "Up to", "decimal", "20", 24)}
                    {input("months", "For months, else for ever", "numeric", "3", 3)}
                </div>
            </details>
            <p class="form-foot"><button class="button primary">{give}</button></p>
        </form>
    }
}
