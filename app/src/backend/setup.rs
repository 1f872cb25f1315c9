//! What the wizard of the first start reads and writes: its pages, and what its forms do. Who asks is the handler's to know.

use super::desk::{Form, NotTaken};
use super::keys::first_request;
use super::settings::{installation, not_taken, zones};
use super::{By, UserId, local_day};
use crate::components::settings::fields::Typed;
use crate::components::setup::{self, Choice, Progress, SETUP, Step, Summary};
use crate::error::AppError;
use crate::markup::Markup;
use crate::query;
use ::ledger::cube::MeterInfo;
use ::ledger::label::{MAX_LABEL_BYTES, check_text};
use ::ledger::{Credits, Currency, GrantKind, Meter, OrgId, OrgSettings, RateLine, Words};
use store::{Draft, EventPage, Founding, NewGrant, NewKey, NewOrg, Offers, Scope, Setup, Store, StoreError};

pub use store::Setup as Standing;

/// Credits that are suggested to begin with: enough for a first look, and plainly not a purchase of anybody.
const OPENING: &str = "100";
const CURRENCY: &str = "USD";
const ZONE: &str = "UTC";
const KEY_NAME: &str = "First key";
/// What the first key may: what a service needs that reports usage and looks at what became of it.
const SCOPES: [Scope; 3] = [Scope::EventsWrite, Scope::UsageRead, Scope::LedgerRead];

/// A preset as the wizard needs it.
#[derive(Debug, Clone)]
pub struct Base {
    /// How it is offered.
    pub choice: Choice,
    /// How it calls credits and workflows.
    pub words: Words,
    /// Its meters.
    pub meters: Vec<MeterInfo>,
    /// Those of them that make a workflow that uses them an AI agent.
    pub agents: Vec<Meter>,
    /// Its rate card.
    pub lines: Vec<RateLine>,
    /// What it sells.
    pub offers: Offers,
}

/// A key to be.
pub struct FreshKey {
    /// Where the browser reached us.
    pub origin: String,
    /// The whole key.
    pub text: String,
    /// Its public part.
    pub prefix: String,
    /// What is stored of it.
    pub hash: [u8; 32],
}

/// The wizard of one owner.
pub struct Wizard<'w> {
    /// The store.
    pub store: &'w Store,
    /// The owner.
    pub user: UserId,
    /// Who they are for the audit log.
    pub by: By,
    /// How far they have come.
    pub standing: Setup,
    /// The presets there are.
    pub bases: Vec<Base>,
}

/// What came of a form.
pub enum Done {
    /// Go on at this address.
    At(String),
    /// The page of a step with what was wrong.
    Again(Step, Markup),
    /// A page with what is shown once.
    Shown(Markup),
    /// The same, with the org that was made, and the preset of which a sample is wanted.
    Founded(Markup, OrgId, Option<String>),
    /// It is over: look at that org, at this address.
    Over(OrgId, String),
}

