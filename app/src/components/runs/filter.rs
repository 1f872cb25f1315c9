//! Which runs a list shows, as the address says it. The names are those of Analytics, so that a filter goes along.

use crate::calendar::Day;
use crate::query;
use crate::view::View;
use ledger::Facet;

/// Where the list is.
pub const PATH: &str = "/usage";

/// In which order: how it is written, and what heads the column.
pub const SORTS: [&str; 3] = ["time", "credits", "data"];

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Range, workflows, projects and status; nothing else of it counts.
    pub view: View,
    /// `workflow` or `agent`; empty for both.
    pub kind: String,
    /// What id or name begins with.
    pub search: String,
    /// One of [`SORTS`].
    pub sort: &'static str,
    /// From where on.
    pub cursor: String,
}

impl RunFilter {
    /// From the pairs of an address.
    #[must_use]
    pub fn new(pairs: &[(String, String)]) -> Self {
        let mut text = String::new();
        pairs.iter().for_each(|(name, value)| query::push(&mut text, name, value));
        let View { range, projects, facets, .. } = View::parse(&text);
        let facets = facets.into_iter().filter(|(facet, _)| matches!(facet, Facet::Workflow | Facet::Status)).collect();
        let get = |name: &str| {
            let found = pairs.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
        };
        let sort = get("sort");
        Self {
            view: View { range, projects, facets, ..View::default() },
            kind: Some(get("kind")).filter(|kind| matches!(kind.as_str(), "workflow" | "agent")).unwrap_or_default(),
            search: get("q"),
            sort: SORTS.into_iter().find(|known| *known == sort).unwrap_or(SORTS[0]),
            cursor: get("cursor"),
        }
    }

    /// The values that are chosen of a facet.
    #[must_use]
    pub fn chosen(&self, wanted: &Facet) -> Vec<String> {
        self.view.facets.iter().filter(|(facet, _)| facet == wanted).map(|(_, value)| value.clone()).collect()
    }

    /// Whether only failed ones are wanted, or only others.
    #[must_use]
    pub fn failed(&self) -> Option<bool> {
        match self.chosen(&Facet::Status).as_slice() {
            [one] => Some(one == "failed"),
            _ => None,
        }
    }

    /// First and last day.
    #[must_use]
    pub fn days(&self, today: Day) -> Option<(Day, Day)> {
        self.view.days(today)
    }

    /// The pairs of its address.
    #[must_use]
    pub fn pairs(&self) -> Vec<(String, String)> {
        let mut pairs = self.view.pairs();
        let sort = if self.sort == SORTS[0] { "" } else { self.sort };
        let more = [("kind", self.kind.as_str()), ("q", &self.search), ("sort", sort), ("cursor", &self.cursor)];
        let said = more.into_iter().filter(|(_, value)| !value.is_empty());
        pairs.extend(said.map(|(name, value)| (name.to_owned(), value.to_owned())));
        pairs
    }

    /// This filter behind an address.
    #[must_use]
    pub fn at(&self, path: &str) -> String {
        let mut text = String::new();
        self.pairs().iter().for_each(|(name, value)| query::push(&mut text, name, value));
        let joint = if path.contains('?') { '&' } else { '?' };
        if text.is_empty() { path.to_owned() } else { format!("{path}{joint}{text}") }
    }

    /// The list.
    #[must_use]
    pub fn href(&self) -> String {
        self.at(PATH)
    }

    /// The same from its beginning.
    #[must_use]
    pub fn first(&self) -> Self {
        Self { cursor: String::new(), ..self.clone() }
    }

    /// The same in another order.
    #[must_use]
    pub fn sorted(&self, sort: &'static str) -> Self {
        Self { sort, ..self.first() }
    }

    /// The same at another place.
    #[must_use]
    pub fn from(&self, cursor: &str) -> Self {
        Self { cursor: cursor.to_owned(), ..self.clone() }
    }

    /// Its period, and nothing else of it.
    #[must_use]
    pub fn period(&self) -> Self {
        Self { view: View { range: self.view.range, ..View::default() }, sort: SORTS[0], ..Self::default() }
    }

    /// The same with only that value of a facet, or any.
    #[must_use]
    pub fn only(&self, facet: &Facet, value: Option<&str>) -> Self {
        let mut next = self.first();
        next.view.facets.retain(|(chosen, _)| chosen != facet);
        next.view.facets.extend(value.map(|value| (facet.clone(), value.to_owned())));
        next
    }

    /// The same with only that project, or any.
    #[must_use]
    pub fn of_project(&self, project: Option<&str>) -> Self {
        let mut next = self.first();
        next.view.projects = project.into_iter().map(str::to_owned).collect();
        next
    }

    /// Whether it leaves anything out.
    #[must_use]
    pub fn is_any(&self) -> bool {
        Self { sort: SORTS[0], cursor: String::new(), ..self.clone() } == Self { sort: SORTS[0], ..Self::default() }
    }
}

/// The address of a run.
#[must_use]
pub fn run_path(id: &str) -> String {
    path_of("/runs", id)
}

/// The address of a thing by its id, below another; `.` and `..` would be no ids in a path.
#[must_use]
pub fn path_of(above: &str, id: &str) -> String {
    let mut text = String::new();
    if matches!(id, "." | "..") {
        query::push(&mut text, "id", id);
        return format!("{above}/-?{text}");
    }
    query::push(&mut text, id, "");
    // In a path a space is no plus.
    format!("{above}/{}", text.trim_end_matches('=').replace('+', "%20"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_the_filter_again() {
        let text = "from=2026-11-01&to=2026-11-21&project=p&workflow=w%261&status=failed&kind=agent&q=r-&sort=credits";
        let filter = RunFilter::new(&query::parse(text));
        assert_eq!(filter.href(), format!("/usage?{text}"));
        assert_eq!((filter.failed(), filter.is_any()), (Some(true), false));
        assert!(RunFilter::new(&query::parse("sort=else&kind=x&cursor=c1.1")).is_any());
    }

    #[test]
    fn ids_stand_in_paths_whatever_they_are() {
        for (id, path) in
            [("a b+c/../é\"", "/runs/a%20b%2Bc%2F..%2F%C3%A9%22"), ("..", "/runs/-?id=.."), ("=", "/runs/%3D")]
        {
            assert_eq!(run_path(id), path);
        }
        assert_eq!(query::segment("a%20b%2Bc%2F..%2F%C3%A9%22"), "a b+c/../é\"");
    }
}
