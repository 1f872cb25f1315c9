//! Alerts and budgets: what their pages show, and what their forms do.

use super::Backend;
use super::audit::Deleted;
use super::desk::Form;
use super::outbox::Endpoint;
use crate::error::AppError;
use ::ledger::alert::{Kind, MARGIN_PERCENT, Per, Scope};
use ::ledger::budget::{Terms, Whose};
use ::ledger::forecast::{Backtest, backtest};
use ::ledger::{BudgetId, Credits, EndpointId, FiringId, Label, Meter, Permission, Role, RuleId};
use store::alert::{Act, default_recipients};
use store::{By, FiringPage, NewRule, Org, StoreError};

pub use store::alert::figure;
pub use store::name::Choices;
pub use store::{Budget, FiringRow, Measured, Point, Recipients, Simulation};

/// Address of the pages.
pub const ALERTS: &str = "/alerts";
/// Rows of the history on a page.
pub const ROWS: u32 = 25;
/// Days of usage from which is told how far forecasts were off, and how many of them are foretold.
const BACKTEST: (u32, usize) = (141, 56);

/// The page with everything.
#[derive(Debug, Clone)]
pub struct AlertsPage {
    /// All rules with what they measure now.
    pub rules: Vec<Measured>,
    /// All budgets.
    pub budgets: Vec<Budget>,
    /// What fired, newest first; one row more than a page has, where there are more.
    pub history: Vec<FiringRow>,
    /// How far forecasts were off; `None` where too little is known.
    pub backtest: Option<Backtest>,
    /// Whether whoever looks may change anything.
    pub may: bool,
}

/// Somebody or something that can be told.
#[derive(Debug, Clone)]
pub struct Hearer {
    /// Its number, for forms.
    pub id: i64,
    /// What people call it: an email, or the name of a webhook.
    pub name: String,
}

/// Whoever can be told by name, and what can be named.
#[derive(Debug, Clone)]
pub struct Hearers {
    /// Members.
    pub people: Vec<Hearer>,
    /// Webhooks, Slack and Teams.
    pub endpoints: Vec<Hearer>,
    /// What a rule can be limited to, as far as usage has named it.
    pub choices: Choices,
}

/// A rule as its form has it.
#[derive(Debug, Clone)]
pub struct Draft {
    /// What people call it.
    pub title: String,
    /// What it watches for.
    pub kind: Kind,
    /// Of which part of usage.
    pub scope: Scope,
    /// Who hears of it.
    pub recipients: Recipients,
    /// How far it must come back.
    pub margin_percent: u32,
}

impl Backend {
    /// The Alerts page; the history from before a firing on.
    ///
    /// # Errors
    /// [`AppError::Refused`] for those who may not, or what the store says.
    pub async fn alerts(&self, org: &Org, before: Option<FiringId>) -> Result<AlertsPage, AppError> {
        let viewer = self.allowed(Permission::SeeUsage)?;
        let page = FiringPage { before, limit: ROWS + 1, ..FiringPage::default() };
        let days = self.store.daily_usage(org.id, BACKTEST.0).await.unwrap_or_default();
        // Today is not over.
        let past = days.split_last().map_or(&[][..], |(_, past)| past);
        Ok(AlertsPage {
            rules: self.store.alerts_measured(org.id).await?,
            budgets: self.store.budgets(org.id).await?,
            history: self.store.alert_history(org.id, page).await?,
            backtest: backtest(past, BACKTEST.1),
            may: viewer.role.may(Permission::ManageAlerts),
        })
    }

    /// One rule with what it measures now and what it fired, newest first; whether whoever looks may change it.
    ///
    /// # Errors
    /// [`AppError::NotFound`], or what the store says.
    pub async fn alert(
        &self,
        org: &Org,
        id: &str,
        before: Option<FiringId>,
    ) -> Result<(Measured, Vec<FiringRow>, bool), AppError> {
        let viewer = self.allowed(Permission::SeeUsage)?;
        let id = RuleId::parse(id).ok_or(AppError::NotFound)?;
        let rules = self.store.alerts_measured(org.id).await?;
        let found = rules.into_iter().find(|of| of.rule.id == id).ok_or(AppError::NotFound)?;
        let history = self.fired_by(org, id, before).await?;
        Ok((found, history, viewer.role.may(Permission::ManageAlerts)))
    }

