//! Still parts of a page: markup that nothing changes once it is there.
//!
//! A view of the framework is compiled for its every shape, three times over, into the browser's code; most of a ledger
//! page is lists and tables that never change by themselves. Those are put together as one flat list of steps, on the
//! server mostly, and one small loop writes any of them as HTML or into the document. The list is also what travels.
//!
//! Text and values are text and values: they are escaped in HTML, and set as such in the document. Names of elements and
//! attributes are the program's own ([`Markup::new`] and [`Markup::attr`] take nothing else).

use crate::format;
use crate::server_fns::Moment;
use ledger::{Credits, Words};
use serde::{Deserialize, Serialize};

/// An element with all that is in it. Never empty: its first step opens it, and its end closes it.
///
/// A step is a text whose first letter says what it is: `<` opens an element, `@` is an attribute of the one opened last
/// (`@class=table`), `"` is text, `#` is a drawing, `>` closes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Markup(Vec<String>);

/// A step, read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'m> {
    /// An element begins.
    Open(&'m str),
    /// An attribute of it, and its value.
    Attribute(&'m str, &'m str),
    /// Text in it.
    Text(&'m str),
    /// A drawing in it, and nothing else.
    Drawing(&'m str),
    /// It ends.
    Close,
}

/// Elements without an end tag, of those that are used here.
const VOID: [&str; 4] = ["input", "br", "meta", "link"];

impl Markup {
    /// An empty element.
    #[must_use]
    pub fn new(tag: &'static str) -> Self {
        Self(vec![format!("<{tag}")])
    }

    /// With an attribute. Before anything is put in.
    #[must_use]
    pub fn attr(mut self, name: &'static str, value: &str) -> Self {
        debug_assert!(
            self.0.last().is_some_and(|step| step.starts_with(['<', '@'])),
            "an attribute behind what is in an element would be text: {name}"
        );
        self.0.push(format!("@{name}={value}"));
        self
    }

    /// With an attribute, where there is a value.
    #[must_use]
    pub fn maybe_attr(self, name: &'static str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.attr(name, value),
            None => self,
        }
    }

    /// With its class.
    #[must_use]
    pub fn class(self, class: &str) -> Self {
        self.attr("class", class)
    }

    /// With text at its end. No text is no step: in HTML there would be no node for it either.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        if !text.is_empty() {
            self.0.push(format!("\"{text}"));
        }
        self
    }

    /// With a drawing of [`crate::charts`] as all that is in it: an `<svg>` element whose text is escaped already.
    #[must_use]
    pub fn drawing(mut self, svg: &str) -> Self {
        self.0.push(format!("#{svg}"));
        self
    }

    /// With an element at its end.
    #[must_use]
    pub fn child(mut self, child: Self) -> Self {
        self.0.extend(child.0);
        self.0.push(">".to_owned());
        self
    }

    /// With elements at its end.
    #[must_use]
    pub fn children(self, children: impl IntoIterator<Item = Self>) -> Self {
        children.into_iter().fold(self, Self::child)
    }

    /// Its steps, without the last end.
    pub fn steps(&self) -> impl Iterator<Item = Step<'_>> {
        self.0.iter().filter_map(|step| {
            let rest = step.get(1..)?;
            Some(match step.as_bytes().first()? {
                b'<' => Step::Open(rest),
                b'@' => rest.split_once('=').map(|(name, value)| Step::Attribute(name, value))?,
                b'"' => Step::Text(rest),
                b'#' => Step::Drawing(rest),
                _ => Step::Close,
            })
        })
    }

    /// As HTML.
    pub fn write_html(&self, html: &mut String) {
        let mut open: Vec<&str> = Vec::new();
        // Whether the last start tag is still being written.
        let mut in_tag = false;
        for step in self.steps().chain([Step::Close]) {
            if in_tag && !matches!(step, Step::Attribute(..)) {
                html.push('>');
                in_tag = false;
            }
            match step {
                Step::Open(tag) => {
                    html.push('<');
                    html.push_str(tag);
                    open.push(tag);
                    in_tag = true;
                }
                Step::Attribute(name, value) => {
                    html.push(' ');
                    html.push_str(name);
                    html.push_str("=\"");
                    escape(html, value);
                    html.push('"');
                }
                Step::Text(text) => escape(html, text),
                Step::Drawing(svg) => html.push_str(svg),
                Step::Close => {
                    if let Some(tag) = open.pop().filter(|tag| !VOID.contains(tag)) {
                        html.push_str("</");
                        html.push_str(tag);
                        html.push('>');
                    }
                }
            }
        }
    }
}

fn escape(html: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            letter => html.push(letter),
        }
    }
}

/// A link.
#[must_use]
pub fn link(href: &str, text: &str) -> Markup {
    Markup::new("a").attr("href", href).text(text)
}

/// A link that looks like a button.
#[must_use]
pub fn button_link(href: &str, text: &str) -> Markup {
    Markup::new("a").class("button").attr("href", href).text(text)
}

/// A line of a list of facts.
#[must_use]
pub fn fact(label: &str, value: Markup) -> Markup {
    Markup::new("div").child(Markup::new("dt").text(label)).child(value)
}

