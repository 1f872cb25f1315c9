//! Mails about messages: one by itself, or several as a digest; as text, and the same as HTML.
//!
//! The HTML has its styles in place, since mail programs read no others; no pictures, and nothing that is loaded from anywhere.

use app::message::{Said, Tone, say};
use ledger::Words;
use std::fmt::Write as _;
use store::outbox::delivery::Message;

/// Where a mail comes from.
#[derive(Debug, Clone, Copy)]
pub struct Sender<'a> {
    /// What the product is called there.
    pub product: &'a str,
    /// The org it is about.
    pub org: &'a str,
    /// How its credits are called.
    pub words: &'a Words,
    /// Where this server is reached.
    pub base_url: &'a str,
    /// Where no more of them can be asked for.
    pub unsubscribe: &'a str,
}

/// Subject, text and HTML of a mail about `messages`, the newest of `count`.
#[must_use]
pub fn letter(messages: &[Message], count: u32, from: &Sender<'_>) -> (String, String, String) {
    let said: Vec<(String, Said)> =
        messages.iter().map(|message| (time(message), say(message.kind, &message.data, from.words))).collect();
    let subject = match said.as_slice() {
        [(_, one)] if count <= 1 => format!("{} ({})", one.title, from.org),
        _ => format!("{count} notifications ({})", from.org),
    };
    let untold = u64::from(count).saturating_sub(messages.len() as u64);
    (subject, text(&said, untold, from), html(&said, untold, from))
}

/// `21 November 2026, 12:00 UTC`
fn time(message: &Message) -> String {
    let at = message.made_at.to_chrono();
    at.map_or_else(String::new, |at| at.format("%-d %B %Y, %H:%M UTC").to_string())
}

fn older(untold: u64) -> Option<String> {
    (untold > 0).then(|| format!("And {untold} older ones."))
}

fn text(said: &[(String, Said)], untold: u64, from: &Sender<'_>) -> String {
    let mut out = String::new();
    for (time, said) in said {
        // Writing into a string cannot fail.
        let _ = write!(out, "{}\n{}\n{}{}\n{time}\n\n", said.title, said.text, from.base_url, said.path);
    }
    if let Some(older) = older(untold) {
        let _ = write!(out, "{older}\n{}/notifications\n\n", from.base_url);
    }
    let Sender { product, org, base_url, unsubscribe, .. } = from;
    let _ = write!(
        out,
        "-- \nThis is about {org} on {product}. When and how you hear: {base_url}/settings/notifications\nNo more of these mails: {unsubscribe}\n"
    );
    out
}

fn html(said: &[(String, Said)], untold: u64, from: &Sender<'_>) -> String {
    let mut out = String::from(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <meta name=\"color-scheme\" content=\"light dark\"></head>\
         <body style=\"margin:0;padding:24px 16px;font:15px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif\">\
         <div style=\"max-width:560px;margin:0 auto\">",
    );
    for (time, said) in said {
        let color = match said.tone {
            Tone::Bad => "#c4281c",
            Tone::Mind => "#b25e00",
            Tone::Good => "#1a7f37",
            Tone::Plain => "#6b7280",
        };
        let link = escape(&format!("{}{}", from.base_url, said.path));
        let (title, text, time) = (escape(&said.title), escape(&said.text), escape(time));
        let _ = write!(
            out,
            "<div style=\"border-left:3px solid {color};padding:2px 0 2px 14px;margin:0 0 24px\">\
             <p style=\"margin:0;font-size:17px;font-weight:600\">{title}</p><p style=\"margin:4px 0 8px\">{text}</p>\
             <p style=\"margin:0;font-size:13px\"><a href=\"{link}\">Open</a> <span style=\"color:#6b7280\">\u{b7} {time}</span></p></div>"
        );
    }
    if let Some(older) = older(untold) {
        let _ = write!(out, "<p><a href=\"{}/notifications\">{older}</a></p>", escape(from.base_url));
    }
    let (org, product, base, link) =
        (escape(from.org), escape(from.product), escape(from.base_url), escape(from.unsubscribe));
    let _ = write!(
        out,
        "<p style=\"margin:32px 0 0;font-size:13px;color:#6b7280\">This is about {org} on {product}. \
         <a href=\"{base}/settings/notifications\">When and how you hear</a> \u{b7} <a href=\"{link}\">No more of these mails</a></p></div></body></html>"
    );
    out
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::{MessageId, MessageKind, Timestamp};

    fn message(title: &str) -> Message {
        let made_at = Timestamp::from_micros(1_795_262_400_000_000);
        let data = serde_json::json!({"title": title, "url": "/alerts/rule_1"});
        Message { id: MessageId(1), kind: MessageKind::AlertFired, public_id: "msg_1".to_owned(), data, made_at }
    }

    const UNSUBSCRIBE: &str = "https://scrip.example.com/unsubscribe?org=1&user=2&sign=ab";

    fn written(messages: &[Message], count: u32) -> (String, String, String) {
        let base_url = "https://scrip.example.com";
        letter(
            messages,
            count,
            &Sender { product: "Scrip", org: "A & B", words: &Words::default(), base_url, unsubscribe: UNSUBSCRIBE },
        )
    }

    #[test]
    fn one_message_is_the_subject_and_several_are_counted() {
        let (subject, text, html) = written(&[message("Low")], 1);
        assert_eq!(subject, "Low (A & B)");
        assert!(text.starts_with("Low\n") && text.contains("https://scrip.example.com/alerts/rule_1"), "{text}");
        assert!(text.contains(UNSUBSCRIBE) && html.contains("unsubscribe?org=1&amp;user=2"), "{text}{html}");
        let (subject, text, html) = written(&[message("Low"), message("Lower")], 60);
        assert_eq!(subject, "60 notifications (A & B)");
        assert!(text.contains("Lower") && text.contains("And 58 older ones.") && html.contains("And 58 older ones."));
    }

    #[test]
    fn what_somebody_typed_is_text_in_html() {
        let (_, _, html) = written(&[message("<img src=x onerror=alert(1)> & \"so\"")], 1);
        assert!(
            html.contains("&lt;img src=x onerror=alert(1)&gt; &amp; &quot;so&quot;") && !html.contains("<img"),
            "{html}"
        );
    }
}
