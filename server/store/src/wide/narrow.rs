//! Leaving out sources and projects where a view shows none of them.

use super::segment::{PROJECT, SOURCE};
use ledger::Dimension;

/// What a view shows of sources and projects: enough for the view, but not for every other that could be made of the same cube.
/// It is read where the whole takes more than a page can take along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Narrow {
    /// What is told apart.
    pub group: Vec<Dimension>,
    /// Only usage of these sources; all where empty.
    pub sources: Vec<String>,
    /// Only usage of these projects, `""` for usage without one; all where empty.
    pub projects: Vec<String>,
    /// Bytes of segments beyond which it is read.
    pub beyond: usize,
}

impl Default for Narrow {
    fn default() -> Self {
        Self::new(Vec::new(), Vec::new(), Vec::new())
    }
}

impl Narrow {
    /// What pages and the API give for [`Narrow::beyond`]: some 50,000 rows, which are read in 2 ms.
    pub const BEYOND: usize = 1 << 20;

    /// What is shown of a view.
    #[must_use]
    pub fn new(group: Vec<Dimension>, sources: Vec<String>, projects: Vec<String>) -> Self {
        Self { group, sources, projects, beyond: Self::BEYOND }
    }

    /// Neither sources nor projects are told apart, however little there is.
    pub(super) fn only(sources: Vec<String>, projects: Vec<String>) -> Self {
        Self { beyond: 0, ..Self::new(Vec::new(), sources, projects) }
    }

    /// Whether sources and projects are told apart.
    pub(super) fn told(&self) -> [bool; 2] {
        [Dimension::Source, Dimension::Project].map(|dimension| self.group.contains(&dimension))
    }

    /// The columns that it needs.
    pub(super) fn columns(&self) -> impl Iterator<Item = usize> {
        let [sources, projects] = self.told();
        let source = (sources || !self.sources.is_empty()).then_some(SOURCE);
        source.into_iter().chain((projects || !self.projects.is_empty()).then_some(PROJECT))
    }
}
