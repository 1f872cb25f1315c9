//! What operators do from pages: give credits, adjust by hand. Forms in, the address of the page that tells what came of
//! it out: everything works without a script, and a form that is sent twice counts once.

use super::{Backend, Viewer};
use crate::components::grants::data::{Desk, Preview};
use crate::error::AppError;
use crate::format;
use crate::query;
use crate::refused::sentence;
use chrono::{LocalResult, NaiveDateTime, TimeZone};
use ledger::canon::{Canon, Hash};
use ledger::cube::MeterInfo;
use ledger::rollover::Cap;
use ledger::{
    Credits, Currency, Grant, GrantId, GrantKind, Label, Meter, Money, Refusal, Rollover, Scope, Timestamp, Words,
};
use std::fmt::Write as _;
use store::{CorrectionRequest, Drawdown, NewGrant, Once, Org, Store, StoreError};

/// Longest value that goes back into the form: longer ones are refused anyway.
const MAX_KEPT_CHARS: usize = 600;
/// Length of a form's key in bytes.
const KEY_BYTES: usize = 16;
/// What an old or forged form is told.
const STALE: &str = "stale_form";

/// What is typed to adjust a balance.
#[derive(Debug, Clone, Default)]
pub struct Adjustment {
    /// Above or below zero, as typed.
    pub amount: String,
    /// From which grant, or empty.
    pub grant: String,
    /// Why.
    pub reason: String,
}

/// Why a form was not taken: a code that the form has a sentence for.
#[derive(Debug)]
pub enum NotTaken {
    /// A rule, or what was typed.
    Form(&'static str),
    /// The store.
    Store(StoreError),
}

impl From<StoreError> for NotTaken {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Refused(refusal) => Self::Form(refusal.code()),
            StoreError::NoSale(refusal) => Self::Form(refusal.code()),
            StoreError::NoRefund(refusal) => Self::Form(refusal.code()),
            error => Self::Store(error),
        }
    }
}

impl From<Refusal> for NotTaken {
    fn from(refusal: Refusal) -> Self {
        Self::Form(refusal.code())
    }
}

/// A form as it was sent.
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    pub(super) fn parse(body: &str) -> Self {
        Self(query::parse(body))
    }

    pub(super) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.trim())
    }

    pub(super) fn all<'f, 'n>(&'f self, name: &'n str) -> impl Iterator<Item = &'f str> + use<'f, 'n> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.trim())
    }

    /// The form's one-time key, and what makes two forms the same.
    pub(super) fn once(&self, what: &str) -> Result<Once, NotTaken> {
        let key = self.get("key");
        let plain = key.len() == 2 * KEY_BYTES && key.bytes().all(|b| b.is_ascii_hexdigit());
        if !plain {
            return Err(NotTaken::Form(STALE));
        }
        Ok(Once { key: format!("page:{key}"), request: self.hash(what) })
    }

    fn hash(&self, what: &str) -> Hash {
        let mut canon = Canon::new("scrip-page-form-1");
        canon.text(what).count(self.0.len());
        for (name, value) in &self.0 {
            canon.text(name).text(value);
        }
        canon.hash()
    }

    /// The page's address with the error and what was typed.
    fn back(&self, code: &str, anchor: &str) -> String {
        self.back_to("/grants", code, anchor)
    }

    /// The same for another page.
    pub(super) fn back_to(&self, page: &str, code: &str, anchor: &str) -> String {
        let mut query = String::new();
        query::push(&mut query, "error", code);
        for (name, value) in self.0.iter().filter(|(name, _)| !matches!(name.as_str(), "key" | "error")) {
            let kept: String = value.chars().take(MAX_KEPT_CHARS).collect();
            query::push(&mut query, name, &kept);
        }
        format!("{page}?{query}#{anchor}")
    }
}

