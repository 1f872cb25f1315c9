//! Markdown as [`Markup`]: the few elements that help texts use. Raw HTML in a text is text.

use crate::markup::Markup;
use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

/// The whole text, as an article whose headings can be linked to.
pub(super) fn article(text: &str) -> Markup {
    let mut events = Parser::new_ext(text, Options::ENABLE_TABLES);
    fill(Markup::new("article").class("help"), &mut events, false)
}

/// Puts everything up to the end of the present element into `into`.
fn fill(mut into: Markup, events: &mut Parser<'_>, in_head: bool) -> Markup {
    while let Some(event) = events.next() {
        into = match event {
            Event::End(_) => return into,
            Event::Start(tag) => element(into, tag, events, in_head),
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => into.text(&text),
            Event::Code(text) => into.child(Markup::new("code").text(&text)),
            Event::SoftBreak | Event::HardBreak => into.text(" "),
            Event::Rule
            | Event::InlineMath(_)
            | Event::DisplayMath(_)
            | Event::FootnoteReference(_)
            | Event::TaskListMarker(_) => into,
        };
    }
    into
}

fn element(into: Markup, tag: Tag<'_>, events: &mut Parser<'_>, in_head: bool) -> Markup {
    let new = match tag {
        Tag::Heading { level, .. } => return into.child(heading(level, events)),
        Tag::CodeBlock(kind) => return into.child(code(&kind, events)),
        Tag::Table(_) => return into.child(table(events)),
        Tag::TableCell if in_head => Markup::new("th").attr("scope", "col"),
        Tag::TableCell => Markup::new("td"),
        Tag::List(Some(_)) => Markup::new("ol"),
        Tag::List(None) => Markup::new("ul"),
        Tag::Item => Markup::new("li"),
        Tag::Strong => Markup::new("strong"),
        Tag::Emphasis => Markup::new("em"),
        Tag::BlockQuote(_) => Markup::new("blockquote"),
        Tag::Link { dest_url, .. } => Markup::new("a").attr("href", &dest_url).attr("rel", "external"),
        _ => Markup::new("p"),
    };
    into.child(fill(new, events, in_head))
}

/// Its head, then its rows in one body.
fn table(events: &mut Parser<'_>) -> Markup {
    let (mut head, mut body) = (Markup::new("thead"), Markup::new("tbody"));
    while let Some(event) = events.next() {
        match event {
            Event::Start(Tag::TableHead) => head = head.child(fill(Markup::new("tr"), events, true)),
            Event::Start(_) => body = body.child(fill(Markup::new("tr"), events, false)),
            _ => break,
        }
    }
    let scroll = Markup::new("div").class("table-scroll").attr("tabindex", "0").attr("role", "region");
    scroll.attr("aria-label", "Table").child(Markup::new("table").class("table").child(head).child(body))
}

fn heading(level: HeadingLevel, events: &mut Parser<'_>) -> Markup {
    let text = words(events);
    let tag = match level {
        HeadingLevel::H1 => "h1",
        HeadingLevel::H2 => "h2",
        _ => "h3",
    };
    let id: String = text.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    Markup::new(tag).attr("id", id.trim_matches('-')).text(&text)
}

fn code(kind: &CodeBlockKind<'_>, events: &mut Parser<'_>) -> Markup {
    let label = match kind {
        CodeBlockKind::Fenced(language) if &**language == "json" => "The answer",
        _ => "Commands",
    };
    let text = words(events);
    Markup::new("pre").attr("tabindex", "0").attr("aria-label", label).child(Markup::new("code").text(text.trim_end()))
}

/// The text up to the end of the present element.
fn words(events: &mut Parser<'_>) -> String {
    let mut text = String::new();
    let mut depth = 0_u32;
    for event in events {
        match event {
            Event::Start(_) => depth += 1,
            Event::End(TagEnd::Heading(_) | TagEnd::CodeBlock) => break,
            Event::End(_) => depth = depth.saturating_sub(1),
            Event::Text(more) | Event::Code(more) => text.push_str(&more),
            _ => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_elements_and_nothing_in_it_becomes_a_script() {
        let mut html = String::new();
        article("# Hold & go\n\nA **b** `c<d` [e](/f).\n\n| g | h |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n\n```sh\nls <x>\n```\n<script>alert(1)</script>")
            .write_html(&mut html);
        for part in [
            "<h1 id=\"hold---go\">Hold &amp; go</h1>",
            "<strong>b</strong> <code>c&lt;d</code> <a href=\"/f\" rel=\"external\">e</a>.",
            "<thead><tr><th scope=\"col\">g</th><th scope=\"col\">h</th></tr></thead><tbody><tr><td>1</td><td>2</td></tr><tr><td>3</td><td>4</td></tr></tbody>",
            "<pre tabindex=\"0\" aria-label=\"Commands\"><code>ls &lt;x&gt;</code></pre>",
            "&lt;script&gt;",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
        assert!(!html.contains("<script"));
    }
}
