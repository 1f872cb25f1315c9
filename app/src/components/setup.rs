//! The first start: the pages of the wizard, each a whole document of its own. They are not the app's: before there is an
//! org there is no header to show, and nothing is hydrated, so that a page may refresh itself where no script runs.

use super::settings::fields::{Field, Typed, wrong};
use crate::app::Assets;
use crate::components::people::parts::{Field as Line, hidden, hint};
use crate::markup::Markup;
use crate::theme::Theme;
use ledger::Installation;

/// Address of the wizard.
pub const SETUP: &str = "/setup";
/// Where its last page hears of the first event.
pub const WAITING: &str = "/setup/waiting";
const ERROR_ID: &str = "setup-error";
/// Seconds after which the last page asks again where no script runs.
const REFRESH_S: &str = "3";

/// A step of the wizard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The owner's account.
    Account,
    /// What the installation is called.
    Words,
    /// Name, zone and currency of the org.
    Organization,
    /// Meters and prices.
    Preset,
    /// The first key, with which everything is made.
    Key,
    /// The wait for the first event.
    Event,
}

impl Step {
    /// All, in order.
    pub const ALL: [Self; 6] = [Self::Account, Self::Words, Self::Organization, Self::Preset, Self::Key, Self::Event];

    /// Its name in addresses and forms.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Words => "words",
            Self::Organization => "organization",
            Self::Preset => "preset",
            Self::Key => "key",
            Self::Event => "event",
        }
    }

    /// The step of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.name() == name)
    }

    /// Its address.
    #[must_use]
    pub fn path(self) -> String {
        format!("{SETUP}?step={}", self.name())
    }

    /// What it is called.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Account => "Your account",
            Self::Words => "Name and words",
            Self::Organization => "Your organization",
            Self::Preset => "A preset",
            Self::Key => "The first API key",
            Self::Event => "The first event",
        }
    }
}

/// How far somebody has come.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// The step that is shown.
    pub current: Step,
    /// The first that is not done.
    pub next: Step,
    /// Whether the org is made, so that the steps before it are over.
    pub founded: bool,
}

