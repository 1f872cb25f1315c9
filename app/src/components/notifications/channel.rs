//! `/settings/notifications`: whether, when and how the viewer hears by mail. Theirs alone, in this org.

use crate::backend::outbox::{PersonChannel, zone_names};
use crate::components::people::parts::{hidden, hint, label, panel, primary};
use crate::components::settings;
use crate::components::written::{Asked, Written};
use crate::error::AppError;
use crate::markup::Markup;

/// Address of the page.
pub const PATH: &str = "/settings/notifications";

/// The page.
///
/// # Errors
/// What the store says.
pub async fn page(asked: &Asked<'_>) -> Result<Written, AppError> {
    let channel = asked.backend.person_channel().await?;
    let head = Markup::new("div").class("page-head").child(Markup::new("h1").text("Notifications")).child(
        Markup::new("p")
            .class("muted")
            .text("How you hear of this organization. In the app everything is there at once."),
    );
    let done =
        (asked.get("done") == "saved").then(|| Markup::new("p").class("notice").attr("role", "status").text("Saved."));
    let wrong = match asked.get("error") {
        "" => None,
        "bad_zone" => Some("There is no such time zone. Choose one of the list, such as Europe/Berlin."),
        "bad_hours" => Some("Give both hours of the quiet time, such as 22:00 and 07:00, or neither."),
        _ => Some("This was not taken. Look at it again, then send it."),
    };
    let wrong = wrong.map(|text| Markup::new("p").class("form-error").attr("role", "alert").text(text));
    let panel = panel("mail", "By mail").children(wrong).child(form(&channel));
    let body = [head].into_iter().chain(done).chain([panel]);
    Ok(Written { title: "Notifications".to_owned(), body: settings::frame(asked.backend, PATH, body) })
}

fn form(channel: &PersonChannel) -> Markup {
    let when = match (channel.mail, channel.digest_at) {
        (false, _) => "never",
        (true, None) => "once",
        (true, Some(_)) => "daily",
    };
    let choices = [
        ("once", "At once", "Each by itself, outside of your quiet hours."),
        ("daily", "Once a day", "All of a day as one mail."),
        ("never", "Never", "Only in the app. Letters about payments and invoices come all the same."),
    ];
    let choice = |(value, title, about): (&str, &str, &str)| {
        let input = Markup::new("input").attr("type", "radio").attr("name", "mail").attr("value", value);
        let words = Markup::new("span").child(Markup::new("b").text(title)).child(Markup::new("small").text(about));
        let input = input.maybe_attr("checked", (value == when).then_some(""));
        Markup::new("label").class("webhook-kind").child(input).child(words)
    };
    let legend = Markup::new("legend").text("When");
    let choices = Markup::new("fieldset").class("webhook-kinds stacked").child(legend).children(choices.map(choice));
    let hour = |name: &'static str, minute: Option<u32>| {
        let input = Markup::new("input").attr("type", "time").attr("name", name);
        input.maybe_attr("value", minute.map(clock).as_deref())
    };
    let zones = zone_names().into_iter().map(|zone| {
        let selected = (zone == channel.zone).then_some("");
        Markup::new("option").attr("value", zone).maybe_attr("selected", selected).text(zone)
    });
    let (from, until) = channel.quiet.unzip();
    let fields = Markup::new("div")
        .class("webhook-fields")
        .child(label("Quiet from", hour("quiet_from", from)))
        .child(label("Quiet until", hour("quiet_until", until)))
        .child(label("Daily mail at", hour("digest_at", Some(channel.digest_at.unwrap_or(8 * 60)))))
        .child(label("Your time zone", Markup::new("select").attr("name", "zone").children(zones)));
    Markup::new("form")
        .attr("method", "post")
        .attr("action", PATH)
        .child(hidden("do", "save"))
        .child(choices)
        .child(fields)
        .child(hint("What happens in your quiet hours comes as one mail when they end. Leave both empty for none."))
        .child(Markup::new("p").class("form-foot").child(primary("Save")))
}

/// `07:30`
fn clock(minute: u32) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}