impl Backend {
    /// Gives what the form says; the address of the page that confirms it, or that says what to change.
    ///
    /// # Errors
    /// [`AppError::NotSignedIn`], or what the store says. Whether the viewer may is the caller's to check.
    pub async fn give(&self, body: &str) -> Result<String, AppError> {
        let viewer = self.viewer.as_ref().ok_or(AppError::NotSignedIn)?;
        let org = self.store.org(viewer.org).await?;
        let form = Form::parse(body);
        match give(&self.store, viewer, &org, &form).await {
            Ok(grant) => Ok(format!("/grants?given={}", grant.id)),
            Err(NotTaken::Form(code)) => Ok(form.back(code, "give")),
            Err(NotTaken::Store(error)) => Err(error.into()),
        }
    }

    /// Books the adjustment that the form says.
    ///
    /// # Errors
    /// As [`Backend::give`].
    pub async fn adjust(&self, body: &str) -> Result<String, AppError> {
        let viewer = self.viewer.as_ref().ok_or(AppError::NotSignedIn)?;
        let form = Form::parse(body);
        match adjust(&self.store, viewer, &form).await {
            Ok((first, last)) => Ok(format!("/grants?adjusted={first}-{last}")),
            Err(NotTaken::Form(code)) => Ok(form.back(code, "adjust")),
            Err(NotTaken::Store(error)) => Err(error.into()),
        }
    }
}

async fn give(store: &Store, viewer: &Viewer, org: &Org, form: &Form) -> Result<Grant, NotTaken> {
    let once = form.once("give")?;
    let currency = store.org_settings(viewer.org).await?.currency;
    let currency = Some(form.get("currency")).filter(|code| !code.is_empty()).unwrap_or(currency.as_str());
    let new = NewGrant {
        kind: kind(form.get("kind"))?,
        amount: amount(form.get("amount"))?,
        priority: match form.get("priority") {
            "" => 0,
            text => text.parse().map_err(|_| NotTaken::Form("bad_priority"))?,
        },
        scope: scope(form)?,
        effective_at: instant(org, form.get("effective_at"))?,
        expires_at: instant(org, form.get("expires_at"))?,
        description: form.get("description").to_owned(),
        cost: cost(form.get("cost"), currency)?,
        rollover: rollover(form)?,
    };
    Ok(store.give_grant(viewer.org, viewer.by(), new, Some(once)).await?.answer)
}

async fn adjust(store: &Store, viewer: &Viewer, form: &Form) -> Result<(ledger::EntrySeq, ledger::EntrySeq), NotTaken> {
    let once = form.once("adjust")?;
    let typed = Adjustment {
        amount: form.get("adjust").to_owned(),
        grant: form.get("from").to_owned(),
        reason: form.get("reason").to_owned(),
    };
    let request = request(&typed)?;
    let done = store.correct(viewer.org, viewer.by(), request, false, Some(once)).await?;
    let entries = done.answer.entries;
    entries.first().copied().zip(entries.last().copied()).ok_or(NotTaken::Form("adjustment_is_zero"))
}

/// The forms of an operator, with what an adjustment would do where one is asked about.
pub(super) async fn desk(
    store: &Store,
    viewer: &Viewer,
    drawdown: &Drawdown,
    (words, meters): (&Words, Vec<MeterInfo>),
    asked: Option<&Adjustment>,
) -> Result<Option<Desk>, AppError> {
    if !viewer.operator {
        return Ok(None);
    }
    let takeable =
        drawdown.grants.iter().filter(|state| state.figures.left.is_positive() && state.grant.is_open(drawdown.as_of));
    let takeable = takeable.map(|state| {
        let left = format::short(words, state.figures.left);
        (state.grant.id.to_string(), format!("{} \u{b7} {} ({left} left)", state.grant.id, state.grant.description))
    });
    let preview = match asked {
        None => None,
        Some(typed) => Some(preview(store, viewer, typed, words).await?),
    };
    Ok(Some(Desk {
        give_key: new_key(),
        adjust_key: new_key(),
        currency: store.org_settings(viewer.org).await?.currency.as_str().to_owned(),
        meters: meters.into_iter().map(|info| (info.meter.to_string(), info.title)).collect(),
        takeable: takeable.collect(),
        preview,
    }))
}

