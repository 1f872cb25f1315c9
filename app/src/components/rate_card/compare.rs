//! Two versions, line by line.

use crate::format::counted;
use crate::markup::{Markup, cell, table};
use similar::{ChangeTag, TextDiff};

/// The panel. The texts are those of [`ledger::card_text`].
#[must_use]
pub fn compare((from, before): (i64, &str), (to, after): (i64, &str)) -> Markup {
    let diff = TextDiff::from_lines(before, after);
    let changes: Vec<_> = diff.iter_all_changes().collect();
    let count = |tag| changes.iter().filter(|change| change.tag() == tag).count();
    let lines = |tag| counted(i64::try_from(count(tag)).unwrap_or(i64::MAX), "line", "lines");
    let summary = if count(ChangeTag::Insert) + count(ChangeTag::Delete) == 0 {
        "They say the same.".to_owned()
    } else {
        let (new, gone, kept) = (lines(ChangeTag::Insert), lines(ChangeTag::Delete), lines(ChangeTag::Equal));
        format!("{new} new, {gone} gone, {kept} as before: those go on where they stood.")
    };
    let rows = changes.iter().map(|change| {
        let (class, sign, element) = match change.tag() {
            ChangeTag::Insert => ("new", "New", "ins"),
            ChangeTag::Delete => ("gone", "Gone", "del"),
            ChangeTag::Equal => ("kept", "", "span"),
        };
        let number = |index: Option<usize>| index.map_or_else(String::new, |index| (index + 1).to_string());
        let text = Markup::new("code").child(Markup::new(element).text(change.value().trim_end()));
        Markup::new("tr")
            .class(class)
            .child(Markup::new("td").class("number").text(&number(change.old_index())))
            .child(Markup::new("td").class("number").text(&number(change.new_index())))
            .child(cell(sign))
            .child(Markup::new("td").child(text))
    });
    let (old, new) = (format!("Version {from}\t"), format!("Version {to}\t"));
    let title = format!("Version {from} and version {to}");
    let head = Markup::new("div")
        .class("panel-head")
        .child(Markup::new("h2").attr("id", "compared-title").text(&title))
        .child(Markup::new("p").class("muted").text(&summary));
    Markup::new("section")
        .class("panel")
        .attr("id", "compared")
        .attr("aria-labelledby", "compared-title")
        .child(head)
        .child(table("table-scroll card-diff", &title, &[&old, &new, "", "Line"], rows, None))
}

#[cfg(test)]
mod tests {
    use super::compare;

    fn html(before: &str, after: &str) -> String {
        let mut html = String::new();
        compare((1, before), (2, after)).write_html(&mut html);
        html
    }

    #[test]
    fn what_is_new_and_what_is_gone_is_told_in_words_too() {
        let html = html("a: free\nb: 1 each\nc: free\n", "a: free\nb: 2 each\nc: free\nd: free\n");
        assert!(html.contains("2 lines new, 1 line gone, 2 lines as before"), "{html}");
        assert!(html.contains("<td>Gone</td><td><code><del>b: 1 each</del></code></td>"), "{html}");
        assert!(html.contains("<td class=\"number\"></td><td class=\"number\">4</td><td>New</td>"), "{html}");
    }

    #[test]
    fn the_same_is_said_to_be_the_same() {
        assert!(html("a: free\n", "a: free\n").contains("They say the same."));
        assert!(html("", "").contains("They say the same."));
    }
}
