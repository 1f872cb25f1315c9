//! The parts that pages are made of, one per file; the styles of each are in `style/` under the same name.

pub mod amount;
pub mod balance_card;
pub mod banner;
pub mod calendar_grid;
pub mod chart_panel;
pub mod credit_types;
pub mod difference;
pub mod eager;
pub mod empty_state;
pub mod error_panel;
pub mod events_table;
#[cfg(feature = "ssr")]
pub mod grants;
pub mod grouping;
pub mod header;
pub mod icon;
pub mod legend;
pub mod range_picker;
pub mod skeleton;
pub mod source_filter;
pub mod stat_card;
pub mod theme_switch;
pub mod time;
pub mod tooltip;
pub mod usage_table;
