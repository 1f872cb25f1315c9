//! API keys: those there are, a form for another, and the one that was just made.

use crate::backend::keys::Made;
use crate::components::time::Time;
use crate::refused::{field, sentence};
use crate::server_fns::Moment;
use crate::words;
use leptos::either::Either;
use leptos::prelude::*;

/// What keys can be for, with words for it.
const SCOPES: [(&str, &str); 7] = [
    ("events:write", "Report usage, hold credits for work"),
    ("usage:read", "Read usage and events"),
    ("ledger:read", "Read balance, grants, ledger and prices"),
    ("ledger:write", "Give and correct credits, lay down prices"),
    ("billing:write", "Buy credits"),
    ("alerts:write", "Set alerts, budgets and webhooks"),
    ("admin", "All of these, and manage keys"),
];
/// Scopes that only operators may hand out.
pub const OPERATOR_SCOPES: [&str; 2] = ["ledger:write", "admin"];
/// How long a key may live, in days.
const LIVES: [(&str, &str); 4] =
    [("", "Never"), ("30", "After 30 days"), ("90", "After 90 days"), ("365", "After a year")];
/// For how many hours a rotated key goes on.
const OVERLAPS: [(&str, &str); 4] =
    [("24", "For a day"), ("1", "For an hour"), ("168", "For a week"), ("0", "Not at all")];

/// What the page shows.
pub struct KeysView {
    /// Newest first.
    pub keys: Vec<KeyLine>,
    /// Whether those that have ended are among them.
    pub all: bool,
    /// The next page.
    pub older: Option<String>,
    /// Whether the viewer may make keys that give credits.
    pub operator: bool,
    /// IANA name of the org's zone: the times are its.
    pub zone: String,
    /// The form's one-time key.
    pub form_key: String,
    /// The name of the key that was just revoked.
    pub revoked: Option<String>,
}

/// A key in the list.
pub struct KeyLine {
    /// `key_3`
    pub id: String,
    /// What people call it.
    pub name: String,
    /// By what people recognise it.
    pub shown: String,
    /// What it may.
    pub scopes: Vec<&'static str>,
    /// The only project that it may report and read.
    pub project: Option<String>,
    /// How it stands.
    pub status: &'static str,
    /// Whether it can be rotated.
    pub active: bool,
    /// Whether it is over.
    pub ended: bool,
    /// Since when.
    pub created: Moment,
    /// Who made it; may be empty.
    pub created_by: String,
    /// Until when.
    pub expires: Option<Moment>,
    /// When it was last used.
    pub used: Option<Moment>,
    /// The one-time key of the form that rotates it.
    pub form_key: String,
    /// Whether the viewer may have its successor.
    pub rotatable: bool,
}

/// A key that was just made.
#[derive(Debug, Clone)]
pub struct NewSecret {
    /// What people call it.
    pub name: String,
    /// The key itself.
    pub text: String,
    /// A first request with it.
    pub curl: String,
}

type Pairs = Vec<(String, String)>;

fn get<'a>(typed: &'a Pairs, name: &str) -> Option<&'a str> {
    typed.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// The page.
#[component]
pub fn KeysPage(
    /// What it shows.
    view: KeysView,
    /// The address's pairs: what was typed, and what was wrong with it.
    typed: Pairs,
) -> impl IntoView {
    let made = use_context::<Made>().map(|made| view! { <Secret secret=made.secret/> });
    let creating = get(&typed, "do") == Some("create");
    let error = get(&typed, "error").filter(|_| !creating).map(|code| {
        view! { <p class="form-error" role="alert">{sentence(code, &words::current())}</p> }
    });
    let revoked = view.revoked.map(|name| {
        view! { <p class="notice" role="status">{format!("\u{201c}{name}\u{201d} is revoked: requests with it are refused from now on.")}</p> }
    });
    view! {
        <div class="page-head">
            <h1>"API keys"</h1>
            <p class="muted">{format!("For the programs that report usage and read it. Times in {}.", view.zone)}</p>
        </div>
        {revoked}
        {made}
        {error}
        <List keys=view.keys all=view.all older=view.older/>
        <CreateForm typed operator=view.operator form_key=view.form_key/>
    }
}

