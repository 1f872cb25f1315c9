//! What the pages of settings say of an org and the installation, and what their forms do.

use super::Backend;
use super::desk::{Form, NotTaken};
use crate::components::settings::fields::Typed;
use crate::components::settings::organization::{ORGANIZATION, Organization};
use crate::components::settings::terminology::{TERMINOLOGY, Terminology};
use crate::error::AppError;
use crate::query;
use ::ledger::label::{MAX_LABEL_BYTES, check_text};
use ::ledger::settings::{RETENTION_DAYS, check_contact, check_product};
use ::ledger::words::{MAX_WORD_BYTES, UnitPosition};
use ::ledger::{Credits, Currency, Installation, OrgSettings, Permission, Refusal, Support, Words};
use store::{OwnWords, StoreError};

/// Most decimals that amounts have.
const MAX_DECIMALS: u8 = 6;

/// What pages show of the installation: a context of every page.
#[derive(Debug, Clone)]
pub struct Installed {
    /// What the product is called for whoever looks.
    pub product: String,
    /// Where help is found.
    pub support: Option<Support>,
}

impl Backend {
    /// What the page to be rendered shows of the installation. Where the store cannot say, the page itself will.
    pub async fn installed(&self) -> Installed {
        let Installation { product, support, .. } = self.store.installation().await.unwrap_or_default();
        let own = match &self.viewer {
            Some(viewer) => self.store.org(viewer.org).await.ok().map(|org| org.product),
            None => None,
        };
        Installed { product: own.unwrap_or(product), support }
    }

    /// The Organization page.
    ///
    /// # Errors
    /// [`AppError::Refused`] for those who may not, or what the store says.
    pub async fn organization(&self, search: &str) -> Result<Organization, AppError> {
        let viewer = self.allowed(Permission::ManageSettings)?;
        let typed = Typed::new(query::parse(search));
        let org = self.store.org(viewer.org).await?;
        Ok(Organization {
            settings: self.store.org_settings(viewer.org).await?,
            words: org.words.clone(),
            kept: self.kept_for(&org).await?,
            zone_is_free: self.store.zone_is_free(viewer.org).await?,
            zones: zones(),
            saved: typed.get("done") == Some("saved"),
            typed,
        })
    }

    /// Sets the org as the form says: the address of the page that says what came of it.
    ///
    /// # Errors
    /// [`AppError::Refused`] for those who may not, or what the store says.
    pub async fn send_organization(&self, body: &str) -> Result<String, AppError> {
        let viewer = self.allowed(Permission::ManageSettings)?;
        let form = Form::parse(body);
        let done = async {
            let new = org_settings(&form)?;
            let saved = self.store.set_org_settings(viewer.by(), viewer.org, new).await;
            saved.map_err(not_taken)
        };
        settled(done.await, &form, ORGANIZATION, "saved")
    }

    /// The Terminology page.
    ///
    /// # Errors
    /// [`AppError::NotSignedIn`], or what the store says.
    pub async fn terminology(&self, search: &str) -> Result<Terminology, AppError> {
        let viewer = self.viewer.as_ref().ok_or(AppError::NotSignedIn)?;
        let org = self.store.org(viewer.org).await?;
        let own = self.store.own_words(viewer.org).await?;
        let typed = Typed::new(query::parse(search));
        let may = viewer.role.may(Permission::ManageSettings);
        let done = match typed.get("done") {
            Some("org") => Some("The words are saved. Every page of the organization uses them from now on."),
            Some("reset") => Some("The organization uses the words of the installation again."),
            Some("installation") => Some("The installation is saved, and counts on every page from now on."),
            _ => None,
        };
        Ok(Terminology {
            installation: self.store.installation().await?,
            words: org.words,
            own: org.own_words,
            product: own.and_then(|own| own.product).unwrap_or_default(),
            org: org.name,
            may_not: (!may).then(|| Permission::ManageSettings.refusal(viewer.role)),
            operator: viewer.operator,
            typed,
            done,
        })
    }

    /// Gives the org words of its own, takes them away, or sets the installation, as the form says.
    ///
    /// # Errors
    /// As [`Backend::send_organization`].
    pub async fn send_terminology(&self, body: &str) -> Result<String, AppError> {
        let form = Form::parse(body);
        match form.get("do") {
            "installation" => {
                let viewer = self.viewer.as_ref().ok_or(AppError::NotSignedIn)?;
                if !viewer.operator {
                    let problem =
                        "Only operators, who run this server, may change the installation. Ask one of them.".to_owned();
                    return Err(AppError::Refused { problem });
                }
                let done = async {
                    let new = installation(&form)?;
                    self.store.set_installation(viewer.by(), viewer.org, new).await.map_err(not_taken)
                };
                settled(done.await, &form, TERMINOLOGY, "installation")
            }
            "org" => {
                let viewer = self.allowed(Permission::ManageSettings)?;
                let done = async {
                    let product = Some(form.get("product")).filter(|text| !text.is_empty()).map(str::to_owned);
                    product.as_deref().map_or(Ok(()), check_product).map_err(|_| NotTaken::Form("bad_product"))?;
                    let own = OwnWords { product, words: words(&form)? };
                    self.store.set_words(viewer.by(), viewer.org, Some(own)).await.map_err(not_taken)
                };
                settled(done.await, &form, TERMINOLOGY, "org")
            }
            "reset" => {
                let viewer = self.allowed(Permission::ManageSettings)?;
                let done = self.store.set_words(viewer.by(), viewer.org, None).await.map_err(not_taken);
                settled(done, &form, TERMINOLOGY, "reset")
            }
            _ => Ok(form.back_to(TERMINOLOGY, "stale_form", "own-words")),
        }
    }
}

