//! `/operator/reconcile`: where payments, purchases, grants, invoices and the ledger do not say the same.

use super::{external, status};
use crate::components::operator::ORGANIZATIONS;
use crate::components::people::parts::{hint, panel};
use crate::format;
use crate::markup::{Markup, cell, row, span, table, time};
use crate::server_fns::Moment;

/// Address of the page.
pub const PATH: &str = "/operator/reconcile";

/// A difference.
pub struct Line {
    /// Its code.
    pub code: &'static str,
    /// Id and name of the org, where it is known.
    pub org: Option<(String, String)>,
    /// What it is about.
    pub about: String,
    /// What it means, and what to do.
    pub says: &'static str,
}

/// What the page shows.
pub struct Shown {
    /// When it was compared.
    pub at: Moment,
    /// Purchases, payments, refunds, items, invoices.
    pub compared: [i64; 5],
    /// All differences.
    pub lines: Vec<Line>,
}

/// The page.
#[must_use]
pub fn page(shown: &Shown) -> Markup {
    let about = "Payments beside purchases, grants, invoices and the ledger. Nothing is mended here: which side is right is for you to find out.";
    let head = Markup::new("div").class("page-head").child(Markup::new("h1").text("Reconciliation"));
    let head = head.child(Markup::new("p").class("muted").text(about));
    let [purchases, payments, refunds, items, invoices] = shown.compared;
    let compared = format!(
        "{}, {}, {}, {} and {}, as of ",
        format::counted(purchases, "purchase", "purchases"),
        format::counted(payments, "payment", "payments"),
        format::counted(refunds, "refund", "refunds"),
        format::counted(items, "item", "items"),
        format::counted(invoices, "invoice", "invoices"),
    );
    let compared = Markup::new("p").class("muted").text(&compared).child(time(&shown.at));
    let body = if shown.lines.is_empty() {
        panel("differences", "Differences")
            .child(Markup::new("p").child(status("ok", "Everything says the same.")))
            .child(compared)
    } else {
        let count = i64::try_from(shown.lines.len()).unwrap_or(i64::MAX);
        let found = status("danger", &format!("{} found", format::counted(count, "difference", "differences")));
        panel("differences", "Differences")
            .child(Markup::new("p").child(found))
            .child(compared)
            .child(list(&shown.lines))
    };
    let also = hint(
        "The same on the command line, for a cron job: scrip reconcile. Its exit status is 1 where something differs.",
    );
    Markup::new("div").class("settings-page reconcile").child(head).child(body).child(also)
}

fn list(lines: &[Line]) -> Markup {
    let line = |line: &Line| {
        let org = match &line.org {
            Some((id, name)) => external(&format!("{ORGANIZATIONS}?org={id}"), name),
            None => span("\u{2013}"),
        };
        let code = Markup::new("code").text(line.code);
        row(code, [Markup::new("td").child(org), cell(&line.about), Markup::new("td").class("says").text(line.says)])
    };
    let heads = ["Code", "Organization", "What", "What it means"];
    table("table-scroll in-panel", "Differences", &heads, lines.iter().map(line), None)
}
