//! Who may: one table of every route, and the guard that reads it.
//!
//! The guard runs before every handler. What is not in the table is not reachable at all, so a route that somebody forgot
//! to list is found by the first request rather than by an attacker. Org and scopes come from the key or the session,
//! never from the request.

mod rules;

pub use rules::{FUNCTIONS, RULES};

use crate::auth::{address, api_key, session};
use crate::limits::tell;
use crate::problem::Problem;
use crate::security::is_watching;
use crate::setup;
use crate::state::AppState;
use app::backend::Viewer;
use app::components::operator;
use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use ledger::{Label, OrgId, Permission, Role, Timestamp};
use store::{By, Key, Scope};

/// What a request must bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nothing.
    Nothing,
    /// An API key with one of these scopes that is not bound to a project.
    Key(&'static [Scope]),
    /// An API key with one of these scopes; the handler keeps one that is bound to a project there.
    ProjectKey(&'static [Scope]),
    /// A signed-in person of any role; a page sends others to sign in.
    Page,
    /// A signed-in person whose role may do that; others are sent to sign in, or told who may.
    May(Permission),
    /// A signed-in operator; others are told who may.
    Operator,
    /// A signed-in person of any role; others are told 401.
    Login,
}

impl Need {
    /// The scopes of which a key must have one; `None` where no key opens it.
    #[must_use]
    pub const fn scopes(self) -> Option<&'static [Scope]> {
        match self {
            Self::Key(scopes) | Self::ProjectKey(scopes) => Some(scopes),
            Self::Nothing | Self::Page | Self::May(_) | Self::Operator | Self::Login => None,
        }
    }
}

/// A route and what it needs.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// The method; `GET` stands for `HEAD` too.
    pub method: &'static str,
    /// As the router knows it.
    pub path: &'static str,
    /// What a request must bring.
    pub need: Need,
}

/// What a request to that route must bring; `None` where the table does not have it.
#[must_use]
pub fn need_of(method: &Method, path: &str) -> Option<Need> {
    let method = if method == Method::HEAD { Method::GET } else { method.clone() };
    RULES.iter().find(|rule| rule.path == path && rule.method == method.as_str()).map(|rule| rule.need)
}

/// Whoever sends a request with an API key.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The org that the key belongs to.
    pub org: OrgId,
    /// The key's public part.
    pub prefix: String,
    /// What the key may do.
    pub scopes: Vec<Scope>,
    /// The only project it may report and read, if it is bound to one.
    pub project: Option<Label>,
    /// Where the request came from.
    pub address: Option<String>,
}

impl Caller {
    /// What the ledger notes as the cause of what this caller does.
    #[must_use]
    pub fn cause(&self) -> String {
        format!("key:{}", self.prefix)
    }

    /// Who changes something, for the audit log.
    #[must_use]
    pub fn by(&self) -> By {
        By::key(&self.prefix, self.address.clone())
    }

    /// Whether it may deal with what is in that project.
    #[must_use]
    pub fn reaches(&self, project: Option<&str>) -> bool {
        self.project.as_ref().is_none_or(|own| project == Some(own.as_str()))
    }

    /// Refuses a write outside of the project that the key is bound to.
    ///
    /// # Errors
    /// 403 `wrong_project`.
    pub fn keep_to(&self, project: Option<&Label>) -> Result<(), Problem> {
        if self.reaches(project.map(Label::as_str)) {
            return Ok(());
        }
        Err(Problem::new(StatusCode::FORBIDDEN, "wrong_project", self.only_project()))
    }

    /// What a key that is bound to a project is told.
    #[must_use]
    pub fn only_project(&self) -> String {
        let project = self.project.as_ref().map_or("", Label::as_str);
        format!("this key is for the project \"{project}\" only: name that project, or use another key")
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get().cloned().ok_or_else(unlisted)
    }
}

/// Whoever is signed in, for handlers of pages.
#[derive(Clone)]
pub struct SignedIn(pub Option<Viewer>);

impl<S: Sync> FromRequestParts<S> for SignedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(parts.extensions.get().cloned().unwrap_or(Self(None)))
    }
}

/// A key by which the server sends a call to itself, for the page that tries the API. It is in no request that comes from
/// outside: only handlers can put it there.
#[derive(Clone)]
pub struct ActAs(pub Key);

/// Middleware on every route: lets through whoever brings what the table says.
pub async fn guard(State(app): State<AppState>, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let Some(need) = path.as_deref().and_then(|path| need_of(request.method(), path)) else {
        // A method that the route does not take arrives here too: the router's own 405 is the right answer to it.
        let listed = path.is_some_and(|path| RULES.iter().any(|rule| rule.path == path));
        return if listed { next.run(request).await } else { unlisted().into_response() };
    };
    match need {
        Need::Key(scopes) => with_key(&app, scopes, true, request, next).await,
        Need::ProjectKey(scopes) => with_key(&app, scopes, false, request, next).await,
        // Whoever watches the server must get an answer just when it is busy.
        Need::Nothing if is_watching(request.uri().path()) => next.run(request).await,
        Need::Nothing | Need::Page | Need::May(_) | Need::Operator | Need::Login => {
            if let Err(exceeded) = app.limits.address(address::ip(&app.config, request.headers(), request.extensions()))
            {
                return Problem::from(exceeded).into_response();
            }
            if need == Need::Nothing { next.run(request).await } else { with_session(&app, need, request, next).await }
        }
    }
}