/// A preset that can be chosen.
#[derive(Debug, Clone)]
pub struct Choice {
    /// Its name.
    pub name: String,
    /// What people read.
    pub title: String,
    /// What it is for.
    pub description: String,
    /// What it contains, line by line.
    pub contains: Vec<(&'static str, String)>,
    /// Plans that it can begin with: name, and what people read.
    pub plans: Vec<(String, String)>,
    /// Whether it has a sample.
    pub sample: bool,
}

/// What was answered, to be read once more.
#[derive(Debug, Clone)]
pub struct Summary {
    /// Lines of label and value.
    pub lines: Vec<(&'static str, String)>,
}

/// What every page of the wizard needs.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Where styles are.
    pub assets: Assets,
    /// Light or dark.
    pub theme: Theme,
    /// What the product is called.
    pub product: String,
}

impl Frame {
    /// The whole document as HTML.
    #[must_use]
    pub fn document(&self, title: &str, refresh: bool, main: Markup) -> String {
        let meta = |name: &'static str, content: &str| Markup::new("meta").attr("name", name).attr("content", content);
        let link = |rel: &str, href: &str| Markup::new("link").attr("rel", rel).attr("href", href);
        let again = Markup::new("meta").attr("http-equiv", "refresh").attr("content", REFRESH_S);
        let head = Markup::new("head")
            .child(Markup::new("meta").attr("charset", "utf-8"))
            .child(meta("viewport", "width=device-width, initial-scale=1"))
            .child(meta("color-scheme", "light dark"))
            .child(Markup::new("title").text(&format!("{title} \u{b7} {}", self.product)))
            .child(link("icon", "/favicon.svg"))
            .child(link("stylesheet", &self.assets.css))
            .children(self.assets.still.iter().map(|still| link("stylesheet", still)))
            .children(refresh.then(|| Markup::new("noscript").child(again)))
            .child(Markup::new("script").attr("type", "module").attr("src", "/setup.js"));
        let mark =
            Markup::new("svg").class("mark").attr("width", "20").attr("height", "20").attr("aria-hidden", "true");
        let mark = mark.child(Markup::new("use").attr("href", "/icons.svg#mark"));
        let brand = Markup::new("span").class("brand").child(mark).child(Markup::new("span").text(&self.product));
        let header = Markup::new("header").class("header").child(brand);
        let main = Markup::new("main").attr("id", "main").child(main);
        let html = Markup::new("html").attr("lang", "en").maybe_attr("data-theme", self.theme.attribute());
        let html = html.child(head).child(Markup::new("body").child(header).child(main));
        let mut text = "<!DOCTYPE html>".to_owned();
        html.write_html(&mut text);
        text
    }
}

/// What whoever comes without the link is told.
#[must_use]
pub fn closed() -> Markup {
    let command = Markup::new("code").text("scrip serve");
    let text = Markup::new("p").text("Nobody is here yet. Open the link that ").child(command);
    let text =
        text.text(" printed: it makes the first account, works once and for 24 hours. Every start prints another.");
    let panel = Markup::new("section").class("panel").child(Markup::new("h1").text("Not set up yet")).child(text);
    Markup::new("div").class("page setup").child(panel)
}

/// A page of the wizard: where one is, and the step's panel.
#[must_use]
pub fn page(progress: Progress, content: impl IntoIterator<Item = Markup>) -> Markup {
    let step = progress.current;
    let number = Step::ALL.iter().position(|other| *other == step).unwrap_or_default() + 1;
    let count = hint(&format!("Step {number} of {}", Step::ALL.len()));
    let head = Markup::new("div").class("page-head").child(Markup::new("h1").text(step.title())).child(count);
    let panel = Markup::new("section").class("panel setup-panel").children(content);
    Markup::new("div").class("page setup").child(steps(progress)).child(head).child(panel)
}

fn steps(Progress { current, next, founded }: Progress) -> Markup {
    let item = |step: Step| {
        // What was answered can be changed until everything is made of it.
        let open = step <= next && step != Step::Account && (!founded || step >= Step::Key);
        let title = if open && step != current {
            Markup::new("a").attr("href", &step.path()).text(step.title())
        } else {
            Markup::new("span").text(step.title())
        };
        let done = (step < next).then_some("done");
        let at = (step == current).then_some("step");
        Markup::new("li").maybe_attr("class", done).maybe_attr("aria-current", at).child(title)
    };
    let list = Markup::new("ol").children(Step::ALL.into_iter().map(item));
    Markup::new("nav").class("setup-steps").attr("aria-label", "Steps").child(list)
}

fn form(action: &str, step: Step) -> Markup {
    let form = Markup::new("form").class("setup-form").attr("method", "post").attr("action", action);
    form.child(hidden("do", step.name()))
}

fn foot(back: Option<Step>, word: &str) -> Markup {
    let button = Markup::new("button").class("button primary").text(word);
    let back = back.map(|step| Markup::new("a").class("button").attr("href", &step.path()).text("Back"));
    Markup::new("p").class("form-foot").child(button).children(back)
}

/// The owner's account, at the address of the link.
#[must_use]
pub fn account(link: &str, email: &str, problem: Option<&str>) -> Vec<Markup> {
    let line =
        problem.map(|text| Markup::new("p").attr("id", ERROR_ID).class("form-error").attr("role", "alert").text(text));
    let email = Line {
        label: "Email",
        name: "email",
        kind: "email",
        autocomplete: "username",
        value: email.to_owned(),
        wrong: problem.map(|_| ERROR_ID),
    };
    let form = form(link, Step::Account)
        .children(line)
        .child(email.markup())
        .child(Line::password("Password", "password", "new-password").markup())
        .child(Line::password("Password again", "again", "new-password").markup())
        .child(hint("At least 10 characters: four words do well."))
        .child(foot(None, "Make my account"));
    vec![
        hint(
            "You will own the first organization and run this installation: only operators give credits and lay down prices.",
        ),
        form,
    ]
}

/// What the installation is called.
#[must_use]
pub fn words(installation: &Installation, typed: &Typed) -> Vec<Markup> {
    let field = Field { typed, form: Step::Words.name(), error_id: ERROR_ID };
    let grid = Markup::new("div").class("settings-fields").children(field.installation(installation));
    let form = form(SETUP, Step::Words).children(wrong(typed, Step::Words.name(), ERROR_ID)).child(grid);
    vec![
        hint(
            "What people read everywhere. Words of credits and workflows that you leave as they are follow the preset that you choose later. All of it can change under Settings.",
        ),
        form.child(foot(None, "Continue")),
    ]
}

/// Name, zone and currency of the org.
#[must_use]
pub fn organization(lines: [&str; 3], zones: &[&str], fresh: bool, typed: &Typed) -> Vec<Markup> {
    let [name, zone, currency] = lines;
    let field = Field { typed, form: Step::Organization.name(), error_id: ERROR_ID };
    let named = field.line(
        "Name",
        "name",
        name,
        &[("required", ""), ("maxlength", "200"), ("autocomplete", "organization")],
        Some("Your company, or your team: it has its own credits and ledger"),
    );
    let zone = field.zone_of(zone, zones, fresh);
    let more = [("required", ""), ("maxlength", "3"), ("autocapitalize", "characters")];
    let currency =
        field.line("Currency", "currency", currency, &more, Some("ISO 4217, such as EUR: what purchases are noted in"));
    let form = form(SETUP, Step::Organization).children(wrong(typed, Step::Organization.name(), ERROR_ID));
    let grid = Markup::new("div").class("settings-fields").children([named, zone, currency]);
    vec![form.child(grid).child(foot(Some(Step::Words), "Continue"))]
}

/// The presets there are.
#[must_use]
pub fn presets(
    choices: &[Choice],
    chosen: &str,
    (plan, opening): (&str, &str),
    sample: bool,
    typed: &Typed,
) -> Vec<Markup> {
    let field = Field { typed, form: Step::Preset.name(), error_id: ERROR_ID };
    let chosen = typed.value(Step::Preset.name(), "preset", chosen).to_owned();
    let radio = |choice: &Choice| {
        let checked = (choice.name == chosen).then_some("");
        let input = Markup::new("input").attr("type", "radio").attr("name", "preset").attr("value", &choice.name);
        let input = input.attr("required", "").maybe_attr("checked", checked);
        let facts = choice.contains.iter().map(|(label, text)| {
            let label = Markup::new("b").text(&format!("{label}: "));
            Markup::new("span").class("setup-fact").child(label).text(text)
        });
        let words = Markup::new("span").child(Markup::new("strong").text(&choice.title)).text(" ");
        let words = words.child(Markup::new("span").class("muted").text(&choice.description)).children(facts);
        Markup::new("label").class("choice setup-choice").child(input).child(words)
    };
    let list =
        Markup::new("fieldset").class("setup-choices").child(Markup::new("legend").text("What you sell by credits"));
    let list = list.children(choices.iter().map(radio));
    let wanted = if typed.is_of(Step::Preset.name()) { typed.get("sample").is_some() } else { sample };
    let check = Markup::new("input").attr("type", "checkbox").attr("name", "sample").attr("value", "yes");
    let check = check.maybe_attr("checked", wanted.then_some(""));
    let words = "Look at it filled with sample data: a second organization, labelled as made up, with 30 days of usage";
    let sample = Markup::new("label").class("choice").child(check).child(Markup::new("span").text(words));
    let more = [("inputmode", "decimal"), ("autocomplete", "off")];
    let opening = field.line(
        "Credits to begin with",
        "opening",
        opening,
        &more,
        Some("Without any, usage is recorded as debt; may be empty"),
    );
    let named: Vec<(String, String)> = choices.iter().flat_map(of_preset).collect();
    let none = [("", "No plan for now")].into_iter();
    let plans: Vec<(&str, &str)> =
        none.chain(named.iter().map(|(value, text)| (value.as_str(), text.as_str()))).collect();
    let plan = field.choice("Plan to begin with", "plan", plan, &plans);
    let form = form(SETUP, Step::Preset).children(wrong(typed, Step::Preset.name(), ERROR_ID)).child(list);
    let form = form.child(Markup::new("div").class("settings-fields").child(plan).child(opening)).child(sample);
    vec![
        hint("Meters, prices and words to start from. Prices change any time on the Rate card page."),
        form.child(foot(Some(Step::Organization), "Continue")),
    ]
}

/// The plans of a preset, each with the name of both.
fn of_preset(choice: &Choice) -> impl Iterator<Item = (String, String)> + use<'_> {
    let plans = choice.plans.iter();
    plans.map(|(name, text)| (format!("{}/{name}", choice.name), format!("{}: {text}", choice.title)))
}

