//! The Leptos app of Scrip: what people see, rendered on the server and then hydrated in the browser.
//!
//! Compiled twice. With `ssr` it is part of the server and reaches the store through [`backend`], the only module that
//! may; with `hydrate` it is the browser's half and knows nothing but what the server functions answer.
//!
//! Read it in this order: what a page's URL says ([`view`]) → what the server answers ([`server_fns`]) → how the answer
//! becomes a chart and a table ([`usage_chart`], [`usage_table`], [`colors`]) → the pages ([`pages`]) and the parts
//! they are made of ([`components`]). [`platform`] holds the few things that are done differently on the two sides.
//!
//! Two rules keep hydration sound: nothing is rendered from a clock, a locale or the browser's time zone (times come
//! from the server as text), and nothing carries a `style` attribute in HTML, which the content security policy refuses.

// The types of whole pages nest deeper than the compiler's default.
#![recursion_limit = "512"]

pub mod app;
#[cfg(feature = "ssr")]
pub mod backend;
pub mod calendar;
pub mod charts;
pub mod colors;
pub mod components;
pub mod correction;
pub mod error;
pub mod explain;
#[cfg(feature = "ssr")]
pub mod exports;
pub mod filters;
pub mod format;
pub mod ledger_view;
pub mod markup;
#[cfg(feature = "ssr")]
pub mod message;
pub mod pages;
#[cfg(feature = "ssr")]
pub mod picture;
#[cfg_attr(feature = "ssr", path = "platform/server.rs")]
#[cfg_attr(not(feature = "ssr"), path = "platform/browser.rs")]
pub mod platform;
pub mod problem;
pub mod proof;
pub mod query;
#[cfg(feature = "ssr")]
pub mod refused;
#[cfg(feature = "ssr")]
pub mod report;
pub mod rows;
pub mod server_fns;
pub mod span;
pub mod steer;
pub mod theme;
pub mod usage_chart;
pub mod usage_table;
pub mod view;
pub mod wire;
pub mod words;
pub mod zone_clock;

pub use app::{App, Assets, shell};
pub use error::AppError;
