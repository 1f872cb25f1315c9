//! What the view can be taken along as: files of its figures, the events behind it, pictures, paper, a link.

use super::menu::{heading, menu};
use crate::calendar::Day;
use crate::platform;
use crate::view::View;
use leptos::prelude::*;

const FILES: [(&str, &str); 5] = [
    ("Figures as CSV", "/exports/usage.csv"),
    ("Figures as Excel workbook", "/exports/usage.xlsx"),
    ("Events behind them as CSV", "/exports/events.csv"),
    ("Chart as SVG", "/exports/usage.svg"),
    ("Chart as PNG", "/exports/usage.png"),
];

/// The files say which days they hold, also where the page's own address leaves them to the default.
#[component]
pub fn ExportMenu(
    /// The view that is exported.
    view: Memo<View>,
    /// First and last day shown.
    shown: (Day, Day),
) -> impl IntoView {
    let file = move |(title, path): (&'static str, &'static str)| {
        let href = move || view.with(|v| v.with_range(shown.0, shown.1).at(path));
        view! { <a class="menu-item" href=href download="" rel="external">{title}</a> }
    };
    let print = move |_| {
        platform::close_popover("export");
        platform::print();
    };
    let content = view! {
        {FILES.map(file).into_iter().collect_view()}
        <button type="button" class="menu-item needs-script" on:click=print>"Print\u{2026}"</button>
    };
    menu("export", || "Export".to_owned(), "Export", content.into_any())
}

/// The address of the view, to copy: as it is, and with its days fixed.
#[component]
pub fn ShareMenu(
    /// The view.
    view: Memo<View>,
    /// First and last day shown.
    shown: (Day, Day),
    /// Where this server is reached.
    origin: String,
) -> impl IntoView {
    let field = move |id: &'static str, title: &'static str, origin: String, fixed: bool| {
        let address = move || {
            let path = view.with(|v| if fixed { v.with_range(shown.0, shown.1).href() } else { v.href() });
            format!("{origin}{path}")
        };
        let copied = RwSignal::new(false);
        let copy = move |_| copied.set(platform::copy(id));
        view! {
            {heading(title)}
            <div class="menu-form">
                <input id=id readonly="" aria-label=title value=address.clone() prop:value=address/>
                <button type="button" class="button needs-script" on:click=copy aria-live="polite">
                    {move || if copied.get() { "Copied" } else { "Copy" }}
                </button>
            </div>
        }
    };
    let content = view! {
        {field("link-here", "Link to this view", origin.clone(), false)}
        {field("link-fixed", "The same with fixed dates", origin, true)}
    };
    menu("share", || "Copy link".to_owned(), "Copy link", content.into_any())
}
