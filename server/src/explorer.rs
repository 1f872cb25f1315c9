//! "Try the API": the calls of the description as forms, and what is answered when one is sent.
//!
//! The server sends the call to itself, through the same guard and handlers as any other, as a key of the org that the
//! viewer names and may manage. No secret travels: the command that the page shows has `$KEY` in its place. A key that can
//! give credits is an operator's to use, as it is an operator's to make.

use crate::access::{ActAs, SignedIn, need_of};
use crate::form::Fields;
use crate::pages::{PageRequest, problem_of, with_explorer};
use crate::problem::Problem;
use crate::state::AppState;
use crate::telemetry::RequestId;
use app::backend::{Backend, Viewer, origin_of};
use app::components::empty_state::shell_word;
use app::components::help::explorer::{Answered, Call, Explorer, Field, Place};
use app::query;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, RawQuery, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use axum::response::Response;
use axum::{Extension, Router};
use ledger::{KeyId, Permission};
use serde_json::Value;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use store::{Key, KeyPage, KeyRow, KeyStatus, Scope};
use tower::ServiceExt as _;
use utoipa::openapi::OpenApi;

/// Most bytes of an answer that are shown.
const MAX_ANSWER_BYTES: usize = 256 * 1024;
/// Keys to choose from: the newest.
const MAX_KEYS: u32 = 50;
/// The header that makes a write count once, and the length of one that nobody used.
const ONCE: &str = "Idempotency-Key";
const ONCE_LEN: usize = 20;
/// The call that most people come for.
const REPORT: &str = "POST /api/v1/events";
/// What a body is shown as, of those that a call takes.
const JSON: &str = "application/json";
/// Headers of an answer that say something.
const TOLD: [&str; 5] = ["content-type", "ratelimit-policy", "ratelimit", "retry-after", "idempotency-replayed"];

/// The API's calls, and the way to send one.
#[derive(Clone)]
pub struct Explore {
    calls: Arc<[Call]>,
    api: Router,
}

impl Explore {
    /// Of what the description says, sent to `api`.
    #[must_use]
    pub fn new(description: &OpenApi, api: Router) -> Self {
        let description = serde_json::to_value(description).unwrap_or_default();
        Self { calls: calls(&description).into(), api }
    }
}

/// The page with a form for the call that the address names.
pub async fn page(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    Extension(explore): Extension<Explore>,
    RawQuery(query): RawQuery,
    request: PageRequest,
) -> Result<Response, Problem> {
    let viewer = viewer.ok_or_else(Problem::not_signed_in)?;
    let typed = query::parse(&query.unwrap_or_default());
    let shown = shown(&app, &explore, &viewer, typed).await?;
    Ok(with_explorer(&app, viewer, shown, request).await)
}

/// Sends the call that the form describes and shows what is answered.
///
/// # Errors
/// What the store says.
pub async fn send(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    Extension(explore): Extension<Explore>,
    request: PageRequest,
    body: String,
) -> Result<Response, Problem> {
    let viewer = viewer.ok_or_else(Problem::not_signed_in)?;
    let mut shown = shown(&app, &explore, &viewer, query::parse(&body)).await?;
    let fields = Fields::parse(&body);
    let call = &shown.calls[shown.chosen];
    let key = match KeyId::parse(fields.get("key")) {
        Some(id) => app.store.api_key(viewer.org, id).await.ok().filter(|row| may_use(&viewer, row)),
        None => None,
    };
    match (key, ask(call, &fields)) {
        _ if call.name != fields.get("call") => {
            shown.error = Some("There is no such call: choose one from the list.".to_owned());
        }
        (Some(row), Ok(asked)) => {
            let curl = curl(&asked, &origin_of(request.headers()));
            let answer = answered(&app, &explore, &viewer, call, row, asked, request.extensions()).await?;
            shown.answer = Some(Answered { curl, ..answer });
        }
        (None, _) => shown.error = Some("Choose a key that is in force and that you may use.".to_owned()),
        (_, Err(error)) => shown.error = Some(error),
    }
    Ok(with_explorer(&app, viewer, shown, request).await)
}

