//! What everybody should know whatever page they are on: work is refused, or there is debt.

use super::filled::{Filled, any};
use crate::app::SessionResource;
use crate::format;
use crate::server_fns::session::{SessionInfo, Warning};
use leptos::prelude::*;

/// A line below the header; nothing while all is well. It comes with the page, so that nothing moves when it appears.
#[component]
pub fn Banner(
    /// Who is looking.
    who: SessionResource,
) -> impl IntoView {
    let line = who.shown(|who| any(who.ok().flatten().and_then(line)));
    view! { <Filled shown=line/> }
}

fn line(who: SessionInfo) -> Option<impl IntoView> {
    let noun = format::noun(&who.words);
    let Warning { paused, text } = who.warning?;
    let (href, todo) = match (paused, who.operator) {
        (true, true) => ("/grants#give", format!("Give {noun}")),
        (true, false) => ("/grants", format!("Ask whoever runs this server to add {noun}")),
        (false, _) => ("/grants", "See grants".to_owned()),
    };
    Some(view! {
        <aside class="banner" class:paused=paused aria-label="Balance">
            <p>
                {text}
                " "
                <a href=href rel="external">{todo}</a>
            </p>
        </aside>
    })
}
