//! The JSON API: its versions, its description, and the page to read that.

pub mod sent;
pub mod v1;

use crate::problem::{self, ProblemDetails};
use crate::state::AppState;
use axum::routing::get;
use axum::{Json, Router};
use utoipa::OpenApi;
use utoipa::openapi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_swagger_ui::{Config, SwaggerUi};

/// Where the description is.
pub const OPENAPI_PATH: &str = "/api/openapi.json";
const DOCS_PATH: &str = "/api/docs";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Scrip",
        description = "A ledger of prepaid credits: services report usage, Scrip rates it into credits and draws them down.\n\n\
            Send a key with every request: `Authorization: Bearer scrip_…`. `scrip key create` makes one. \
            Amounts and quantities are decimal strings, times RFC 3339. Errors are problem details (RFC 9457): \
            compare `code`, show `detail`, keep `request_id`. \
            Sending an event again is safe: what was accepted before counts as a duplicate and costs nothing.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(schemas(ProblemDetails, v1::events::CloudEvent)),
    modifiers(&Keys),
    security(("key" = []))
)]
struct Description;

struct Keys;

impl utoipa::Modify for Keys {
    fn modify(&self, openapi: &mut openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("scrip_…")
            .description(Some("An API key, made by `scrip key create`"))
            .build();
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("key", SecurityScheme::Http(scheme));
    }
}

/// What every call may be answered, whatever it does: status, and what it means.
const COMMON: [(&str, &str); 5] = [
    ("401", "`no_key`, `bad_key`"),
    ("408", "`timeout`: the request took too long: ask for less, or send less at once"),
    ("429", "`rate_limited`: more requests than are taken of this key or organization: come back after `Retry-After`"),
    ("500", "`internal`: something went wrong in Scrip; its log has it under `request_id`"),
    ("503", "`busy`: too much is going on: send the same again after `Retry-After`"),
];

/// What every call that takes a body may be answered besides.
const OF_BODIES: [(&str, &str); 2] = [("413", "`body_too_large`"), ("415", "`unsupported_media_type`")];

/// What every call that writes may be answered besides.
const ENDS: &str = "`org_ends`: the organization will be deleted and takes nothing any more";

/// Adds what every call may be answered where the call does not say it itself, and that refusals are problem details.
fn with_common_answers(mut openapi: openapi::OpenApi) -> openapi::OpenApi {
    let problem = openapi::Ref::from_schema_name("Problem");
    let content = openapi::ContentBuilder::new().schema(Some(problem)).build();
    for item in openapi.paths.paths.values_mut() {
        for call in [&mut item.put, &mut item.post].into_iter().flatten() {
            if let Some(openapi::RefOr::T(forbidden)) = call.responses.responses.get_mut("403") {
                forbidden.description = format!("{}; {ENDS}", forbidden.description);
            }
        }
        let calls = [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch];
        for call in calls.into_iter().flatten() {
            let of_bodies = OF_BODIES.iter().filter(|_| call.request_body.is_some());
            for (status, description) in COMMON.iter().chain(of_bodies) {
                let response = openapi::ResponseBuilder::new().description(*description).build();
                call.responses.responses.entry((*status).to_owned()).or_insert(response.into());
            }
            for (status, response) in &mut call.responses.responses {
                if let openapi::RefOr::T(response) = response
                    && status.starts_with(['4', '5'])
                    && response.content.is_empty()
                {
                    response.content.insert(problem::MEDIA_TYPE.to_owned(), content.clone().into());
                }
            }
        }
    }
    openapi
}

/// The routes of the API and of its description.
pub fn routes() -> (Router<AppState>, openapi::OpenApi) {
    let (routes, openapi) = OpenApiRouter::with_openapi(Description::openapi()).merge(v1::routes()).split_for_parts();
    let mut openapi = with_common_answers(openapi);
    openapi.webhooks = Some(sent::webhooks());
    let described = openapi.clone();
    let description = get(move || async move { Json(described) });
    // Which key somebody tries stays in the tab, and nobody outside is asked whether the description is valid.
    let config = Config::from(OPENAPI_PATH).persist_authorization(false).try_it_out_enabled(true).validator_url("none");
    let routes = routes.route(OPENAPI_PATH, description).merge(SwaggerUi::new(DOCS_PATH).config(config));
    (routes, openapi)
}
