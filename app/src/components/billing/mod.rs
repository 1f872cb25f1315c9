//! Billing & credits: the plan, buying, how it is paid, what was invoiced and paid, and what invoices are made out to. Server only.

pub mod details;
pub mod home;
pub mod invoice;
pub mod invoices;
pub mod pay;
pub mod payments;
pub mod plan;
pub mod purchase;
pub mod reconcile;
pub mod seller;
pub mod sheet;
mod terms;
pub mod top_up;

use crate::markup::Markup;
use crate::query;

/// A link that leaves the page: these stand still.
fn external(href: &str, text: &str) -> Markup {
    Markup::new("a").attr("href", href).attr("rel", "external").text(text)
}

/// The same as a button.
fn button(href: &str, text: &str) -> Markup {
    Markup::new("a").class("button").attr("href", href).attr("rel", "external").text(text)
}

/// An address with those of its pairs that say something.
fn address(path: &str, pairs: &[(&str, String)]) -> String {
    let mut text = String::new();
    for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
        query::push(&mut text, name, value);
    }
    if text.is_empty() { path.to_owned() } else { format!("{path}?{text}") }
}

/// A choice of a filter.
fn choice(title: &str, name: &'static str, chosen: &str, options: &[(String, String)]) -> Markup {
    let option = |(value, text): &(String, String)| {
        let selected = (value == chosen).then_some("");
        Markup::new("option").attr("value", value).maybe_attr("selected", selected).text(text)
    };
    labelled(title, Markup::new("select").attr("name", name).children(options.iter().map(option)))
}

fn labelled(title: &str, field: Markup) -> Markup {
    Markup::new("label").child(Markup::new("span").text(title)).child(field)
}

/// How something stands, with its colour.
fn status(class: &str, text: &str) -> Markup {
    Markup::new("span").class(&format!("status {class}")).text(text)
}

/// The head of a page, with links to what belongs to it.
fn head(title: &str, about: &str, controls: impl IntoIterator<Item = Markup>) -> Markup {
    Markup::new("div")
        .class("page-head")
        .child(Markup::new("h1").text(title))
        .child(Markup::new("p").class("muted").text(about))
        .child(Markup::new("div").class("controls").children(controls))
}

/// What a list says where it is empty.
fn nothing(text: &str) -> Markup {
    Markup::new("p").class("muted billing-none").attr("role", "status").text(text)
}

/// The way to older rows.
fn older(href: Option<&str>, text: &str) -> Option<Markup> {
    href.map(|href| Markup::new("p").class("turn").child(button(href, text)))
}
