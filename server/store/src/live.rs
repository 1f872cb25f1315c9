//! Telling whoever waits that an org's chain has grown: woken by the writer after its commit, never by asking the database.
//!
//! Only orgs that somebody watches are kept, so a commit costs a look at an empty map. Who is woken is told nothing but
//! that it is worth looking: many commits while nobody looks are one.

use crate::Store;
use ledger::OrgId;
use rustc_hash::FxHashSet;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// The orgs that are watched.
#[derive(Debug, Default)]
pub(crate) struct Heads(Mutex<HashMap<OrgId, watch::Sender<()>>>);

impl Heads {
    fn watched(&self) -> MutexGuard<'_, HashMap<OrgId, watch::Sender<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the chains of those orgs have grown by is on disk.
    pub(crate) fn moved(&self, orgs: &FxHashSet<OrgId>) {
        let mut watched = self.watched();
        if watched.is_empty() {
            return;
        }
        for org in orgs {
            if watched.get(org).is_some_and(|sender| sender.send(()).is_err()) {
                watched.remove(org);
            }
        }
    }

    fn watch(&self, org: OrgId) -> watch::Receiver<()> {
        let mut watched = self.watched();
        watched.retain(|_, sender| !sender.is_closed());
        watched.entry(org).or_insert_with(|| watch::channel(()).0).subscribe()
    }
}

/// Waits for an org's chain to grow.
#[derive(Debug)]
pub struct HeadWatch(watch::Receiver<()>);

impl HeadWatch {
    /// Whether something was booked since this, or [`HeadWatch::moved`], said so last.
    pub fn has_moved(&mut self) -> bool {
        let moved = self.0.has_changed().unwrap_or(false);
        if moved {
            self.0.mark_unchanged();
        }
        moved
    }

    /// Resolves once something was booked since the last time it did, or since it was made.
    pub async fn moved(&mut self) {
        if self.0.changed().await.is_err() {
            // The store is gone: nothing will be booked any more.
            std::future::pending::<()>().await;
        }
    }
}

impl Store {
    /// Watches an org's chain from now on.
    #[must_use]
    pub fn watch_head(&self, org: OrgId) -> HeadWatch {
        HeadWatch(self.inner.heads.watch(org))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_watches_is_woken_once_for_many_commits_and_nobody_else() {
        let heads = Heads::default();
        let (mut one, mut other) = (HeadWatch(heads.watch(OrgId(1))), HeadWatch(heads.watch(OrgId(2))));
        let moved = FxHashSet::from_iter([OrgId(1), OrgId(3)]);
        heads.moved(&moved);
        heads.moved(&moved);
        one.moved().await;
        assert!(!one.0.has_changed().expect("alive") && !other.0.has_changed().expect("alive"));
        heads.moved(&FxHashSet::from_iter([OrgId(2)]));
        other.moved().await;
    }

    #[test]
    fn what_nobody_watches_any_more_is_forgotten() {
        let heads = Heads::default();
        drop(heads.watch(OrgId(1)));
        heads.moved(&FxHashSet::from_iter([OrgId(1)]));
        assert!(heads.watched().is_empty());
        drop(heads.watch(OrgId(2)));
        let _kept = heads.watch(OrgId(3));
        assert_eq!(heads.watched().len(), 1);
    }
}