/// A line of a list of facts that is only text.
#[must_use]
pub fn text_fact(label: &str, value: &str) -> Markup {
    fact(label, Markup::new("dd").text(value))
}

/// A table that scrolls in a region of its own.
#[must_use]
pub fn table(
    class: &str,
    label: &str,
    heads: &[&str],
    rows: impl IntoIterator<Item = Markup>,
    foot: Option<Markup>,
) -> Markup {
    // A head that ends with a tab stands over numbers.
    let head = |head: &&str| {
        let text = head.trim_end_matches('\t');
        let number = text.len() < head.len();
        Markup::new("th").attr("scope", "col").maybe_attr("class", number.then_some("number")).text(text)
    };
    let heads = Markup::new("thead").child(Markup::new("tr").children(heads.iter().map(head)));
    let body = Markup::new("tbody").children(rows);
    let foot = foot.map(|row| Markup::new("tfoot").child(row));
    let table = Markup::new("table").class("table").child(heads).child(body).children(foot);
    Markup::new("div").class(class).attr("tabindex", "0").attr("role", "region").attr("aria-label", label).child(table)
}

/// A row that begins with its head.
#[must_use]
pub fn row(head: Markup, cells: impl IntoIterator<Item = Markup>) -> Markup {
    Markup::new("tr").child(Markup::new("th").attr("scope", "row").child(head)).children(cells)
}

/// A cell of text.
#[must_use]
pub fn cell(text: &str) -> Markup {
    Markup::new("td").text(text)
}

/// A cell of a number.
#[must_use]
pub fn number(text: &str) -> Markup {
    Markup::new("td").class("number").text(text)
}

/// A point in time.
#[must_use]
pub fn time(moment: &Moment) -> Markup {
    Markup::new("time").attr("datetime", &moment.iso).text(&moment.text)
}

/// A cell of an amount.
#[must_use]
pub fn number_of(amount: Markup) -> Markup {
    Markup::new("td").class("number").child(amount)
}

/// An amount in the words of its org, in full on hover.
#[must_use]
pub fn amount(words: &Words, credits: Credits) -> Markup {
    shown(words, credits, &format::amount(words, credits))
}

/// An amount to the last micro-credit, where what is shown must add up.
#[must_use]
pub fn amount_in_full(words: &Words, credits: Credits) -> Markup {
    shown(words, credits, &format::in_full(words, credits))
}

/// The same without its unit, where that stands elsewhere.
#[must_use]
pub fn amount_bare(words: &Words, credits: Credits) -> Markup {
    shown(words, credits, &format::bare(words, credits))
}

/// An amount with a plus where something came: a ledger says in which direction.
#[must_use]
pub fn signed(words: &Words, credits: Credits) -> Markup {
    shown(words, credits, &format::signed(words, credits))
}

/// The same without its unit, where that heads the column.
#[must_use]
pub fn signed_bare(words: &Words, credits: Credits) -> Markup {
    let plus = if credits.is_positive() { "+" } else { "" };
    shown(words, credits, &format!("{plus}{}", format::bare(words, credits)))
}

fn shown(words: &Words, credits: Credits, text: &str) -> Markup {
    let class = if credits.is_zero() { "amount zero" } else { "amount" };
    Markup::new("span").class(class).attr("title", &format::in_full(words, credits)).text(text)
}

/// Text by itself.
#[must_use]
pub fn span(text: &str) -> Markup {
    Markup::new("span").text(text)
}

/// Hidden fields, so that a form keeps the rest of an address.
pub fn hidden<N: AsRef<str>>(pairs: Vec<(N, String)>) -> impl Iterator<Item = Markup> {
    let field = |(name, value): (N, String)| {
        Markup::new("input").attr("type", "hidden").attr("name", name.as_ref()).attr("value", &value)
    };
    pairs.into_iter().map(field)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn html(markup: &Markup) -> String {
        let mut html = String::new();
        markup.write_html(&mut html);
        html
    }

    #[test]
    fn it_is_written_as_html() {
        let field = Markup::new("input").attr("value", "a\"b");
        let markup = Markup::new("p").class("x").text("1 < 2 & ").child(link("/a?b&c", "here")).text("").child(field);
        let text = "<p class=\"x\">1 &lt; 2 &amp; <a href=\"/a?b&amp;c\">here</a><input value=\"a&quot;b\"></p>";
        assert_eq!(html(&markup), text);
        assert_eq!(html(&Markup::new("td")), "<td></td>");
        assert_eq!(html(&Markup::new("div").drawing("<svg></svg>")), "<div><svg></svg></div>");
    }

    proptest! {
        #[test]
        fn no_text_becomes_markup(text in ".{0,40}") {
            let markup = Markup::new("p").attr("title", &text).text(&text);
            let html = html(&markup);
            prop_assert_eq!(html.matches('<').count(), 2);
            prop_assert_eq!(html.matches('"').count(), 2);
            let json = serde_json::to_string(&markup).expect("serializes");
            let read: Markup = serde_json::from_str(&json).expect("reads");
            prop_assert_eq!(read, markup);
        }
    }
}
