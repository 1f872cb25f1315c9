//! Parts of the Rate card page: the editor and what comes of a card live in the browser too, the rest is the server's.

#[cfg(feature = "ssr")]
pub mod compare;
pub mod editor;
#[cfg(feature = "ssr")]
pub mod form;
mod outcome;
#[cfg(feature = "ssr")]
pub mod prices;
#[cfg(feature = "ssr")]
pub mod versions;
