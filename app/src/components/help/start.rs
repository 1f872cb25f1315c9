//! Where help begins: how usage is reported, where things are described, whom to ask. Whoever cannot sign in may read it too.

use crate::backend::settings::Installed;
use crate::backend::{Backend, origin};
use crate::components::empty_state::curl_line;
use crate::error::AppError;
use crate::markup::Markup;
use leptos::prelude::use_context;

/// The page.
pub(super) async fn page() -> Result<Markup, AppError> {
    let backend = Backend::current();
    let meter = match &backend.viewer {
        Some(viewer) => backend.store.meters(viewer.org).await?.first().map(|info| info.meter.to_string()),
        None => None,
    };
    let support = use_context::<Installed>().and_then(|installed| installed.support);
    let ask = match &support {
        Some(support) => {
            let link = Markup::new("a").attr("href", &support.href()).attr("rel", "external").text(support.as_str());
            p("Ask ")
                .child(link)
                .text(". Where an error shows a request id, name it: the server\u{2019}s log has the rest under it.")
        }
        None => p(
            "Ask whoever runs this server. Where an error shows a request id, name it: the server\u{2019}s log has the rest under it.",
        ),
    };
    let curl = Markup::new("code").text(&curl_line(&origin(), meter.as_deref().unwrap_or("export")));
    let curl = Markup::new("pre").attr("tabindex", "0").attr("aria-label", "Command that sends an event").child(curl);
    let keys = p("Make a key under ").child(link("/settings/keys", "Settings, API keys"));
    let keys = keys
        .text(". Each fact that costs something is one event, with an id of its own: sending it twice counts once.");
    let docs = p("Every call, field and error is described in the ").child(link("/api/docs", "API docs"));
    let docs = docs.text(", for programs in ").child(link("/api/openapi.json", "OpenAPI")).text(".");
    let head = Markup::new("div").class("page-head").child(Markup::new("h1").text("Help"));
    Ok(Markup::new("div")
        .class("settings-page help")
        .child(head)
        .child(panel("support", "Whom to ask").child(ask))
        .child(panel("report", "How usage is reported").child(keys).child(curl))
        .child(panel("docs", "Where things are described").child(docs)))
}

fn p(text: &str) -> Markup {
    Markup::new("p").text(text)
}

fn link(href: &str, text: &str) -> Markup {
    Markup::new("a").attr("href", href).attr("rel", "external").text(text)
}

fn panel(id: &'static str, title: &str) -> Markup {
    let title = Markup::new("h2").attr("id", id).text(title);
    Markup::new("section").class("panel empty-state").attr("aria-labelledby", id).child(title)
}