impl Wizard<'_> {
    /// The first step that is not done.
    #[must_use]
    pub fn next(&self) -> Step {
        let draft = &self.standing.draft;
        if self.standing.org.is_some() {
            Step::Event
        } else if !draft.worded {
            Step::Words
        } else if draft.name.is_empty() {
            Step::Organization
        } else if draft.preset.is_empty() {
            Step::Preset
        } else {
            Step::Key
        }
    }

    /// The page of the step that is asked for, if one may go there; else of the next.
    ///
    /// # Errors
    /// What the store says.
    pub async fn page(&self, search: &str) -> Result<(Step, Markup), AppError> {
        let asked = query::parse(search).into_iter().find(|(name, _)| name == "step");
        let asked = asked.and_then(|(_, name)| Step::parse(&name));
        let first = if self.standing.org.is_some() { Step::Key } else { Step::Words };
        let step = asked.filter(|step| (first..=self.next()).contains(step)).unwrap_or_else(|| self.next());
        Ok((step, self.step(step, &Typed::default()).await?))
    }

    async fn step(&self, step: Step, typed: &Typed) -> Result<Markup, AppError> {
        let draft = &self.standing.draft;
        let content = match (step, self.standing.org) {
            (Step::Account | Step::Words, _) => setup::words(&self.store.installation().await?, typed),
            (Step::Organization, _) => {
                let or = |text: &'static str, said| if draft.name.is_empty() { text } else { said };
                let lines = [draft.name.as_str(), or(ZONE, &draft.zone), or(CURRENCY, &draft.currency)];
                setup::organization(lines, &zones(), draft.name.is_empty() && typed.error().is_none(), typed)
            }
            (Step::Preset, _) => {
                let choices: Vec<Choice> = self.bases.iter().map(|base| base.choice.clone()).collect();
                let opening = if draft.preset.is_empty() { OPENING } else { &draft.opening };
                let first = choices.first().map(|choice| choice.name.clone()).unwrap_or_default();
                let chosen = if draft.preset.is_empty() { &first } else { &draft.preset };
                let plan =
                    if draft.plan.is_empty() { String::new() } else { format!("{}/{}", draft.preset, draft.plan) };
                setup::presets(&choices, chosen, (&plan, opening), draft.sample, typed)
            }
            (Step::Key, None) => setup::key(&self.summary().await?),
            (Step::Key, Some(_)) => setup::another_key(),
            (Step::Event, org) => {
                let org = org.ok_or(AppError::NotFound)?;
                let orgs = self.store.memberships(self.user).await?;
                let sample =
                    orgs.iter().find(|other| other.org != org).map(|it| (it.org.0.to_string(), it.name.as_str()));
                let name = self.store.org(org).await?.name;
                if self.standing.received {
                    return Ok(self.framed(step, setup::received(&name)));
                }
                setup::event(&name, sample.as_ref().map(|(id, name)| (id.as_str(), *name)))
            }
        };
        Ok(self.framed(step, content))
    }

    fn framed(&self, current: Step, content: Vec<Markup>) -> Markup {
        setup::page(Progress { current, next: self.next(), founded: self.standing.org.is_some() }, content)
    }

    async fn summary(&self) -> Result<Summary, AppError> {
        let Draft { name, zone, currency, preset, plan, opening, sample, .. } = &self.standing.draft;
        let product = self.store.installation().await?.product;
        let base = self.base(preset).ok_or(AppError::NotFound)?;
        let words = self.words(base).await?;
        let said = |text: &str, none: &str| if text.is_empty() { none.to_owned() } else { text.to_owned() };
        let words = format!("{}, {}, {}", words.unit, words.workflow, words.workflows);
        Ok(Summary {
            lines: vec![
                ("Product", product),
                ("Organization", name.clone()),
                ("Days of", zone.clone()),
                ("Currency", currency.clone()),
                ("Preset", base.choice.title.clone()),
                ("Words", words),
                ("Plan", said(plan, "none")),
                ("To begin with", said(opening, "nothing")),
                ("Sample beside it", if *sample { "yes".to_owned() } else { "no".to_owned() }),
            ],
        })
    }

    fn base(&self, name: &str) -> Option<&Base> {
        self.bases.iter().find(|base| base.choice.name == name)
    }

    /// What the org will call things: as the installation does, or as the preset where nothing else was chosen.
    async fn words(&self, base: &Base) -> Result<Words, StoreError> {
        let chosen = self.store.installation().await?.words;
        Ok(if chosen == Words::default() { base.words.clone() } else { chosen })
    }

    /// Does what a form says.
    ///
    /// # Errors
    /// What the store says.
    pub async fn send(&self, body: &str, key: FreshKey) -> Result<Done, AppError> {
        let form = Form::parse(body);
        // A step whose turn has not come, or is over, is a form that was open for too long: back to where one is.
        let step = Step::parse(form.get("do")).filter(|step| *step <= self.next());
        let founded = self.standing.org.is_some();
        let done = match (step, founded) {
            (Some(Step::Words), false) => self.name_installation(&form).await,
            (Some(Step::Organization), false) => self.keep_organization(&form).await,
            (Some(Step::Preset), false) => self.keep_preset(&form).await,
            (Some(Step::Key), false) => self.found(key).await,
            (Some(Step::Key), true) => self.another_key(key).await,
            (Some(Step::Event), true) => self.finish().await,
            _ => Ok(Done::At(SETUP.to_owned())),
        };
        match (done, step) {
            (Ok(done), _) => Ok(done),
            (Err(NotTaken::Form(code)), step) => {
                let step = if code == "name_taken" { Step::Organization } else { step.unwrap_or(Step::Words) };
                let mut pairs = vec![("error".to_owned(), code.to_owned()), ("do".to_owned(), step.name().to_owned())];
                if form.get("do") == step.name() {
                    pairs.extend(query::parse(body).into_iter().filter(|(name, _)| name != "error" && name != "do"));
                } else {
                    let Draft { name, zone, currency, .. } = &self.standing.draft;
                    let kept = [("name", name), ("zone", zone), ("currency", currency)];
                    pairs.extend(kept.map(|(name, value)| (name.to_owned(), value.clone())));
                }
                Ok(Done::Again(step, self.step(step, &Typed::new(pairs)).await?))
            }
            (Err(NotTaken::Store(StoreError::NotFound(_))), _) => Ok(Done::At(SETUP.to_owned())),
            (Err(NotTaken::Store(error)), _) => Err(error.into()),
        }
    }

    async fn name_installation(&self, form: &Form) -> Result<Done, NotTaken> {
        self.store.name_installation(self.user, installation(form)?).await?;
        Ok(Done::At(Step::Organization.path()))
    }

    async fn keep_organization(&self, form: &Form) -> Result<Done, NotTaken> {
        let name = form.get("name");
        check_text("name", name, MAX_LABEL_BYTES).map_err(|_| NotTaken::Form("bad_name"))?;
        if self.store.org_by_name(name).await?.is_some() {
            return Err(NotTaken::Form("name_taken"));
        }
        if !zones().contains(&form.get("zone")) {
            return Err(NotTaken::Form("bad_zone"));
        }
        let currency = form.get("currency").to_ascii_uppercase();
        let currency = Currency::parse(&currency).map_err(|_| NotTaken::Form("bad_currency"))?;
        let (zone, currency) = (form.get("zone").to_owned(), currency.as_str().to_owned());
        let draft = Draft { name: name.to_owned(), zone, currency, ..self.standing.draft.clone() };
        self.store.keep_draft(self.user, draft).await?;
        Ok(Done::At(Step::Preset.path()))
    }

    async fn keep_preset(&self, form: &Form) -> Result<Done, NotTaken> {
        let base = self.base(form.get("preset")).ok_or(NotTaken::Form("bad_preset"))?;
        opening(form.get("opening"))?;
        let plan = plan_of(base, form.get("plan")).ok_or(NotTaken::Form("bad_plan"))?;
        let (preset, opening) = (base.choice.name.clone(), form.get("opening").to_owned());
        let sample = base.choice.sample && !form.get("sample").is_empty();
        let draft = Draft { preset, plan, opening, sample, ..self.standing.draft.clone() };
        self.store.keep_draft(self.user, draft).await?;
        Ok(Done::At(Step::Key.path()))
    }

    async fn found(&self, key: FreshKey) -> Result<Done, NotTaken> {
        let Draft { name, zone, currency, preset, plan, opening: credits, sample, .. } = self.standing.draft.clone();
        let base = self.base(&preset).ok_or(NotTaken::Form("bad_preset"))?;
        let currency = Currency::parse(&currency).map_err(|_| NotTaken::Form("bad_currency"))?;
        let settings = OrgSettings {
            name: name.clone(),
            zone: zone.clone(),
            currency,
            contact: None,
            low_balance: None,
            retention_days: None,
        };
        let (words, meters, lines) = (self.words(base).await?, base.meters.clone(), base.lines.clone());
        let new = Founding {
            org: NewOrg {
                name,
                zone,
                synthetic: false,
                words,
                meters,
                agents: base.agents.clone(),
                lines,
                offers: base.offers.clone(),
            },
            settings,
            plan: Some(plan).filter(|plan| !plan.is_empty()),
            opening: opening(&credits)?,
            key: new_key(OrgId(0), &key),
        };
        let org = self.store.found(self.by.clone(), self.user, new).await.map_err(not_taken)?;
        let page = self.shown(org, &key).await?;
        Ok(Done::Founded(page, org, sample.then_some(preset)))
    }

    async fn another_key(&self, key: FreshKey) -> Result<Done, NotTaken> {
        let org = self.standing.org.ok_or(NotTaken::Form("stale_form"))?;
        self.store.create_key(self.by.clone(), new_key(org, &key), None).await?;
        Ok(Done::Shown(self.shown(org, &key).await?))
    }

    async fn shown(&self, org: OrgId, key: &FreshKey) -> Result<Markup, NotTaken> {
        let curl = first_request(self.store, org, &key.origin, &key.text).await?;
        let progress = Progress { current: Step::Key, next: Step::Event, founded: true };
        Ok(setup::page(progress, setup::new_key(&key.text, &curl)))
    }

    async fn finish(&self) -> Result<Done, NotTaken> {
        let org = self.standing.org.ok_or(NotTaken::Form("stale_form"))?;
        let chart = if self.standing.received { chart_of_last_event(self.store, org).await.ok() } else { None };
        self.store.finish_setup(self.user).await?;
        Ok(Done::Over(org, chart.unwrap_or_else(|| "/".to_owned())))
    }
}

