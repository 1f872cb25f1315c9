//! Finding things: pages and settings by a word of their title, what events name by the beginning of an id or name, an event by
//! its number. `/search` is a page; `public/palette.js` asks for the same as JSON and shows it over any page.

use crate::components::settings;
use crate::components::workflows;
use crate::components::written::{Asked, Written};
use crate::error::AppError;
use crate::markup::{Markup, cell, table};
use ledger::{Permission, Role, Words};
use serde::Serialize;

/// The address of the page.
pub const PATH: &str = "/search";
/// Most letters that are looked for: as many as a name can have.
pub const MAX_TEXT_CHARS: usize = 256;

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hit {
    /// What it is: "Page", "Project", or the org's word for a workflow.
    pub kind: String,
    /// What it is called.
    pub title: String,
    /// Its id, where that says more.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// Where it is.
    pub href: String,
    /// The letter that goes there after `g`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<char>,
}

/// The main pages: address, title, the letter that goes there, and what it needs.
const PAGES: [(&str, &str, Option<char>, Option<Permission>); 18] = [
    ("/", "Overview", Some('o'), Some(Permission::SeeUsage)),
    ("/analytics", "Analytics", Some('a'), Some(Permission::SeeUsage)),
    ("/usage", "Usage", Some('u'), Some(Permission::SeeUsage)),
    ("/workflows", "Workflows", Some('w'), Some(Permission::SeeUsage)),
    ("/customers", "Customers", Some('m'), Some(Permission::SeeUsage)),
    ("/reports", "Reports", Some('r'), Some(Permission::SeeUsage)),
    ("/projects", "Projects", Some('p'), Some(Permission::SeeUsage)),
    ("/grants", "Grants", Some('g'), Some(Permission::SeeLedger)),
    ("/ledger", "Ledger", Some('l'), Some(Permission::SeeLedger)),
    ("/rate-card", "Rate card", Some('c'), Some(Permission::SeeLedger)),
    ("/billing", "Billing", Some('b'), Some(Permission::ManageBilling)),
    ("/billing/plan", "Plan", None, Some(Permission::ManageBilling)),
    ("/billing/purchases", "Purchases", None, Some(Permission::ManageBilling)),
    ("/billing/invoices", "Invoices", Some('i'), Some(Permission::ManageBilling)),
    ("/billing/payments", "Payments", None, Some(Permission::ManageBilling)),
    ("/settings", "Settings", Some('s'), None),
    ("/help", "Help", Some('h'), None),
    (PATH, "Search", None, Some(Permission::SeeUsage)),
];
/// The other keys, for the help sheet.
const KEYS: [(&str, &str); 3] = [("Ctrl K or \u{2318} K", "Search"), ("/", "Search"), ("?", "These shortcuts")];

/// Pages and settings that somebody may open and whose title has a word that begins with the text; all for no text.
#[must_use]
pub fn pages(role: Role, operator: bool, text: &str, words: &Words) -> Vec<Hit> {
    let may = |permission: Option<Permission>| permission.is_none_or(|permission| role.may(permission));
    let main = PAGES.iter().filter(|(.., permission)| may(*permission));
    let main = main.map(|(href, title, key, _)| ("Page", *href, titled(href, title, words), *key));
    let more = settings::entries(role, operator).map(|(section, href, title)| (section, href, title, None));
    let fits = |title: &str| {
        let (title, text) = (title.to_lowercase(), text.to_lowercase());
        title.starts_with(&text) || title.split(' ').any(|word| word.starts_with(&text))
    };
    main.chain(more)
        .filter(|(_, _, title, _)| fits(title))
        .map(|(kind, href, title, key)| Hit {
            kind: kind.to_owned(),
            title: title.to_owned(),
            detail: String::new(),
            href: href.to_owned(),
            key,
        })
        .collect()
}

/// What a page is called: that of workflows has the org's own word.
fn titled<'t>(href: &str, title: &'t str, words: &'t Words) -> &'t str {
    if href == workflows::PATH { &words.workflows } else { title }
}

/// The page.
///
/// # Errors
/// What the store says.
pub async fn page(asked: &Asked<'_>) -> Result<Written, AppError> {
    let text = asked.get("q");
    let hits = asked.backend.search(&asked.org, text).await?;
    let head = Markup::new("div").class("page-head").child(Markup::new("h1").text("Search"));
    let body =
        Markup::new("div").class("page").child(head).child(form(text)).child(found(text, &hits, &asked.org.words));
    Ok(Written { title: "Search".to_owned(), body: body.child(shortcuts(&asked.org.words)) })
}