async fn preview(
    store: &Store,
    viewer: &Viewer,
    typed: &Adjustment,
    words: &Words,
) -> Result<Result<Preview, String>, AppError> {
    let request = match request(typed) {
        Ok(request) => request,
        Err(NotTaken::Form(code)) => return Ok(Err(sentence(code, words))),
        Err(NotTaken::Store(error)) => return Err(error.into()),
    };
    match store.correct(viewer.org, viewer.by(), request, true, None).await {
        Ok(done) => Ok(Ok(Preview {
            amount: typed.amount.clone(),
            grant: typed.grant.clone(),
            reason: typed.reason.clone(),
            before: done.answer.before,
            after: done.answer.after,
            grants: done.answer.grants.iter().map(|c| (c.grant.to_string(), c.before, c.after)).collect(),
        })),
        Err(StoreError::Refused(Refusal::AdjustmentTooLarge { available })) => {
            Ok(Err(format!("Only {} can be taken there. Take less.", format::short(words, available))))
        }
        Err(StoreError::Refused(refusal)) => Ok(Err(sentence(refusal.code(), words))),
        Err(error) => Err(error.into()),
    }
}

fn request(typed: &Adjustment) -> Result<CorrectionRequest, NotTaken> {
    let amount = amount(&typed.amount)?;
    let grant = match typed.grant.trim() {
        "" => None,
        text => Some(GrantId::parse(text).ok_or(NotTaken::Form("unknown_grant"))?),
    };
    if grant.is_some() && amount.is_positive() {
        return Err(NotTaken::Form("grant_for_giving"));
    }
    Ok(CorrectionRequest::Adjust { amount, grant, expires_at: None, reason: typed.reason.trim().to_owned() })
}

/// What is given here: rollovers and adjustments come about otherwise.
fn kind(text: &str) -> Result<GrantKind, NotTaken> {
    let given = |kind: &GrantKind| !matches!(kind, GrantKind::Rollover | GrantKind::Adjustment);
    GrantKind::parse(text).filter(given).ok_or(NotTaken::Form("bad_kind"))
}

pub(crate) fn new_key() -> String {
    let mut key = String::with_capacity(2 * KEY_BYTES);
    for byte in store::random::bytes::<KEY_BYTES>() {
        // Writing into a string does not fail.
        let _ = write!(key, "{byte:02x}");
    }
    key
}

/// An amount as people type it: a true minus sign and a plus are fine.
pub(super) fn amount(text: &str) -> Result<Credits, NotTaken> {
    let text = text.trim().replace('\u{2212}', "-");
    Ok(Credits::parse(text.strip_prefix('+').unwrap_or(&text))?)
}

/// `+5`, `−5`.
pub(super) fn signed(words: &Words, amount: Credits) -> String {
    let plus = if amount.is_positive() { "+" } else { "" };
    format!("{plus}{}", format::short(words, amount))
}

fn scope(form: &Form) -> Result<Scope, NotTaken> {
    let meters = form.all("meter").map(Meter::parse).collect::<Result<_, _>>()?;
    let projects = form.get("projects").split(',').map(str::trim).filter(|id| !id.is_empty());
    let projects = projects.map(|id| Label::parse("project", id)).collect::<Result<_, _>>()?;
    Ok(Scope { meters, projects })
}