fn new_key(org: OrgId, key: &FreshKey) -> NewKey {
    NewKey {
        org,
        name: KEY_NAME.to_owned(),
        prefix: key.prefix.clone(),
        hash: key.hash,
        scopes: SCOPES.to_vec(),
        project: None,
        expires_at: None,
    }
}

/// The name of the plan of that preset which `preset/plan` says; empty for none, `None` for one of another preset.
fn plan_of(base: &Base, text: &str) -> Option<String> {
    let Some((preset, plan)) = text.split_once('/') else { return text.is_empty().then(String::new) };
    let known = base.choice.plans.iter().any(|(name, _)| name == plan);
    (preset == base.choice.name && known).then(|| plan.to_owned())
}

fn opening(text: &str) -> Result<Option<NewGrant>, NotTaken> {
    if text.is_empty() {
        return Ok(None);
    }
    let amount =
        Credits::parse(text).ok().filter(|amount| amount.is_positive()).ok_or(NotTaken::Form("bad_opening"))?;
    Ok(Some(NewGrant::of(GrantKind::Promotion, amount, "Opening credits")))
}

/// The chart with the newest event of an org: hour by hour of its day.
///
/// # Errors
/// What the store says.
pub async fn chart_of_last_event(store: &Store, org: OrgId) -> Result<String, AppError> {
    let newest = store.events(org, &EventPage { before: None, limit: 1 }).await?;
    let newest = newest.first().ok_or(AppError::NotFound)?;
    let day = local_day(&store.org(org).await?, newest.occurred_at)?.iso();
    Ok(format!("/analytics?from={day}&to={day}"))
}
