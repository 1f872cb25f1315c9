//! Which versions there were, and a form to compare two of them.

use crate::components::entry_filter::labelled;
use crate::markup::{Markup, button_link, link, row, table, time};
use crate::server_fns::Moment;

/// A version in the list.
#[derive(Debug, Clone)]
pub struct VersionLine {
    /// Its number.
    pub version: i64,
    /// Where it stands.
    pub status: &'static str,
    /// Its class in [`crate::components`]' styles.
    pub class: &'static str,
    /// From when it rates, or was to.
    pub effective_at: Moment,
    /// Whether its time never came.
    pub never: bool,
    /// When it was laid down.
    pub created_at: Moment,
    /// By whom.
    pub cause: String,
    /// How many lines it has.
    pub lines: usize,
}

/// The panel. `compared` are the two that are looked at.
#[must_use]
pub fn versions(lines: &[VersionLine], compared: (i64, i64), newest: i64, older: Option<&str>) -> Markup {
    let line = |line: &VersionLine| {
        let status = Markup::new("span").class(&format!("status {}", line.class)).text(line.status);
        let by = Markup::new("td").child(time(&line.created_at)).text(&format!(" by {}", line.cause));
        row(
            link(&format!("/rate-card?version={}#edit", line.version), &format!("Version {}", line.version)),
            [
                Markup::new("td").child(status),
                Markup::new("td").text(if line.never { "Was to be " } else { "" }).child(time(&line.effective_at)),
                by,
                Markup::new("td").class("number").text(&line.lines.to_string()),
            ],
        )
    };
    let heads = ["Version", "Status", "In force from", "Laid down", "Lines\t"];
    let title = Markup::new("h2").attr("id", "versions-title").text("Versions");
    let older = older.map(|href| Markup::new("p").class("turn").child(button_link(href, "Older versions")));
    Markup::new("section")
        .class("panel")
        .attr("id", "versions")
        .attr("aria-labelledby", "versions-title")
        .child(
            Markup::new("div")
                .class("panel-head")
                .child(title)
                .children((newest > 1).then(|| compare_form(compared, newest))),
        )
        .child(table("table-scroll", "List of versions", &heads, lines.iter().map(line), None))
        .children(older)
}

fn compare_form((from, to): (i64, i64), newest: i64) -> Markup {
    let field = |name: &str, value: i64| {
        Markup::new("input")
            .attr("type", "number")
            .attr("name", name)
            .attr("value", &value.to_string())
            .attr("min", "1")
            .attr("max", &newest.to_string())
            .attr("required", "")
    };
    Markup::new("form")
        .class("fields compare-form")
        .attr("method", "get")
        .attr("action", "/rate-card#compared")
        .attr("aria-label", "Compare two versions")
        .child(labelled("Version", field("from", from)))
        .child(labelled("with version", field("to", to)))
        .child(Markup::new("button").class("button").text("Compare"))
}
