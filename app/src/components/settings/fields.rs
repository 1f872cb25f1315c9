//! What the forms of settings are made of: fields with their hints, and what was wrong with one.

use crate::components::people::parts::label;
use crate::markup::Markup;
use ledger::words::UnitPosition;
use ledger::{Installation, Words};

/// What was typed, and what was wrong with it.
#[derive(Debug, Clone, Default)]
pub struct Typed {
    pairs: Vec<(String, String)>,
}

impl Typed {
    /// Of the pairs of an address or a form.
    #[must_use]
    pub const fn new(pairs: Vec<(String, String)>) -> Self {
        Self { pairs }
    }

    /// A value; `None` where it was not sent.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The code of what was wrong.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        self.get("error")
    }

    /// Whether the form of that name was sent and not taken.
    #[must_use]
    pub fn is_of(&self, form: &str) -> bool {
        self.error().is_some() && self.get("do") == Some(form)
    }

    /// What stands in a field: what was typed there, or what is in force.
    #[must_use]
    pub fn value<'v>(&'v self, form: &str, name: &str, in_force: &'v str) -> &'v str {
        if self.is_of(form) { self.get(name).unwrap_or_default() } else { in_force }
    }
}

/// The sentence for a code, and the field that it is about.
#[must_use]
pub fn told(code: &str) -> (&'static str, &'static str) {
    match code {
        "bad_name" => ("Give the organization a name of up to 200 letters, without spaces at its ends.", "name"),
        "name_taken" => ("There is an organization of this name already. Choose another.", "name"),
        "bad_zone" => ("There is no such time zone. Choose one from the list, such as Europe/Berlin.", "zone"),
        "zone_in_use" => {
            ("The time zone cannot change any more: days, billing cycles and tiers have been counted by it.", "zone")
        }
        "bad_currency" => ("The currency must be an ISO 4217 code such as EUR.", "currency"),
        "bad_contact" => ("The contact must be an email address or a domain such as example.com.", "contact"),
        "bad_low_balance" => (
            "The limit must be a number above zero such as 12.5, with at most six decimals, or empty for none.",
            "low_balance",
        ),
        "bad_retention" => ("Keep events for 30 to 3650 days, or leave it empty for ever.", "retention"),
        "bad_product" => ("Give the product a name of up to 48 letters.", "product"),
        "bad_unit" => ("Give the credits a symbol or a word of up to 32 letters.", "unit"),
        "bad_position" => ("Choose whether the unit stands before or after the amount.", "position"),
        "bad_decimals" => ("Show 0 to 6 decimals.", "decimals"),
        "bad_workflow" => ("Say what one workflow is called, in up to 32 letters.", "workflow"),
        "bad_workflows" => ("Say what several workflows are called, in up to 32 letters.", "workflows"),
        "bad_support" => (
            "The support contact must be an email address, or the address of a page that begins with https://.",
            "support",
        ),
        "bad_party" => ("Give a name of up to 200 letters: invoices say it.", "name"),
        "bad_address" => ("The address can have up to 8 lines, and 1,000 letters in all.", "address"),
        "bad_tax_number" => ("The tax number can have up to 64 letters.", "tax_number"),
        "bad_bank" => ("Where to transfer money to can have up to 8 lines, and 1,000 letters in all.", "bank"),
        "bad_tax_name" => ("Say what the tax is called, such as VAT: up to 64 letters.", "tax_name"),
        "bad_tax" => ("The rate is in percent, from 0 to 100, with at most four decimals: 19 or 8.875.", "tax"),
        "bad_grace_hours" => ("Drafts wait for 0 to 240 hours.", "grace_hours"),
        "bad_due_days" => ("Invoices are to be paid within 0 to 365 days.", "due_days"),
        "bad_email" => ("This is no email address. Check it and try again.", "email"),
        "bad_preset" => ("Choose one of the presets.", "preset"),
        "bad_plan" => ("Choose a plan of the preset that is chosen, or none.", "plan"),
        "bad_opening" => ("The credits must be a number above zero such as 100, or empty for none.", "opening"),
        "other_password" => ("The two passwords are not the same. Type them again.", "again"),
        _ => ("This was not taken. Check what is typed and send it again.", ""),
    }
}

/// The line of what was wrong, for the form of that name.
#[must_use]
pub fn wrong(typed: &Typed, form: &'static str, id: &'static str) -> Option<Markup> {
    let code = typed.error().filter(|_| typed.is_of(form))?;
    Some(Markup::new("p").attr("id", id).class("form-error").attr("role", "alert").text(told(code).0))
}

/// A field of a form: its label, what it is called, and how it looks.
pub struct Field<'f> {
    /// What was typed.
    pub typed: &'f Typed,
    /// The form's name.
    pub form: &'static str,
    /// The id of the form's line of what was wrong.
    pub error_id: &'static str,
}