/// Lets a key through that may; a wrong one counts for the address that sent it.
async fn with_key(app: &AppState, scopes: &[Scope], whole: bool, mut request: Request, next: Next) -> Response {
    let ip = address::ip(&app.config, request.headers(), request.extensions());
    let acting = request.extensions().get::<ActAs>().cloned();
    let buckets = match caller(app, request.headers(), acting, scopes, whole).await {
        Ok(caller) => match app.limits.key(&caller.prefix, caller.org) {
            Ok(buckets) => {
                request.extensions_mut().insert(Caller { address: ip.map(|ip| ip.to_string()), ..caller });
                buckets
            }
            Err(exceeded) => return Problem::from(exceeded).into_response(),
        },
        Err(problem) if problem.status == StatusCode::UNAUTHORIZED => {
            let problem = app.limits.address(ip).map_or_else(Problem::from, |()| problem);
            return problem.into_response();
        }
        Err(problem) => return problem.into_response(),
    };
    // Asked after the limits, so that a service that goes on asking is limited like any other.
    let ends_at = request.extensions().get::<Caller>().and_then(|caller| app.store.ends_at(caller.org));
    let closed = ends_at.filter(|_| ![Method::GET, Method::HEAD, Method::DELETE].contains(request.method()));
    let mut response = match closed {
        Some(ends_at) => org_ends(ends_at).into_response(),
        None => next.run(request).await,
    };
    tell(response.headers_mut(), buckets);
    response
}

