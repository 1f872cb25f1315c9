//! Saved views: the menu that lists them, and what its forms do.

use super::Backend;
use crate::components::saved_views::{Listed, list};
use crate::error::AppError;
use crate::markup::Markup;
use crate::query;
use crate::view::View;
use ::ledger::saved_view::{ViewName, may_delete};
use ::ledger::{Permission, Refusal};
use store::{NewView, StoreError};

impl Backend {
    /// The views that whoever is signed in can open.
    ///
    /// # Errors
    /// [`AppError::Refused`] for those who may not see usage, or what the store says.
    pub async fn saved_views(&self) -> Result<Markup, AppError> {
        let viewer = self.allowed(Permission::SeeUsage)?;
        let views = self.store.saved_views(viewer.org, viewer.user).await?;
        let listed = |view: store::SavedView| Listed {
            id: view.id,
            name: view.name,
            view: View::parse(&view.query),
            shared: view.shared,
            owner: (!view.own).then_some(view.owner),
            deletable: may_delete(viewer.role, view.own, view.shared),
        };
        Ok(list(&views.into_iter().map(listed).collect::<Vec<_>>()))
    }

    /// Saves, renames or deletes a view, as the form says; the address of the view it was about, with a word for what came of
    /// it. What the form calls a view is read and written again: nothing but a view of ours is kept or gone to.
    ///
    /// # Errors
    /// [`AppError::Refused`] for those who may not, or what the store says.
    pub async fn send_saved_view(&self, body: &str) -> Result<String, AppError> {
        let viewer = self.allowed(Permission::SeeUsage)?;
        let fields = query::parse(body);
        let get = |name: &str| fields.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
        let view = View::parse(get("query"));
        let told = |code: &str| {
            let mut address = view.query();
            query::push(&mut address, "views", code);
            format!("/analytics?{address}")
        };
        let (name, shared) = (ViewName::parse(get("name")), get("shared") == "1");
        let id = get("view").parse().unwrap_or(0);
        let done = match (get("do"), name) {
            ("delete", _) => self.store.delete_view(viewer.org, viewer.user, id).await.map(|()| "deleted"),
            (_, Err(_)) => return Ok(told("bad_name")),
            ("save", Ok(name)) => {
                let new = NewView { name, query: view.query(), shared };
                self.store.save_view(viewer.org, viewer.user, new).await.map(|_| "saved")
            }
            (_, Ok(name)) => {
                self.store.rename_view(viewer.org, viewer.user, id, name, shared).await.map(|()| "renamed")
            }
        };
        match done {
            Ok(code) => Ok(told(code)),
            Err(StoreError::Conflict(_)) => Ok(told("name_taken")),
            Err(StoreError::NotFound(_)) => Ok(told("gone")),
            Err(StoreError::BadRange(_)) => Ok(told("too_many")),
            Err(StoreError::Refused(Refusal::BadLabel { .. })) => Ok(told("too_long")),
            Err(error) => Err(error.into()),
        }
    }
}
