//! The table of access, walked: every route × {no login, a key that does not exist, a wrong scope, another org's key}.

use super::common::{Reply, Server};
use axum::body::Body;
use ledger::{Permission, Role};
use scrip_server::access::{FUNCTIONS, Need, RULES, Rule, need_of};
use scrip_server::api;
use serde_json::json;
use store::Scope;

/// A path that the route takes.
pub fn path_of(rule: &Rule) -> String {
    rule.path
        .replace("{id}", "event_1")
        .replace("{event}", "event_1")
        .replace("{*rest}", "index.css")
        .replace("{*name}", "anything")
        .replace("{name}", "scrip-none.db")
}

async fn call(server: &Server, rule: &Rule, key: Option<&str>) -> Reply {
    let authorization = key.map(|key| format!("Bearer {key}"));
    let headers: Vec<(&str, &str)> = authorization.iter().map(|value| ("authorization", value.as_str())).collect();
    server.send(rule.method, &path_of(rule), &headers, Body::empty()).await
}

#[tokio::test]
async fn without_a_login_only_what_is_open_answers() {
    let server = Server::start().await;
    // Where nobody is, all pages lead to the first start.
    server.person("Acme", "owner", true).await;
    for rule in RULES {
        let reply = call(&server, rule, None).await;
        let (status, route) = (reply.status.as_u16(), format!("{} {}", rule.method, rule.path));
        match rule.need {
            Need::Nothing => assert!(!matches!(status, 401 | 403 | 500), "{route}: {status}"),
            Need::Key(_) | Need::ProjectKey(_) => {
                assert_eq!((status, reply.problem().as_str()), (401, "no_key"), "{route}");
                assert!(reply.header("www-authenticate").starts_with("Bearer"), "{route}");
            }
            Need::Page | Need::May(_) | Need::Operator => {
                assert_eq!(status, 303, "{route}");
                assert!(reply.header("location").starts_with("/sign-in"), "{route}");
            }
            Need::Login => assert_eq!((status, reply.problem().as_str()), (401, "not_signed_in"), "{route}"),
        }
    }
}

#[tokio::test]
async fn a_key_opens_what_its_scopes_say_and_nothing_else() {
    let server = Server::start().await;
    for rule in RULES {
        let route = format!("{} {}", rule.method, rule.path);
        let Some(needed) = rule.need.scopes() else {
            // Keys are for programs: no page opens with one.
            let reply = call(&server, rule, Some(&server.key)).await;
            assert!(rule.need == Need::Nothing || matches!(reply.status.as_u16(), 303 | 401), "{route}");
            continue;
        };
        for scope in Scope::ALL {
            let key = server.create_key("Acme", &[scope.as_str()]).await;
            let reply = call(&server, rule, Some(&key)).await;
            if needed.contains(&scope) || scope == Scope::Admin {
                assert!(!matches!(reply.status.as_u16(), 401 | 403), "{route} with {}", scope.as_str());
            } else {
                assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (403, "missing_scope"), "{route}");
                assert_eq!(reply.json()["scope"], needed[0].as_str(), "{route}");
            }
        }
        for wrong in ["nonsense", "scrip_AAAAAAAA_0", &scrip_server::auth::api_key::FreshKey::draw().text] {
            let reply = call(&server, rule, Some(wrong)).await;
            assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (401, "bad_key"), "{route}");
        }
    }
}

#[tokio::test]
async fn another_orgs_key_finds_nothing_of_ours() {
    let server = Server::start().await;
    let event = json!({"id": "1", "source": "api", "type": "images"});
    assert_eq!(server.post_json(&event).await.status.as_u16(), 200);
    server.create_org("Other", "token-billing").await;
    let key = format!("Bearer {}", server.create_key("Other", &["admin"]).await);
    let headers = [("authorization", key.as_str()), ("content-type", "application/json")];
    let get = async |path: &str| server.send("GET", path, &headers, Body::empty()).await;
    assert_eq!(get("/api/v1/events/event_1").await.status.as_u16(), 404);
    assert_eq!(get("/api/v1/events").await.json()["items"], json!([]));
    assert_eq!(get("/api/v1/usage").await.json()["total"]["events"], 0);
    assert_eq!(get("/api/v1/balance").await.json()["available"], "0.000000");
    // The same id is another event there.
    let reply = server.send("POST", "/api/v1/events", &headers, event.to_string()).await.json();
    assert_eq!((reply["accepted"].as_u64(), server.available().await.as_str()), (Some(1), "99.999900"));
}

#[tokio::test]
async fn every_described_route_and_every_page_is_in_the_table() {
    let (_, described) = api::routes();
    let described = serde_json::to_value(described).expect("serializes");
    for (path, operations) in described["paths"].as_object().expect("paths") {
        for method in operations.as_object().expect("operations").keys() {
            let method = method.to_uppercase().parse().expect("a method");
            assert!(need_of(&method, path).is_some_and(|need| need.scopes().is_some()), "{method} {path}");
        }
    }
    for page in leptos_axum::generate_route_list(app::App) {
        // The pages of settings are one route of the app, and each a row here: what has none is not found.
        let path = page.path();
        let listed = path.strip_suffix("/{*any}").map_or_else(
            || need_of(&axum::http::Method::GET, path).is_some(),
            |start| RULES.iter().any(|rule| rule.method == "GET" && rule.path.starts_with(start)),
        );
        assert!(listed, "the page {path} is not listed");
    }
}