    /// One budget; whether whoever looks may change it.
    ///
    /// # Errors
    /// [`AppError::NotFound`], or what the store says.
    pub async fn budget(&self, org: &Org, id: &str) -> Result<(Budget, bool), AppError> {
        let viewer = self.allowed(Permission::SeeUsage)?;
        let id = BudgetId::parse(id).ok_or(AppError::NotFound)?;
        Ok((self.store.budget(org.id, id).await?, viewer.role.may(Permission::ManageAlerts)))
    }

    /// A rule that was deleted, with what it fired, newest first.
    ///
    /// # Errors
    /// [`AppError::NotFound`] where there never was one, or what the store says.
    pub async fn deleted_alert(
        &self,
        org: &Org,
        id: &str,
        before: Option<FiringId>,
    ) -> Result<(Deleted, Vec<FiringRow>), AppError> {
        self.allowed(Permission::SeeUsage)?;
        let id = RuleId::parse(id).ok_or(AppError::NotFound)?;
        let found = self.deleted(org, "alert.delete", id.to_string()).await?;
        Ok((found, self.fired_by(org, id, before).await?))
    }

    /// What one rule fired, newest first; one row more than a page has, where there are more.
    async fn fired_by(&self, org: &Org, rule: RuleId, before: Option<FiringId>) -> Result<Vec<FiringRow>, AppError> {
        let page = FiringPage { rule: Some(rule), before, limit: ROWS + 1, ..FiringPage::default() };
        Ok(self.store.alert_history(org.id, page).await?)
    }

    /// A budget that was deleted.
    ///
    /// # Errors
    /// As [`Backend::deleted_alert`].
    pub async fn deleted_budget(&self, org: &Org, id: &str) -> Result<Deleted, AppError> {
        self.allowed(Permission::SeeUsage)?;
        let id = BudgetId::parse(id).ok_or(AppError::NotFound)?;
        self.deleted(org, "budget.delete", id.to_string()).await
    }