async fn shown(
    app: &AppState,
    explore: &Explore,
    viewer: &Viewer,
    mut typed: Vec<(String, String)>,
) -> Result<Explorer, Problem> {
    let named = typed.iter().find(|(name, _)| name == "call").map(|(_, value)| value.as_str());
    let chosen = |name: &str| explore.calls.iter().position(|call| call.name == name);
    let chosen = named.and_then(chosen).or_else(|| chosen(REPORT)).unwrap_or_default();
    if explore.calls[chosen].name == REPORT && !typed.iter().any(|(name, _)| name == "body") {
        // Of the org's own prices, and with an id that nobody used: it can be sent as it stands.
        let backend = Backend { store: app.store.clone(), viewer: Some(viewer.clone()) };
        let example = backend.example_event(&format!("try-{}", app.store.now().micros() / 1_000)).await;
        let example = example.map_err(|error| problem_of(&error))?;
        typed.extend(example.map(|example| ("body".to_owned(), example)));
    }
    let once = |field: &Field| field.name == ONCE;
    if explore.calls[chosen].fields.iter().any(once) && !typed.iter().any(|(name, _)| *name == format!("p.{ONCE}")) {
        // A form that is sent twice counts once.
        typed.push((format!("p.{ONCE}"), crate::auth::api_key::random_text(ONCE_LEN)));
    }
    let may = viewer.role.may(Permission::ManageKeys);
    let may_not = (!may).then(|| Permission::ManageKeys.refusal(viewer.role));
    let mut keys = Vec::new();
    if may {
        let page = KeyPage { active: true, before: None, limit: MAX_KEYS };
        let scopes = &explore.calls[chosen].scopes;
        let fits = |row: &KeyRow| {
            let key = key_of(viewer, row);
            scopes.iter().filter_map(|scope| Scope::parse(scope)).any(|scope| key.allows(scope))
        };
        let rows = app.store.api_keys(viewer.org, page).await?;
        let rows = rows.into_iter().filter(|row| may_use(viewer, row) && fits(row));
        keys.extend(rows.map(|row| (row.id.to_string(), format!("{} (scrip_{}_…)", row.name, row.prefix))));
    }
    Ok(Explorer { calls: Arc::clone(&explore.calls), chosen, keys, may_not, typed, error: None, answer: None })
}

fn key_of(viewer: &Viewer, row: &KeyRow) -> Key {
    let (prefix, scopes, project) = (row.prefix.clone(), row.scopes.clone(), row.project.clone());
    Key { id: row.id, org: viewer.org, prefix, scopes, project }
}

/// Credits are the operators' to give, whoever's key does it.
fn may_use(viewer: &Viewer, row: &KeyRow) -> bool {
    let gives = row.scopes.iter().any(|scope| matches!(scope, Scope::LedgerWrite | Scope::Admin));
    row.status == KeyStatus::Active && (viewer.operator || !gives)
}

/// A call, filled in.
struct Asked {
    method: Method,
    /// With its query.
    path: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: String,
}

fn ask(call: &Call, fields: &Fields) -> Result<Asked, String> {
    let (mut path, mut search, mut headers) = (call.path.clone(), String::new(), Vec::new());
    for field in &call.fields {
        let value = fields.get(&format!("p.{}", field.name));
        if value.is_empty() {
            if field.required {
                return Err(format!("Fill in \u{201c}{}\u{201d}.", field.name));
            }
            continue;
        }
        match field.place {
            Place::Path => path = path.replace(&format!("{{{}}}", field.name), &segment(value)),
            Place::Query => query::push(&mut search, &field.name, value),
            Place::Header => {
                let bad = || format!("\u{201c}{}\u{201d} holds what no header can.", field.name);
                let name = HeaderName::try_from(&field.name).map_err(|_| bad())?;
                headers.push((name, HeaderValue::try_from(value).map_err(|_| bad())?));
            }
        }
    }
    let mut body = String::new();
    if let Some((media, _)) = &call.body {
        fields.raw("body").clone_into(&mut body);
        headers.extend(HeaderValue::try_from(media).map(|media| (CONTENT_TYPE, media)));
    }
    if !search.is_empty() {
        path = format!("{path}?{search}");
    }
    let method = Method::try_from(call.method.as_str()).map_err(|_| "There is no such call.".to_owned())?;
    Ok(Asked { method, path, headers, body })
}