fn form(text: &str) -> Markup {
    let input = Markup::new("input").attr("type", "search").attr("name", "q").attr("value", text);
    let input = input.attr("maxlength", &MAX_TEXT_CHARS.to_string()).attr("autocomplete", "off");
    let label = Markup::new("label").child(Markup::new("span").text("Id, name, event or page")).child(input);
    Markup::new("form")
        .class("fields search-form")
        .attr("role", "search")
        .attr("method", "get")
        .attr("action", PATH)
        .child(label)
        .child(Markup::new("button").class("button primary").text("Search"))
}

fn found(text: &str, hits: &[Hit], words: &Words) -> Markup {
    let title = if text.is_empty() { "Pages" } else { "Found" };
    let head = Markup::new("div").class("panel-head").child(Markup::new("h2").attr("id", "found").text(title));
    let panel = Markup::new("section").class("panel").attr("aria-labelledby", "found").child(head);
    if hits.is_empty() {
        let workflow = words.workflow.to_lowercase();
        let told = format!(
            "Nothing begins with this. Search finds pages by a word of their title; projects, {}, runs, users, tenants and \
             interactions by the beginning of their id or name; an event by its own id or its number, such as event_12. A {workflow} or user \
             that no event has named is not known yet.",
            words.workflows.to_lowercase()
        );
        return panel.child(Markup::new("p").class("muted").text(&told));
    }
    let rows = hits.iter().map(|hit| {
        let to = Markup::new("a").attr("href", &hit.href).attr("rel", "external").text(&hit.title);
        let kind = Markup::new("td").class("muted").text(&hit.kind);
        Markup::new("tr")
            .child(Markup::new("th").attr("scope", "row").class("found").child(to))
            .child(kind)
            .child(Markup::new("td").class("found").child(Markup::new("code").text(&hit.detail)))
    });
    panel.child(table("table-scroll", "What was found", &["Name", "What it is", "Id"], rows, None))
}

fn shortcuts(words: &Words) -> Markup {
    let key = |key: &str, what: &str| Markup::new("tr").child(Markup::new("td").child(keys(key))).child(cell(what));
    let pages =
        PAGES.iter().filter_map(|(href, title, letter, _)| letter.map(|letter| (letter, titled(href, title, words))));
    let pages = pages.map(|(letter, title)| key(&format!("g {letter}"), title));
    let rows = KEYS.iter().map(|(name, what)| key(name, what)).chain(pages);
    let why = "They need a script, count outside of fields, and can be turned off for this browser: press ? and take the tick away. \
               Ctrl K stays.";
    let head =
        Markup::new("div").class("panel-head").child(Markup::new("h2").attr("id", "keys").text("Keyboard shortcuts"));
    Markup::new("section")
        .class("panel")
        .attr("aria-labelledby", "keys")
        .child(head)
        .child(Markup::new("p").class("muted report-note").text(why))
        .child(table("table-scroll", "Keyboard shortcuts", &["Keys", "What they do"], rows, None))
}

/// Keys one after the other, each as a key.
fn keys(text: &str) -> Markup {
    let of = |part: &str| if part == "or" { Markup::new("span").text(" or ") } else { Markup::new("kbd").text(part) };
    Markup::new("span").class("keys").children(text.split(' ').map(of))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_found_by_any_word_of_its_title_and_only_by_those_who_may() {
        let titles = |role, text| {
            pages(role, false, text, &Words::default()).into_iter().map(|hit| hit.title).collect::<Vec<_>>()
        };
        assert_eq!(titles(Role::Owner, "car"), ["Rate card"]);
        assert!(titles(Role::Owner, "AUDIT").contains(&"Audit log".to_owned()));
        assert_eq!(titles(Role::Member, "audit"), Vec::<String>::new());
        assert!(titles(Role::Owner, "").len() > 15);
        assert!(!titles(Role::Owner, "").contains(&"Backups".to_owned()));
        assert!(pages(Role::Owner, true, "back", &Words::default()).iter().any(|hit| hit.title == "Backups"));
    }

    #[test]
    fn no_two_pages_have_the_same_key() {
        let mut letters: Vec<char> = PAGES.iter().filter_map(|(_, _, key, _)| *key).collect();
        let all = letters.len();
        letters.sort_unstable();
        letters.dedup();
        assert_eq!(letters.len(), all);
    }
}
