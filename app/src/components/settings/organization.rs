//! What an organization is set to: a form with what is in force.

use super::fields::{Field, Typed, wrong};
use crate::components::people::parts::{fields, hint, panel, primary};
use crate::markup::Markup;
use ledger::{OrgSettings, Words};

/// Address of the page.
pub const ORGANIZATION: &str = "/settings/organization";
const ERROR_ID: &str = "organization-error";
const FORM: &str = "organization";

/// What the page shows.
pub struct Organization {
    /// What is in force.
    pub settings: OrgSettings,
    /// How credits are called.
    pub words: Words,
    /// Whether the zone can still change.
    pub zone_is_free: bool,
    /// The zones there are.
    pub zones: Vec<&'static str>,
    /// What was typed.
    pub typed: Typed,
    /// Whether it was just saved.
    pub saved: bool,
    /// For how long details of events are kept, and what of them is gone.
    pub kept: String,
}

/// The page.
#[must_use]
pub fn page(view: &Organization) -> Markup {
    let saved = view.saved.then(|| notice("The organization is saved, and counts on every page from now on."));
    Markup::new("div").class("settings-page").child(head()).children(saved).child(form(view))
}

fn head() -> Markup {
    let what = "What this organization is called, when its days begin, and when to say that little is left.";
    let head = Markup::new("div").class("page-head").child(Markup::new("h1").text("Organization"));
    head.child(Markup::new("p").class("muted").text(what))
}

/// A line that something was done.
#[must_use]
pub fn notice(text: &str) -> Markup {
    Markup::new("p").class("notice").attr("role", "status").text(text)
}

fn form(view: &Organization) -> Markup {
    let Organization { settings, words, zone_is_free, zones, typed, .. } = view;
    let field = Field { typed, form: FORM, error_id: ERROR_ID };
    let text = |value: Option<String>| value.unwrap_or_default();
    let limit = text(settings.low_balance.map(|limit| limit.to_string()));
    let days = text(settings.retention_days.map(|days| days.to_string()));
    let zone = if *zone_is_free {
        field.zone(&settings.zone, zones)
    } else {
        let hint = "Cannot change any more: days, billing cycles and tiers have been counted by it";
        field.line("Time zone", "zone", &settings.zone, &[("readonly", "")], Some(hint))
    };
    let limit_title = format!("Low-balance limit, in {}", words.unit);
    let grid = Markup::new("div").class("settings-fields").children([
        field.line(
            "Name",
            "name",
            &settings.name,
            &[("required", ""), ("maxlength", "200"), ("autocomplete", "organization")],
            None,
        ),
        zone,
        field.line(
            "Currency",
            "currency",
            settings.currency.as_str(),
            &[("required", ""), ("maxlength", "3"), ("autocapitalize", "characters")],
            Some("ISO 4217: what purchases are noted in unless another is said"),
        ),
        field.line(
            "Contact",
            "contact",
            settings.contact.as_deref().unwrap_or_default(),
            &[("maxlength", "200"), ("autocomplete", "off")],
            Some("An email address or a domain; may be empty"),
        ),
        field.line(
            &limit_title,
            "low_balance",
            &limit,
            &[("inputmode", "decimal"), ("autocomplete", "off")],
            Some("Overview says so from there down, and whoever manages billing is told; empty for never"),
        ),
        field.line(
            "Keep the detail of events, in days",
            "retention",
            &days,
            &[("inputmode", "numeric"), ("autocomplete", "off")],
            Some("30 to 3650 since they were booked, or empty for ever"),
        ),
    ]);
    let form = fields(ORGANIZATION, FORM).children(wrong(typed, FORM, ERROR_ID)).child(grid);
    let form = form.child(Markup::new("p").class("form-foot").child(primary("Save")));
    let zones = if *zone_is_free {
        "The time zone can change until the first usage, expiry or other booking but a grant: it decides on which day, and in \
         which billing cycle, something counts."
    } else {
        "Another time zone for a chart: ask GET /api/v1/usage with tz."
    };
    let kept = format!(
        "{} What is older is pruned some minutes after it has come of age, and cannot be brought back: single events, their \
         attributes and explanations. Balances, entries, charts, reports and the sums of runs and customers stay as they are, and an \
         event that was sent before is known for ever.",
        view.kept
    );
    panel("organization", "What it is set to").child(form).child(hint(&kept)).child(hint(zones))
}
