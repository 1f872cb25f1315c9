//! What operators see and do whatever org it is about: the one place where an org is named by the request. Every method asks
//! first whether the viewer is one.

use super::desk::{Form, NotTaken, amount};
use super::{Backend, Viewer, people::moment};
use crate::components::operator::{OrgLine, Organization, Organizations, Run};
use crate::error::AppError;
use crate::query;
use crate::refused::sentence;
use ::ledger::canon::hex;
use ::ledger::{OrgId, Policy, Role, Words};
use store::{CorrectionRequest, KeyPage, NewOrg, Org, StoreError};

/// Orgs on one page.
const PAGE: usize = 50;
/// Runs and deleted orgs on one page.
const MAX_ROWS: u32 = 100;
/// API keys that are counted.
const MAX_KEYS: u32 = 500;

impl Backend {
    /// Whoever is signed in, if they are an operator.
    ///
    /// # Errors
    /// [`AppError::NotSignedIn`], or a sentence that says who may.
    pub fn operator(&self) -> Result<&Viewer, AppError> {
        let viewer = self.viewer.as_ref().ok_or(AppError::NotSignedIn)?;
        if viewer.operator {
            return Ok(viewer);
        }
        let problem = "Only operators may see this: whoever runs this server makes them.".to_owned();
        Err(AppError::Refused { problem })
    }

    /// The orgs whose name begins with `search`, after `after`.
    ///
    /// # Errors
    /// As [`Backend::operator`], or what the store says.
    pub async fn organizations(
        &self,
        search: &str,
        after: &str,
        presets: Vec<String>,
    ) -> Result<Organizations, AppError> {
        self.operator()?;
        let wanted = search.trim().to_lowercase();
        let all = self.store.orgs().await?;
        let mut found =
            all.into_iter().filter(|org| org.name.to_lowercase().starts_with(&wanted) && *org.name > *after);
        let page: Vec<Org> = found.by_ref().take(PAGE).collect();
        let more = page.last().filter(|_| found.next().is_some()).map(|last| {
            let mut address = String::new();
            query::push(&mut address, "q", search);
            query::push(&mut address, "after", &last.name);
            format!("{}?{address}", crate::components::operator::ORGANIZATIONS)
        });
        let mut lines = Vec::new();
        for org in page {
            lines.push(self.org_line(org).await?);
        }
        let mut deleted = Vec::new();
        for gone in self.store.deleted_orgs(MAX_ROWS).await? {
            let at = super::utc_moment(gone.deleted_at)?;
            deleted.push((gone.org.to_string(), at, gone.entries, hex(&gone.head_hash)));
        }
        Ok(Organizations { lines, search: search.to_owned(), more, presets, deleted })
    }

    /// One org, by its id as text.
    ///
    /// # Errors
    /// As [`Backend::operator`]; [`AppError::NotFound`].
    pub async fn organization_of(&self, id: &str, presets: Vec<String>) -> Result<Organization, AppError> {
        self.operator()?;
        let org = self.store.org(OrgId::parse(id).ok_or(AppError::NotFound)?).await?;
        let policy = self.store.policy(org.id).await?;
        let chain = self.store.totals(org.id).await?.chain;
        let members = self.store.members(org.id).await?;
        let keys = self.store.api_keys(org.id, KeyPage { active: true, before: None, limit: MAX_KEYS }).await?.len();
        Ok(Organization {
            since: moment(&org, org.created_at)?,
            chain: (chain.seq.0, hex(&chain.hash)),
            plans: self.store.plans(org.id).await?.into_iter().map(|plan| plan.title).collect(),
            packages: self.store.packages(org.id).await?.into_iter().map(|package| package.title).collect(),
            presets,
            policy: policy.name(),
            limit: policy.limit().map(|limit| limit.to_string()),
            members: members.into_iter().map(|member| (member.email, Role::title(member.role))).collect(),
            keys,
            line: self.org_line(org).await?,
        })
    }

    async fn org_line(&self, org: Org) -> Result<OrgLine, AppError> {
        let balance = self.store.balance(org.id).await?;
        let events = self.store.totals(org.id).await?.events;
        let ends = self.store.ends_at(org.id).map(|at| moment(&org, at)).transpose()?;
        let (id, zone) = (org.id.to_string(), org.zone.name().to_owned());
        Ok(OrgLine { id, name: org.name, zone, synthetic: org.synthetic, balance, words: org.words, events, ends })
    }

