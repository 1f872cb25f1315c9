//! The values of a dimension to filter by: most credits first, each with its amount, and a field for any other. Written by the
//! server when it is opened, since no cube has them all; links and a plain form.

use crate::filters;
use crate::format;
use crate::markup::{Markup, amount, hidden, span};
use crate::query;
use crate::view::View;
use ledger::{Credits, Dimension, Facet, Words};

/// What is added to the address of a view while this is open.
pub const OPEN: &str = "filter";
/// What it is where attributes are to be named first.
pub const ATTRIBUTES: &str = "attributes";

/// A value, and what it cost in the range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    /// Its id; `""` for usage that does not say it.
    pub id: String,
    /// What people read.
    pub name: String,
    /// What it cost.
    pub credits: Credits,
}

/// The address of a view with this open at a name.
#[must_use]
pub fn href(view: &View, name: &str) -> String {
    let mut address = view.query();
    query::push(&mut address, OPEN, name);
    format!("/analytics?{address}")
}

/// What a query string opens, if anything.
#[must_use]
pub fn opened(search: &str) -> Option<String> {
    let found = query::parse(search).into_iter().find(|(name, _)| name == OPEN);
    found.map(|(_, value)| value).filter(|name| name == ATTRIBUTES || Dimension::parse(name).is_some())
}

/// The values of a dimension; `others` says how many there are beside them.
#[must_use]
pub fn values(words: &Words, view: &View, dimension: &Dimension, offered: &[Offered], others: u64) -> Markup {
    let title = filters::title(dimension, words);
    let name = dimension.name();
    let is_chosen = |id: &str| view.with_value(dimension, id, true) == *view;
    let line = |id: &str, text: &str, credits: Option<Credits>| {
        let chosen = is_chosen(id);
        let to = href(&view.with_value(dimension, id, !chosen), &name);
        let link = Markup::new("a")
            .class("menu-item")
            .attr("href", &to)
            .attr("data-noscroll", "")
            .maybe_attr("aria-current", chosen.then_some("true"));
        let credits = credits.map(|credits| amount(words, credits));
        Markup::new("li").child(link.child(span(text)).children(credits))
    };
    let besides =
        filters::chosen_of(view, dimension).into_iter().filter(|id| !offered.iter().any(|value| value.id == *id));
    let besides: Vec<Markup> = besides.map(|id| line(&id, &filters::unknown(dimension, &id), None)).collect();
    let lines = offered.iter().map(|value| line(&value.id, &value.name, Some(value.credits)));
    let list = Markup::new("ul").class("menu-list").children(besides).children(lines);
    let hint = match (offered.is_empty(), others) {
        (true, _) => "Nothing in this range says it.".to_owned(),
        (false, 0) => String::new(),
        (false, others) => {
            let others = i64::try_from(others).unwrap_or(i64::MAX);
            format!("and {} with fewer credits: type one above.", format::counted(others, "other", "others"))
        }
    };
    let field = Markup::new("input")
        .attr("name", &name)
        .attr("aria-label", &format!("Any {}", title.to_lowercase()))
        .attr("placeholder", "Any id, exactly as it is sent")
        .attr("maxlength", "256")
        .attr("autocomplete", "off")
        .attr("required", "");
    let form = Markup::new("form")
        .class("menu-form")
        .attr("method", "get")
        .attr("action", "/analytics")
        .children(hidden(view.pairs()))
        .child(field)
        .child(Markup::new("button").class("button").text("Add"));
    drawer(view, &format!("Filter by {}", title.to_lowercase()))
        .child(form)
        .child(list)
        .child(Markup::new("p").class("menu-hint").text(&hint))
}

/// The names of the attributes that were met, each with a way to its values and to group by it.
#[must_use]
pub fn attributes(view: &View, names: &[String]) -> Markup {
    let line = |name: &String| {
        let facet = Facet::Attribute(name.clone());
        let link = |to: &str, text: &str, label: &str| {
            Markup::new("a").attr("href", to).attr("data-noscroll", "").attr("aria-label", label).text(text)
        };
        let filter = link(&href(view, &facet.name()), "Filter", &format!("Filter by {name}"));
        let group = view.with_group(Dimension::Facet(facet)).href();
        let group = link(&group, "Group", &format!("Group by {name}"));
        Markup::new("li").class("menu-row").child(span(name)).child(filter).child(group)
    };
    let list = Markup::new("ul").class("menu-list").children(names.iter().map(line));
    let hint = if names.is_empty() {
        "No attribute has been met yet; a new one is listed here some minutes later."
    } else {
        ""
    };
    drawer(view, "Attributes").child(list).child(Markup::new("p").class("menu-hint").text(hint))
}

fn drawer(view: &View, title: &str) -> Markup {
    let close =
        Markup::new("a").class("button quiet").attr("href", &view.href()).attr("data-noscroll", "").text("Close");
    let head = Markup::new("div").class("drawer-head").child(Markup::new("h2").text(title)).child(close);
    Markup::new("div").class("drawer-body").child(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_toggles_and_names_are_text() {
        let view = View::parse("source=api&user=%3Cb%3E");
        let offered = [Offered { id: "ann".to_owned(), name: "<i>Ann".to_owned(), credits: Credits::ZERO }];
        let mut html = String::new();
        values(&Words::default(), &view, &Dimension::Facet(Facet::User), &offered, 3).write_html(&mut html);
        assert!(
            html.contains("href=\"/analytics?source=api&amp;user=%3Cb%3E&amp;user=ann&amp;filter=user\""),
            "{html}"
        );
        assert!(
            html.contains("href=\"/analytics?source=api&amp;filter=user\" data-noscroll=\"\" aria-current=\"true\""),
            "{html}"
        );
        assert!(html.contains("&lt;i&gt;Ann") && html.contains("&lt;b&gt;") && html.contains("and 3 others"), "{html}");
    }

    #[test]
    fn only_a_dimension_opens_it() {
        assert_eq!(opened("?filter=user").as_deref(), Some("user"));
        assert_eq!(opened("filter=attribute.region").as_deref(), Some("attribute.region"));
        assert_eq!([opened("filter=colour"), opened("user=x"), opened("filter=")], [None, None, None]);
    }
}
