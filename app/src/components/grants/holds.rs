//! Credits reserved for work in progress.

use crate::components::amount::Amount;
use crate::components::grants::data::HoldLine;
use crate::components::time::Time;
use crate::{format, words};
use leptos::prelude::*;

/// The pending holds; nothing where there are none.
#[component]
pub fn HoldsPanel(
    /// The first of them.
    holds: Vec<HoldLine>,
    /// How many there are.
    count: i64,
) -> impl IntoView {
    (count > 0).then(|| view! { <Filled holds count/> })
}

#[component]
fn Filled(holds: Vec<HoldLine>, count: i64) -> impl IntoView {
    let unit = format::unit_head(&words::current());
    let rest = count - i64::try_from(holds.len()).unwrap_or(count);
    let rest =
        (rest > 0).then(|| view! { <p class="muted below">{format!("{} more end later", format::count(rest))}</p> });
    let rows = holds.into_iter().map(|hold| {
        let place = (!hold.place.is_empty()).then(|| view! { <span class="muted hold-place">{hold.place}</span> });
        view! {
            <tr>
                <th scope="row" class="wrap">{hold.title}{place}</th>
                <td>{hold.id}</td>
                <td><Time moment=hold.since/></td>
                <td><Time moment=hold.until/></td>
                <td class="number"><Amount credits=hold.amount bare=true/></td>
                <td class="number"><Amount credits=hold.uncovered/></td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    view! {
        <section class="panel" aria-labelledby="holds-title">
            <div class="panel-head">
                <h2 id="holds-title">"Held for work in progress"</h2>
                <p class="muted">"Comes back if it is not used"</p>
            </div>
            <div class="table-scroll" tabindex="0" role="region" aria-label="Table of pending holds">
                <table class="table holds">
                    <caption class="visually-hidden">"Pending holds, soonest end first"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"What for"</th>
                            <th scope="col">"Hold"</th>
                            <th scope="col">"Since"</th>
                            <th scope="col">"Until"</th>
                            <th scope="col" class="number">{unit}</th>
                            <th scope="col" class="number" title="Promised by the policy, not by any grant">"Not covered"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
            {rest}
        </section>
    }
}
