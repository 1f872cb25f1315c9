//! Organizations of the installation: all, and one.

use super::{ORGANIZATIONS, OrgLine, Organization, Organizations, go, head};
use crate::components::people::parts::{fields, hidden, hint, label, panel, primary};
use crate::markup::{Markup, amount, cell, fact, number, number_of, row, span, table, text_fact, time};
use ledger::OrgState;

/// The list, and a form for another.
pub(super) fn list(view: &Organizations) -> Vec<Markup> {
    let search = Markup::new("input").attr("type", "search").attr("name", "q").attr("value", &view.search);
    let search = Markup::new("form")
        .class("fields")
        .attr("method", "get")
        .attr("action", ORGANIZATIONS)
        .attr("role", "search")
        .child(Markup::new("label").child(Markup::new("span").text("Name begins with")).child(search))
        .child(Markup::new("button").class("button").text("Search"));
    let heads = ["Organization", "State", "Available\t", "Debt\t", "Events\t", "Time zone"];
    let found = panel("orgs", "Organizations").child(search);
    let found = if view.lines.is_empty() {
        found.child(hint("None of that name."))
    } else {
        found.child(table("table-scroll in-panel", "Organizations", &heads, view.lines.iter().map(line), None))
    };
    let more = view.more.as_deref().map(|href| Markup::new("p").class("turn").child(go(href, "More")));
    let mut page = vec![head("Organizations", "Everybody whose ledger is in this installation.")];
    page.push(found.children(more));
    page.push(create(&view.presets));
    if !view.deleted.is_empty() {
        let heads = ["Was", "Deleted", "Entries\t", "Hash of the last"];
        let rows = view.deleted.iter().map(|(id, at, entries, hash)| {
            let hash = Markup::new("td").child(Markup::new("code").text(hash));
            row(span(id), [Markup::new("td").child(time(at)), number(&entries.to_string()), hash])
        });
        page.push(panel("deleted", "Deleted").child(table("table-scroll in-panel", "Deleted", &heads, rows, None)));
    }
    page
}

fn line(org: &OrgLine) -> Markup {
    let name = go(&format!("{ORGANIZATIONS}?org={}", org.id), &org.name);
    let cells = [
        state(org),
        number_of(amount(&org.words, org.balance.available)),
        number_of(amount(&org.words, org.balance.debt)),
        number(&crate::format::count(org.events)),
        cell(&org.zone),
    ];
    row(name, cells)
}

fn state(org: &OrgLine) -> Markup {
    let cell = Markup::new("td");
    if let Some(ends) = &org.ends {
        return cell.text("Ends ").child(time(ends));
    }
    let text = match org.balance.state {
        OrgState::Active => "Active",
        OrgState::Paused => "Paused",
    };
    let synthetic = org.synthetic.then(|| Markup::new("span").class("badge small").text("Synthetic"));
    cell.text(text).text(" ").children(synthetic)
}

fn presets(names: &[String]) -> Markup {
    let options = names.iter().map(|name| Markup::new("option").attr("value", name).text(name));
    Markup::new("select").attr("name", "preset").children(options)
}

fn create(names: &[String]) -> Markup {
    let text = |name: &'static str, value: &str| {
        Markup::new("input").attr("name", name).attr("value", value).attr("maxlength", "256").attr("required", "")
    };
    panel("create", "Another organization")
        .child(hint("You become its owner: invite its people under Members, then leave it to them."))
        .child(
            fields(ORGANIZATIONS, "create")
                .child(label("Name", text("name", "")))
                .child(label("Time zone", text("zone", "UTC")))
                .child(label("Preset", presets(names)))
                .child(primary("Create")),
        )
}

