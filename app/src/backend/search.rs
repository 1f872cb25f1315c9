//! What a text may mean: pages, what events name, an event.

use super::{Backend, event};
use crate::components::search::{Hit, MAX_TEXT_CHARS, pages};
use crate::error::AppError;
use crate::query;
use crate::report::only;
use crate::view::View;
use ledger::cube::Named;
use ledger::{Dimension, Facet, Permission, Words};
use store::Org;
use store::name::Noun;

impl Backend {
    /// The same of the viewer's own org, for a script.
    ///
    /// # Errors
    /// As [`Backend::search`].
    pub async fn found(&self, text: &str) -> Result<Vec<Hit>, AppError> {
        let org = self.store.org(self.allowed(Permission::SeeUsage)?.org).await?;
        self.search(&org, text).await
    }

    /// Everything that a text may mean, pages first. For no text: the pages.
    ///
    /// # Errors
    /// What the store says.
    pub async fn search(&self, org: &Org, text: &str) -> Result<Vec<Hit>, AppError> {
        let viewer = self.allowed(Permission::SeeUsage)?;
        let text: String = text.trim().chars().take(MAX_TEXT_CHARS).collect();
        let mut hits = Vec::new();
        if event::exists(&self.store, org.id, &text).await? {
            hits.push(Hit {
                kind: "Event".to_owned(),
                title: text.clone(),
                detail: String::new(),
                href: format!("/events/{text}"),
                key: None,
            });
        }
        hits.extend(pages(viewer.role, viewer.operator, &text));
        let named = self.store.names(org.id, &text).await?;
        hits.extend(named.into_iter().map(|(noun, named)| hit(noun, named, &org.words)));
        Ok(hits)
    }
}

fn hit(noun: Noun, named: Named, words: &Words) -> Hit {
    let kind = match noun {
        Noun::Project => "Project",
        Noun::Workflow => &words.workflow,
        Noun::Run => "Run",
        Noun::User => "User",
        Noun::Tenant => "Tenant",
        Noun::Interaction => "Interaction",
    };
    let href = href(noun, &named.id);
    let detail = if named.id == named.name { String::new() } else { named.id };
    Hit { kind: kind.to_owned(), title: named.name, detail, href, key: None }
}

/// The page of a thing; the Analytics of what is there only as a filter.
fn href(noun: Noun, id: &str) -> String {
    let analytics = |dimension: Dimension| only(&View::default(), &dimension, id).href();
    match noun {
        Noun::Project => analytics(Dimension::Project),
        Noun::Workflow => analytics(Dimension::Facet(Facet::Workflow)),
        Noun::User => query::place("/users", id),
        Noun::Tenant => query::place("/tenants", id),
        Noun::Run => query::place("/runs", id),
        Noun::Interaction => query::place("/interactions", id),
    }
}
