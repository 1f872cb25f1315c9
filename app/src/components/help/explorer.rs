//! "Try the API": pick a call, fill it in, send it with one of the org's keys, see request and answer.
//!
//! The server sends the call to itself as that key, so nobody pastes a secret into a page; it works without scripts.

use crate::markup::Markup;
use std::sync::Arc;

/// A call of the API, as its description has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// `POST /api/v1/holds`: what names it.
    pub name: String,
    /// `POST`
    pub method: String,
    /// `/api/v1/holds/{id}`
    pub path: String,
    /// Under which heading it is listed.
    pub group: String,
    /// What it does, in a few words.
    pub title: String,
    /// The same in sentences.
    pub about: String,
    /// Of which a key must have one.
    pub scopes: Vec<&'static str>,
    /// What can be filled in.
    pub fields: Vec<Field>,
    /// Media type of the body, and an example of it.
    pub body: Option<(String, String)>,
}

/// Where a field of a call goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Into the path.
    Path,
    /// Behind the `?`.
    Query,
    /// Into the headers.
    Header,
}

/// Something to fill in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Where it goes.
    pub place: Place,
    /// Whether the call cannot do without it.
    pub required: bool,
    /// What it means.
    pub about: String,
    /// For instance; may be empty.
    pub example: String,
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// `201 Created`
    pub status: String,
    /// Whether it went well.
    pub good: bool,
    /// Those that are worth reading.
    pub headers: Vec<(String, String)>,
    /// As text; JSON with indents.
    pub body: String,
    /// The same request for a terminal.
    pub curl: String,
}

/// Everything that the page shows: a context, put there by the server.
#[derive(Debug, Clone)]
pub struct Explorer {
    /// All calls, in the order of the description.
    pub calls: Arc<[Call]>,
    /// The one that is filled in.
    pub chosen: usize,
    /// Keys that the viewer may send with: id and name.
    pub keys: Vec<(String, String)>,
    /// Why the viewer may not send, if so.
    pub may_not: Option<String>,
    /// What was typed before.
    pub typed: Vec<(String, String)>,
    /// What is wrong with it.
    pub error: Option<String>,
    /// What was answered.
    pub answer: Option<Answered>,
}

