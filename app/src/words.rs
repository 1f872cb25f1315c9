//! What pages call things: the product, and what the org calls its credits and workflows (DESIGN §8, Terminology).
//!
//! An org's words come with the session, which every page waits for, and reach whatever shows an amount as a context.

use crate::app::SessionResource;
use leptos::prelude::{expect_context, provide_context, use_context};
use std::sync::Arc;

pub use ledger::Words;

/// Gives what is shown below the words of the viewer's org. Pages wait for it before they show anything.
pub async fn provide() {
    let who = expect_context::<SessionResource>().read().await;
    provide_context(Arc::new(who.ok().flatten().map(|who| who.words).unwrap_or_default()));
}

/// The words of the viewer's org.
#[must_use]
pub fn current() -> Arc<Words> {
    use_context().unwrap_or_default()
}
