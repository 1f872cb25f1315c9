//! The words that an installation will be able to choose (DESIGN §8, Terminology): no page spells them out itself.

/// What the product is called.
pub const PRODUCT: &str = "Scrip";
/// The credit unit, as it follows an amount.
pub const CREDITS: &str = "credits";
