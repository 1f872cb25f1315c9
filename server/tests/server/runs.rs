//! Usage by run: the pages and the API, against what was sent.

use super::common::{Client, ORG, Reply, Server};
use axum::body::Body;
use scrip_server::command::{Answer, Command};
use serde_json::{Value, json};

/// Ids that mean something to a path, a page or a shell.
fn hostile() -> Vec<String> {
    let plain = [
        "../../etc",
        "..",
        ".",
        "a?b=c&d#e",
        "<script>alert(1)</script>",
        "\"'`",
        "50% + 1",
        "ru n",
        "🏃‍♀️ läuft",
        "%2e%2e",
        "=",
    ];
    let long = "r".repeat(256);
    plain.into_iter().map(str::to_owned).chain([long]).collect()
}

fn event(id: &str, run: &str, data: &Value) -> Value {
    let mut all = json!({"quantities": {"input_tokens": 1_000_000}, "run": run});
    all.as_object_mut().expect("members").extend(data.as_object().expect("members").clone());
    json!({"id": id, "source": "api", "type": "step", "time": "2026-11-21T10:00:00Z", "data": all})
}

async fn sent(server: &Server, events: &[Value]) {
    let reply = server.post_json(&json!(events)).await;
    assert_eq!(reply.json()["accepted"], events.len(), "{}", reply.text());
}

/// Addresses in a page that begin so.
fn links(reply: &Reply, begin: &str) -> Vec<String> {
    let text = reply.text();
    let found = text.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    found.filter(|href| href.starts_with(begin)).map(|href| href.replace("&amp;", "&")).collect()
}

#[tokio::test]
async fn whatever_a_run_is_called_its_row_leads_to_it_and_it_to_its_events() {
    let server = Server::start().await;
    let ids = hostile();
    let events: Vec<Value> = ids.iter().map(|id| event(id, id, &json!({"workflow": id, "module": id}))).collect();
    sent(&server, &events).await;
    let cookie = server.person(ORG, "analyst", false).await;
    for _ in 0..2 {
        let list = server.open(&cookie, "/usage").await;
        assert_eq!(list.status.as_u16(), 200);
        let runs = links(&list, "/runs/");
        assert_eq!(runs.len(), ids.len());
        assert!(!list.text().contains("<script>alert"));
        for path in runs {
            let run = server.open(&cookie, &path).await;
            assert_eq!(run.status.as_u16(), 200, "{path}");
            assert!(!run.text().contains("<script>alert"));
            let event = links(&run, "/events/").pop().expect("one event");
            assert_eq!(server.open(&cookie, &event).await.status.as_u16(), 200);
            let workflow = links(&run, "/usage?").into_iter().find(|href| href.contains("workflow=")).expect("a link");
            assert_eq!(links(&server.open(&cookie, &workflow).await, "/runs/").len(), 1, "{workflow}");
        }
        server.store.widen_from(1).await.expect("widens");
    }
    for path in ["/runs/nothing", "/runs/nothing?after=event_1", "/runs/ru%20n?after=else"] {
        assert_eq!(server.open(&cookie, path).await.status.as_u16(), 404, "{path}");
    }
}

#[tokio::test]
async fn a_list_is_left_through_its_pages_and_none_is_met_twice() {
    let server = Server::start().await;
    let events: Vec<Value> = (0..120)
        .map(|n| {
            event(
                &n.to_string(),
                &format!("r{n}"),
                &json!({"quantities": {"input_tokens": 1_000_000 + n % 7}, "bytes": n % 11}),
            )
        })
        .collect();
    sent(&server, &events).await;
    let cookie = server.person(ORG, "analyst", false).await;
    for sort in ["", "?sort=credits", "?sort=data"] {
        let (mut met, mut path) = (Vec::new(), format!("/usage{sort}"));
        loop {
            let page = server.open(&cookie, &path).await;
            met.extend(links(&page, "/runs/"));
            let text = page.text();
            let next = text.split("<a ").find(|link| link.contains("rel=\"next external\""));
            let Some(next) = next else { break };
            path = next
                .split("href=\"")
                .nth(1)
                .and_then(|rest| rest.split('"').next())
                .expect("a link")
                .replace("&amp;", "&");
        }
        met.sort();
        met.dedup();
        assert_eq!(met.len(), 120, "{sort}");
    }
    let client = Client::new(&server).await;
    let page = client.read("runs?limit=100&sort=credits").await;
    let cursor = page["next_cursor"].as_str().expect("more");
    assert_eq!(
        client.read(&format!("runs?limit=100&sort=credits&cursor={cursor}")).await["items"]
            .as_array()
            .expect("a list")
            .len(),
        20
    );
    for query in ["sort=else", "status=x", "kind=x", "cursor=zzz", "limit=0", "frm=1", "from=yesterday"] {
        assert_eq!(client.get(&format!("runs?{query}")).await.status.as_u16(), 400, "{query}");
    }
}

