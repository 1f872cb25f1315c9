//! `/billing/invoices/{id}`: one invoice, or a draft of one, on the screen and on paper.

use super::pay::{self, Pay};
use super::purchase::state::again_without_script;
use super::sheet::{Grid, Row, Sheet, Total};
use super::{button, head, payments, status};
use crate::components::written::{Asked, Written};
use crate::error::AppError;
use crate::format::money;
use crate::markup::{Markup, table, text_fact, time};
use crate::server_fns::Moment;
use ledger::invoice::State;
use ledger::payment::Provider;
use ledger::{InvoiceId, Money};

/// An invoice's page is below it.
pub const PATH: &str = super::invoices::PATH;

/// What the page shows.
pub struct Shown {
    /// `invoice_3`
    pub id: InvoiceId,
    /// How it stands.
    pub state: State,
    /// What it says.
    pub sheet: Sheet,
    /// What is to be paid.
    pub due: Money,
    /// What was paid.
    pub paid: Money,
    /// Until when it is to be paid.
    pub due_at: Option<Moment>,
    /// Whether that is over.
    pub overdue: bool,
    /// When all was paid.
    pub paid_at: Option<Moment>,
    /// When the stored method is charged next.
    pub next_try_at: Option<Moment>,
    /// Payments for it, newest first.
    pub payments: Vec<payments::Payment>,
    /// The way to pay it, while it is open.
    pub pay: Option<Pay>,
    /// What the page has seen of the ledger and of payments.
    pub seen: String,
}

/// The page.
///
/// # Errors
/// [`AppError::NotFound`], or what the store says.
pub async fn page(asked: &Asked<'_>, id: &str, offered: &[Provider]) -> Result<Written, AppError> {
    let shown = asked.backend.invoice_shown(id, offered, asked.get("back") == "yes").await?;
    let title = shown.sheet.title.clone();
    let pdf = (shown.state != State::Draft).then(|| button(&format!("{PATH}/{}/pdf", shown.id), "Download PDF"));
    let controls = [Some(button(PATH, "All invoices")), pdf].into_iter().flatten();
    let live = Markup::new("div")
        .class("invoice-live")
        .attr("data-live", &shown.seen)
        .child(standing(&shown))
        .children(shown.pay.as_ref().map(pay::panel))
        .child(paper(&shown.sheet))
        .children(paid(&shown))
        .children(shown.pay.as_ref().and_then(|pay| again_without_script(pay.stands())));
    let body = Markup::new("div")
        .class("page invoice-page")
        .child(head(&title, "", controls))
        .child(live)
        .child(Markup::new("p").class("visually-hidden").attr("role", "status").attr("data-live-status", ""))
        .child(Markup::new("script").attr("src", "/live.js").attr("type", "module"));
    Ok(Written { title, body })
}

/// The state of an invoice, with its colour.
pub(super) fn state(state: State, overdue: bool) -> Markup {
    match (state, overdue) {
        (State::Draft, _) => status("quiet", "Draft"),
        (State::Open, false) => status("warn", "To be paid"),
        (State::Open, true) => status("danger", "Overdue"),
        (State::Paid, _) => status("ok", "Paid"),
        (State::Uncollectible, _) => status("danger", "Not paid"),
    }
}

fn standing(shown: &Shown) -> Markup {
    let said = match shown.state {
        State::Draft => "It waits for usage that comes late, and takes its number when it is issued.".to_owned(),
        State::Paid if shown.due.minor == 0 => "Nothing was left to pay.".to_owned(),
        State::Paid => "All of it is paid. Thank you.".to_owned(),
        State::Open if shown.next_try_at.is_some() => {
            "The stored payment method is charged by itself; without one, pay below, or by transfer as the invoice says."
                .to_owned()
        }
        State::Open => "Pay below, or by transfer as the invoice says.".to_owned(),
        State::Uncollectible => {
            "Nobody asks for it any more. Until it is paid the plan gives no new credits; a payment still counts."
                .to_owned()
        }
    };
    let moment = |label: &str, at: &Option<Moment>| {
        let at = at.as_ref()?;
        Some(crate::markup::fact(label, Markup::new("dd").child(time(at))))
    };
    let amounts = (shown.due.minor > 0 && shown.state != State::Draft)
        .then(|| [text_fact("To be paid", &money(shown.due)), text_fact("Paid", &money(shown.paid))]);
    let next = if shown.state == State::Open { moment("Charged next", &shown.next_try_at) } else { None };
    let facts = Markup::new("dl")
        .class("summary")
        .children(amounts.into_iter().flatten())
        .children(moment("Due", &shown.due_at))
        .children(moment("Paid on", &shown.paid_at))
        .children(next);
    Markup::new("section")
        .class("panel invoice-standing")
        .attr("aria-label", "How it stands")
        .child(Markup::new("p").child(state(shown.state, shown.overdue)).text(&format!(" \u{2013} {said}")))
        .child(facts)
}

