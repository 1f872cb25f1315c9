//! The store on a real file: one test program, a module for each concern.
#![allow(missing_docs, reason = "tests tell their rule in their name")]

mod alerts;
mod alerts_year;
mod backup;
mod budgets;
mod caches;
mod common;
mod customers;
mod ending;
mod event_export;
mod histories;
mod honest;
mod invoices;
mod kept;
mod life;
mod limits;
mod model;
mod old_database;
mod ops;
mod outbox;
mod paying;
mod purchases;
mod rate_cards;
mod reconcile;
mod retention;
mod safety;
mod saved_views;
mod splitting;
mod subscription;
mod tampering;
mod tiers_and_voids;
mod top_up;
mod traces;
mod usage;
mod whole_cards;
mod wide;
