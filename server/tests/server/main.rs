//! The server from outside: the real router over a real database in a folder of its own, and the built binary.
//!
//! One binary for all of them, so that the server is linked once. Nothing here waits for time to pass, and no test knows
//! of another.
// The type of a Leptos page is the nesting of all its parts.
#![recursion_limit = "512"]

mod access;
mod account;
mod agreement;
mod alert_firings;
mod alert_pages;
mod alerts;
mod analytics;
mod authenticator;
mod bad_input;
mod billing;
mod cli;
mod cli_ledger;
mod cli_presets;
mod common;
mod corrections;
mod crash;
mod customers;
mod deliveries;
mod ending;
mod events;
mod focus;
mod grants;
mod help;
mod holds;
mod hostile;
mod idp;
mod import;
mod invoices;
mod keys;
mod ledger_entries;
mod ledger_pages;
mod limits;
mod live;
mod members;
mod notifications;
mod oidc;
mod operator;
mod organization;
mod outgoing;
mod overview;
mod passkeys;
mod payments;
mod people;
mod presets;
mod purchases;
mod rate_cards;
mod real_input;
mod receiver;
mod reports;
mod retention;
mod runs;
mod search;
mod sessions;
mod settings;
mod setup;
mod sign_in;
mod storm;
mod storm_killed;
mod stripe;
mod usage;
mod words;
mod workflows;