#[tokio::test]
async fn a_run_adds_up_module_by_module_with_and_without_credits() {
    let server = Server::start().await;
    let step = |id: &str, module: &str, status: &str| {
        event(
            id,
            "r",
            &json!({"module": {"id": module, "name": format!("Module {module}")}, "status": status, "bytes": 1_500, "workflow": "w"}),
        )
    };
    sent(&server, &[step("1", "a", "succeeded"), step("2", "b", "failed"), step("3", "a", "succeeded")]).await;
    let client = Client::new(&server).await;
    for _ in 0..2 {
        let run = client.read("runs/r?limit=2").await;
        let sums =
            |of: &Value| (of["credits"].clone(), of["events"].clone(), of["failed"].clone(), of["bytes"].clone());
        assert_eq!(sums(&run), (json!("1.800000"), json!(3), json!(1), json!(4_500)));
        assert_eq!(
            (&run["kind"], &run["status"], &run["workflow"]["id"]),
            (&json!("workflow"), &json!("failed"), &json!("w"))
        );
        assert_eq!(sums(&run["modules"][0]), (json!("1.200000"), json!(2), json!(0), json!(3_000)));
        assert_eq!(run["modules"][1]["module"]["name"], "Module b");
        let uses = json!([{"meter": "input_tokens", "quantity": "2000000", "credits": "1.200000"}]);
        assert_eq!(run["modules"][0]["quantities"], uses);
        assert_eq!(run["items"].as_array().expect("a list").len(), 2);
        let next = run["next_cursor"].as_str().expect("one more");
        assert_eq!(client.read(&format!("runs/r?cursor={next}")).await["items"][0]["event_id"], "3");
        assert_eq!(client.get("runs/x").await.status.as_u16(), 404);
        server.store.widen_from(1).await.expect("widens");
    }
    let cookie = server.person(ORG, "analyst", false).await;
    let page = server.open(&cookie, "/runs/r?from=2026-11-01&to=2026-11-30").await;
    assert!(
        page.text().contains("$1.80")
            && page.text().contains("1 of 3 failed")
            && page.text().contains("data-live=\"entry_")
    );
    let other = links(&page, "/runs/r?").into_iter().find(|href| href.contains("credits=hide")).expect("a switch");
    let bare = server.open(&cookie, &other).await.text();
    let main = bare.split_once("<main").expect("a page").1;
    assert!(!main.contains("1.80") && main.contains("4.5 kB"), "the period goes along: {other}");
    assert!(other.contains("from=2026-11-01"));
}

#[tokio::test]
async fn a_key_of_one_project_sees_that_projects_runs_only() {
    let server = Server::start().await;
    let of = |id: &str, run: &str, project: &str| event(id, run, &json!({"project": project}));
    sent(&server, &[of("1", "own", "p"), of("2", "other", "q"), of("3", "shared", "p"), of("4", "shared", "q")]).await;
    let project = Some(ledger::Label::parse("project", "p").expect("a label"));
    let key = Command::CreateKey {
        org: ORG.to_owned(),
        name: "p".to_owned(),
        scopes: vec!["usage:read".to_owned()],
        project,
        expires_in_days: None,
    };
    let Answer::Key(key) = server.run(key).await else { panic!("no key") };
    let bearer = format!("Bearer {key}");
    let headers = [("authorization", bearer.as_str())];
    let get = |path: &'static str| server.send("GET", path, &headers, Body::empty());
    let list = get("/api/v1/runs").await.json();
    let ids: Vec<&str> =
        list["items"].as_array().expect("a list").iter().filter_map(|run| run["id"].as_str()).collect();
    assert_eq!(ids, ["own"]);
    assert_eq!(get("/api/v1/runs/own").await.status.as_u16(), 200);
    for path in ["/api/v1/runs/other", "/api/v1/runs/shared"] {
        assert_eq!(get(path).await.status.as_u16(), 404, "{path}");
    }
    // Another org has no run of that name.
    server.create_org("Bolt", "token-billing").await;
    let bolt = Client::of(&server, "Bolt").await;
    assert_eq!(bolt.get("runs/own").await.status.as_u16(), 404);
    assert_eq!(bolt.read("runs").await["items"], json!([]));
}