    /// What jobs did.
    ///
    /// # Errors
    /// As [`Backend::operator`], or what the store says.
    pub async fn runs(&self, failed: bool) -> Result<Vec<Run>, AppError> {
        self.operator()?;
        let runs = self.store.job_runs(failed, MAX_ROWS).await?;
        let run = |run: store::JobRun| {
            let took_ms = run.ended_at.micros().saturating_sub(run.begun_at.micros()) / 1_000;
            Ok(Run { at: super::utc_moment(run.begun_at)?, job: run.job, took_ms, done: run.done, error: run.error })
        };
        runs.into_iter().map(run).collect()
    }

    /// Does to an org what the form says; what a preset gives for a new one comes from the server. The address of the org, or
    /// a sentence that says what to change.
    ///
    /// # Errors
    /// As [`Backend::operator`], or what the store says.
    pub async fn act_on_organization(
        &self,
        body: &str,
        preset: impl FnOnce(&str) -> Option<NewOrg>,
    ) -> Result<Result<String, String>, AppError> {
        let viewer = self.operator()?;
        let form = Form::parse(body);
        let done = match form.get("do") {
            "create" => self.create_organization(viewer, &form, preset(form.get("preset"))).await,
            "offer" => self.offer_to_organization(viewer, &form, preset(form.get("preset"))).await,
            "adjust" => self.adjust_organization(viewer, &form).await,
            "invoice" => self.adjust_invoice(viewer, &form).await,
            "policy" => self.set_policy(viewer, &form).await,
            _ => Err(NotTaken::Form("stale_form")),
        };
        match done {
            Ok(org) => Ok(Ok(format!("{}?org={org}", crate::components::operator::ORGANIZATIONS))),
            Err(NotTaken::Form(code)) => Ok(Err(sentence(code, &Words::default()))),
            Err(NotTaken::Store(StoreError::Conflict(what))) => {
                Ok(Err(format!("There is such a {what} already: choose another.")))
            }
            Err(NotTaken::Store(StoreError::BadRange(problem))) => Ok(Err(problem.to_owned())),
            Err(NotTaken::Store(error)) => Err(error.into()),
        }
    }

    async fn create_organization(
        &self,
        viewer: &Viewer,
        form: &Form,
        preset: Option<NewOrg>,
    ) -> Result<OrgId, NotTaken> {
        let preset = preset.ok_or(NotTaken::Form("stale_form"))?;
        let (name, zone) = (form.get("name").to_owned(), form.get("zone").to_owned());
        let org = self.store.create_org_by(viewer.by(), NewOrg { name, zone, ..preset }).await?.id;
        self.store.add_member(org, viewer.user, Role::Owner).await?;
        Ok(org)
    }

    /// Offers what a preset sells: also to an org that was made before there was anything to sell.
    async fn offer_to_organization(
        &self,
        viewer: &Viewer,
        form: &Form,
        preset: Option<NewOrg>,
    ) -> Result<OrgId, NotTaken> {
        let (org, offers) = (org_of(form)?, preset.ok_or(NotTaken::Form("stale_form"))?.offers);
        self.store.offer(org, viewer.by(), offers).await?;
        Ok(org)
    }

    async fn adjust_organization(&self, viewer: &Viewer, form: &Form) -> Result<OrgId, NotTaken> {
        let org = org_of(form)?;
        let (amount, reason) = (amount(form.get("amount"))?, form.get("reason").to_owned());
        let request = CorrectionRequest::Adjust { amount, grant: None, expires_at: None, reason };
        self.store.correct(org, viewer.by(), request, false, Some(form.once("operator-adjust")?)).await?;
        Ok(org)
    }

    async fn set_policy(&self, viewer: &Viewer, form: &Form) -> Result<OrgId, NotTaken> {
        let org = org_of(form)?;
        let limit = Some(form.get("limit")).filter(|text| !text.is_empty() && form.get("policy") != "pause");
        let policy = Policy::new(form.get("policy"), limit.map(amount).transpose()?)?;
        self.store.set_policy_by(viewer.by(), org, policy).await?;
        Ok(org)
    }
}

fn org_of(form: &Form) -> Result<OrgId, NotTaken> {
    OrgId::parse(form.get("org")).ok_or(NotTaken::Form("stale_form"))
}
