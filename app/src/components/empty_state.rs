//! What an org without events sees: the two steps to its first one.

use crate::markup::Markup;
use ledger::cube::MeterInfo;

/// How to make a key, and a curl line that works with it.
#[must_use]
pub fn first_event(
    // Where this server is reached.
    origin: &str,
    // The org's name.
    org: &str,
    // What its rate card knows.
    meters: &[MeterInfo],
) -> Markup {
    let key = format!("scrip key create --org {}", shell_word(org));
    let curl = curl_line(origin, meters.first().map_or("export", |m| m.meter.as_str()));
    let p = |text: &str| Markup::new("p").text(text);
    let step = |text: Markup, label: &str, command: &str| {
        let command = Markup::new("code").text(command);
        let shown = Markup::new("pre").attr("tabindex", "0").attr("aria-label", label).child(command);
        Markup::new("li").child(text).child(shown)
    };
    let keys = Markup::new("a").attr("href", "/settings/keys").attr("rel", "external").text("make an API key");
    let make = p("Under Settings, ").child(keys).text(", or on the server. It is shown once.");
    let steps = Markup::new("ol").child(step(make, "Command that makes a key", &key)).child(step(
        p("From anywhere, send an event with it."),
        "Command that sends an event",
        &curl,
    ));
    let docs = Markup::new("a").attr("href", "/api/docs").attr("rel", "external").text("API docs");
    Markup::new("section")
        .class("panel empty-state")
        .attr("aria-labelledby", "first-event")
        .child(Markup::new("h2").attr("id", "first-event").text("No usage yet"))
        .child(p("As soon as a service reports its first event, it is rated, booked and shown here."))
        .child(steps)
        .child(p("Everything else that can be sent is in the ").child(docs).text("."))
}

/// A shell's line that sends an event.
pub(crate) fn curl_line(origin: &str, meter: &str) -> String {
    format!(
        "curl -X POST {origin}/api/v1/events \\\n  -H \"Authorization: Bearer scrip_…\" \\\n  -H \"content-type: application/json\" \\\n  -d '{{\"id\":\"1\",\"source\":\"api\",\"type\":\"{meter}\",\"data\":{{\"quantity\":1000}}}}'"
    )
}

/// A word as a POSIX shell takes it.
#[must_use]
pub fn shell_word(text: &str) -> String {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    if plain { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::event::Form;

    #[test]
    fn the_curl_line_sends_an_event_that_is_understood() {
        let line = curl_line("http://127.0.0.1:3000", "input_tokens");
        let body = line.split('\'').nth(1).expect("the body is quoted");
        assert!(ledger::Event::from_json(body, Form::Plain).is_ok(), "{body}");
    }

    #[test]
    fn names_are_quoted_for_the_shell() {
        assert_eq!(shell_word("Acme"), "Acme");
        assert_eq!(shell_word("Bob's $shop"), "'Bob'\\''s $shop'");
    }
}