#[component]
fn Secret(secret: NewSecret) -> impl IntoView {
    let NewSecret { name, text, curl } = secret;
    view! {
        <section class="panel secret" aria-labelledby="secret-title" role="status">
            <h2 id="secret-title">{format!("Your new key \u{201c}{name}\u{201d}")}</h2>
            <p>"Copy it now: it is shown this once. Only its hash is kept."</p>
            <pre tabindex="0" aria-label="The key"><code>{text}</code></pre>
            <p>"A first request with it:"</p>
            <pre tabindex="0" aria-label="A request with the key"><code>{curl}</code></pre>
        </section>
    }
}

#[component]
fn List(keys: Vec<KeyLine>, all: bool, older: Option<String>) -> impl IntoView {
    let empty = keys.is_empty().then(|| {
        let text = if all { "There has been no key yet." } else { "No key is in force. Create one below." };
        view! { <p class="muted">{text}</p> }
    });
    let (href, word) =
        if all { ("/settings/keys", "Hide ended keys") } else { ("/settings/keys?status=all", "Show ended keys") };
    let older =
        older.map(|href| view! { <p class="turn"><a class="button" href=href rel="external">"Older keys"</a></p> });
    let lines = keys.into_iter().map(|key| view! { <Line key/> }).collect_view();
    view! {
        <section id="keys" class="panel" aria-labelledby="keys-title">
            <div class="panel-head">
                <h2 id="keys-title">{if all { "All keys" } else { "Keys in force" }}</h2>
                <a class="panel-link" href=href rel="external">{word}</a>
            </div>
            {empty}
            <ul class="keys">{lines}</ul>
            {older}
        </section>
    }
}

#[component]
fn Line(key: KeyLine) -> impl IntoView {
    let badge = (key.status != "active").then(|| view! { <span class="badge">{key.status}</span> });
    let project = key.project.map(|project| view! { <li>{format!("project {project} only")}</li> });
    let expires = key.expires.map(|moment| {
        let word = if key.ended { "ended " } else { "ends " };
        view! { <li>{word} <Time moment/></li> }
    });
    let used = match key.used {
        Some(moment) => Either::Left(view! { "last used " <Time moment/> }),
        None => Either::Right("never used"),
    };
    let by = (!key.created_by.is_empty()).then(|| format!(" by {}", key.created_by.trim_start_matches("user:")));
    let actions = (!key.ended).then(|| {
        let rotate = key.active.then(|| {
            view! {
                <Rotate id=key.id.clone() name=key.name.clone() form_key=key.form_key rotatable=key.rotatable/>
            }
        });
        view! { <div class="key-actions">{rotate}<Revoke id=key.id.clone() name=key.name.clone()/></div> }
    });
    view! {
        <li class="key" class:ended=key.ended>
            <p class="key-head"><b>{key.name}</b> " " <code>{key.shown}</code> " " {badge}</p>
            <ul class="grant-facts">
                <li>{key.scopes.join(", ")}</li>
                {project}
                <li>{used}</li>
                {expires}
                <li>"created " <Time moment=key.created/> {by}</li>
            </ul>
            {actions}
        </li>
    }
}