/// A part of a path: whatever is not plain is escaped.
fn segment(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

async fn answered(
    app: &AppState,
    explore: &Explore,
    viewer: &Viewer,
    call: &Call,
    row: KeyRow,
    asked: Asked,
    from: &Extensions,
) -> Result<Answered, Problem> {
    let unsendable = |_| Problem::bad_request("bad_request", "this cannot be sent: check what was filled in");
    let mut request =
        Request::builder().method(asked.method.clone()).uri(&asked.path).extension(ActAs(key_of(viewer, &row)));
    for (name, value) in asked.headers {
        request = request.header(name, value);
    }
    // The same request for the log, from the same address.
    if let Some(id) = from.get::<RequestId>() {
        request = request.extension(id.clone());
    }
    if let Some(peer) = from.get::<ConnectInfo<SocketAddr>>() {
        request = request.extension(*peer);
    }
    let request = request.body(Body::from(asked.body)).map_err(unsendable)?;
    let response = explore.api.clone().oneshot(request).await.unwrap_or_else(|never| match never {});
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = to_bytes(response.into_body(), MAX_ANSWER_BYTES).await;
    if asked.method != Method::GET && status.is_success() {
        app.store.note_tried(viewer.org, viewer.by(), call.name.clone(), row.id.to_string()).await?;
    }
    let body = bytes.map_or_else(
        |_| "The answer is too long to be shown here: send the command.".to_owned(),
        |bytes| {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            serde_json::from_str::<Value>(&text)
                .ok()
                .and_then(|value| serde_json::to_string_pretty(&value).ok())
                .unwrap_or(text)
        },
    );
    Ok(Answered {
        status: status_line(status),
        good: status.is_success(),
        headers: told(&headers),
        body,
        curl: String::new(),
    })
}

fn status_line(status: StatusCode) -> String {
    format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or_default()).trim_end().to_owned()
}

fn told(headers: &HeaderMap) -> Vec<(String, String)> {
    let told = TOLD.iter().filter_map(|name| Some(((*name).to_owned(), headers.get(*name)?.to_str().ok()?.to_owned())));
    told.collect()
}

/// The same request for a terminal.
fn curl(asked: &Asked, origin: &str) -> String {
    let method = if asked.method == Method::GET { String::new() } else { format!(" -X {}", asked.method) };
    let mut curl = format!(
        "curl{method} {} \\\n  -H \"Authorization: Bearer $KEY\"",
        shell_word(&format!("{origin}{}", asked.path))
    );
    for (name, value) in &asked.headers {
        // Writing to a String cannot fail.
        let _ = write!(curl, " \\\n  -H {}", shell_word(&format!("{name}: {}", value.to_str().unwrap_or_default())));
    }
    if !asked.body.is_empty() {
        let _ = write!(curl, " \\\n  -d {}", shell_word(&asked.body));
    }
    curl
}

/// All calls that a key opens, as the description has them.
fn calls(description: &Value) -> Vec<Call> {
    let mut calls = Vec::new();
    for (path, item) in description["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            calls.extend(call(description, path, &method.to_uppercase(), operation));
        }
    }
    calls
}

fn call(description: &Value, path: &str, method: &str, operation: &Value) -> Option<Call> {
    let scopes = need_of(&method.parse().ok()?, path)?.scopes()?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let body = operation["requestBody"]["content"].get(JSON).map(|content| {
        let example = example(description, &content["schema"]);
        let example = serde_json::to_string_pretty(&example).unwrap_or_default();
        (JSON.to_owned(), example)
    });
    Some(Call {
        name: format!("{method} {path}"),
        method: method.to_owned(),
        path: path.to_owned(),
        group: text(&operation["tags"][0]),
        title: text(&operation["summary"]),
        about: text(&operation["description"]).split("\n\n").next().unwrap_or_default().replace('`', ""),
        scopes: scopes.iter().map(|scope| scope.as_str()).collect(),
        fields: operation["parameters"].as_array().into_iter().flatten().filter_map(field).collect(),
        body,
    })
}

