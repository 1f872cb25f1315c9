//! Presets, plans and samples, as a person meets them at a terminal.

use super::cli::{fails, folder, ok, run};
use std::path::Path;

const ENGINE: &str = include_str!("../../../presets/ai-engine.toml");
const GUIDE: &str = include_str!("../../../docs/presets.md");

/// Puts an own preset into a data folder.
fn put(data: &Path, name: &str, text: &str) -> String {
    std::fs::create_dir_all(data.join("presets")).expect("made");
    let file = data.join("presets").join(format!("{name}.toml"));
    std::fs::write(&file, text).expect("written");
    file.to_str().expect("UTF-8").to_owned()
}

#[test]
fn an_own_preset_is_checked_listed_and_used_as_those_of_scrip() {
    let data = folder();
    let listed = ok(data.path(), &["preset", "list"]);
    let names: Vec<&str> = listed.lines().filter_map(|line| line.split('\t').next()).collect();
    let embedded = ["token-billing", "viewer-platform", "automation", "clinical-api", "ai-engine", "cloud-costs"];
    assert_eq!(names, embedded);
    let file = put(data.path(), "our-engine", &ENGINE.replacen("\"ai-engine\"", "\"our-engine\"", 1));
    let right = ok(data.path(), &["preset", "check", &file]);
    assert_eq!(right, "our-engine is right: 3 meters, 3 lines of the rate card, 3 plans, 5 packages, with a sample\n");
    assert!(ok(data.path(), &["preset", "list"]).contains("our-engine\tAI engine\town\t"));
    ok(data.path(), &["org", "create", "Acme", "--preset", "our-engine", "--plan", "standard"]);
    let sample = ok(data.path(), &["sample", "--preset", "our-engine", "--days", "3", "--events", "40"]);
    assert!(sample.contains("40 made-up events") && sample.contains("owner@our-engine.example"), "{sample}");
    assert!(ok(data.path(), &["verify"]).starts_with("intact: 2 organizations"));
}