/// The invoice itself.
fn paper(sheet: &Sheet) -> Markup {
    let facts = sheet.facts.iter().map(|(label, value)| text_fact(label, value));
    let parties = sheet.parties.iter().map(|(title, lines)| {
        let line = |line: &String| Markup::new("span").text(line);
        let lines = Markup::new("p").class("invoice-lines").children(lines.iter().map(line));
        Markup::new("div").child(Markup::new("h3").text(title)).child(lines)
    });
    let note = |text: &String| Markup::new("p").text(text);
    Markup::new("article")
        .class("panel invoice")
        .attr("aria-labelledby", "invoice-title")
        .child(Markup::new("h2").attr("id", "invoice-title").text(&sheet.title))
        .child(Markup::new("dl").class("summary").children(facts))
        .child(Markup::new("div").class("invoice-parties").children(parties))
        .child(grid(&sheet.money))
        .child(totals(&sheet.totals))
        .children(sheet.usage.as_ref().map(grid))
        .child(Markup::new("div").class("invoice-notes muted").children(sheet.notes.iter().map(note)))
}

fn grid(grid: &Grid) -> Markup {
    let heads: Vec<String> = grid
        .heads
        .iter()
        .enumerate()
        .map(|(place, head)| if place < grid.words { head.clone() } else { format!("{head}\t") })
        .collect();
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let cell = |place: usize, text: &String| {
        Markup::new("td").maybe_attr("class", (place >= grid.words).then_some("number")).text(text)
    };
    let row = |row: &Row| {
        let note = (!row.note.is_empty()).then(|| Markup::new("small").class("muted").text(&row.note));
        let first = Markup::new("span").text(row.cells.first().map_or("", String::as_str));
        let first = Markup::new("th").attr("scope", "row").child(first).children(note);
        let rest = row.cells.iter().enumerate().skip(1).map(|(place, text)| cell(place, text));
        Markup::new("tr").child(first).children(rest)
    };
    let foot = grid.total.as_ref().map(|cells| {
        let first = Markup::new("th").attr("scope", "row").text(cells.first().map_or("", String::as_str));
        let rest = cells.iter().enumerate().skip(1).map(|(place, text)| cell(place, text));
        Markup::new("tr").child(first).children(rest)
    });
    let note = (!grid.note.is_empty()).then(|| Markup::new("p").class("muted").text(&grid.note));
    Markup::new("section").class("invoice-part").child(Markup::new("h3").text(&grid.title)).children(note).child(table(
        "table-scroll",
        &grid.title,
        &heads,
        grid.rows.iter().map(row),
        foot,
    ))
}

fn totals(totals: &[Total]) -> Markup {
    let line = |total: &Total| {
        let class = total.strong.then_some("strong");
        let value = Markup::new("dd").text(&total.value);
        Markup::new("div").maybe_attr("class", class).child(Markup::new("dt").text(&total.label)).child(value)
    };
    Markup::new("dl").class("invoice-totals").children(totals.iter().map(line))
}

fn paid(shown: &Shown) -> Option<Markup> {
    let head = Markup::new("div").class("panel-head").child(Markup::new("h2").text("Payments"));
    (!shown.payments.is_empty()).then(|| {
        Markup::new("section")
            .class("panel invoice-payments")
            .attr("aria-label", "Payments")
            .child(head)
            .child(payments::list(&shown.payments))
    })
}