impl Explorer {
    fn typed(&self, name: &str) -> Option<&str> {
        self.typed.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// The page.
pub(super) fn page(explorer: &Explorer) -> Markup {
    let head = Markup::new("div").class("page-head").child(Markup::new("h1").text("Try the API")).child(
        Markup::new("p")
            .class("muted")
            .text("Pick a call, fill it in, and send it with one of your keys. It is real: what you write is booked."),
    );
    let page = Markup::new("div").class("explorer").child(head);
    let Some(call) = explorer.calls.get(explorer.chosen) else { return page };
    let answer = explorer.answer.as_ref().map(answer);
    page.child(calls(explorer, call)).child(form(explorer, call)).children(answer)
}

/// A form that chooses, so that it works without scripts and by keyboard.
fn calls(explorer: &Explorer, chosen: &Call) -> Markup {
    let mut select = Markup::new("select").attr("name", "call").attr("id", "call");
    let mut groups: Vec<&str> = Vec::new();
    for call in &*explorer.calls {
        if !groups.contains(&call.group.as_str()) {
            groups.push(&call.group);
        }
    }
    for group in groups {
        let options = explorer.calls.iter().filter(|call| call.group == group).map(|call| {
            let option = Markup::new("option").attr("value", &call.name);
            let selected = (call.name == chosen.name).then_some("");
            option.maybe_attr("selected", selected).text(&format!("{} — {}", call.title, call.name))
        });
        select = select.child(Markup::new("optgroup").attr("label", group).children(options));
    }
    let label = Markup::new("label").class("whole").child(Markup::new("span").text("Call")).child(select);
    let button = Markup::new("button").class("button").text("Choose");
    let form = Markup::new("form").class("fields").attr("method", "get").attr("action", super::EXPLORER);
    let reference = Markup::new("a").attr("href", "/api/docs").attr("rel", "external").text("API reference");
    Markup::new("section").class("panel").attr("aria-label", "Which call").child(form.child(label).child(button)).child(
        Markup::new("p")
            .class("muted small")
            .text("Every call with all its answers is described in the ")
            .child(reference)
            .text("."),
    )
}

fn form(explorer: &Explorer, call: &Call) -> Markup {
    let title = Markup::new("h2").attr("id", "call-title").text(&call.title);
    let name = Markup::new("p").child(Markup::new("code").text(&call.name));
    let scopes = format!("Needs a key with the scope {}.", call.scopes.join(" or "));
    let panel = Markup::new("section").class("panel").attr("aria-labelledby", "call-title").child(title).child(name);
    let panel = panel
        .child(Markup::new("p").class("muted").text(&call.about))
        .child(Markup::new("p").class("muted").text(&scopes));
    let mut form = Markup::new("form").class("desk-form").attr("method", "post").attr("action", super::EXPLORER);
    form = form.child(hidden("call", &call.name));
    if !call.fields.is_empty() {
        let fields = call.fields.iter().map(|field| input(explorer, field));
        form = form.child(Markup::new("div").class("desk-fields").children(fields));
    }
    if let Some((media, example)) = &call.body {
        let typed = explorer.typed("body").unwrap_or(example);
        let area =
            Markup::new("textarea").attr("name", "body").attr("rows", "8").attr("spellcheck", "false").text(typed);
        let label = Markup::new("label").class("field").child(Markup::new("span").text(&format!("Body, {media}")));
        form = form.child(label.child(area));
    }
    panel.children(explorer.error.as_deref().map(problem)).child(form.children(send(explorer)))
}

fn problem(text: &str) -> Markup {
    Markup::new("p").class("form-error").attr("role", "alert").text(text)
}

fn hidden(name: &'static str, value: &str) -> Markup {
    Markup::new("input").attr("type", "hidden").attr("name", name).attr("value", value)
}

fn input(explorer: &Explorer, field: &Field) -> Markup {
    // Prefixed, so that no parameter of a call is taken for a field of this form.
    let name = format!("p.{}", field.name);
    let needed = if field.required { "" } else { ", may be left out" };
    let value = explorer.typed(&name).unwrap_or(if field.required { &field.example } else { "" });
    let input = Markup::new("input")
        .attr("name", &name)
        .attr("value", value)
        .attr("placeholder", &field.example)
        .attr("autocomplete", "off")
        .maybe_attr("required", field.required.then_some(""));
    let about = Markup::new("small").class("muted").text(&field.about);
    let name = Markup::new("span").child(Markup::new("code").text(&field.name)).text(needed);
    Markup::new("label").class("field").child(name).child(input).child(about)
}

/// The key and the button, or why there is none.
fn send(explorer: &Explorer) -> Vec<Markup> {
    if let Some(why) = &explorer.may_not {
        return vec![Markup::new("p").class("muted").text(why)];
    }
    if explorer.keys.is_empty() {
        let link = Markup::new("a").attr("href", "/settings/keys").attr("rel", "external").text("Create one");
        return vec![
            Markup::new("p").text("No key of this organization may do this. ").child(link).text(", then come back."),
        ];
    }
    let options = explorer.keys.iter().map(|(id, name)| {
        let selected = (explorer.typed("key") == Some(id.as_str())).then_some("");
        Markup::new("option").attr("value", id).maybe_attr("selected", selected).text(name)
    });
    let select = Markup::new("select").attr("name", "key").children(options);
    let label = Markup::new("label").class("field").child(Markup::new("span").text("Send with the key")).child(select);
    let button = Markup::new("button").class("button primary").text("Send");
    vec![label, Markup::new("div").class("form-foot").child(button)]
}

fn answer(answer: &Answered) -> Markup {
    let class = if answer.good { "badge ok" } else { "badge danger" };
    let head = Markup::new("h2").attr("id", "answer").text("Answer ");
    let head = head.child(Markup::new("span").class(class).text(&answer.status));
    let headers: Vec<String> = answer.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    Markup::new("section")
        .class("panel help")
        .attr("aria-labelledby", "answer")
        .attr("role", "status")
        .child(head)
        .child(code("Answer", &answer.body))
        .child(Markup::new("h3").text("Headers"))
        .child(code("Headers", &headers.join("\n")))
        .child(Markup::new("h3").text("The same as a command"))
        .child(code("Command", &answer.curl))
}

fn code(label: &str, text: &str) -> Markup {
    Markup::new("pre").attr("tabindex", "0").attr("aria-label", label).child(Markup::new("code").text(text))
}
