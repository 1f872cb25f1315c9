//! What a text may mean: pages, what events name, an event.

use super::{Backend, event};
use crate::components::runs::filter::{path_of, run_path};
use crate::components::search::{Hit, MAX_TEXT_CHARS, pages};
use crate::components::workflows;
use crate::error::AppError;
use crate::query;
use crate::report::only;
use crate::view::View;
use ledger::cube::Named;
use ledger::{Dimension, Permission, Words};
use store::Org;
use store::name::{Noun, PER_KIND};

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
        let hit_of = |title: &str, detail: &str, seq: &str| Hit {
            kind: "Event".to_owned(),
            title: title.to_owned(),
            detail: detail.to_owned(),
            href: format!("/events/{seq}"),
            key: None,
        };
        if event::exists(&self.store, org.id, &text).await? {
            hits.push(hit_of(&text, "", &text));
        }
        if !text.is_empty() {
            let called = self.store.events_called(org.id, &text).await?;
            hits.extend(called.iter().map(|seq| hit_of(&text, &seq.to_string(), &seq.to_string())));
        }
        hits.extend(pages(viewer.role, viewer.operator, &text, &org.words));
        let named = self.store.names(org.id, &text).await?;
        for noun in Noun::ALL {
            let of_kind: Vec<Named> =
                named.iter().filter(|(kind, _)| *kind == noun).map(|(_, named)| named.clone()).collect();
            let more = (of_kind.len() == PER_KIND).then(|| more(noun, &text)).flatten();
            hits.extend(of_kind.into_iter().map(|named| hit(noun, named, &org.words)));
            hits.extend(more);
        }
        Ok(hits)
    }
}

/// The list that goes on where search stops.
fn more(noun: Noun, text: &str) -> Option<Hit> {
    let (path, title) = match noun {
        Noun::Run => ("/usage", "All runs that begin so"),
        Noun::User => ("/customers", "All users that begin so"),
        Noun::Tenant => ("/customers/tenants", "All tenants that begin so"),
        Noun::Interaction => ("/customers/interactions", "All interactions that begin so"),
        Noun::Project | Noun::Workflow => return None,
    };
    let mut query = String::new();
    query::push(&mut query, "q", text);
    let href = format!("{path}?{query}");
    Some(Hit { kind: "List".to_owned(), title: title.to_owned(), detail: String::new(), href, key: None })
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
    match noun {
        Noun::Project => only(&View::default(), &Dimension::Project, id).href(),
        Noun::Workflow => path_of(workflows::PATH, id),
        Noun::User => query::place("/users", id),
        Noun::Tenant => query::place("/tenants", id),
        Noun::Run => run_path(id),
        Noun::Interaction => query::place("/interactions", id),
    }
}
