//! The house rules, as tests: who may depend on whom, where SQL lives, what no file may hold.
//!
//! `ARCHITECTURE.md` says why. A rule that stands in the way is changed there first, then here.
#![allow(missing_docs, reason = "tests tell their rule in their name")]

use std::fs;
use std::path::{Path, PathBuf};

/// A file that cannot be read in a sitting is split.
const MAX_FILE_LINES: usize = 600;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("server/ lies in the workspace").to_owned()
}

/// All files with that ending below a folder, as path from the root and text.
fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
    let (mut found, mut waiting) = (Vec::new(), vec![root().join(folder)]);
    while let Some(path) = waiting.pop() {
        for entry in fs::read_dir(&path).expect("a folder of the workspace").flatten() {
            let path = entry.path();
            if path.is_dir() {
                if !["target", "node_modules"].iter().any(|skip| path.ends_with(skip)) {
                    waiting.push(path);
                }
            } else if path.to_string_lossy().ends_with(ending) {
                let name = path.strip_prefix(root()).expect("below the root").to_string_lossy().into_owned();
                found.push((name, fs::read_to_string(&path).expect("readable")));
            }
        }
    }
    assert!(!found.is_empty(), "no {ending} below {folder}: the rule would check nothing");
    found
}

/// The names under `[dependencies]` of a crate.
fn dependencies(manifest: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join(manifest)).expect("readable");
    let start = text.find("[dependencies]").expect("has dependencies") + "[dependencies]".len();
    let section = text[start..].split("\n[").next().unwrap_or_default();
    section
        .lines()
        .filter_map(|line| line.split(['=', '.', ' ']).next())
        .filter(|name| !name.is_empty() && !name.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

/// Fails with every line of `files` that holds one of `words`.
fn refuse(rule: &str, files: &[(String, String)], words: &[&str]) {
    let mut broken = Vec::new();
    for (name, text) in files {
        for (line, number) in text.lines().zip(1..) {
            let code = line.split("//").next().unwrap_or_default();
            if words.iter().any(|word| code.contains(word)) {
                broken.push(format!("{name}:{number}: {}", line.trim()));
            }
        }
    }
    assert!(broken.is_empty(), "{rule}:\n{}", broken.join("\n"));
}

#[test]
fn the_ledger_is_pure() {
    let allowed = ["chrono", "serde", "serde_json", "sha2", "thiserror"];
    for name in dependencies("app/ledger/Cargo.toml") {
        assert!(
            allowed.contains(&name.as_str()),
            "ledger may not depend on {name}: it has no I/O, no async, no SQL, no clock"
        );
    }
    let words = ["async fn", "std::fs", "std::net", "std::time::", "std::env", "Utc::now", "SystemTime", "println!"];
    refuse("the ledger has no I/O, no async, no clock", &files("app/ledger/src", ".rs"), &words);
}

#[test]
fn dependencies_point_one_way() {
    let refused = [
        ("server/store/Cargo.toml", ["app", "leptos", "axum", "oracle"].as_slice()),
        ("app/Cargo.toml", &["sqlx", "rusqlite", "scrip-server", "oracle"]),
        ("frontend/Cargo.toml", &["store", "ledger", "sqlx", "axum", "oracle"]),
        ("server/Cargo.toml", &["sqlx", "rusqlite", "oracle"]),
    ];
    for (manifest, names) in refused {
        let found = dependencies(manifest);
        for name in names {
            assert!(!found.contains(&(*name).to_owned()), "{manifest} may not depend on {name}");
        }
    }
}

#[test]
fn sql_lives_in_the_store_only() {
    let words = ["sqlx", "rusqlite", "SELECT ", "INSERT INTO", "UPDATE ", "DELETE FROM", "PRAGMA "];
    for folder in ["app/src", "app/ledger/src", "server/src", "frontend/src"] {
        refuse("SQL outside store", &files(folder, ".rs"), &words);
    }
}

#[test]
fn the_store_does_no_network() {
    refuse(
        "network I/O inside store",
        &files("server/store/src", ".rs"),
        &["TcpStream", "TcpListener", "reqwest", "UdpSocket", "UnixStream"],
    );
}

#[test]
fn the_app_reaches_the_store_through_one_module() {
    let others: Vec<_> =
        files("app/src", ".rs").into_iter().filter(|(name, _)| !name.starts_with("app/src/backend")).collect();
    refuse("only app/src/backend may name the store", &others, &["use store", "store::"]);
}

#[test]
fn no_float_touches_an_amount_in_the_ledger() {
    let text = fs::read_to_string(root().join("app/ledger/src/lib.rs")).expect("readable");
    assert!(text.contains("#![deny(clippy::float_arithmetic)]"));
    refuse("no float in the ledger", &files("app/ledger/src", ".rs"), &["f64", "f32"]);
}

#[test]
fn markup_by_hand_only_where_charts_are_shown() {
    let others: Vec<_> = files("app/src", ".rs")
        .into_iter()
        .filter(|(name, _)| !name.starts_with("app/src/components/chart") && !name.starts_with("app/src/charts"))
        .collect();
    refuse("inner_html outside the chart component", &others, &["inner_html"]);
}

#[test]
fn nothing_is_left_for_later() {
    let left = ["TODO", "FIXME", "XXX", "todo!", "unimplemented!", "dbg!"];
    let rust = ["app/src", "app/ledger", "server/src", "server/store/src", "frontend/src", "bench/src", "fuzz"];
    for folder in rust {
        for (name, text) in files(folder, ".rs") {
            for word in left {
                assert!(!text.contains(word), "{name} holds {word}");
            }
            let lines = text.lines().count();
            assert!(lines <= MAX_FILE_LINES, "{name} has {lines} lines: split it");
        }
    }
}

#[test]
fn every_table_belongs_to_an_org_or_is_a_directory() {
    let directories = [
        "org",
        "user",
        "session",
        "api_key",
        "org_total",
        "org_policy",
        "second_factor",
        "recovery_code",
        "half_session",
        "password_reset",
        "job_run",
        "org_export",
        "org_ending",
        "org_deleted",
        "installation",
        "setup",
        "passkey",
        "account_elsewhere",
        "payment_reference",
        "provider_message",
        "seller",
    ];
    for (name, text) in files("migrations/sqlite", ".sql") {
        for table in text.split("CREATE TABLE ").skip(1) {
            let table_name = table.split_whitespace().next().unwrap_or_default();
            let body = table.split(") STRICT").next().unwrap_or_default();
            assert!(table.contains(") STRICT"), "{name}: {table_name} is not STRICT");
            let leads = body.contains("PRIMARY KEY (org_id");
            assert!(
                leads || directories.contains(&table_name),
                "{name}: the primary key of {table_name} must begin with org_id"
            );
        }
    }
}
