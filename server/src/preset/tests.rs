use super::*;

const GOOD: &str = include_str!("../../../presets/ai-engine.toml");

fn good() -> Preset {
    Preset::parse("ai-engine", GOOD).expect("right")
}

/// Everything that is wrong with a text.
fn problems(text: &str) -> Vec<String> {
    match Preset::parse("test", text) {
        Ok(_) => Vec::new(),
        Err(PresetError::Invalid { problems, .. }) => problems.iter().map(ToString::to_string).collect(),
        Err(other) => vec![other.to_string()],
    }
}

/// A data folder with one preset of its own, and that file.
fn own(name: &str, text: &str) -> (tempfile::TempDir, PathBuf) {
    let data = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(data.path().join(OWN_FOLDER)).expect("made");
    let file = data.path().join(OWN_FOLDER).join(name);
    std::fs::write(&file, text).expect("written");
    (data, file)
}

#[test]
fn every_preset_loads_under_its_name_and_is_right() {
    let nowhere = Path::new("/nowhere");
    for (name, text) in EMBEDDED {
        assert_eq!(problems(text), Vec::<String>::new(), "{name}");
        assert_eq!(Preset::named(name, nowhere).expect(name).expect("not empty").name, name);
    }
    assert!(Preset::named(EMPTY, nowhere).expect("known").is_none());
    let unknown = Preset::named("tokens", nowhere).expect_err("unknown").to_string();
    assert!(unknown.contains("token-billing") && unknown.contains("none"), "{unknown}");
}

/// What is wrong after one change of a good preset.
fn changed(from: &str, to: &str) -> Vec<String> {
    assert!(GOOD.contains(from), "{from}");
    problems(&GOOD.replacen(from, to, 1))
}

/// The number of the first line that holds a text.
fn line_of(part: &str) -> usize {
    GOOD.lines().position(|line| line.contains(part)).expect(part) + 1
}

#[test]
fn each_mistake_is_told_with_its_line_and_what_to_do() {
    let cases = [
        (
            "title = \"AI engine\"",
            "titel = \"AI engine\"",
            line_of("title = \"AI engine\""),
            "titel: a preset has no such key",
        ),
        (
            "unit_position = \"after\"",
            "unit_position = \"behind\"",
            line_of("unit_position"),
            "[words]: unknown variant",
        ),
        ("decimals = 2", "decimals = 9", line_of("[words]"), "[words]: decimals"),
        (
            "training: formula",
            "trainings: formula",
            line_of("training: formula"),
            "add a [[meters]] with meter = \"trainings\"",
        ),
        ("at least 1\n", "at least one\n", line_of("at least 1"), "rate_card"),
        (
            "inference: formula",
            "inference from edge: formula",
            line_of("inference: formula"),
            "[[sources]] with name = \"edge\"",
        ),
        (
            "meter = \"inference\"",
            "meter = \"guess\"",
            line_of("inference: formula"),
            "rate_card: inference is described nowhere",
        ),
        (
            "name = \"api\"",
            "name = \"platform\"",
            line_of("name = \"api\"") - 1,
            "[[sources]]: \"platform\" is there twice",
        ),
        ("credits = \"1000\"", "credits = \"-1\"", line_of("credits = \"1000\"") - 3, "above zero"),
        ("credits = \"1000\"", "credits = 1000", line_of("credits = \"1000\""), "[[plans]] 1"),
        (
            "currency = \"USD\"",
            "currency = \"DOLLAR\"",
            line_of("[[plans]]"),
            "[[plans]] standard: the price 99.00 DOLLAR",
        ),
        ("price = \"449.00\"", "prize = \"449.00\"", line_of("price = \"449.00\""), "unknown field `prize`"),
        ("rollover = { months = 3 }", "rollover = { months = 500 }", line_of("rollover = { months = 3 }"), "rollover"),
        (
            "rollover = { months = 3 }",
            "rollover = \"always\"",
            line_of("rollover = { months = 3 }"),
            "\"none\" or \"never\"",
        ),
        (
            "rollover = { months = 3 }",
            "rollover = { cap_percent = 20 }",
            line_of("rollover = { months = 3 }"),
            "rollover is \"none\"",
        ),
        ("zone = \"America/Los_Angeles\"", "zone = \"Mars\"", line_of("[sample]"), "IANA"),
        ("plan = \"professional\"", "plan = \"enterprise\"", line_of("[sample]"), "custom"),
        ("id = \"inspect\"", "id = \"forecast\"", line_of("id = \"inspect\"") - 1, "twice"),
        (
            "sources = { api = 96, platform = 4 }",
            "sources = { edge = 1 }",
            line_of("id = \"inspect\"") - 1,
            "no source edge",
        ),
        (
            "type = \"training\"\nquantities = { training",
            "type = \"training\"\nquantities = { train",
            line_of("id = \"train\"") - 1,
            "from platform",
        ),
        (
            "compute_units = { range = [10, 260]",
            "compute_units = { range = [260, 10]",
            line_of("id = \"predict\"") - 1,
            "compute_units: range",
        ),
        ("[words]", "[words", line_of("[words]"), "the file"),
    ];
    for (from, to, line, said) in cases {
        let told = changed(from, to);
        let at = format!("line {line}: ");
        assert!(told.iter().any(|problem| problem.starts_with(&at) && problem.contains(said)), "{to}: {told:#?}");
    }
}

