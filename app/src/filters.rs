//! The filters of a view in words: for chips, menus and the files that say what they hold.

use crate::view::View;
use ledger::cube::AxisValue;
use ledger::{Cube, Dimension, Facet, Words};

/// A value that a view chooses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Chosen {
    /// Of which dimension.
    pub dimension: Dimension,
    /// Which one, as the address has it; `""` for usage that does not say it.
    pub value: String,
    /// What people read.
    pub text: String,
}

/// What a dimension is called.
#[must_use]
pub fn title(dimension: &Dimension, words: &Words) -> String {
    match dimension {
        Dimension::Type => "Credit type".to_owned(),
        Dimension::Source => "Source".to_owned(),
        Dimension::Project => "Project".to_owned(),
        Dimension::Facet(Facet::Workflow) => words.workflow.clone(),
        Dimension::Facet(Facet::User) => "User".to_owned(),
        Dimension::Facet(Facet::Tenant) => "Tenant".to_owned(),
        Dimension::Facet(Facet::Status) => "Status".to_owned(),
        Dimension::Facet(Facet::Attribute(name)) => name.clone(),
    }
}

/// What a value of a dimension is called, as far as the cube knows.
#[must_use]
pub fn text(cube: &Cube, dimension: &Dimension, value: &str) -> String {
    let known = match dimension {
        Dimension::Type => cube.meters.iter().find(|m| m.meter.as_str() == value).map(|m| m.title.clone()),
        Dimension::Source => None,
        Dimension::Project => {
            cube.projects.iter().flatten().find(|project| project.id == value).map(|project| project.name.clone())
        }
        Dimension::Facet(facet) => {
            let axis = cube.facet.as_ref().filter(|axis| axis.facet == *facet);
            axis.into_iter().flat_map(|axis| &axis.values).find_map(|known| match known {
                AxisValue::Named(named) if named.id == value => Some(named.name.clone()),
                AxisValue::Named(_) | AxisValue::Unsaid | AxisValue::Others(_) => None,
            })
        }
    };
    known.unwrap_or_else(|| unknown(dimension, value))
}

/// What a value is called of which nothing but its id is known.
#[must_use]
pub fn unknown(dimension: &Dimension, value: &str) -> String {
    match dimension {
        Dimension::Project if value.is_empty() => "No project".to_owned(),
        Dimension::Facet(facet) if value.is_empty() => facet.unsaid(),
        Dimension::Type | Dimension::Source | Dimension::Project | Dimension::Facet(_) => value.to_owned(),
    }
}

/// The values of a dimension that a view chooses.
#[must_use]
pub fn chosen_of(view: &View, dimension: &Dimension) -> Vec<String> {
    match dimension {
        Dimension::Type => view.types.clone(),
        Dimension::Source => view.sources.clone(),
        Dimension::Project => view.projects.clone(),
        Dimension::Facet(facet) => {
            let of = view.facets.iter().filter(|(known, _)| known == facet);
            of.map(|(_, value)| value.clone()).collect()
        }
    }
}

/// Everything that a view chooses, in the order of its address.
#[must_use]
pub fn chosen(cube: &Cube, view: &View) -> Vec<Chosen> {
    let of = |dimension: Dimension, value: &String| {
        let text = text(cube, &dimension, value);
        Chosen { dimension, value: value.clone(), text }
    };
    let types = view.types.iter().map(|value| of(Dimension::Type, value));
    let sources = view.sources.iter().map(|value| of(Dimension::Source, value));
    let projects = view.projects.iter().map(|value| of(Dimension::Project, value));
    let facets = view.facets.iter().map(|(facet, value)| of(Dimension::Facet(facet.clone()), value));
    types.chain(sources).chain(projects).chain(facets).collect()
}

/// The values that a base dimension has in a cube, with their names, in the cube's order, and those that a view chooses
/// besides. Of a facet the cube does not know them all: the server is asked.
#[must_use]
pub fn offered(cube: &Cube, view: &View, dimension: &Dimension) -> Vec<(String, String)> {
    let mut values: Vec<String> = match dimension {
        Dimension::Type => cube.meters.iter().map(|m| m.meter.to_string()).collect(),
        Dimension::Source => cube.sources.clone(),
        Dimension::Project => {
            cube.projects.iter().map(|p| p.as_ref().map_or_else(String::new, |p| p.id.clone())).collect()
        }
        Dimension::Facet(_) => Vec::new(),
    };
    for value in chosen_of(view, dimension) {
        if !values.contains(&value) {
            values.push(value);
        }
    }
    values.into_iter().map(|value| (text(cube, dimension, &value), value)).map(|(text, value)| (value, text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage_chart::specimen_cube;

    #[test]
    fn what_is_chosen_is_told_by_its_names() {
        let view = View::parse("type=output&source=gone&project=p1&project=&user=&attribute.region=eu");
        let told: Vec<String> = chosen(&specimen_cube(), &view)
            .iter()
            .map(|chosen| format!("{}: {}", title(&chosen.dimension, &Words::default()), chosen.text))
            .collect();
        let expected = [
            "Credit type: Output",
            "Source: gone",
            "Project: No project",
            "Project: Project one",
            "User: No user",
            "region: eu",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn what_is_chosen_is_offered_though_the_range_does_not_have_it() {
        let view = View::parse("source=gone");
        let sources = offered(&specimen_cube(), &view, &Dimension::Source);
        assert_eq!(sources.iter().map(|(value, _)| value.as_str()).collect::<Vec<_>>(), ["web", "=api", "gone"]);
    }
}
