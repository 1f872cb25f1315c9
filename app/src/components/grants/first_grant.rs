//! What an org without grants sees: the ways to its first one.

use crate::components::empty_state::shell_word;
use crate::{format, words};
use leptos::prelude::*;

/// How to give the first credits: on the server, from a program, or here.
#[component]
#[allow(clippy::needless_pass_by_value, reason = "components own their properties")]
pub fn FirstGrant(
    /// Where this server is reached.
    origin: String,
    /// The org's name.
    org: String,
    /// Whether the form below may be used.
    operator: bool,
) -> impl IntoView {
    let command = format!("scrip grant --org {} --amount 100 --kind purchase", shell_word(&org));
    let words = words::current();
    let noun = format::noun(&words);
    let curl = format!(
        "curl -X POST {origin}/api/v1/grants \\\n  -H \"Authorization: Bearer scrip_…\" \\\n  -H \"content-type: application/json\" \\\n  -d '{{\"kind\":\"purchase\",\"amount\":\"100\",\"description\":\"Package of 100 {noun}\"}}'"
    );
    let gives = format!("Command that gives {noun}");
    let through_api = format!("{gives} through the API");
    let here = operator.then(|| view! { <p>"Or use the form below."</p> });
    view! {
        <section class="panel empty-state" aria-labelledby="first-grant">
            <h2 id="first-grant">{format!("No {noun} yet")}</h2>
            <p>{format!("{} are given in grants: bought, part of a plan, or for free. Usage is paid from them.", format::capital(noun))}</p>
            <ol>
                <li>
                    <p>"On the server, give the first ones."</p>
                    <pre tabindex="0" aria-label=gives><code>{command}</code></pre>
                </li>
                <li>
                    <p>"Or from a program, with a key that may write the ledger."</p>
                    <pre tabindex="0" aria-label=through_api><code>{curl}</code></pre>
                </li>
            </ol>
            {here}
        </section>
    }
}