#[test]
fn absurd_numbers_are_told_as_well() {
    for (from, to) in [
        ("{ api = 96, platform = 4 }", "{ api = 18446744073709551615, platform = 18446744073709551615 }"),
        ("weekdays = [104,", "weekdays = [9223372036854775807,"),
        ("count = 45", "count = 9223372036854775807"),
        ("days_ago = 50", "days_ago = 4294967295"),
        ("description = \"Welcome\", days = 30", "description = \"Welcome\", days = 4294967295"),
        ("compute_units = { range = [5, 90]", "compute_units = { range = [5, 1000000000000001]"),
        ("compute_units = { range = [5, 90], decimals = 3 }", "compute_units = { range = [5, 900000000000000] }"),
        ("inference = { range = [40, 1400], decimals = 3 }", "inference = { range = [40, 1400], decimals = 255 }"),
        ("captured = \"63.4\"", "captured = \"-1\""),
        ("credits = \"5000\"", "credits = \"1e300\""),
        ("price = \"449.00\"", "price = \"449.001\""),
    ] {
        assert!(!changed(from, to).is_empty(), "{to}");
    }
}

#[test]
fn a_mistake_hides_no_other() {
    let text = GOOD
        .replacen("decimals = 2", "decimals = \"two\"", 1)
        .replacen("unit = \"second\"", "unit = 1", 1)
        .replacen("credits = \"5000\"", "credits = \"many\"", 1)
        .replacen("at least 1\n", "at least one\n", 1)
        .replacen("at least 0.01\n", "at least all\n", 1);
    let told = problems(&text);
    for part in ["[words]", "[[meters]] 1", "[[plans]] 2", "rate_card"] {
        assert!(told.iter().any(|problem| problem.contains(part)), "{part}: {told:#?}");
    }
    assert_eq!(told.iter().filter(|problem| problem.contains("rate_card")).count(), 2, "{told:#?}");
    for (gone, place) in [("description = \"Model", "description"), ("name = \"ai-engine\"", "name")] {
        let text: String =
            GOOD.lines().filter(|line| !line.starts_with(gone)).map(|line| format!("{line}\n")).collect();
        assert_eq!(problems(&text), [format!("{place}: is missing")]);
    }
}