impl Field<'_> {
    /// A line of text, with more attributes.
    #[must_use]
    pub fn line(
        &self,
        title: &str,
        name: &'static str,
        in_force: &str,
        more: &[(&'static str, &str)],
        hint: Option<&str>,
    ) -> Markup {
        let value = self.typed.value(self.form, name, in_force);
        let hint_id = hint.map(|_| format!("{}-{name}-hint", self.form));
        let input = Markup::new("input").attr("name", name).attr("value", value);
        let input = self.marked(input, name, hint_id.as_deref());
        let input = more.iter().fold(input, |input, (attribute, value)| input.attr(attribute, value));
        let hint = hint.zip(hint_id).map(|(text, id)| Markup::new("p").attr("id", &id).class("field-hint").text(text));
        // Beside the label, not in it: a field is named by its name alone.
        Markup::new("div").child(label(title, input)).children(hint)
    }

    /// Some lines of text.
    #[must_use]
    pub fn lines(&self, title: &str, name: &'static str, in_force: &str, hint: Option<&str>) -> Markup {
        let value = self.typed.value(self.form, name, in_force);
        let hint_id = hint.map(|_| format!("{}-{name}-hint", self.form));
        let area = Markup::new("textarea").attr("name", name).attr("rows", "4").attr("maxlength", "1000");
        let area = self.marked(area, name, hint_id.as_deref()).text(value);
        let hint = hint.zip(hint_id).map(|(text, id)| Markup::new("p").attr("id", &id).class("field-hint").text(text));
        Markup::new("div").child(label(title, area)).children(hint)
    }

    /// A choice among values with their words.
    #[must_use]
    pub fn choice(&self, title: &str, name: &'static str, in_force: &str, choices: &[(&str, &str)]) -> Markup {
        let chosen = self.typed.value(self.form, name, in_force);
        let option = |(value, words): &(&str, &str)| {
            let selected = (*value == chosen).then_some("");
            Markup::new("option").attr("value", value).maybe_attr("selected", selected).text(words)
        };
        let select = self.marked(Markup::new("select").attr("name", name), name, None);
        label(title, select.children(choices.iter().map(option)))
    }

    fn marked(&self, field: Markup, name: &str, hint_id: Option<&str>) -> Markup {
        let wrong = self.typed.is_of(self.form) && self.typed.error().is_some_and(|code| told(code).1 == name);
        let described: Vec<&str> = wrong.then_some(self.error_id).into_iter().chain(hint_id).collect();
        field
            .maybe_attr("aria-invalid", wrong.then_some("true"))
            .maybe_attr("aria-describedby", Some(described.join(" ").as_str()).filter(|ids| !ids.is_empty()))
    }

    /// The words of an org or an installation.
    #[must_use]
    pub fn words(&self, words: &Words) -> Vec<Markup> {
        let position = |position: UnitPosition| position.as_str();
        let decimals = words.decimals.to_string();
        vec![
            self.line(
                "Credits are called",
                "unit",
                &words.unit,
                &[("required", ""), ("maxlength", "32")],
                Some("A word or a symbol: credits, points, $"),
            ),
            self.choice(
                "The unit stands",
                "position",
                position(words.unit_position),
                &[
                    (position(UnitPosition::After), "After the amount: 5 credits"),
                    (position(UnitPosition::Before), "Before the amount: $5"),
                ],
            ),
            self.line(
                "Decimals shown",
                "decimals",
                &decimals,
                &[("type", "number"), ("min", "0"), ("max", "6"), ("required", "")],
                Some("All six are there on hover"),
            ),
            self.line(
                "One workflow is called",
                "workflow",
                &words.workflow,
                &[("required", ""), ("maxlength", "32")],
                Some("Workflow, Scenario, Model\u{2026}"),
            ),
            self.line(
                "Several are called",
                "workflows",
                &words.workflows,
                &[("required", ""), ("maxlength", "32")],
                None,
            ),
        ]
    }

    /// What the installation is called and where help is found.
    #[must_use]
    pub fn installation(&self, installation: &Installation) -> Vec<Markup> {
        let support = installation.support.as_ref().map_or("", |support| support.as_str());
        let product = self.line(
            "Product name",
            "product",
            &installation.product,
            &[("required", ""), ("maxlength", "48")],
            Some("In the header, in titles and in mails"),
        );
        let support = self.line(
            "Support contact",
            "support",
            support,
            &[("maxlength", "200"), ("autocomplete", "off")],
            Some("An email address or a page: shown in Help and beside every error"),
        );
        let mut fields = vec![product];
        fields.extend(self.words(&installation.words));
        fields.push(support);
        fields
    }

    /// A time zone, found by typing a part of its name.
    #[must_use]
    pub fn zone(&self, in_force: &str, zones: &[&str]) -> Markup {
        self.zone_of(in_force, zones, false)
    }

    /// The same; where nothing was said yet, a script puts the browser's own zone there.
    #[must_use]
    pub fn zone_of(&self, in_force: &str, zones: &[&str], fresh: bool) -> Markup {
        let hint = "Type a part of its name: the organization\u{2019}s days and months are those of this zone";
        let mut more = vec![("list", "zones"), ("required", ""), ("autocomplete", "off"), ("spellcheck", "false")];
        more.extend(fresh.then_some(("data-browser-zone", "")));
        let field = self.line("Time zone", "zone", in_force, &more, Some(hint));
        let option = |zone: &&str| Markup::new("option").attr("value", zone);
        let list = Markup::new("datalist").attr("id", "zones").children(zones.iter().map(option));
        Markup::new("div").child(field).child(list)
    }
}
