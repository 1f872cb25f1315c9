//! What the page's address says beside the view: what a form has done, and what could not be read.

use super::saved_views::outcome;
use crate::query;
use crate::span::Bound;
use leptos::prelude::*;

/// Lines above the page, from its query string.
pub fn notices(search: &str) -> impl IntoView + use<> {
    let lines = query::parse(search).into_iter().filter_map(|(name, value)| match name.as_str() {
        "views" => outcome(&value).map(|(text, good)| (text.to_owned(), good)),
        "from" | "to" if !value.is_empty() && Bound::parse(&value).is_none() => {
            Some((format!("\u{201c}{value}\u{201d} is neither a day such as 2026-11-01 nor a term such as now-7d: it was left out."), false))
        }
        _ => None,
    });
    let line = |(text, good): (String, bool)| {
        view! { <p class=if good { "notice" } else { "form-error" } role=if good { "status" } else { "alert" }>{text}</p> }
    };
    lines.map(line).collect_view()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_told_as_text() {
        let html = notices("from=<b>yesterday&to=now&views=saved&views=x").into_view().to_html();
        assert!(html.contains("&lt;b&gt;yesterday") && html.contains("The view is saved."), "{html}");
        assert_eq!(html.matches("<p").count(), 2, "{html}");
    }
}