#[test]
fn own_presets_are_found_beside_those_of_scrip() {
    let text = GOOD.replacen("name = \"ai-engine\"", "name = \"our-engine\"", 1);
    let (data, file) = own("our-engine.toml", &text);
    assert_eq!(Preset::named("our-engine", data.path()).expect("right").expect("there").name, "our-engine");
    assert!(Preset::check_all(data.path()).is_ok());
    let unknown = Preset::named("their-engine", data.path()).expect_err("unknown").to_string();
    assert!(unknown.contains("our-engine"), "{unknown}");
    std::fs::rename(&file, file.with_file_name("engine.toml")).expect("renamed");
    let wrong = Preset::check_all(data.path()).expect_err("another name").to_string();
    assert!(wrong.contains("engine.toml") && wrong.contains("call the file our-engine.toml"), "{wrong}");
    let (data, _) = own("ai-engine.toml", GOOD);
    let wrong = Preset::check_all(data.path()).expect_err("taken").to_string();
    assert!(wrong.contains("give yours another name"), "{wrong}");
    // What no program should swallow.
    let (data, _) = own("big.toml", &"#".repeat(2_000_000));
    assert!(Preset::check_all(data.path()).expect_err("big").to_string().contains("at most"));
}

#[test]
fn the_three_plans_of_the_ai_engine_keep_the_terms_of_the_ledger() {
    use ledger::Rollover;
    let preset = good();
    let terms = |name: &str| preset.plan(name).expect("there").rollover.0;
    assert_eq!((terms("standard"), terms("professional")), (None, Some(Rollover::PROFESSIONAL)));
    assert!(preset.plan("enterprise").expect("there").is_custom());
    let missing = preset.plan("gold").expect_err("none");
    assert!(missing.contains("standard, professional, enterprise"), "{missing}");
}

#[test]
fn plans_are_offered_on_their_terms() {
    use ledger::{Credits, Policy, Rollover};
    let offers = good().offers().expect("checked");
    let [standard, professional, enterprise] = offers.plans.as_slice() else { panic!("three plans: {offers:?}") };
    assert_eq!((standard.policy, standard.retention_days), (Policy::Pause, Some(90)));
    let limit = Credits::parse("500").expect("an amount");
    assert_eq!((professional.policy, professional.retention_days), (Policy::FinishInFlight { limit }, Some(400)));
    assert_eq!(professional.credits, Some(Credits::parse("5000").expect("an amount")));
    assert_eq!(professional.price.expect("paid").to_string(), "449.00 USD");
    assert_eq!(professional.rollover, Some(Rollover::PROFESSIONAL));
    assert!(enterprise.by_agreement && enterprise.credits.is_none() && !professional.by_agreement);
    for (policy, limit, said) in
        [("overdraft", "", "limit"), ("pause", "limit = \"5\"", "limit"), ("go_on", "", "choose")]
    {
        let wrong =
            GOOD.replacen("rollover = \"none\"", &format!("rollover = \"none\"\npolicy = \"{policy}\"\n{limit}"), 1);
        assert!(problems(&wrong).iter().any(|problem| problem.contains(said)), "{policy}: {:?}", problems(&wrong));
    }
}

#[test]
fn all_mistakes_of_one_table_are_told_and_lines_are_those_of_the_file() {
    let wrong = GOOD.replacen("unit_position = \"after\"", "unit_position = \"behind\"", 1).replacen(
        "decimals = ",
        "decimals = \"two\" # ",
        1,
    );
    let told = problems(&wrong);
    let lines = ["unit_position", "decimals"].map(|key| format!("line {}: [words]: ", line_of(key)));
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(lines.iter().all(|line| told.iter().any(|problem| problem.starts_with(line))), "{told:?}");
    // A line of the rate card that refers to another names it as the file counts.
    let first = line_of("training: formula");
    let line = GOOD.lines().nth(first - 1).expect("there");
    let told = problems(&GOOD.replacen(line, &format!("{line}\ntraining: free"), 1));
    assert_eq!(told.len(), 1, "{told:?}");
    let never = format!("line {}: rate_card: it is never reached: line {first} matches", first + 1);
    assert!(told[0].starts_with(&never), "{told:?}");
}