/// What a clock of the org's zone showed; nothing where nothing was typed. Of an hour that comes twice, the first.
pub(super) fn instant(org: &Org, text: &str) -> Result<Option<Timestamp>, NotTaken> {
    if text.is_empty() {
        return Ok(None);
    }
    let read = |pattern| NaiveDateTime::parse_from_str(text, pattern).ok();
    let wall = read("%Y-%m-%dT%H:%M").or_else(|| read("%Y-%m-%dT%H:%M:%S")).ok_or(NotTaken::Form("bad_time"))?;
    match org.zone.from_local_datetime(&wall) {
        LocalResult::Single(time) | LocalResult::Ambiguous(time, _) => {
            let at = Timestamp::from_micros(time.timestamp_micros());
            let known = (ledger::time::EARLIEST..ledger::time::LATEST).contains(&at);
            if known { Ok(Some(at)) } else { Err(NotTaken::Form("time_out_of_range")) }
        }
        LocalResult::None => Err(NotTaken::Form("skipped_time")),
    }
}

/// `50.00` and `EUR`.
fn cost(text: &str, currency: &str) -> Result<Option<Money>, NotTaken> {
    if text.is_empty() {
        return Ok(None);
    }
    let currency = Currency::parse(&currency.to_ascii_uppercase())?;
    let bad = |_| NotTaken::Form("bad_cost");
    let minor = ledger::decimal::parse(text, currency.decimals()).map_err(|_| NotTaken::Form("bad_cost"))?;
    Ok(Some(Money { minor: i64::try_from(minor).map_err(bad)?, currency }))
}

fn rollover(form: &Form) -> Result<Option<Rollover>, NotTaken> {
    let limit = form.get("cap");
    let cap = match form.get("rollover") {
        "all" => None,
        "percent" => Some(Cap::Percent(limit.parse().map_err(|_| NotTaken::Form("bad_rollover"))?)),
        "credits" => Some(Cap::Credits(amount(limit).map_err(|_| NotTaken::Form("bad_rollover"))?)),
        _ => return Ok(None),
    };
    let months = match form.get("months") {
        "" => None,
        text => Some(text.parse().map_err(|_| NotTaken::Form("bad_rollover"))?),
    };
    Ok(Some(Rollover { cap, months }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_goes_back_with_what_was_typed_and_without_its_key() {
        let form = Form::parse("key=abc&amount=%E2%88%925&description=a%26b&meter=x&meter=y&error=old");
        assert_eq!(
            form.back("bad_amount", "give"),
            "/grants?error=bad_amount&amount=%E2%88%925&description=a%26b&meter=x&meter=y#give"
        );
        assert!(matches!(form.once("give"), Err(NotTaken::Form(STALE))));
        assert_eq!(amount(form.get("amount")).ok(), Credits::parse("-5").ok());
        assert_eq!(form.all("meter").collect::<Vec<_>>(), ["x", "y"]);
    }

    #[test]
    fn the_same_form_is_the_same_request() {
        let key = new_key();
        let once = |body: &str| Form::parse(&format!("key={key}&{body}")).once("give").expect("a key");
        assert_eq!(once("amount=5"), once("amount=5"));
        assert_ne!(once("amount=5").request, once("amount=6").request);
        assert_ne!(key, new_key());
    }

    #[test]
    fn money_is_read_with_the_decimals_of_its_currency() {
        let minor = |text, code| cost(text, code).ok().flatten().map(|money| money.minor);
        assert_eq!((minor("50", "eur"), minor("5000", "JPY"), minor("0.5", "JPY")), (Some(5_000), Some(5_000), None));
        assert_eq!((minor("1", "ZZZ"), minor("", "EUR")), (None, None));
    }

    #[test]
    fn terms_of_a_rollover() {
        let read = |body: &str| rollover(&Form::parse(body)).ok().flatten();
        assert_eq!(
            read("rollover=percent&cap=20&months=3"),
            Some(Rollover { cap: Some(Cap::Percent(20)), months: Some(3) })
        );
        assert_eq!(read("rollover=all"), Some(Rollover { cap: None, months: None }));
        assert_eq!(read("rollover=none&cap=x"), None);
    }
}
