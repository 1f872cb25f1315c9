//! `/billing/methods`: what can be charged without anybody there.

use super::state::act;
use super::{METHODS, PURCHASE, external, way};
use crate::backend::purchases::Method;
use crate::components::people::parts::{form, hidden, hint, panel, primary};
use crate::components::written::{Asked, Written};
use crate::error::AppError;
use crate::markup::{Markup, time};
use crate::server_fns::Moment;
use ledger::payment::Provider;

/// What the page shows.
pub struct Methods {
    /// Stored methods and since when, the one that is charged first.
    pub methods: Vec<(Method, Moment)>,
    /// Who can be paid.
    pub offered: Vec<Provider>,
}

/// The page.
///
/// # Errors
/// What the store says.
pub async fn page(asked: &Asked<'_>, offered: &[Provider]) -> Result<Written, AppError> {
    let shown = asked.backend.methods(&asked.org, offered).await?;
    let title = "Payment methods".to_owned();
    let done = match asked.get("done") {
        "choose" => Some("This method is charged from now on."),
        "remove" => Some("The method is removed."),
        "added" => Some("The method is stored."),
        _ => None,
    };
    let done = done.map(|text| Markup::new("p").class("notice").attr("role", "status").text(text));
    let wrong = (asked.get("error") == "not_stored").then(|| {
        let text = "The method was not stored: the provider did not confirm it. Try again.";
        Markup::new("p").class("form-error").attr("role", "alert").text(text)
    });
    let links = Markup::new("div").class("controls").child(external(PURCHASE, "Purchase credits"));
    let head = Markup::new("div").class("page-head").child(Markup::new("h1").text(&title)).child(links);
    let body = Markup::new("div").class("page billing").child(head).children(done).children(wrong);
    let back = came_back(asked.get("session"), &shown);
    Ok(Written { title, body: body.children(back).child(list(&shown)).children(add(&shown)) })
}

/// Whoever stored a method elsewhere came back with a number that the provider is asked about.
fn came_back(session: &str, shown: &Methods) -> Option<Markup> {
    let provider = shown.offered.iter().find(|provider| **provider == Provider::Stripe)?;
    let keep = form(METHODS, "keep").child(hidden("provider", provider.as_str())).child(hidden("session", session));
    let panel =
        panel("keep", "Keep what you stored?").child(hint("It is charged for plans and auto top-up once you keep it."));
    (!session.is_empty()).then(|| panel.child(keep.child(primary("Keep it"))))
}

/// The way to the pages of a provider, which a form cannot lead to.
#[must_use]
pub fn go_on(url: &str) -> Written {
    let title = "Store a payment method".to_owned();
    let head = Markup::new("div").class("page-head").child(Markup::new("h1").text(&title));
    let panel = panel("go", "On the provider\u{2019}s pages");
    let panel =
        panel.child(hint("You come back here afterwards.")).child(Markup::new("p").child(super::go(url, "Go on")));
    let body = Markup::new("div").class("page billing").child(head).child(panel);
    Written { title, body }
}

fn list(shown: &Methods) -> Markup {
    let panel = panel("methods", "Stored");
    if shown.methods.is_empty() {
        return panel.child(hint("Nothing is stored. Plans and auto top-up are charged to a stored method; no number of a card is kept here."));
    }
    let line = |(method, at): &(Method, Moment)| {
        let id = method.id.to_string();
        let badge = method.is_default.then(|| Markup::new("span").class("badge").text("Charged by default"));
        let name = Markup::new("span").child(Markup::new("b").text(&method.title)).children(badge);
        let since = Markup::new("small").class("muted").text("since ").child(time(at));
        let choose = (!method.is_default).then(|| act(METHODS, "choose", ("method", &id), "Charge this one"));
        let acts = Markup::new("span").class("purchase-acts").children(choose);
        let acts = acts.child(act(METHODS, "remove", ("method", &id), "Remove"));
        Markup::new("li").child(name).child(since).child(acts)
    };
    panel.child(Markup::new("ul").class("purchase-methods").children(shown.methods.iter().map(line)))
}

fn add(shown: &Methods) -> Option<Markup> {
    let can = |provider: &&Provider| !matches!(provider, Provider::BankTransfer);
    let forms = shown.offered.iter().filter(can).map(|provider| {
        let (title, more) = way(*provider);
        let button = primary(&format!("Add a {}", title.to_lowercase()));
        let add = form(METHODS, "add").child(hidden("provider", provider.as_str())).child(button);
        add.child(Markup::new("small").class("muted").text(&format!(" {more}")))
    });
    let forms: Vec<Markup> = forms.collect();
    (!forms.is_empty()).then(|| panel("add", "Add a method").children(forms))
}
