//! The Rate card page: what it shows, and what its form asks for.

use super::desk::{Form, NotTaken, instant, new_key};
use super::{Backend, Viewer, days, local, local_day};
use crate::calendar::{Day, date_and_clock};
use crate::components::rate_card::compare::compare;
use crate::components::rate_card::form::{self, form};
use crate::components::rate_card::prices::prices;
use crate::components::rate_card::versions::{VersionLine, versions};
use crate::error::AppError;
use crate::format::{capital, counted};
use crate::markup::Markup;
use crate::query;
use crate::refused::sentence;
use crate::server_fns::Moment;
use crate::server_fns::rate_card::{RateCardReport, Scheduled, Trial};
use ledger::card::LineProblem;
use ledger::{Cube, Interval, RateCardVersion, Refusal, Timestamp, card_text};
use leptos::prelude::use_context;
use store::{CardPage, CardState, CardStatus, NewRateCard, Org, Store, StoreError};

/// Versions on a page.
const VERSIONS: u32 = 20;

/// What somebody sent and has to look at again: the page shows it in the form.
#[derive(Debug, Clone)]
pub struct Typed {
    text: String,
    effective_at: String,
    /// Why it was not taken; `None` where it was only to be tried.
    pub error: Option<String>,
}

/// What came of the form.
#[derive(Debug, Clone)]
pub enum Sent {
    /// The address of the page that confirms it.
    LaidDown(String),
    /// To be shown again.
    Typed(Typed),
}

/// What the page's address asks for.
#[derive(Default)]
struct Asked {
    /// Whose text to begin with.
    version: Option<i64>,
    /// Which two to compare.
    from: Option<i64>,
    to: Option<i64>,
    /// Older versions than this one.
    before: Option<i64>,
    /// What the form has just laid down.
    laid: Option<i64>,
    /// What the form said too.
    same: Option<i64>,
}

impl Asked {
    fn parse(text: &str) -> Self {
        let mut asked = Self::default();
        for (name, value) in query::parse(text) {
            let number = value.parse().ok().filter(|number| *number > 0);
            match name.as_str() {
                "version" => asked.version = number,
                "from" => asked.from = number,
                "to" => asked.to = number,
                "before" => asked.before = number,
                "laid" => asked.laid = number,
                "same" => asked.same = number,
                _ => {}
            }
        }
        asked
    }
}

impl Backend {
    /// The Rate card page.
    ///
    /// # Errors
    /// [`AppError::NotSignedIn`], or what the store says.
    pub async fn rate_card(&self, query: &str) -> Result<RateCardReport, AppError> {
        let (typed, asked) = (use_context::<Typed>(), Asked::parse(query));
        let viewer = self.viewer.as_ref().ok_or(AppError::NotSignedIn)?;
        let org = self.store.org(viewer.org).await?;
        let page = CardPage { before: asked.before.map(RateCardVersion), limit: VERSIONS + 1 };
        let mut listed = self.store.rate_cards(org.id, page).await?;
        let older = (listed.len() > VERSIONS as usize).then(|| listed.truncate(VERSIONS as usize));
        let older = older.and(listed.last()).map(|last| format!("/rate-card?before={}#versions", last.card.version));
        let newest = self.newest(&org).await?;
        let newest_version = newest.as_ref().map_or(0, |state| state.card.version.0);
        let text = match (&typed, asked.version) {
            (Some(typed), _) => typed.text.clone(),
            (None, Some(version)) => text_of(&self.version(&org, version).await?),
            (None, None) => newest.as_ref().map(text_of).unwrap_or_default(),
        };
        let compared = (asked.from.unwrap_or((newest_version - 1).max(1)), asked.to.unwrap_or(newest_version));
        let comparison = match asked.from.zip(asked.to) {
            None => None,
            Some((from, to)) => {
                let (before, after) = (self.version(&org, from).await?, self.version(&org, to).await?);
                Some(compare((from, &text_of(&before)), (to, &text_of(&after))))
            }
        };
        let typed = typed.unwrap_or_else(|| Typed { text: String::new(), effective_at: String::new(), error: None });
        let effective_at = typed.effective_at;
        let form = form(&form::Form {
            text: text.clone(),
            effective_at: effective_at.clone(),
            newest: newest_version,
            key: viewer.operator.then(new_key),
            error: typed.error,
            zone: org.zone.name().to_owned(),
        });
        let lines = listed.iter().map(|state| version_line(&org, state)).collect::<Result<Vec<_>, _>>()?;
        let list = versions(&lines, compared, newest_version, older.as_deref());
        Ok(RateCardReport {
            head: head(&asked, self.overtaken_by(&org, asked.laid).await?).child(self.prices_panel(&org).await?),
            form,
            text,
            effective_at,
            trial: trial(&self.store, &org, self.scheduled(&org).await?).await?,
            below: Markup::new("div").class("card-below").child(list).children(comparison),
        })
    }

