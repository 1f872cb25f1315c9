//! The end of an organization: take everything along, then ask; or keep it after all.

use crate::components::people::parts::{behind, button, fields, form, hint, label, panel, paragraph};
use crate::markup::{Markup, time};
use crate::server_fns::Moment;

/// Where the page is.
pub const DELETION: &str = "/settings/deletion";
/// Where everything of the org is downloaded from.
pub const EXPORT: &str = "/exports/organization.jsonl";

/// What the page shows.
pub struct DeletionView {
    /// The org's name, which is typed to delete it.
    pub org: String,
    /// When it ends and who asked for it, if somebody did.
    pub ending: Option<(Moment, String)>,
    /// When it was last exported.
    pub exported: Option<Moment>,
    /// Whether that is recent enough.
    pub export_counts: bool,
    /// Days between asking and the end.
    pub grace_days: i64,
}

/// The page; `error` is the code of what was wrong with its form.
#[must_use]
pub fn page(view: &DeletionView, error: &str, done: &str) -> Markup {
    let wrong = match error {
        "" => None,
        "name_differs" => Some("What you typed is not the name of this organization. Nothing was changed."),
        "export_first" => Some("Download the export first, to its end."),
        _ => Some("This was done meanwhile, by you or by somebody else. See below how it stands."),
    };
    let wrong = wrong.map(|text| Markup::new("p").class("form-error").attr("role", "alert").text(text));
    let kept = (done == "kept").then(|| {
        Markup::new("p")
            .class("notice")
            .attr("role", "status")
            .text("The organization is kept. Keys work again from now on.")
    });
    let head = Markup::new("div").class("page-head").child(Markup::new("h1").text("Export and delete"));
    let second = match &view.ending {
        Some((at, by)) => ending(at, by),
        None => delete(view),
    };
    Markup::new("div").class("people").child(head).children(wrong).children(kept).child(export(view)).child(second)
}

fn export(view: &DeletionView) -> Markup {
    let last = match &view.exported {
        Some(at) => Markup::new("p").class("muted").text("Last made ").child(time(at)).text("."),
        None => hint("None has been made yet."),
    };
    let download =
        Markup::new("form").attr("method", "post").attr("action", EXPORT).child(button("Download the export"));
    panel("export", "Take everything along")
        .child(paragraph(
            "One file with every row that this organization has: events, charges, entries of the ledger, grants, rate cards, members, \
             keys without their secrets, the audit log. One JSON object per line; the last line says how many there are and where the \
             chain of the ledger ends.",
        ))
        .child(last)
        .child(download)
}

fn delete(view: &DeletionView) -> Markup {
    let days = view.grace_days;
    let panel = panel("delete", "Delete the organization").child(paragraph(&format!(
        "From then on no usage is taken, no key works for writing, and everybody sees on every page that it ends. After {days} days \
         everything is deleted, for ever. Until then an owner can keep it here."
    )));
    if !view.export_counts {
        return panel.child(hint("Download the export first: one of the last seven days is needed."));
    }
    let name = Markup::new("input")
        .attr("name", "name")
        .attr("autocomplete", "off")
        .attr("maxlength", "256")
        .attr("required", "");
    let delete = fields(DELETION, "end")
        .child(label(&format!("Type the name, {}, to confirm", view.org), name))
        .child(Markup::new("button").class("button danger").text("Delete this organization"));
    panel.child(behind("Delete\u{2026}", [delete]))
}

fn ending(at: &Moment, by: &str) -> Markup {
    let who = by.strip_prefix("user:").unwrap_or(by);
    panel("delete", "This organization ends")
        .child(Markup::new("p").text(&format!("{who} asked for its deletion. It begins ")).child(time(at)).text("."))
        .child(paragraph("Nothing is taken any more; everything can still be read and exported."))
        .child(form(DELETION, "keep").child(button("Keep the organization")))
}
