//! See `oracle::targets::card_text`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| oracle::targets::card_text(bytes));