/// One org: how it stands, and what an operator does for it.
pub(super) fn one(view: &Organization) -> Vec<Markup> {
    let org = &view.line;
    let about = format!("{}, days of {}", org.id, org.zone);
    let facts = Markup::new("dl")
        .class("facts")
        .child(fact("Available", dd(amount(&org.words, org.balance.available))))
        .child(fact("Held", dd(amount(&org.words, org.balance.held))))
        .child(fact("Debt", dd(amount(&org.words, org.balance.debt))))
        .child(text_fact("Events", &crate::format::count(org.events)))
        .child(text_fact("Entries", &crate::format::count(view.chain.0)))
        .child(fact("Chain ends with", dd(Markup::new("code").class("hash").text(&view.chain.1))))
        .child(text_fact("API keys in force", &view.keys.to_string()))
        .child(fact("Since", dd(time(&view.since))));
    let members = view.members.iter().map(|(email, role)| row(span(email), [cell(role)]));
    let members = table("table-scroll in-panel", "Members", &["Email", "Role"], members, None);
    vec![
        head(&org.name, &about),
        panel("stands", "How it stands").child(facts),
        offers(view),
        adjust(&org.id),
        invoice(&org.id),
        policy(view),
        panel("members", "Members").child(members),
        Markup::new("p").child(go(ORGANIZATIONS, "All organizations")),
    ]
}

fn dd(value: Markup) -> Markup {
    Markup::new("dd").child(value)
}

/// What it can subscribe to and buy, and the way to offer what a preset sells.
fn offers(view: &Organization) -> Markup {
    let told = |titles: &[String]| if titles.is_empty() { "None".to_owned() } else { titles.join(", ") };
    let facts = Markup::new("dl")
        .class("facts")
        .child(text_fact("Plans", &told(&view.plans)))
        .child(text_fact("Packages", &told(&view.packages)));
    panel("offers", "What is offered")
        .child(facts)
        .child(
            fields(ORGANIZATIONS, "offer")
                .child(hidden("org", &view.line.id))
                .child(label("Offer what a preset sells instead", presets(&view.presets)))
                .child(primary("Offer")),
        )
        .child(hint("Whoever subscribed keeps their plan, and what was bought stays as it was."))
}

fn adjust(id: &str) -> Markup {
    let amount = Markup::new("input").attr("name", "amount").attr("inputmode", "decimal").attr("required", "");
    let reason = Markup::new("input").attr("name", "reason").attr("maxlength", "256").attr("required", "");
    panel("adjust", "Adjust the balance")
        .child(hint(
            "Above zero gives, below zero takes. The reason stands in the ledger and in the audit log, for ever.",
        ))
        .child(
            fields(ORGANIZATIONS, "adjust")
                .child(hidden("org", id))
                .child(hidden("key", &crate::backend::desk::new_key()))
                .child(label("Credits, such as 12.5 or \u{2212}3", amount))
                .child(label("Reason", reason))
                .child(primary("Adjust")),
        )
}

fn invoice(id: &str) -> Markup {
    let input = |name: &'static str| Markup::new("input").attr("name", name).attr("required", "");
    panel("invoice", "Put something onto the next invoice")
        .child(hint("Net, in money: above zero charges, below zero gives back. The text stands on the invoice. Credits stay as they are."))
        .child(
            fields(ORGANIZATIONS, "invoice")
                .child(hidden("org", id))
                .child(hidden("key", &crate::backend::desk::new_key()))
                .child(label("Amount, such as 12.50 or \u{2212}3", input("amount").attr("inputmode", "decimal")))
                .child(label("Currency", input("currency").attr("maxlength", "3").attr("placeholder", "EUR")))
                .child(label("What for", input("reason").attr("maxlength", "200")))
                .child(primary("Put onto the invoice")),
        )
}

fn policy(view: &Organization) -> Markup {
    let options = [
        ("pause", "Pause: new work is refused"),
        ("finish_in_flight", "Finish in flight: what is held may end"),
        ("overdraft", "Overdraft, up to a limit"),
    ];
    let options = options.map(|(value, words)| {
        let selected = (value == view.policy).then_some("");
        Markup::new("option").attr("value", value).maybe_attr("selected", selected).text(words)
    });
    let select = Markup::new("select").attr("name", "policy").children(options);
    let limit = Markup::new("input")
        .attr("name", "limit")
        .attr("inputmode", "decimal")
        .maybe_attr("value", view.limit.as_deref());
    panel("policy", "When credits run out").child(
        fields(ORGANIZATIONS, "policy")
            .child(hidden("org", &view.line.id))
            .child(label("What happens", select))
            .child(label("Limit of an overdraft, in credits", limit))
            .child(primary("Save")),
    )
}
