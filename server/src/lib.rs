//! The server, the JSON API and the command line of Scrip.
//!
//! Read it in this order: [`cli`] (what a person types) → [`config`] (what it is set to) → [`serve`] (how it starts and
//! ends) → [`router`] (what is where) → [`access`] (who may) → [`api`], [`pages`], [`auth`] (what happens then).
//!
//! What the server does unasked is in [`jobs`].
//!
//! Everything that writes goes through one store call: the JSON API through [`ingest`], the command line through
//! [`command`], whether the store is open in this process or held by a server ([`socket`]).

// The type of a Leptos page is the nesting of all its parts.
#![recursion_limit = "512"]

pub mod access;
pub mod alerts;
pub mod api;
pub mod assets;
pub mod auth;
pub mod cli;
pub mod command;
pub mod config;
pub mod connections;
pub mod customers;
pub mod desk;
pub mod explorer;
pub mod exports;
pub mod form;
pub mod import;
pub mod ingest;
pub mod invoices;
pub mod jobs;
pub mod limits;
pub mod live;
pub mod mapping_csv;
pub mod members;
pub mod notifications;
pub mod notify;
pub mod operator;
pub mod outgoing;
pub mod pages;
pub mod payment;
pub mod pdf;
pub mod picture;
pub mod plans;
pub mod preset;
pub mod problem;
pub mod purchases;
pub mod router;
pub mod sample;
pub mod saved_views;
pub mod search;
pub mod security;
pub mod serve;
pub mod settings;
pub mod setup;
pub mod socket;
pub mod state;
pub mod telemetry;
pub mod webhooks;
pub mod workflows;