    /// What a rule would have said; `None` where its terms cannot be, or nobody can say right now.
    ///
    /// # Errors
    /// What the store says.
    pub async fn simulated(&self, org: &Org, draft: &Draft) -> Result<Option<Simulation>, AppError> {
        match self.store.simulate_alert(org.id, draft.kind, draft.scope.clone(), draft.margin_percent).await {
            Ok(told) => Ok(Some(told)),
            Err(StoreError::Refused(_) | StoreError::Busy) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Whoever can be told by name.
    ///
    /// # Errors
    /// What the store says.
    pub async fn hearers(&self, org: &Org) -> Result<Hearers, AppError> {
        let members = self.store.members(org.id).await?.into_iter();
        // An address may be a secret: its host says enough.
        let name = |endpoint: &Endpoint| match endpoint.title.as_str() {
            "" => format!("{} at {}", endpoint.shape.title(), endpoint.host()),
            title => title.to_owned(),
        };
        let endpoints = self.store.endpoints(org.id).await?;
        Ok(Hearers {
            people: members.map(|member| Hearer { id: member.user.0, name: member.email }).collect(),
            endpoints: endpoints.iter().map(|endpoint| Hearer { id: endpoint.id.0, name: name(endpoint) }).collect(),
            choices: self.store.choices(org.id).await?,
        })
    }

    /// Makes a rule, changes one, or acts on one, as its form says: the address of the page that says what came of it.
    ///
    /// # Errors
    /// [`AppError::Refused`] for those who may not, [`AppError::NotFound`], or what the store says.
    pub async fn send_alert(&self, id: Option<&str>, body: &str) -> Result<String, AppError> {
        let viewer = self.allowed(Permission::ManageAlerts)?;
        let form = Form::parse(body);
        let id = id.map(|id| RuleId::parse(id).ok_or(AppError::NotFound)).transpose()?;
        let page = id.map_or_else(|| format!("{ALERTS}/new"), |id| format!("{ALERTS}/{id}"));
        let author = || viewer.by().into();
        let done = match (form.get("do"), id) {
            ("snooze", Some(id)) => {
                let seconds = form.get("hours").parse::<i64>().unwrap_or(1).saturating_mul(3_600);
                self.store.act_on_alert(viewer.org, author(), id, Act::Snooze(seconds)).await.map(|_| "snoozed")
            }
            ("wake", Some(id)) => {
                self.store.act_on_alert(viewer.org, author(), id, Act::Snooze(0)).await.map(|_| "woken")
            }
            ("mute", Some(id)) => {
                self.store.act_on_alert(viewer.org, author(), id, Act::Mute(true)).await.map(|_| "muted")
            }
            ("unmute", Some(id)) => {
                self.store.act_on_alert(viewer.org, author(), id, Act::Mute(false)).await.map(|_| "unmuted")
            }
            ("acknowledge", Some(id)) => {
                self.store.act_on_alert(viewer.org, author(), id, Act::Acknowledge).await.map(|_| "acknowledged")
            }
            ("delete", Some(id)) => {
                self.store.delete_alert(viewer.org, viewer.by(), id).await?;
                return Ok(format!("{ALERTS}?done=deleted"));
            }
            _ => return self.save_alert(viewer.org, viewer.by(), id, &page, &form).await,
        };
        match done {
            Ok(code) => Ok(format!("{page}?done={code}")),
            Err(StoreError::Refused(refusal)) => Ok(format!("{page}?error={}", refusal.code())),
            Err(error) => Err(error.into()),
        }
    }

    async fn save_alert(
        &self,
        org: ::ledger::OrgId,
        by: By,
        id: Option<RuleId>,
        page: &str,
        form: &Form,
    ) -> Result<String, AppError> {
        let draft = match draft(&|name| form.get(name), &|name| form.all(name).collect()) {
            Ok(draft) => draft,
            Err(code) => return Ok(form.back_to(page, code, "rule")),
        };
        let Draft { title, kind, scope, recipients, margin_percent } = draft;
        let new = NewRule { title, kind, scope, recipients, margin_percent };
        match self.store.set_alert(org, by.into(), id, new).await {
            Ok(done) => Ok(format!("{ALERTS}/{}?done=saved", done.answer)),
            Err(StoreError::Refused(refusal)) => Ok(form.back_to(page, refusal.code(), "rule")),
            Err(StoreError::TooMany(_)) => Ok(form.back_to(page, "too_many", "rule")),
            Err(StoreError::NotFound("member" | "webhook endpoint")) => {
                Ok(form.back_to(page, "no_such_person", "rule"))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Makes a budget, changes one or takes one away, as its form says.
    ///
    /// # Errors
    /// As [`Backend::send_alert`].
    pub async fn send_budget(&self, id: &str, body: &str) -> Result<String, AppError> {
        let viewer = self.allowed(Permission::ManageAlerts)?;
        let form = Form::parse(body);
        let page = format!("{ALERTS}/budgets/{id}");
        let id = match id {
            "new" => None,
            id => Some(BudgetId::parse(id).ok_or(AppError::NotFound)?),
        };
        if let Some(id) = id.filter(|_| form.get("do") == "delete") {
            self.store.delete_budget(viewer.org, viewer.by(), id).await?;
            return Ok(format!("{ALERTS}?done=budget_deleted#budgets"));
        }
        let terms = match budget_terms(&|name| form.get(name)) {
            Ok(terms) => terms,
            Err(code) => return Ok(form.back_to(&page, code, "budget")),
        };
        let to = recipients(&|name| form.get(name), &|name| form.all(name).collect());
        match self.store.set_budget(viewer.org, viewer.by().into(), id, terms, to).await {
            Ok(_) => Ok(format!("{ALERTS}?done=budget#budgets")),
            Err(StoreError::Refused(refusal)) => Ok(form.back_to(&page, refusal.code(), "budget")),
            Err(StoreError::TooMany(_)) => Ok(form.back_to(&page, "too_many", "budget")),
            Err(StoreError::NotFound("member" | "webhook endpoint")) => {
                Ok(form.back_to(&page, "no_such_person", "budget"))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Whoever hears of an alert where nobody chose.
#[must_use]
pub fn everybody() -> Recipients {
    default_recipients()
}

/// What a budget's form says, or the code of what is wrong with it.
fn budget_terms<'f>(get: &dyn Fn(&str) -> &'f str) -> Result<Terms, &'static str> {
    let warn = get("warn_percent");
    Ok(Terms {
        title: get("title").to_owned(),
        whose: Whose::parse(get("whose")).ok_or("bad_budget")?,
        id: Label::parse("id", get("id")).map_err(|refusal| refusal.code())?,
        amount: Credits::parse(get("amount")).map_err(|refusal| refusal.code())?,
        per: Per::parse(get("per")).ok_or("bad_budget")?,
        warn_percent: if warn.is_empty() { None } else { Some(warn.parse().map_err(|_| "bad_budget")?) },
        pauses: get("pauses") == "yes",
    })
}

/// Who is to hear of a rule or a budget, as its form says.
pub fn recipients<'f>(get: &dyn Fn(&str) -> &'f str, all: &dyn Fn(&str) -> Vec<&'f str>) -> Recipients {
    Recipients {
        people: all("people").iter().filter_map(|id| id.parse().ok()).map(store::UserId).collect(),
        roles: all("roles").iter().filter_map(|role| Role::parse(role)).collect(),
        endpoints: all("endpoints").iter().filter_map(|id| id.parse().ok()).map(EndpointId).collect(),
        in_app: get("in_app") == "yes",
        mail: get("mail") == "yes",
    }
}

/// What a rule's form, or an address, says of it; the code of what is wrong with it.
///
/// # Errors
/// A code that the page has a sentence for.
pub fn draft<'f>(get: &dyn Fn(&str) -> &'f str, all: &dyn Fn(&str) -> Vec<&'f str>) -> Result<Draft, &'static str> {
    let kind = kind(get)?;
    let label = |name: &'static str| match get(name) {
        "" => Ok(None),
        text => Label::parse(name, text).map(Some).map_err(|refusal| refusal.code()),
    };
    let meter = match get("type") {
        "" => None,
        text => Some(Meter::parse(text).map_err(|refusal| refusal.code())?),
    };
    // Fields of a scope that this kind does not have were left over from another.
    let scope = Scope {
        project: label("project")?,
        workflow: label("workflow")?,
        source: label("source")?,
        meter,
        user: label("user")?,
        tenant: label("tenant")?,
    };
    let margin = get("margin_percent");
    Ok(Draft {
        title: get("title").to_owned(),
        kind,
        scope: if kind.takes_scope() { scope } else { Scope::default() },
        recipients: recipients(get, all),
        margin_percent: if margin.is_empty() { MARGIN_PERCENT } else { margin.parse().map_err(|_| "bad_alert")? },
    })
}

fn kind<'f>(get: &dyn Fn(&str) -> &'f str) -> Result<Kind, &'static str> {
    let credits = |name: &str| Credits::parse(get(name)).map_err(|refusal| refusal.code());
    let number = |name: &str| get(name).parse::<u32>().map_err(|_| "bad_alert");
    Ok(match get("kind") {
        "balance_below" => Kind::BalanceBelow { amount: credits("amount")? },
        "balance_below_share" => Kind::BalanceBelowShare { percent: number("percent")? },
        "cycle_usage" => Kind::CycleUsage { percent: number("percent")? },
        "spend_above" => {
            Kind::SpendAbove { amount: credits("amount")?, per: Per::parse(get("per")).ok_or("bad_alert")? }
        }
        "unusual_spend" => Kind::UnusualSpend { minimum: credits("minimum")? },
        "runway_below" => Kind::RunwayBelow { days: number("days")? },
        "projected_above" => Kind::ProjectedAbove { percent: number("percent")? },
        "grants_expiring" => Kind::GrantsExpiring { amount: credits("amount")?, days: number("days")? },
        "payment_failed" => Kind::PaymentFailed,
        "top_up_failed" => Kind::TopUpFailed,
        "no_usage" => Kind::NoUsage { hours: number("hours")? },
        "failed_share" => {
            Kind::FailedShare { percent: number("percent")?, hours: number("hours")?, calls: number("calls")? }
        }
        "key_changed" => Kind::KeyChanged,
        "rate_card_changed" => Kind::RateCardChanged,
        _ => return Err("bad_kind"),
    })
}