#[test]
fn a_wrong_preset_is_told_whole_and_no_server_starts_beside_it() {
    let data = folder();
    let wrong = ENGINE
        .replacen("\"ai-engine\"", "\"our-engine\"", 1)
        .replacen("training: formula 0.5", "training: formula much", 1)
        .replacen("unit_position = \"after\"", "unit_position = \"behind\"", 1)
        .replacen("currency = \"USD\"", "currency = \"DOLLAR\"", 1);
    let file = put(data.path(), "our-engine", &wrong);
    let output = run(data.path(), &["preset", "check", &file]);
    let told = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!((output.status.code(), told.lines().count()), (Some(1), 3), "{told}");
    for part in ["rate_card", "[words]", "DOLLAR"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(told.lines().all(|line| line.starts_with(&format!("{file}: line "))), "{told}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("3 problems"));
    for args in [
        &["serve", "--listen", "127.0.0.1:0"][..],
        &["org", "create", "Acme", "--preset", "our-engine"],
        &["sample", "--preset", "our-engine"],
        &["preset", "list"],
    ] {
        let line = fails(data.path(), args);
        assert!(line.contains("our-engine.toml cannot be used: line ") && line.contains("2 more"), "{args:?}: {line}");
    }
    // Those of scrip itself can be used all the same.
    ok(data.path(), &["org", "create", "Acme", "--preset", "ai-engine"]);
    for (args, said) in [
        (&["preset", "check", "/nowhere.toml"][..], "nowhere.toml"),
        (&["org", "create", "B", "--preset", "../our-engine"], "there is no preset"),
        (&["sample", "--preset", "cloud-costs"], "no sample"),
        (&["sample", "--preset", "none"], "no sample"),
    ] {
        let line = fails(data.path(), args);
        assert!(line.contains(said), "{args:?}: {line}");
    }
}

#[test]
fn a_plan_gives_its_credits_for_the_current_month() {
    let data = folder();
    let create = |name: &'static str, more: &[&'static str]| {
        let args = [&["org", "create", name, "--preset", "ai-engine", "--zone", "Asia/Kathmandu"], more].concat();
        ok(data.path(), &args)
    };
    assert!(create("Small", &["--plan", "standard"]).contains("1000.000000 credits available"));
    assert!(create("Middle", &["--plan", "professional", "--grant", "50"]).contains("5050.000000 credits available"));
    assert!(create("Large", &["--plan", "enterprise", "--grant", "20000"]).contains("20000.000000 credits available"));
    for (more, said) in [
        (&["--preset", "ai-engine", "--plan", "gold"][..], "standard, professional, enterprise"),
        (&["--preset", "ai-engine", "--plan", "enterprise"], "--grant"),
        (&["--preset", "cloud-costs", "--plan", "gold"], "it has none"),
        (&["--preset", "none", "--plan", "gold"], "--preset"),
    ] {
        let line = fails(data.path(), &[&["org", "create", "Nobody"], more].concat());
        assert!(line.contains(said), "{more:?}: {line}");
    }
    assert!(!ok(data.path(), &["org", "list"]).contains("Nobody"), "nothing is made half");
    assert!(ok(data.path(), &["verify"]).starts_with("intact: 3 organizations"));
}

#[test]
fn samples_of_all_presets_lie_in_one_folder() {
    let data = folder();
    for (preset, org, owner) in [
        ("token-billing", "Sample (synthetic)", "owner@example.com"),
        ("viewer-platform", "Sample: Viewer platform (synthetic)", "owner@viewer-platform.example"),
        ("automation", "Sample: Automation (synthetic)", "owner@automation.example"),
        ("clinical-api", "Sample: Clinical API (synthetic)", "owner@clinical-api.example"),
        ("ai-engine", "Sample: AI engine (synthetic)", "owner@ai-engine.example"),
    ] {
        let args = ["sample", "--preset", preset, "--days", "70", "--events", "300", "--seed", "3"];
        let said = ok(data.path(), &args);
        for part in [&format!("\"{org}\": 300 made-up events over 70 days"), owner, "password"] {
            assert!(said.contains(part), "{part} in {said}");
        }
        assert!(ok(data.path(), &args).contains("there already"));
        let listed = ok(data.path(), &["org", "list"]);
        let line = listed.lines().find(|line| line.contains(org)).expect(org);
        assert!(line.ends_with("\tsynthetic") && !line.contains("\t-"), "no debt: {line}");
    }
    assert!(ok(data.path(), &["verify"]).starts_with("intact: 5 organizations"));
}

#[test]
fn the_smallest_samples_work() {
    let data = folder();
    for (preset, days, events) in [("ai-engine", "1", "0"), ("clinical-api", "1", "30"), ("automation", "400", "0")] {
        let said = ok(data.path(), &["sample", "--preset", preset, "--days", days, "--events", events]);
        assert!(said.contains(&format!("{events} made-up events over {days} days")), "{said}");
    }
    assert!(ok(data.path(), &["verify"]).starts_with("intact: 3 organizations"));
}

#[test]
fn the_example_of_the_guide_can_be_used_as_it_stands() {
    let data = folder();
    let example = GUIDE.split("```toml\n# print-shop.toml").nth(1).and_then(|rest| rest.split("```").next());
    let file = put(data.path(), "print-shop", example.expect("an example"));
    let right = ok(data.path(), &["preset", "check", &file]);
    assert!(right.starts_with("print-shop is right: "), "{right}");
    ok(data.path(), &["org", "create", "Acme", "--preset", "print-shop", "--plan", "shop"]);
    ok(data.path(), &["sample", "--preset", "print-shop", "--events", "3000", "--days", "20"]);
    let listed = ok(data.path(), &["org", "list"]);
    let line = listed.lines().find(|line| line.contains("synthetic")).expect("the sample");
    assert!(!line.contains("\t-"), "no debt: {line}");
    // Every key that a preset may have is explained.
    for key in ["rate_card", "unit_position", "rollover", "cap_percent", "top_up", "growth_percent", "bytes_of"] {
        assert!(GUIDE.contains(&format!("`{key}`")), "{key}");
    }
    assert!(ok(data.path(), &["verify"]).starts_with("intact: 2 organizations"));
}
