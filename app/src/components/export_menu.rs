//! What the view can be taken along as: files of its figures, the events behind it, pictures, paper, a link.

use super::menu::{heading, list, menu};
use super::still::follows;
use crate::calendar::Day;
use crate::markup::Markup;
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
    let content = follows(view, move |v| files(&v.with_range(shown.0, shown.1)));
    menu("export", "Export", None, content)
}

fn files(view: &View) -> Markup {
    let file = |(title, path): (&str, &str)| {
        let link = Markup::new("a").class("menu-item").attr("href", &view.at(path));
        link.attr("download", "").attr("rel", "external").text(title)
    };
    let runs = Markup::new("a").class("menu-item").attr("href", &view.at("/usage")).attr("rel", "external");
    list(FILES.map(file)).child(runs.text("Runs behind them")).child(button("menu-item", "print", "Print\u{2026}"))
}

/// What a script does, by the name that `platform::act` knows.
fn button(class: &str, act: &str, text: &str) -> Markup {
    let button = Markup::new("button").attr("type", "button").class(&format!("{class} needs-script"));
    button.attr("data-act", act).text(text)
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
    let content = follows(view, move |v| {
        let fixed = v.with_range(shown.0, shown.1);
        let here = field("link-here", "Link to this view", &origin, v);
        list([here, field("link-fixed", "The same with fixed dates", &origin, &fixed)])
    });
    menu("share", "Copy link", None, content)
}

fn field(id: &str, title: &str, origin: &str, view: &View) -> Markup {
    let input = Markup::new("input").attr("id", id).attr("readonly", "").attr("aria-label", title);
    let input = input.attr("value", &format!("{origin}{}", view.href()));
    let line =
        Markup::new("div").class("menu-form").child(input).child(button("button", &format!("copy {id}"), "Copy"));
    Markup::new("div").child(heading(title)).child(line)
}