/// The example of a schema, or of what it refers to.
fn example(description: &Value, schema: &Value) -> Value {
    let one =
        schema["oneOf"].as_array().and_then(|all| all.iter().find(|one| one["$ref"].is_string())).unwrap_or(schema);
    let name = one["$ref"].as_str().and_then(|path| path.rsplit('/').next());
    let schema = name.map_or(one, |name| &description["components"]["schemas"][name]);
    schema
        .get("example")
        .or_else(|| schema["examples"].get(0))
        .cloned()
        .unwrap_or_else(|| Value::Object(serde_json::Map::new()))
}

fn field(parameter: &Value) -> Option<Field> {
    let place = match parameter["in"].as_str()? {
        "path" => Place::Path,
        "query" => Place::Query,
        "header" => Place::Header,
        _ => return None,
    };
    let example = match parameter.get("example").or_else(|| parameter["schema"].get("example")) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    };
    let about = parameter["description"].as_str().unwrap_or_default().replace('`', "");
    Some(Field {
        name: parameter["name"].as_str()?.to_owned(),
        place,
        required: parameter["required"] == true,
        about,
        example,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explore() -> Arc<[Call]> {
        Explore::new(&crate::api::routes().1, Router::new()).calls
    }

    #[test]
    fn every_call_of_the_description_can_be_tried_and_has_an_example_where_it_has_a_body() {
        let calls = explore();
        assert!(calls.len() > 25, "{}", calls.len());
        for call in &*calls {
            assert!(!call.title.is_empty() && !call.group.is_empty() && !call.scopes.is_empty(), "{}", call.name);
            if let Some((_, example)) = &call.body {
                let value: Value = serde_json::from_str(example).expect("JSON");
                let may_be_empty = ["/release", "/rotate", "/capture"].iter().any(|end| call.path.ends_with(end));
                assert!(may_be_empty || value.as_object().is_some_and(|object| !object.is_empty()), "{}", call.name);
            }
            for field in call.fields.iter().filter(|field| field.required) {
                assert!(!field.example.is_empty(), "{} {}", call.name, field.name);
            }
        }
    }

    #[test]
    fn what_is_filled_in_stays_what_it_is_in_path_query_header_and_command() {
        let calls = explore();
        let of = |name: &str| calls.iter().find(|call| call.name == name).expect("described");
        let asked = ask(of("GET /api/v1/events/{id}"), &Fields::parse("p.id=..%2Fkeys%3Fa%3D%27")).expect("sendable");
        assert_eq!(asked.path, "/api/v1/events/..%2Fkeys%3Fa%3D%27");
        let usage = of("GET /api/v1/usage");
        let asked = ask(usage, &Fields::parse("p.source=a%26b&p.other=x")).expect("sendable");
        assert_eq!(asked.path, "/api/v1/usage?source=a%26b");
        let hold = of("POST /api/v1/holds");
        let typed = "p.Idempotency-Key=k&body=%7B%22a%22%3A%22it%27s%22%7D";
        let asked = ask(hold, &Fields::parse(typed)).expect("sendable");
        assert_eq!(
            curl(&asked, "http://x"),
            "curl -X POST 'http://x/api/v1/holds' \\\n  -H \"Authorization: Bearer $KEY\" \\\n  -H 'idempotency-key: k' \\\n  \
             -H 'content-type: application/json' \\\n  -d '{\"a\":\"it'\\''s\"}'"
        );
        assert!(ask(hold, &Fields::parse("p.Idempotency-Key=a%0Ab")).is_err());
        assert!(ask(of("GET /api/v1/holds/{id}"), &Fields::parse("")).is_err_and(|error| error.contains("id")));
    }
}
