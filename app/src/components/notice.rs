//! What the page's address says beside the view: what a form has done, and what could not be read.

use super::saved_views::outcome;
use crate::markup::Markup;
use crate::query;
use crate::span::Bound;

/// Lines above the page, from its query string.
#[must_use]
pub fn notices(search: &str) -> Markup {
    let lines = query::parse(search).into_iter().filter_map(|(name, value)| match name.as_str() {
        "views" => outcome(&value).map(|(text, good)| line(text, good)),
        "from" | "to" if !value.is_empty() && Bound::parse(&value).is_none() => {
            let what = "is neither a day such as 2026-11-01 nor a term such as now-7d: it was left out.";
            Some(line(&format!("\u{201c}{value}\u{201d} {what}"), false))
        }
        _ => None,
    });
    Markup::new("div").class("page-notices").children(lines)
}

fn line(text: &str, good: bool) -> Markup {
    let (class, role) = if good { ("notice", "status") } else { ("form-error", "alert") };
    Markup::new("p").class(class).attr("role", role).text(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_told_as_text() {
        let mut html = String::new();
        notices("from=<b>yesterday&to=now&views=saved&views=x").write_html(&mut html);
        assert!(html.contains("&lt;b&gt;yesterday") && html.contains("The view is saved."), "{html}");
        assert_eq!(html.matches("<p").count(), 2, "{html}");
    }
}
