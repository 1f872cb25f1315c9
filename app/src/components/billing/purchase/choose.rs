//! `/billing/purchase`: choose what to buy, see what it costs with tax, confirm. Two steps of one page: the first is a GET, so that
//! the second has an address, and works without a script.

use super::{METHODS, PURCHASE, PURCHASES, external, sum, told, way};
use crate::backend::purchases::{Method, Package, Quote};
use crate::components::people::parts::{hidden, hint, panel};
use crate::components::written::{Asked, Written};
use crate::error::AppError;
use crate::format;
use crate::markup::Markup;
use ledger::package::{Terms, VolumePrices};
use ledger::payment::Provider;
use ledger::{Credits, Currency, Money, PackageId, Words};

/// What the page shows.
pub struct Shop {
    /// What can be bought.
    pub packages: Vec<Package>,
    /// Methods that can be charged.
    pub methods: Vec<Method>,
    /// Who can be paid.
    pub offered: Vec<Provider>,
    /// What is chosen, with its price.
    pub chosen: Option<Chosen>,
    /// What was typed.
    pub package: String,
    /// What was typed.
    pub credits: String,
    /// What was chosen.
    pub pay: String,
    /// What was wrong.
    pub error: Option<String>,
}

/// What is about to be bought.
pub struct Chosen {
    /// Which package.
    pub package: PackageId,
    /// How many, for a custom amount.
    pub credits: Option<Credits>,
    /// What it costs.
    pub quote: Quote,
    /// The form's key: sent twice, it buys once.
    pub key: String,
}

/// The page.
///
/// # Errors
/// What the store says.
pub async fn page(asked: &Asked<'_>, offered: &[Provider]) -> Result<Written, AppError> {
    let shop = asked.backend.shop(offered, &asked.query).await?;
    let title = "Purchase credits".to_owned();
    let links = Markup::new("div")
        .class("controls")
        .child(external(PURCHASES, "Purchases"))
        .child(external(METHODS, "Payment methods"));
    let head = Markup::new("div").class("page-head").child(Markup::new("h1").text(&title)).child(links);
    let words = &asked.org.words;
    let body = Markup::new("div").class("page billing").child(head);
    let body = match &shop.chosen {
        Some(chosen) => body.child(review(&shop, chosen, words)),
        None => body.child(choose(&shop, words)),
    };
    Ok(Written { title, body })
}

fn wrong(shop: &Shop) -> Option<Markup> {
    let code = shop.error.as_deref()?;
    Some(Markup::new("p").attr("id", "buy-error").class("form-error").attr("role", "alert").text(told(code)))
}

fn choose(shop: &Shop, words: &Words) -> Markup {
    let panel = panel("buy", "Choose what to buy");
    if shop.packages.is_empty() {
        let text = "Nothing is offered to this organization yet. Whoever runs this server can offer packages: scrip org offer.";
        return panel.child(hint(text));
    }
    if shop.offered.is_empty() {
        return panel.child(hint("There is no way to pay here yet. Whoever runs this server can set one up."));
    }
    let first = shop.packages.first().map(|package| package.id.to_string()).unwrap_or_default();
    let picked = if shop.package.is_empty() { first } else { shop.package.clone() };
    let rows = shop.packages.iter().map(|package| line(package, shop, words, &picked));
    let rows = Markup::new("fieldset")
        .class("purchase-choices")
        .child(Markup::new("legend").class("visually-hidden").text("Packages"))
        .children(rows);
    let next = Markup::new("button").class("button primary").text("See what it costs");
    let form = Markup::new("form").attr("method", "get").attr("action", PURCHASE).class("purchase-form");
    panel.children(wrong(shop)).child(form.child(rows).child(Markup::new("p").child(next)))
}

fn line(package: &Package, shop: &Shop, words: &Words, picked: &str) -> Markup {
    let id = package.id.to_string();
    let checked = (picked == id).then_some("");
    let radio = Markup::new("input")
        .attr("type", "radio")
        .attr("name", "package")
        .attr("value", &id)
        .maybe_attr("checked", checked);
    let name = Markup::new("b").text(&package.title);
    let row = |told: &str| {
        let label = Markup::new("label").class("purchase-choice").child(radio.clone()).child(name.clone());
        label.child(Markup::new("span").class("number").text(told))
    };
    match &package.terms {
        Terms::Fixed { price, credits } => {
            row(&format::money(*price)).child(Markup::new("small").class("muted").text(&each(*price, *credits, words)))
        }
        Terms::Custom { prices, currency } => {
            let field = custom(prices, shop, &id);
            let all = Markup::new("div").class("purchase-custom").child(row("by volume")).child(field);
            all.child(steps(prices, *currency, words))
        }
    }
}

