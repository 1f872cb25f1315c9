//! The words that pages use: those of the installation, and of the org in their place.

use super::fields::{Field, Typed, wrong};
use super::organization::notice;
use crate::components::people::parts::{behind, button, fields, form, hint, panel, paragraph, primary};
use crate::format;
use crate::markup::Markup;
use ledger::{Credits, Installation, Words};

/// Address of the page.
pub const TERMINOLOGY: &str = "/settings/terminology";
const OWN_ERROR_ID: &str = "own-error";
const ALL_ERROR_ID: &str = "installation-error";
/// Names of the two forms, and of the button that takes the org's words away.
const OWN: &str = "org";
const ALL: &str = "installation";
const RESET: &str = "reset";
/// What the example shows: enough for a separator and for decimals.
const EXAMPLE: Credits = Credits::from_micros(1_234_567_890);

/// What the page shows.
pub struct Terminology {
    /// What the installation is set to.
    pub installation: Installation,
    /// The words in force for the org.
    pub words: Words,
    /// Whether they are its own.
    pub own: bool,
    /// What the product is called for the org alone; empty where it is as in the installation.
    pub product: String,
    /// The org's name.
    pub org: String,
    /// Why the viewer may not change the org's words, if so.
    pub may_not: Option<String>,
    /// Whether the viewer runs the installation.
    pub operator: bool,
    /// What was typed.
    pub typed: Typed,
    /// What was just done.
    pub done: Option<&'static str>,
}

/// The page.
#[must_use]
pub fn page(view: &Terminology) -> Markup {
    let head = Markup::new("div").class("page-head").child(Markup::new("h1").text("Terminology"));
    let example = format::amount(&view.words, EXAMPLE);
    let workflows = format!("In force here: {example}, {}, {}.", view.words.workflow, view.words.workflows);
    let head = head.child(Markup::new("p").class("muted").text(&workflows));
    let page = Markup::new("div").class("settings-page").child(head).children(view.done.map(notice));
    page.child(own(view)).child(installation(view))
}

fn own(view: &Terminology) -> Markup {
    let Terminology { words, own, product, org, may_not, typed, installation, .. } = view;
    let stands = if *own {
        format!("{org} has words of its own, in the place of the installation\u{2019}s.")
    } else {
        format!("{org} uses the words of the installation. Saving gives it words of its own.")
    };
    let panel = panel("own-words", &format!("Words of {org}")).child(paragraph(&stands));
    if let Some(problem) = may_not {
        return panel.child(hint(problem));
    }
    let field = Field { typed, form: OWN, error_id: OWN_ERROR_ID };
    let name = format!("Empty: {}, as in the installation", installation.product);
    let name = field.line("Product name", "product", product, &[("maxlength", "48")], Some(&name));
    let grid = Markup::new("div").class("settings-fields").child(name).children(field.words(words));
    let foot = Markup::new("p").class("form-foot").child(primary("Save for this organization"));
    let form_of_words = fields(TERMINOLOGY, OWN).children(wrong(typed, OWN, OWN_ERROR_ID)).child(grid).child(foot);
    let reset = own.then(|| {
        let sure = paragraph("Its own words are forgotten. The audit log keeps them.");
        let now = form(TERMINOLOGY, RESET).child(button("Use the installation\u{2019}s now"));
        behind("Use the installation\u{2019}s words again\u{2026}", [sure, now])
    });
    panel.child(form_of_words).children(reset)
}

fn installation(view: &Terminology) -> Markup {
    let panel = panel("installation", "The whole installation");
    if !view.operator {
        let text = format!(
            "The product is called {} here. Only operators, who run this server, may change what holds for all organizations.",
            view.installation.product
        );
        return panel.child(hint(&text));
    }
    let field = Field { typed: &view.typed, form: ALL, error_id: ALL_ERROR_ID };
    let grid = Markup::new("div").class("settings-fields").children(field.installation(&view.installation));
    let foot = Markup::new("p").class("form-foot").child(primary("Save for the installation"));
    let form = fields(TERMINOLOGY, ALL).children(wrong(&view.typed, ALL, ALL_ERROR_ID)).child(grid).child(foot);
    panel.child(hint("Every organization without words of its own reads these.")).child(form)
}