#[tokio::test]
async fn every_page_and_server_function_answers_the_roles_that_may_and_tells_the_others_who_may() {
    let server = Server::start().await;
    for role in Role::ALL {
        let cookie = server.person("Acme", role.as_str(), false).await;
        let check = async |method: &str, path: &str, permission: Permission| {
            let reply = server.send(method, path, &[("cookie", &cookie)], Body::empty()).await;
            let (status, route) = (reply.status.as_u16(), format!("{method} {path} as {}", role.as_str()));
            if role.may(permission) {
                assert!(!matches!(status, 303 | 401 | 403 | 500..), "{route}: {status}");
            } else {
                assert_eq!(status, 403, "{route}");
                assert!(reply.text().contains(&permission.who()), "{route}: {}", reply.text());
                assert!(
                    path.starts_with("/settings/") && method == "GET" || reply.problem() == "missing_role",
                    "{route}"
                );
            }
        };
        for rule in RULES {
            if rule.need == Need::Operator {
                // Owners are no operators: the installation is not theirs.
                let reply = server.send(rule.method, &path_of(rule), &[("cookie", &cookie)], Body::empty()).await;
                let route = format!("{} {} as {}", rule.method, rule.path, role.as_str());
                assert_eq!((reply.status.as_u16(), reply.text().contains("operators")), (403, true), "{route}");
            }
            if let Need::May(permission) = rule.need {
                // A form that says nothing is sent back to its page, which is the answer of somebody who may.
                let refused_form = rule.method == "POST" && role.may(permission);
                if !refused_form {
                    check(rule.method, &path_of(rule), permission).await;
                }
            }
        }
        for (path, permission) in FUNCTIONS {
            if let Some(permission) = permission {
                check("POST", path, *permission).await;
            }
        }
    }
}

#[tokio::test]
async fn every_server_function_is_listed_and_what_is_not_is_not_there() {
    let server = Server::start().await;
    let cookie = server.person("Acme", "owner", true).await;
    let mut known: Vec<&str> = leptos::server_fn::axum::server_fn_paths().map(|(path, _)| path).collect();
    known.sort_unstable();
    let mut listed: Vec<&str> = FUNCTIONS.iter().map(|(path, _)| *path).collect();
    listed.sort_unstable();
    assert_eq!(known, listed);
    let reply = server.submit(&cookie, "/api/fn/anything", &[]).await;
    assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (404, "not_found"));
}

#[tokio::test]
async fn every_route_of_the_table_exists() {
    let server = Server::start().await;
    for rule in RULES {
        // A method that no route has is answered 405 where there is a route, and 404 elsewhere.
        let reply = server.send("TRACE", &path_of(rule), &[], Body::empty()).await;
        assert_eq!(reply.status.as_u16(), 405, "{} {}", rule.method, rule.path);
        assert!(reply.header("allow").contains(rule.method), "{} {}", rule.method, rule.path);
    }
}

#[tokio::test]
async fn what_is_under_the_api_and_is_not_there_is_a_problem() {
    let server = Server::start().await;
    for (method, path, status, code) in [
        ("GET", "/api/v1/nothing", 404, "not_found"),
        ("GET", "/api/v2/events", 404, "not_found"),
        ("DELETE", "/api/v1/events", 405, "method_not_allowed"),
        ("GET", "/api/fn/usage", 405, "method_not_allowed"),
    ] {
        let reply = server.send(method, path, &[], Body::empty()).await;
        assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (status, code), "{method} {path}");
    }
}

#[tokio::test]
async fn every_answer_is_guarded() {
    let server = Server::start().await;
    for path in ["/api/v1/balance", "/sign-in", "/healthz", "/nothing", "/api/docs/"] {
        let reply = server.send("GET", path, &[], Body::empty()).await;
        assert!(reply.header("content-security-policy").contains("frame-ancestors 'none'"), "{path}");
        assert_eq!(
            (reply.header("x-content-type-options"), reply.header("referrer-policy")),
            ("nosniff", "same-origin")
        );
        assert_eq!(reply.header("x-request-id").len(), 16, "{path}");
    }
    // An id from outside is not taken over.
    let reply = server.send("GET", "/healthz", &[("x-request-id", "mine")], Body::empty()).await;
    assert_ne!(reply.header("x-request-id"), "mine");
}

#[tokio::test]
async fn whoever_sent_a_form_reads_a_page_where_a_program_reads_a_problem() {
    let server = Server::start().await;
    let member = server.person("Acme", "member", false).await;
    let form = |accept: &'static str| {
        [
            ("accept", accept),
            ("content-type", "application/x-www-form-urlencoded"),
            ("referer", "http://127.0.0.1:3000/settings/members?a=<b>"),
        ]
    };
    let send = async |accept: &'static str| {
        let mut headers = form(accept).to_vec();
        headers.push(("cookie", &member));
        server.send("POST", "/settings/members", &headers, "do=invite").await
    };
    let page = send("text/html,application/xhtml+xml").await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (403, "text/html; charset=utf-8"));
    let text = page.text();
    assert!(text.contains("<h1>Missing role</h1>") && text.contains("Only owners and admins may"), "{text}");
    assert!(
        text.contains("href=\"/settings/members?a=&lt;b&gt;\"") && text.contains(page.header("x-request-id")),
        "{text}"
    );
    assert_eq!(send("application/json").await.problem(), "missing_role");
    // What a layer refuses is told in the same way.
    let long = server.send("POST", "/sign-in", &form("text/html"), "x".repeat(2_000_000)).await;
    assert_eq!((long.status.as_u16(), long.header("content-type")), (413, "text/html; charset=utf-8"));
}
