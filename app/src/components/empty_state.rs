//! What an org without events sees: the two steps to its first one.

use ledger::cube::MeterInfo;
use leptos::prelude::*;

/// How to make a key, and a curl line that works with it.
#[component]
#[allow(clippy::needless_pass_by_value, reason = "components own their properties")]
pub fn FirstEvent(
    /// Where this server is reached.
    origin: String,
    /// The org's name.
    org: String,
    /// What its rate card knows.
    meters: Vec<MeterInfo>,
) -> impl IntoView {
    let key = format!("scrip key create --org {}", shell_word(&org));
    let curl = curl_line(&origin, meters.first().map_or("export", |m| m.meter.as_str()));
    view! {
        <section class="panel empty-state" aria-labelledby="first-event">
            <h2 id="first-event">"No usage yet"</h2>
            <p>"As soon as a service reports its first event, it is rated, booked and shown here."</p>
            <ol>
                <li>
                    <p>"On the server, make an API key. It is shown once."</p>
                    <pre tabindex="0" aria-label="Command that makes a key"><code>{key}</code></pre>
                </li>
                <li>
                    <p>"From anywhere, send an event with it."</p>
                    <pre tabindex="0" aria-label="Command that sends an event"><code>{curl}</code></pre>
                </li>
            </ol>
            <p>"Everything else that can be sent is in the " <a href="/api/docs" rel="external">"API docs"</a> "."</p>
        </section>
    }
}

fn curl_line(origin: &str, meter: &str) -> String {
    format!(
        "curl -X POST {origin}/api/v1/events \\\n  -H \"Authorization: Bearer scrip_…\" \\\n  -H \"content-type: application/json\" \\\n  -d '{{\"id\":\"1\",\"source\":\"api\",\"type\":\"{meter}\",\"data\":{{\"quantity\":1000}}}}'"
    )
}

/// A word as a POSIX shell takes it.
pub(crate) fn shell_word(text: &str) -> String {
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