/// What will be made, to be read once more; the button makes it.
#[must_use]
pub fn key(summary: &Summary) -> Vec<Markup> {
    let line = |(label, value): &(&str, String)| crate::markup::text_fact(label, value);
    let facts = Markup::new("dl").class("facts").children(summary.lines.iter().map(line));
    let form = form(SETUP, Step::Key).child(foot(Some(Step::Preset), "Make organization and key"));
    vec![
        hint("The organization is made now, with its prices, and a key for the program that will report usage."),
        facts,
        form,
    ]
}

/// A key that was just made, with a line that sends an event.
#[must_use]
pub fn new_key(secret: &str, curl: &str) -> Vec<Markup> {
    let block = |id: &'static str, label: &str, text: &str| {
        let copy =
            Markup::new("button").class("button").attr("type", "button").attr("data-copies", id).attr("hidden", "");
        let copy = copy.attr("aria-label", &format!("Copy {label}")).text("Copy");
        let code = Markup::new("code").attr("id", id).text(text);
        let shown = Markup::new("pre").attr("tabindex", "0").attr("aria-label", label).child(code);
        Markup::new("div").class("setup-copy").child(shown).child(copy)
    };
    let p = |text: &str| Markup::new("p").text(text);
    let on =
        Markup::new("a").class("button primary").attr("href", &Step::Event.path()).text("Continue: wait for the event");
    vec![
        p("Your key. Copy it now: it is shown this once. Only its hash is kept."),
        block("key", "the key", secret),
        p("Your first event. Run this line anywhere that reaches this server:"),
        block("curl", "the command", curl),
        Markup::new("p").class("form-foot").child(on),
    ]
}

