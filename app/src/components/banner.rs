//! What everybody should know whatever page they are on: work is refused, or there is debt.

use super::filled::{Filled, any};
use super::still::Still;
use crate::app::SessionResource;
use crate::format;
use crate::markup::Markup;
use ledger::Words;
use leptos::prelude::*;

/// Where credits are bought. Said here again, since that page is not compiled for the browser.
const BUY: &str = "/billing/purchase";

/// A line below the header; nothing while all is well. It comes with the page, so that nothing moves when it appears.
#[component]
pub fn Banner(
    /// Who is looking.
    who: SessionResource,
) -> impl IntoView {
    let line = who.shown(|who| any(who.ok().flatten().and_then(|who| who.warning).map(Still)));
    view! { <Filled shown=line/> }
}

/// How whoever looks comes by more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum More {
    /// They run the installation, and give it.
    Give,
    /// They may buy it.
    Buy,
    /// Others of their organization may.
    Ask,
}

impl More {
    /// Where that is, and what the link there says.
    #[must_use]
    pub fn link(self, noun: &str) -> (&'static str, String) {
        match self {
            Self::Give => ("/grants#give", format!("Give {noun}")),
            Self::Buy => (BUY, format!("Buy {noun}")),
            Self::Ask => ("/grants", "See grants".to_owned()),
        }
    }
}

/// The line: a sentence, and what whoever reads it can do.
#[must_use]
pub fn warning(words: &Words, paused: bool, text: &str, more: More) -> Markup {
    let (href, todo) = more.link(format::noun(words));
    let todo = Markup::new("a").attr("href", href).attr("rel", "external").text(&todo);
    Markup::new("aside")
        .class(if paused { "banner paused" } else { "banner" })
        .attr("aria-label", "Balance")
        .child(Markup::new("p").text(text).text(" ").child(todo))
}

/// The line of an org whose balance is low: it leads to where there is more.
#[must_use]
pub fn low(words: &Words, text: &str, more: More) -> Markup {
    let (href, todo) = more.link(format::noun(words));
    let todo = Markup::new("a").class("button").attr("href", href).attr("rel", "external").text(&todo);
    // What draws attention is beside the words, which stand still.
    let sign = Markup::new("span").class("banner-sign").attr("aria-hidden", "true");
    Markup::new("aside")
        .class("banner low")
        .attr("aria-label", "Balance")
        .child(Markup::new("p").child(sign).text(text).text(" ").child(todo))
}

/// The line of an org that will be deleted.
#[must_use]
pub fn ending(at: &str) -> Markup {
    let link = Markup::new("a").attr("href", "/settings/deletion").attr("rel", "external").text("Keep it");
    let text = format!("This organization will be deleted on {at} and takes nothing any more.");
    Markup::new("aside")
        .class("banner paused")
        .attr("aria-label", "Deletion")
        .child(Markup::new("p").text(&text).text(" ").child(link))
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::components::billing::purchase::PURCHASE;

    #[test]
    fn a_banner_leads_to_where_whoever_reads_it_finds_more() {
        assert_eq!(BUY, PURCHASE);
        for (more, href, text) in [
            (More::Give, "/grants#give", "Give credits"),
            (More::Buy, PURCHASE, "Buy credits"),
            (More::Ask, "/grants", "See grants"),
        ] {
            for banner in [low(&Words::default(), "Low", more), warning(&Words::default(), true, "Out", more)] {
                let mut html = String::new();
                banner.write_html(&mut html);
                assert!(html.contains(&format!("href=\"{href}\"")) && html.contains(text), "{html}");
            }
        }
    }
}
