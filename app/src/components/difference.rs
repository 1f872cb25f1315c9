//! What the charts say beyond the ledger: nothing, and everybody may see that.

use crate::markup::{Markup, amount};
use ledger::{Credits, Words};

/// A line at the end of a page, of the charts less the ledger.
#[must_use]
pub fn difference(words: &Words, difference: Credits) -> Markup {
    let class = if difference.is_zero() { "difference" } else { "difference wrong" };
    Markup::new("p").class(class).text("Difference to the ledger: ").child(amount(words, difference))
}