#[tokio::test]
async fn workflows_stand_with_what_they_cost_this_month_and_their_modules_add_up() {
    let server = Server::start().await;
    let cookie = server.person(ORG, "analyst", false).await;
    assert!(server.open(&cookie, "/workflows").await.text().contains("data.workflow"));
    let of = |id: &str, workflow: &str, module: &str, time: &str| {
        let mut event = event(id, &format!("run {id}"), &json!({"workflow": workflow, "module": module}));
        event["time"] = json!(time);
        event
    };
    let (now, before) = ("2026-11-20T10:00:00Z", "2026-10-20T10:00:00Z");
    let hostile = "../<b>\"&?#";
    let events =
        [of("1", hostile, "a", now), of("2", hostile, "b", now), of("3", "w", "a", now), of("4", hostile, "a", before)];
    sent(&server, &events).await;
    for _ in 0..2 {
        let list = server.open(&cookie, "/workflows").await;
        let text = list.text();
        assert!(text.contains("$1.20") || text.contains(">1.20<"), "two events this month");
        let paths = links(&list, "/workflows/");
        assert_eq!(paths.len(), 2);
        let page = server.open(&cookie, &paths[0]).await;
        assert_eq!(page.status.as_u16(), 200);
        let text = page.text();
        assert!(text.contains("Modules in order: ") && text.contains("$1.200000 in 2 events of its runs."), "{text}");
        assert_eq!(links(&page, "/runs/").len(), 3, "its history is not of this month alone");
        let bare = server.open(&cookie, &format!("{}?credits=hide", paths[0])).await.text();
        assert!(!bare.split_once("<main").expect("a page").1.contains("0.600000"));
        server.store.widen_from(1).await.expect("widens");
    }
    assert_eq!(server.open(&cookie, "/workflows/nothing").await.status.as_u16(), 404);
}

#[tokio::test]
async fn filters_go_along_to_an_event_and_back_and_the_list_is_a_file_too() {
    let server = Server::start().await;
    let cookie = server.person(ORG, "analyst", false).await;
    let ids = hostile();
    let events: Vec<Value> =
        ids.iter().map(|id| event(id, id, &json!({"workflow": "w", "interaction": id, "status": "failed"}))).collect();
    sent(&server, &events).await;
    let asked = "from=2026-11-01&to=2026-11-30&workflow=w&status=failed";
    for path in links(&server.open(&cookie, &format!("/usage?{asked}")).await, "/runs/") {
        let run = server.open(&cookie, &path).await;
        let event = links(&run, "/events/").remove(0);
        assert!(event.ends_with(&format!("?{asked}")), "{event}");
        let page = server.open(&cookie, &event).await;
        assert_eq!(links(&page, "/usage?")[0], format!("/usage?{asked}"));
        assert_eq!(links(&page, "/runs/")[0], path, "back to the same run, under the same filters");
    }
    let interaction = server.open(&cookie, "/interactions/ru%20n?from=2026-11-01&to=2026-11-30").await;
    let event = links(&interaction, "/events/").remove(0);
    let back = links(&server.open(&cookie, &event).await, "/interactions/").remove(0);
    assert_eq!(back, "/interactions/ru%20n?from=2026-11-01&to=2026-11-30", "where somebody came from, and no run");
    for widened in [false, true] {
        if widened {
            while server.store.widen_from(1).await.expect("widens") > 0 {}
        }
        let file = server.open(&cookie, &format!("/exports/runs.csv?{asked}")).await.text();
        let lines: Vec<&str> = file.split("\r\n").filter(|line| !line.is_empty()).collect();
        assert_eq!(lines.len(), 1 + ids.len(), "{file}");
        assert!(lines[0].starts_with("run,name,type,workflow,") && file.contains(",w,,,,failed,"), "{file}");
        assert!(file.contains("\r\n\"'=\","), "no cell is a formula: {file}");
    }
    assert_eq!(server.open(&cookie, "/exports/runs.csv?status=succeeded").await.text().lines().count(), 1);
}
