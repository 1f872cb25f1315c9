//! What fuzzing came across is tried again in every run, without a fuzzer.
#![allow(missing_docs, reason = "tests tell their rule in their name")]

use oracle::targets;
use std::fs;
use std::path::Path;

/// Files of a corpus, at most: it is there to be run, not to be kept.
const MAX_FILES: usize = 60;
/// Bytes of a corpus, at most.
const MAX_BYTES: usize = 60 * 1024;

fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let read = |entry: fs::DirEntry| {
        (entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path()).expect("readable"))
    };
    let mut files: Vec<_> =
        fs::read_dir(folder).expect("a corpus").map(|entry| read(entry.expect("readable"))).collect();
    files.sort();
    assert!((10..=MAX_FILES).contains(&files.len()), "{target} has {} files", files.len());
    assert!(
        files.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() <= MAX_BYTES,
        "the corpus of {target} is too large"
    );
    files
}

#[test]
fn rate_card_texts_that_were_found_read_back() {
    for (name, bytes) in corpus("card_text") {
        println!("card_text/{name}");
        targets::card_text(&bytes);
    }
}

#[test]
fn histories_that_were_found_are_rated_exactly() {
    let mut met = targets::Met::default();
    for (name, bytes) in corpus("rating") {
        println!("rating/{name}");
        met.add(targets::rating(&bytes));
    }
    // Bytes say nothing to a reader: what they come to is said here.
    println!("{met:?}");
    for what in
        ["amount_overflow", "credits given back", "a line that was kept", "near the end of the range", "reported"]
    {
        assert!(met.0.contains_key(what), "{what} does not come up: choose a corpus anew (CONTRIBUTING.md)");
    }
}
