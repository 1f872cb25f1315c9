//! Version 1 of the API. One file per noun; each reads from its documentation to its answer.

pub mod alert_shapes;
pub mod alerts;
pub mod authorize;
pub mod balance;
pub mod body;
pub mod budgets;
pub mod corrections;
pub mod customers;
pub mod deliveries;
pub mod events;
pub mod grants;
pub mod holds;
pub mod interactions;
pub mod invoices;
pub mod keys;
pub mod ledger;
pub mod lines;
pub mod members;
pub mod once;
pub mod page;
pub mod payments;
pub mod purchases;
pub mod rate_cards;
pub mod runs;
pub mod shortage;
pub mod subscription;
pub mod usage;
pub mod webhook_endpoints;
pub mod workflows;

use crate::state::AppState;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Where events go: it has its own bounds of size and time.
pub const EVENTS_PATH: &str = "/api/v1/events";

/// All routes with their description.
#[must_use]
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(events::post, events::list))
        .routes(routes!(events::show))
        .routes(routes!(usage::show))
        .routes(routes!(interactions::map_many, interactions::list))
        .routes(routes!(interactions::map, interactions::show))
        .routes(routes!(customers::users))
        .routes(routes!(customers::tenants))
        .routes(routes!(runs::list))
        .routes(routes!(runs::show))
        .routes(routes!(workflows::workflows))
        .routes(routes!(workflows::show, workflows::set))
        .routes(routes!(balance::show))
        .routes(routes!(authorize::ask))
        .routes(routes!(holds::create, holds::list))
        .routes(routes!(holds::show))
        .routes(routes!(holds::capture))
        .routes(routes!(holds::release))
        .routes(routes!(holds::extend))
        .routes(routes!(grants::create, grants::list))
        .routes(routes!(grants::show))
        .routes(routes!(subscription::show))
        .routes(routes!(subscription::plans))
        .routes(routes!(corrections::create))
        .routes(routes!(invoices::list))
        .routes(routes!(invoices::show))
        .routes(routes!(invoices::pdf))
        .routes(routes!(payments::list))
        .routes(routes!(purchases::list))
        .routes(routes!(keys::create, keys::list))
        .routes(routes!(keys::show, keys::revoke))
        .routes(routes!(keys::rotate))
        .routes(routes!(alerts::create, alerts::list))
        .routes(routes!(alerts::history))
        .routes(routes!(alerts::simulate))
        .routes(routes!(alerts::show, alerts::change, alerts::delete))
        .routes(routes!(alerts::snooze))
        .routes(routes!(alerts::mute))
        .routes(routes!(alerts::acknowledge))
        .routes(routes!(budgets::create, budgets::list))
        .routes(routes!(budgets::show, budgets::change, budgets::delete))
        .routes(routes!(webhook_endpoints::create, webhook_endpoints::list))
        .routes(routes!(webhook_endpoints::show, webhook_endpoints::change, webhook_endpoints::delete))
        .routes(routes!(webhook_endpoints::rotate))
        .routes(routes!(webhook_endpoints::enable))
        .routes(routes!(webhook_endpoints::disable))
        .routes(routes!(webhook_endpoints::test))
        .routes(routes!(deliveries::list))
        .routes(routes!(deliveries::show))
        .routes(routes!(deliveries::redeliver))
        .routes(routes!(rate_cards::put, rate_cards::list))
        .routes(routes!(rate_cards::show))
        .routes(routes!(ledger::list))
        .routes(routes!(ledger::show))
        .routes(routes!(ledger::prove))
}
