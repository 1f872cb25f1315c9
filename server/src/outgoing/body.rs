//! What is sent: a message as JSON of Standard Webhooks, or in the shapes that Slack and Teams take.

use app::message::{Said, Tone, say};
use ledger::Words;
use ledger::endpoint::Shape;
use serde_json::{Value, json};
use store::outbox::delivery::Message;

/// Longest text of a part of Slack's: it takes 3,000 characters.
const MAX_SLACK_CHARS: usize = 2_900;

/// Where a message comes from.
#[derive(Debug, Clone)]
pub struct From<'a> {
    /// The org's id.
    pub org: String,
    /// What people call it.
    pub name: &'a str,
    /// How its credits are called.
    pub words: &'a Words,
    /// Where this server is reached.
    pub base_url: &'a str,
}

/// The body of a message for such an endpoint.
#[must_use]
pub fn body(shape: Shape, message: &Message, from: &From<'_>) -> String {
    match shape {
        Shape::Webhook => webhook(message, from),
        Shape::Slack => slack(&said(message, from), from),
        Shape::Teams => teams(&said(message, from), from),
    }
    .to_string()
}

fn said(message: &Message, from: &From<'_>) -> Said {
    say(message.kind, &message.data, from.words)
}

/// `type`, `timestamp` and `data`, as Standard Webhooks wants it; and whose it is, for receivers of several organizations.
fn webhook(message: &Message, from: &From<'_>) -> Value {
    let mut data = message.data.clone();
    if let Some(path) = data["url"].as_str().filter(|path| path.starts_with('/')) {
        data["url"] = json!(format!("{}{path}", from.base_url));
    }
    json!({"type": message.kind.as_str(), "timestamp": message.made_at.to_string(), "organization": from.org, "data": data})
}

/// Slack reads three signs as its own; the rest of its marks can only decorate.
fn for_slack(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().take(MAX_SLACK_CHARS) {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c => out.push(c),
        }
    }
    out
}

fn slack(said: &Said, from: &From<'_>) -> Value {
    let (title, text, name) = (for_slack(&said.title), for_slack(&said.text), for_slack(from.name));
    let link = format!("{}{}", from.base_url, said.path);
    let mark = match said.tone {
        Tone::Bad => ":red_circle: ",
        Tone::Mind => ":large_yellow_circle: ",
        Tone::Good => ":large_green_circle: ",
        Tone::Plain => "",
    };
    json!({
        "text": format!("{title} ({name})"),
        "unfurl_links": false,
        "blocks": [
            {"type": "section", "text": {"type": "mrkdwn", "text": format!("{mark}*{title}*\n{text}")}},
            {"type": "context", "elements": [{"type": "mrkdwn", "text": format!("{name} \u{b7} <{link}|Open>")}]},
        ],
    })
}

/// A message with an adaptive card, which is what workflows of Teams take.
fn teams(said: &Said, from: &From<'_>) -> Value {
    let color = match said.tone {
        Tone::Bad => "Attention",
        Tone::Mind => "Warning",
        Tone::Good => "Good",
        Tone::Plain => "Default",
    };
    let block = |text: &str, more: Value| {
        let mut block = json!({"type": "TextBlock", "text": for_teams(text), "wrap": true});
        if let (Some(block), Value::Object(more)) = (block.as_object_mut(), more) {
            block.extend(more);
        }
        block
    };
    let card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
            block(&said.title, json!({"weight": "Bolder", "size": "Medium", "color": color})),
            block(&said.text, json!({})),
            block(from.name, json!({"isSubtle": true, "size": "Small"})),
        ],
        "actions": [{"type": "Action.OpenUrl", "title": "Open", "url": format!("{}{}", from.base_url, said.path)}],
    });
    json!({
        "type": "message",
        "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": null, "content": card}],
    })
}

/// Teams reads a little Markdown, links among it: brackets lose their meaning.
fn for_teams(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '[' | ']' | '*' | '_' | '`' | '\\' | '#') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::{MessageId, MessageKind, Timestamp};

    fn message(data: Value) -> Message {
        let made_at = Timestamp::from_micros(1_795_262_400_000_000);
        Message { id: MessageId(1), kind: MessageKind::AlertFired, public_id: "msg_1".to_owned(), data, made_at }
    }

    fn sent(shape: Shape, data: Value) -> Value {
        let from = From {
            org: "org_1".to_owned(),
            name: "A <b> & [c]",
            words: &Words::default(),
            base_url: "https://scrip.example.com",
        };
        serde_json::from_str(&body(shape, &message(data), &from)).expect("JSON")
    }

    #[test]
    fn a_webhook_has_type_time_and_data_with_whole_addresses() {
        let body = sent(Shape::Webhook, json!({"title": "Low", "url": "/alerts/rule_1"}));
        let expected = json!({"type": "alert.fired", "timestamp": "2026-11-21T12:00:00Z", "organization": "org_1",
            "data": {"title": "Low", "url": "https://scrip.example.com/alerts/rule_1"}});
        assert_eq!(body, expected);
    }

    #[test]
    fn what_somebody_typed_makes_no_link_and_calls_nobody_in_slack_or_teams() {
        let typed = json!({"title": "<!channel> <https://evil.example|Pay> [Pay](https://evil.example)", "url": "//evil.example"});
        let slack = sent(Shape::Slack, typed.clone());
        let text = slack["blocks"][0]["text"]["text"].as_str().expect("text");
        assert!(text.contains("&lt;!channel&gt; &lt;https://evil.example|Pay&gt;") && !text.contains('<'), "{text}");
        let context = slack["blocks"][1]["elements"][0]["text"].as_str().expect("text");
        assert_eq!(context, "A &lt;b&gt; &amp; [c] \u{b7} <https://scrip.example.com/notifications|Open>");
        let teams = sent(Shape::Teams, typed);
        let card = &teams["attachments"][0]["content"];
        assert!(card["body"][0]["text"].as_str().expect("text").contains("\\[Pay\\](https"), "{card}");
        assert_eq!(card["actions"][0]["url"], "https://scrip.example.com/notifications");
        assert_eq!(teams["attachments"][0]["contentType"], "application/vnd.microsoft.card.adaptive");
    }
}