    async fn newest(&self, org: &Org) -> Result<Option<CardState>, AppError> {
        let page = CardPage { before: None, limit: 1 };
        Ok(self.store.rate_cards(org.id, page).await?.pop())
    }

    /// Versions whose time comes, the next first.
    async fn scheduled(&self, org: &Org) -> Result<Vec<Scheduled>, AppError> {
        let newest = self.store.rate_cards(org.id, CardPage { before: None, limit: VERSIONS }).await?;
        let scheduled = newest.iter().rev().filter(|state| state.status == CardStatus::Scheduled).map(|state| {
            let at = local(org, state.card.effective_at)?;
            let (version, when) = (state.card.version.0, date_and_clock(at));
            Ok(Scheduled { version, local: at.format("%Y-%m-%dT%H:%M:%S").to_string(), when })
        });
        scheduled.collect()
    }

    async fn version(&self, org: &Org, version: i64) -> Result<CardState, AppError> {
        Ok(self.store.rate_card_version(org.id, RateCardVersion(version)).await?)
    }

    /// The scheduled versions that one took the place of.
    async fn overtaken_by(&self, org: &Org, laid: Option<i64>) -> Result<Vec<RateCardVersion>, AppError> {
        let Some(laid) = laid else { return Ok(Vec::new()) };
        match self.version(org, laid).await {
            Ok(state) => Ok(state.overtakes),
            Err(AppError::NotFound) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    async fn prices_panel(&self, org: &Org) -> Result<Markup, AppError> {
        let title = Markup::new("h2").attr("id", "prices-title");
        let panel = Markup::new("section").class("panel").attr("aria-labelledby", "prices-title");
        let (title, list) = match self.store.rate_card(org.id).await {
            Ok(card) => {
                let title = title.text(&format!("Prices in force: version {}", card.version.0));
                let lines = i64::try_from(card.lines.len()).unwrap_or(i64::MAX);
                let note = Markup::new("p").class("muted").text(&counted(lines, "line", "lines"));
                let meters = self.store.meters(org.id).await?;
                let head = Markup::new("div").class("panel-head").child(title).child(note);
                (head, prices(&org.words, &meters, &card.lines))
            }
            Err(StoreError::NotFound(_)) => {
                let none = "No version is in force yet: usage is refused until one is.";
                (title.text("Prices in force"), Markup::new("p").class("muted").text(none))
            }
            Err(error) => return Err(error.into()),
        };
        Ok(panel.child(title).child(list))
    }

    /// Tries out or lays down what the form says. Whoever may not lay anything down is told so in the form.
    ///
    /// # Errors
    /// [`AppError::NotSignedIn`], or what the store says.
    pub async fn send_rate_card(&self, body: &str) -> Result<Sent, AppError> {
        let viewer = self.viewer.as_ref().ok_or(AppError::NotSignedIn)?;
        let form = Form::parse(body);
        // Browsers send lines ended as in mail.
        let text = form.get("card").replace("\r\n", "\n");
        let effective_at = form.get("effective_at").to_owned();
        let typed = |error| Ok(Sent::Typed(Typed { text: text.clone(), effective_at: effective_at.clone(), error }));
        if form.get("do") != "lay-down" {
            return typed(None);
        }
        let org = self.store.org(viewer.org).await?;
        match lay_down(&self.store, viewer, &org, &form, &text).await {
            Ok(address) => Ok(Sent::LaidDown(address)),
            Err(NotLaid::Form(code)) => typed(Some(sentence(code, &org.words))),
            Err(NotLaid::Because(why)) => typed(Some(why)),
            Err(NotLaid::Store(error)) => Err(error.into()),
        }
    }
}

enum NotLaid {
    /// What the form has a sentence for.
    Form(&'static str),
    Because(String),
    Store(StoreError),
}

impl From<StoreError> for NotLaid {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Refused(Refusal::IdempotencyConflict) => Self::Form("stale_form"),
            StoreError::Refused(Refusal::RateCardChanged { newest }) => Self::Because(format!(
                "Version {} was laid down while you wrote. Compare yours with it; if yours is to take its place, lay it down \
                 again.",
                newest.0
            )),
            StoreError::Refused(refusal) => Self::Because(format!("{}.", capital(&refusal.to_string()))),
            error => Self::Store(error),
        }
    }
}

impl From<NotTaken> for NotLaid {
    fn from(error: NotTaken) -> Self {
        match error {
            NotTaken::Form(code) => Self::Form(code),
            NotTaken::Store(error) => error.into(),
        }
    }
}

async fn lay_down(store: &Store, viewer: &Viewer, org: &Org, form: &Form, text: &str) -> Result<String, NotLaid> {
    if !viewer.operator {
        return Err(NotLaid::Because(
            "Only operators may lay down a version: ask whoever runs this server.".to_owned(),
        ));
    }
    let once = form.once("rate-card")?;
    let lines = card_text::parse(text).map_err(|wrong| NotLaid::Because(not_a_card(&wrong)))?;
    let effective_at = instant(org, form.get("effective_at"))?;
    let seen = form.get("replaces").parse().unwrap_or_default();
    let replaces = Some(RateCardVersion(seen));
    let new = NewRateCard { lines, meters: Vec::new(), effective_at, replaces };
    let laid = store.put_rate_card(org.id, viewer.by(), new, Some(once)).await?.answer.card.version.0;
    Ok(if laid == seen { format!("/rate-card?same={laid}") } else { format!("/rate-card?laid={laid}") })
}

fn not_a_card(wrong: &[LineProblem]) -> String {
    let told = wrong.first().map(|LineProblem { line, problem }| format!("Line {line}: {problem}."));
    format!("{} Nothing was laid down; all problems are listed beside the card.", told.unwrap_or_default())
}

fn text_of(state: &CardState) -> String {
    card_text::write(&state.card.lines)
}

fn head(asked: &Asked, overtaken: Vec<RateCardVersion>) -> Markup {
    let notice = |text: String| Markup::new("p").class("notice").attr("role", "status").text(&text);
    let done = match (asked.laid, asked.same) {
        (Some(version), _) => {
            let never = |gone: RateCardVersion| format!(" Version {} never comes into force.", gone.0);
            let never: String = overtaken.into_iter().map(never).collect();
            Some(notice(format!("Version {version} is laid down.{never}")))
        }
        (None, Some(version)) => {
            Some(notice(format!("Nothing was laid down: this says the same as version {version}.")))
        }
        (None, None) => None,
    };
    let title = Markup::new("div").class("page-head").child(Markup::new("h1").text("Rate card")).children(
        asked.version.map(|version| {
            let began = Markup::new("p").class("muted").text(&format!("The form begins with version {version}. "));
            began.child(form::start_over())
        }),
    );
    Markup::new("div").class("card-head").child(title).children(done)
}

fn version_line(org: &Org, state: &CardState) -> Result<VersionLine, AppError> {
    let moment =
        |at: Timestamp| Ok::<_, AppError>(Moment { iso: at.to_string(), text: date_and_clock(local(org, at)?) });
    let (status, class) = match state.status {
        CardStatus::InForce => ("In force", "ok"),
        CardStatus::Scheduled => ("Scheduled", "quiet"),
        CardStatus::Superseded => ("Superseded", "past"),
        CardStatus::NeverInForce => ("Never in force", "past"),
    };
    Ok(VersionLine {
        version: state.card.version.0,
        status,
        class,
        effective_at: moment(state.card.effective_at)?,
        never: state.status == CardStatus::NeverInForce,
        created_at: moment(state.created_at)?,
        cause: state.cause.clone().unwrap_or_else(|| "the server".to_owned()),
        lines: state.card.lines.len(),
    })
}

/// Last month, or this one where nothing was used in the last.
async fn trial(store: &Store, org: &Org, scheduled: Vec<Scheduled>) -> Result<Trial, AppError> {
    let now = store.now();
    let today = local_day(org, now)?;
    let last = today.first_of_month().plus_days(-1);
    let month = |to: Day| days(to.first_of_month(), to, Interval::None);
    let mut cube = store.cube(org.id, &month(last)).await?;
    let mut when = last.month_title();
    if is_empty(&cube) {
        cube = store.cube(org.id, &month(today)).await?;
        when = format!("{} so far", today.month_title());
    }
    let from = cube.buckets.first().map_or(now, |bucket| bucket.start);
    let agreed = store.prices(org.id).await?.agreed(from, Timestamp::from_micros(now.micros().saturating_add(1)));
    Ok(Trial { when, cube, charged_by: card_text::write(&agreed), scheduled })
}

fn is_empty(cube: &Cube) -> bool {
    cube.calls.is_empty() && cube.cells.is_empty()
}