/// Where the key was shown before.
#[must_use]
pub fn another_key() -> Vec<Markup> {
    let form = form(SETUP, Step::Key).child(foot(None, "Make another key"));
    let on = Markup::new("a").attr("href", &Step::Event.path()).text("Continue with the one you have");
    vec![
        Markup::new("p").text("The organization is made, and its first key was shown once. If it is lost, make another; the lost one can be revoked under Settings, API keys."),
        form,
        Markup::new("p").child(on),
    ]
}

/// The first event is there, and its org is not the one that is looked at.
#[must_use]
pub fn received(org: &str) -> Vec<Markup> {
    let form = Markup::new("form").attr("method", "post").attr("action", SETUP).child(hidden("do", Step::Event.name()));
    let open = Markup::new("button").class("button primary").text(&format!("Open the chart of {org}"));
    let text =
        Markup::new("p").class("setup-waiting").attr("role", "status").text("Received: your first event is there.");
    vec![text, form.child(open)]
}

/// The wait for the first event.
#[must_use]
pub fn event(org: &str, sample: Option<(&str, &str)>) -> Vec<Markup> {
    let waiting = Markup::new("p").class("setup-waiting").attr("role", "status").attr("data-waits-at", WAITING);
    let waiting = waiting.text("Waiting for your first event\u{2026}");
    let other = Markup::new("a").attr("href", &Step::Key.path()).text("the step before");
    let how = Markup::new("p").text("Run the line of ").child(other);
    let how = how.text(&format!(". As soon as {org} has its event, its chart opens here."));
    let sample = sample.map(|(id, name)| {
        let form = Markup::new("form").attr("method", "post").attr("action", "/switch").child(hidden("org", id));
        form.child(Markup::new("button").class("button").text(&format!("Look at \u{201c}{name}\u{201d} meanwhile")))
    });
    let done = Markup::new("form").attr("method", "post").attr("action", SETUP).child(hidden("do", Step::Event.name()));
    let done = done.child(Markup::new("button").class("button").text("Done: I will send it later"));
    let foot = Markup::new("div").class("form-foot").child(done).children(sample);
    vec![waiting, how, foot]
}