/// Lets whoever is signed in through, if their role may.
async fn with_session(app: &AppState, need: Need, mut request: Request, next: Next) -> Response {
    let viewer = match session::viewer(app, request.headers()).await {
        Ok(Some(viewer)) => viewer,
        Ok(None) if need == Need::Login => return Problem::not_signed_in().into_response(),
        Ok(None) => {
            return match setup::home(app, request.headers()).await {
                Ok(Some(home)) => home.into_response(),
                Ok(None) => to_sign_in(&request),
                Err(problem) => problem.into_response(),
            };
        }
        Err(problem) => return problem.into_response(),
    };
    let viewer = Viewer { address: address::of(&app.config, request.headers(), request.extensions()), ..viewer };
    if need == Need::Operator && !viewer.operator {
        return not_operator(app, viewer, request).await;
    }
    let writes = request.method() != Method::GET && request.method() != Method::HEAD && need != Need::Login;
    let stays_open = need == Need::Operator || OPEN_TO_THE_END.contains(&request.uri().path());
    if let Some(ends_at) = app.store.ends_at(viewer.org).filter(|_| writes && !stays_open) {
        return org_ends(ends_at).into_response();
    }
    match permission(need, request.uri().path()) {
        Ok(Some(permission)) if !viewer.role.may(permission) => may_not(app, viewer, permission, request).await,
        Ok(_) => {
            request.extensions_mut().insert(SignedIn(Some(viewer)));
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

/// What one may do although the org that one looks at comes to its end: leave it, keep it, look after oneself, and take away
/// what others may: a key or a member that must go must go at once.
const OPEN_TO_THE_END: [&str; 7] = [
    "/exports/organization.jsonl",
    "/settings/deletion",
    "/settings/keys",
    "/settings/leave",
    "/settings/members",
    "/settings/security",
    "/switch",
];

fn org_ends(ends_at: Timestamp) -> Problem {
    let detail = format!(
        "this organization will be deleted on {ends_at} and takes nothing any more: an owner can keep it under Settings"
    );
    Problem::new(StatusCode::FORBIDDEN, "org_ends", detail)
}

async fn not_operator(app: &AppState, viewer: Viewer, request: Request) -> Response {
    let read = request.method() == Method::GET || request.method() == Method::HEAD;
    if read && operator::PAGES.contains(&request.uri().path()) {
        return crate::pages::may_not(app, viewer, request).await;
    }
    let detail = "only operators may do this: ask whoever runs this server";
    Problem::new(StatusCode::FORBIDDEN, "not_operator", detail).into_response()
}

/// What the role of whoever is signed in must allow, if anything.
fn permission(need: Need, path: &str) -> Result<Option<Permission>, Problem> {
    match need {
        Need::May(permission) => Ok(Some(permission)),
        Need::Login => {
            let listed = FUNCTIONS.iter().find(|(function, _)| *function == path);
            listed.map(|(_, permission)| *permission).ok_or_else(|| Problem::not_found("there is no such function"))
        }
        Need::Nothing | Need::Key(_) | Need::ProjectKey(_) | Need::Page | Need::Operator => Ok(None),
    }
}

/// The pages of settings, which stand still, say in their place who may; whatever else is asked is a problem that says it.
async fn may_not(app: &AppState, viewer: Viewer, permission: Permission, request: Request) -> Response {
    let read = request.method() == Method::GET || request.method() == Method::HEAD;
    if read && request.uri().path().starts_with("/settings/") {
        return crate::pages::may_not(app, viewer, request).await;
    }
    let who: Vec<&str> = permission.roles().iter().copied().map(Role::as_str).collect();
    let problem = Problem::new(StatusCode::FORBIDDEN, "missing_role", permission.refusal(viewer.role));
    problem.with(MissingRole { roles: who }).into_response()
}

#[derive(serde::Serialize)]
struct MissingRole {
    roles: Vec<&'static str>,
}

/// Who sends a request with a key; `whole` where a key that is bound to a project is not enough.
async fn caller(
    app: &AppState,
    headers: &HeaderMap,
    acting: Option<ActAs>,
    scopes: &[Scope],
    whole: bool,
) -> Result<Caller, Problem> {
    let key = match acting {
        Some(ActAs(key)) => key,
        None => key_of(app, headers).await?,
    };
    if !scopes.iter().any(|scope| key.allows(*scope)) {
        let names = scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>();
        let detail = format!("this key lacks the scope {}: create one that has it", names.join(" or "));
        let problem = Problem::new(StatusCode::FORBIDDEN, "missing_scope", detail);
        return Err(problem.with(MissingScope { scope: names.first().copied().unwrap_or_default() }));
    }
    let caller = Caller { org: key.org, prefix: key.prefix, scopes: key.scopes, project: key.project, address: None };
    if whole && caller.project.is_some() {
        let detail =
            "this key is bound to a project and may only report and read what is in it: use another key for this";
        return Err(Problem::new(StatusCode::FORBIDDEN, "project_key", detail));
    }
    Ok(caller)
}

/// The key that a request names.
async fn key_of(app: &AppState, headers: &HeaderMap) -> Result<Key, Problem> {
    let unauthorized = |code, detail| Problem::new(StatusCode::UNAUTHORIZED, code, detail);
    let header = headers.get(AUTHORIZATION).ok_or_else(|| {
        unauthorized("no_key", "send a key: Authorization: Bearer scrip_… (made by `scrip key create`)")
    })?;
    let bad = || unauthorized("bad_key", "this key is mistyped, expired or revoked: check it, or create a new one");
    let text = header.to_str().ok().and_then(bearer).ok_or_else(bad)?;
    let hash = api_key::hash_if_well_formed(text).ok_or_else(bad)?;
    app.store.key(hash).await?.ok_or_else(bad)
}

#[derive(serde::Serialize)]
struct MissingScope {
    scope: &'static str,
}

/// The token of `Bearer token`; the scheme is case-insensitive (RFC 9110 §11.1).
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn to_sign_in(request: &Request) -> Response {
    // A form cannot be sent again after signing in: the page that has it can be opened.
    let page = request.method() == Method::GET || request.method() == Method::HEAD;
    let here = if page { request.uri().path_and_query().map_or("/", |path| path.as_str()) } else { "/" };
    Redirect::to(&session::sign_in_path(None, here)).into_response()
}

fn unlisted() -> Problem {
    tracing::error!("a route is missing in the table of access");
    Problem::not_found("there is nothing at this address")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_reading_and_signing_in_are_open() {
        for rule in RULES.iter().filter(|rule| rule.need == Need::Nothing && rule.method != "GET") {
            let ways_in = [
                "/sign-in",
                "/sign-in/code",
                "/sign-in/passkey/begin",
                "/sign-in/passkey",
                "/sign-out",
                "/forgot-password",
                "/reset-password",
                "/invitation",
            ];
            let first_start = ["/setup", "/setup/{token}"];
            // Signed by whom they come from.
            let messages = ["/webhooks/{provider}"];
            // A link of ours in a mail, signed by us.
            let links = ["/unsubscribe"];
            let known = [&ways_in[..], &first_start, &messages, &links].concat();
            assert!(known.contains(&rule.path), "{} {}", rule.method, rule.path);
        }
    }

    #[test]
    fn every_route_is_listed_once() {
        for (index, rule) in RULES.iter().enumerate() {
            let again = RULES[index + 1..].iter().any(|other| other.method == rule.method && other.path == rule.path);
            assert!(!again, "{} {}", rule.method, rule.path);
        }
        assert_eq!(need_of(&Method::HEAD, "/"), Some(Need::May(Permission::SeeUsage)));
        assert_eq!(need_of(&Method::DELETE, "/"), None);
    }

    #[test]
    fn the_scheme_may_be_written_in_any_case() {
        assert_eq!(bearer("bEARER x"), Some("x"));
        assert_eq!(bearer("Basic x"), None);
        assert_eq!(bearer("Bearer"), None);
    }
}