#[component]
fn Rotate(id: String, name: String, form_key: String, rotatable: bool) -> impl IntoView {
    if !rotatable {
        return Either::Left(
            view! { <span class="muted">"Only operators may rotate this key: it can give credits."</span> },
        );
    }
    let overlaps = OVERLAPS.map(|(value, word)| view! { <option value=value>{word}</option> });
    Either::Right(view! {
        <details>
            <summary aria-label=format!("Rotate {name}")>"Rotate"</summary>
            <form method="post" action="/settings/keys">
                <input type="hidden" name="do" value="rotate"/>
                <input type="hidden" name="key" value=form_key/>
                <input type="hidden" name="id" value=id/>
                <p>"Makes another key of the same name and scopes, to be set where this one is used."</p>
                <label class="field"><span>"The old key goes on"</span><select name="hours">{overlaps}</select></label>
                <p class="form-foot"><button class="button">"Rotate key"</button></p>
            </form>
        </details>
    })
}

#[component]
fn Revoke(id: String, name: String) -> impl IntoView {
    view! {
        <details>
            <summary aria-label=format!("Revoke {name}")>"Revoke"</summary>
            <form method="post" action="/settings/keys">
                <input type="hidden" name="do" value="revoke"/>
                <input type="hidden" name="id" value=id/>
                <p>{format!("The next request with \u{201c}{name}\u{201d} is refused. This cannot be undone.")}</p>
                <p class="form-foot"><button class="button danger">"Revoke key"</button></p>
            </form>
        </details>
    }
}

#[component]
fn CreateForm(typed: Pairs, operator: bool, form_key: String) -> impl IntoView {
    let again = get(&typed, "do") == Some("create");
    let code = get(&typed, "error").filter(|_| again).map(str::to_owned);
    let error = code.as_deref().map(|code| {
        let text = if code == "bad_label" {
            "Give the key a name of up to 256 characters that can be printed.".to_owned()
        } else {
            sentence(code, &words::current())
        };
        view! { <p id="create-error" class="form-error" role="alert">{text}</p> }
    });
    let invalid = |name: &str| {
        let wrong = code.as_deref().is_some_and(|code| field(code) == name || (code == "bad_label" && name == "name"));
        wrong.then_some("true")
    };
    let value = |name: &str| get(&typed, name).filter(|_| again).map(str::to_owned);
    let chosen = |scope: &str| {
        if again {
            typed.iter().any(|(name, value)| name == "scope" && value == scope)
        } else {
            scope == "events:write"
        }
    };
    let scopes = SCOPES.map(|(scope, words)| {
        let refused = !operator && OPERATOR_SCOPES.contains(&scope);
        view! {
            <label class="choice">
                <input type="checkbox" name="scope" value=scope checked=chosen(scope) disabled=refused/>
                <span><code>{scope}</code> " " {words}</span>
            </label>
        }
    });
    let explained = (!operator).then(|| {
        view! { <p class="muted hint">"Keys that can give credits are made by operators, who run this server."</p> }
    });
    let days = value("days").unwrap_or_default();
    let is = |value: &str| value == days;
    let lives = LIVES.map(|(value, word)| view! { <option value=value selected=is(value)>{word}</option> });
    view! {
        <form id="create" class="panel desk-form" method="post" action="/settings/keys" aria-labelledby="create-title">
            <h2 id="create-title">"Create a key"</h2>
            {error}
            <input type="hidden" name="do" value="create"/>
            <input type="hidden" name="key" value=form_key/>
            <div class="desk-fields three">
                <label class="field">
                    <span>"Name"</span>
                    <input name="name" required maxlength="250" autocomplete="off" placeholder="Which program will use it" value=value("name") aria-invalid=invalid("name") aria-describedby=invalid("name").map(|_| "create-error")/>
                </label>
                <label class="field">
                    <span>"Only for project, by id"</span>
                    <input name="project" maxlength="250" autocomplete="off" placeholder="All" value=value("project") aria-invalid=invalid("project") aria-describedby=invalid("project").map(|_| "create-error")/>
                </label>
                <label class="field"><span>"Ends"</span><select name="days">{lives}</select></label>
            </div>
            <fieldset class="choices column">
                <legend>"What it may do"</legend>
                {scopes}
            </fieldset>
            {explained}
            <p class="form-foot"><button class="button primary">"Create key"</button></p>
        </form>
    }
}
