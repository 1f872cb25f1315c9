//! What the form of a correction asks for: in a query string to try it out, in a body to book it.

/// A correction as a form writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Whether another event shall stand in its place.
    pub replace: bool,
    /// Why.
    pub reason: String,
    /// The id of the event that replaces it.
    pub id: String,
    /// Its quantities, by meter.
    pub quantities: Vec<(String, String)>,
    /// The credits it reports.
    pub reported: Option<String>,
}

/// Longest reason that is looked at; the ledger keeps 1,024 bytes.
const MAX_TEXT_BYTES: usize = 4_096;
/// What the field of a meter's quantity is called, before the meter's name.
pub const QUANTITY_FIELD: &str = "quantity.";

impl Ask {
    /// Reads it from a query string or a form's body; `None` where nothing is asked.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let pairs = crate::query::parse(text);
        let of = |name: &str| pairs.iter().find(|(n, _)| n == name).map(|(_, value)| bounded(value));
        let replace = match of("correct")?.as_str() {
            "void" => false,
            "replace" => true,
            _ => return None,
        };
        let quantities = pairs
            .iter()
            .filter_map(|(name, value)| Some((name.strip_prefix(QUANTITY_FIELD)?.to_owned(), bounded(value))));
        Some(Self {
            replace,
            reason: of("reason").unwrap_or_default(),
            id: of("id").unwrap_or_default(),
            quantities: quantities.take(ledger::event::MAX_QUANTITIES).collect(),
            reported: of("reported"),
        })
    }

    /// Its pairs, for hidden fields of a form.
    #[must_use]
    pub fn pairs(&self) -> Vec<(String, String)> {
        let kind = if self.replace { "replace" } else { "void" };
        let mut pairs = vec![("correct".to_owned(), kind.to_owned()), ("reason".to_owned(), self.reason.clone())];
        if self.replace {
            pairs.push(("id".to_owned(), self.id.clone()));
            pairs.extend(self.quantities.iter().map(|(meter, q)| (format!("{QUANTITY_FIELD}{meter}"), q.clone())));
            pairs.extend(self.reported.clone().map(|credits| ("reported".to_owned(), credits)));
        }
        pairs
    }
}

fn bounded(text: &str) -> String {
    let text = text.trim();
    let end = text.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= MAX_TEXT_BYTES).last();
    text[..end.unwrap_or(0)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_correction_reads_back_from_its_form() {
        let text = "correct=replace&reason=+Reported+twice+&id=x-2&quantity.input_tokens=5&quantity.images=1.5&key=k";
        let ask = Ask::parse(text).expect("asks");
        assert_eq!((ask.reason.as_str(), ask.quantities.len()), ("Reported twice", 2));
        let mut written = String::new();
        ask.pairs().iter().for_each(|(name, value)| crate::query::push(&mut written, name, value));
        assert_eq!(Ask::parse(&written), Some(ask));
        assert_eq!(Ask::parse("reason=x"), None);
        assert_eq!(Ask::parse("correct=adjust"), None);
        assert_eq!(bounded(&"ü".repeat(3_000)).len(), 4_096);
    }
}
