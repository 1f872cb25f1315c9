//! Who somebody is: people by password and session, programs by key. What they may is in [`crate::access`].

pub mod account;
pub mod address;
pub mod api_key;
pub mod invitation;
pub mod oidc;
pub mod passkey;
pub mod password;
pub mod password_rule;
pub mod pending;
pub mod reset;
pub mod session;
pub mod sign_in;
pub mod throttle;
pub mod totp;