/// The zones there are, by name.
#[must_use]
pub fn zones() -> Vec<&'static str> {
    store::calendar::zone_names()
}

fn settled(done: Result<(), NotTaken>, form: &Form, page: &str, code: &str) -> Result<String, AppError> {
    match done {
        Ok(()) => Ok(format!("{page}?done={code}")),
        Err(NotTaken::Form(wrong)) => Ok(form.back_to(page, wrong, form_id(form.get("do")))),
        Err(NotTaken::Store(error)) => Err(error.into()),
    }
}

/// Where on its page a form stands.
fn form_id(form: &str) -> &'static str {
    match form {
        "installation" => "installation",
        "org" | "reset" => "own-words",
        _ => "organization",
    }
}

/// What the forms have sentences for.
pub(super) fn not_taken(error: StoreError) -> NotTaken {
    match error {
        StoreError::Conflict(_) => NotTaken::Form("name_taken"),
        StoreError::BadRange(_) => NotTaken::Form("bad_zone"),
        error => error.into(),
    }
}

/// What a form about an org says, field by field.
pub(super) fn org_settings(form: &Form) -> Result<OrgSettings, NotTaken> {
    let filled = |name: &str| Some(form.get(name)).filter(|text| !text.is_empty());
    let contact = filled("contact").map(str::to_owned);
    let name = form.get("name");
    check_text("name", name, MAX_LABEL_BYTES).map_err(|_| NotTaken::Form("bad_name"))?;
    let currency = form.get("currency").to_ascii_uppercase();
    let currency = Currency::parse(&currency).map_err(|_| NotTaken::Form("bad_currency"))?;
    contact.as_deref().map_or(Ok(()), check_contact).map_err(|_| NotTaken::Form("bad_contact"))?;
    let above_zero = |text: &str| Credits::parse(text).ok().filter(|limit| limit.is_positive());
    let low_balance = optional(filled("low_balance"), above_zero, "bad_low_balance")?;
    let days = |text: &str| text.parse().ok().filter(|days| RETENTION_DAYS.contains(days));
    let retention_days = optional(filled("retention"), days, "bad_retention")?;
    let (name, zone) = (name.to_owned(), form.get("zone").to_owned());
    if !zones().contains(&zone.as_str()) {
        return Err(NotTaken::Form("bad_zone"));
    }
    Ok(OrgSettings { name, zone, currency, contact, low_balance, retention_days })
}

fn optional<T>(
    text: Option<&str>,
    read: impl FnOnce(&str) -> Option<T>,
    code: &'static str,
) -> Result<Option<T>, NotTaken> {
    text.map(|text| read(text).ok_or(NotTaken::Form(code))).transpose()
}

/// What a form about the installation says, field by field.
pub(super) fn installation(form: &Form) -> Result<Installation, NotTaken> {
    let product = form.get("product").to_owned();
    check_product(&product).map_err(|_| NotTaken::Form("bad_product"))?;
    let support = Some(form.get("support")).filter(|text| !text.is_empty());
    let support = optional(support, |text| Support::parse(text).ok(), "bad_support")?;
    Ok(Installation { product, words: words(form)?, support })
}

fn words(form: &Form) -> Result<Words, NotTaken> {
    let word = |name: &'static str, code| -> Result<String, NotTaken> {
        let checked: Result<(), Refusal> = check_text(name, form.get(name), MAX_WORD_BYTES);
        checked.map(|()| form.get(name).to_owned()).map_err(|_| NotTaken::Form(code))
    };
    let decimals = form.get("decimals").parse().ok().filter(|decimals| *decimals <= MAX_DECIMALS);
    Ok(Words {
        unit: word("unit", "bad_unit")?,
        unit_position: UnitPosition::parse(form.get("position")).ok_or(NotTaken::Form("bad_position"))?,
        decimals: decimals.ok_or(NotTaken::Form("bad_decimals"))?,
        workflow: word("workflow", "bad_workflow")?,
        workflows: word("workflows", "bad_workflows")?,
    })
}
