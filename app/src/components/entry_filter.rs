//! Which entries are listed: a form whose answer is an address.

use crate::ledger_view::{LedgerView, kind_title};
use crate::markup::{Markup, button_link, hidden, span};
use ledger::EntryKind;

/// The form. It keeps the instant that is looked at.
#[must_use]
pub fn entry_filter(view: &LedgerView) -> Markup {
    let option = |kind: &'static str| {
        let chosen = (view.kind == Some(kind)).then_some("");
        Markup::new("option").attr("value", kind).maybe_attr("selected", chosen).text(kind_title(kind))
    };
    let kinds = Markup::new("select")
        .attr("name", "kind")
        .child(Markup::new("option").attr("value", "").text("All kinds"))
        .children(EntryKind::NAMES.into_iter().map(option));
    let grant = input("text", "grant", view.grant.map(|id| id.to_string()).as_deref());
    let grant = grant.attr("placeholder", "grant_3").attr("maxlength", "30");
    let clear = view.is_filtered().then(|| button_link(&view.instants().href(), "Clear"));
    Markup::new("form")
        .class("fields entry-filter")
        .attr("method", "get")
        .attr("action", "/ledger")
        .attr("aria-label", "Filter entries")
        .children(hidden(view.instants().pairs()))
        .child(labelled("Kind", kinds))
        .child(labelled("Grant", grant))
        .child(labelled("Booked from", input("date", "from", view.from.map(crate::calendar::Day::iso).as_deref())))
        .child(labelled("Booked to", input("date", "to", view.to.map(crate::calendar::Day::iso).as_deref())))
        .child(Markup::new("button").class("button").text("Apply"))
        .children(clear)
}

/// A field of a form.
#[must_use]
pub fn input(kind: &str, name: &str, value: Option<&str>) -> Markup {
    let field = Markup::new("input").attr("type", kind).attr("name", name).maybe_attr("value", value);
    field.attr("autocomplete", "off")
}

/// A field with its label above.
#[must_use]
pub fn labelled(label: &str, field: Markup) -> Markup {
    Markup::new("label").child(span(label)).child(field)
}
