//! What the pages about people are made of: panels, forms, fields.

use crate::markup::Markup;

/// A panel with its title.
pub(crate) fn panel(id: &'static str, title: &str) -> Markup {
    panel_as(id, title, None)
}

/// The same, read out when it appears.
pub(crate) fn news(id: &'static str, title: &str) -> Markup {
    panel_as(id, title, Some("status"))
}

fn panel_as(id: &'static str, title: &str, role: Option<&str>) -> Markup {
    let title_id = format!("{id}-title");
    let head = Markup::new("h2").attr("id", &title_id).text(title);
    let panel = Markup::new("section").attr("id", id).class("panel people-panel").attr("aria-labelledby", &title_id);
    panel.maybe_attr("role", role).child(head)
}

/// A paragraph.
pub(crate) fn paragraph(text: &str) -> Markup {
    Markup::new("p").text(text)
}

/// A quieter one.
pub(crate) fn hint(text: &str) -> Markup {
    Markup::new("p").class("muted").text(text)
}

/// A form of the page that is a button, with what it does.
pub(crate) fn form(action: &str, act: &str) -> Markup {
    Markup::new("form").attr("method", "post").attr("action", action).child(hidden("do", act))
}

/// The same with fields to fill in.
pub(crate) fn fields(action: &str, act: &str) -> Markup {
    let form = Markup::new("form").attr("method", "post").attr("action", action).class("people-form");
    form.child(hidden("do", act))
}

/// A value that is sent along.
pub(crate) fn hidden(name: &'static str, value: &str) -> Markup {
    Markup::new("input").attr("type", "hidden").attr("name", name).attr("value", value)
}

/// A button that sends the form it is in.
pub(crate) fn button(text: &str) -> Markup {
    Markup::new("button").class("button").text(text)
}

/// The button that most people came for.
pub(crate) fn primary(text: &str) -> Markup {
    Markup::new("button").class("button primary").text(text)
}

/// A field to fill in.
pub(crate) struct Field {
    /// Its label.
    pub(crate) label: &'static str,
    /// Its name.
    pub(crate) name: &'static str,
    /// Its type.
    pub(crate) kind: &'static str,
    /// What browsers may fill in.
    pub(crate) autocomplete: &'static str,
    /// What was typed before.
    pub(crate) value: String,
    /// The id of what was wrong with it.
    pub(crate) wrong: Option<&'static str>,
}

impl Field {
    /// An empty password.
    pub(crate) const fn password(label: &'static str, name: &'static str, autocomplete: &'static str) -> Self {
        Self { label, name, kind: "password", autocomplete, value: String::new(), wrong: None }
    }

    /// A code of an app.
    pub(crate) const fn code(label: &'static str) -> Self {
        Self { label, name: "code", kind: "text", autocomplete: "one-time-code", value: String::new(), wrong: None }
    }

    /// As it stands in the form.
    pub(crate) fn markup(&self) -> Markup {
        let input = Markup::new("input")
            .attr("type", self.kind)
            .attr("name", self.name)
            .attr("autocomplete", self.autocomplete)
            .maybe_attr("inputmode", (self.kind == "email").then_some("email"))
            .attr("maxlength", "256")
            .attr("required", "")
            .maybe_attr("value", Some(self.value.as_str()).filter(|value| !value.is_empty()))
            .maybe_attr("aria-invalid", self.wrong.map(|_| "true"))
            .maybe_attr("aria-describedby", self.wrong);
        label(self.label, input)
    }
}

/// Something with a label above it.
pub(crate) fn label(text: &str, input: Markup) -> Markup {
    Markup::new("label").class("field").child(Markup::new("span").text(text)).child(input)
}

/// What a click opens: for what should not happen by one click.
pub(crate) fn behind(summary: &str, content: impl IntoIterator<Item = Markup>) -> Markup {
    let body = Markup::new("div").class("people-more").children(content);
    Markup::new("details").child(Markup::new("summary").text(summary)).child(body)
}

/// What came of a form: a line that is read out.
pub(crate) fn told(line: Option<&Line>, id: &'static str) -> Option<Markup> {
    line.map(|line| match line {
        Line::Done(text) => Markup::new("p").class("notice").attr("role", "status").text(text),
        Line::Wrong(text) => Markup::new("p").attr("id", id).class("form-error").attr("role", "alert").text(text),
    })
}

/// A line about a form that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    /// It was done.
    Done(&'static str),
    /// It was not.
    Wrong(&'static str),
}