/// What a thousand cost, so that packages can be compared.
fn each(price: Money, credits: Credits, words: &Words) -> String {
    let per = i128::from(price.minor) * 1_000 * i128::from(ledger::credits::MICROS_PER_CREDIT);
    let per = i64::try_from(per / i128::from(credits.micros().max(1))).unwrap_or(i64::MAX);
    let thousand = Credits::from_micros(1_000 * ledger::credits::MICROS_PER_CREDIT);
    format!("{} per {}, before tax", format::money(Money { minor: per, ..price }), format::short(words, thousand))
}

fn custom(prices: &VolumePrices, shop: &Shop, id: &str) -> Markup {
    let (min, max) = (format::credits(prices.min(), 0), format::credits(prices.max, 0));
    let value = if shop.package == id { shop.credits.as_str() } else { "" };
    let wrong = (shop.error.as_deref() == Some("bad_purchase_amount")).then_some("true");
    let input = Markup::new("input")
        .attr("name", "credits")
        .attr("inputmode", "numeric")
        .attr("autocomplete", "off")
        .attr("maxlength", "20")
        .attr("value", value)
        .maybe_attr("aria-invalid", wrong)
        .maybe_attr("aria-describedby", wrong.map(|_| "buy-error"));
    let field =
        Markup::new("label").class("field").child(Markup::new("span").text(&format!("How many, from {min} to {max}")));
    field.child(input)
}

fn steps(prices: &VolumePrices, currency: Currency, words: &Words) -> Markup {
    let thousand = Credits::from_micros(1_000 * ledger::credits::MICROS_PER_CREDIT);
    let per = format::short(words, thousand);
    let step = |step: &ledger::package::VolumeStep| {
        let price = format::money(Money { minor: step.per_1000_minor, currency });
        Markup::new("li").text(&format!("from {}: {price} per {per}", format::credits(step.from, 0)))
    };
    Markup::new("ul").class("purchase-steps muted").children(prices.steps.iter().map(step))
}

fn review(shop: &Shop, chosen: &Chosen, words: &Words) -> Markup {
    let quote = &chosen.quote;
    let what = format!("{} for this organization, which never expire.", format::amount(words, quote.credits));
    let total = quote.gross().map(|gross| gross.to_string()).unwrap_or_default();
    let ways = ways(&shop.methods, &shop.offered, &shop.pay);
    let gross = quote.gross().map(format::money).unwrap_or_default();
    let confirm = Markup::new("button").class("button primary").text(&format!("Buy for {gross}"));
    let back = external(PURCHASE, "Choose something else");
    let form = Markup::new("form").attr("method", "post").attr("action", PURCHASE).class("purchase-form");
    let form = form
        .child(hidden("package", &chosen.package.to_string()))
        .child(hidden("credits", &chosen.credits.map_or_else(String::new, |credits| credits.to_string())))
        .child(hidden("total", &total))
        .child(hidden("key", &chosen.key))
        .child(ways)
        .child(Markup::new("p").class("purchase-go").child(confirm).child(back));
    panel("buy", "Check and confirm")
        .children(wrong(shop))
        .child(Markup::new("p").text(&what))
        .children(cheaper(shop, chosen, words))
        .child(sum(quote))
        .child(form)
}

/// Where a little more costs less, it is said before somebody pays.
fn cheaper(shop: &Shop, chosen: &Chosen, words: &Words) -> Option<Markup> {
    let package = shop.packages.iter().find(|package| package.id == chosen.package)?;
    let Terms::Custom { prices, currency } = &package.terms else { return None };
    let (more, less) = prices.cheaper(chosen.credits?, *currency)?;
    let href =
        format!("{PURCHASE}?package={}&credits={}", package.id, more.micros() / ledger::credits::MICROS_PER_CREDIT);
    let text = format!("{} cost less: {} before tax", format::short(words, more), format::money(less));
    Some(Markup::new("p").class("notice").child(external(&href, &text)))
}

/// How somebody pays: stored methods, then providers.
pub(in crate::components::billing) fn ways(methods: &[Method], offered: &[Provider], pay: &str) -> Markup {
    let stored = methods.iter().map(|method| (method.id.to_string(), method.title.clone(), "Stored; charged at once"));
    let pages = offered.iter().map(|provider| {
        let (title, more) = way(*provider);
        (provider.as_str().to_owned(), title.to_owned(), more)
    });
    let all: Vec<_> = stored.chain(pages).collect();
    let picked = all.iter().find(|(value, ..)| value == pay).or_else(|| all.first()).map(|(value, ..)| value.clone());
    let row = |(value, title, more): &(String, String, &str)| {
        let checked = (picked.as_ref() == Some(value)).then_some("");
        let radio = Markup::new("input")
            .attr("type", "radio")
            .attr("name", "pay")
            .attr("value", value)
            .maybe_attr("checked", checked);
        let label = Markup::new("label").class("purchase-choice").child(radio).child(Markup::new("b").text(title));
        label.child(Markup::new("small").class("muted").text(more))
    };
    let legend = Markup::new("legend").text("How do you pay?");
    Markup::new("fieldset").class("purchase-choices").child(legend).children(all.iter().map(row))
}
