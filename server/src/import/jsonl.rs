//! Reading JSON lines, row by row: every member of a line's object is a field. A line that is no object is rejected alone.

use super::mapping::Bad;
use super::rows::{Read, Row};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};

/// Longest line: a request trace of a million tokens fits.
const MAX_LINE_BYTES: u64 = 1024 * 1024;
/// How much of a bad line is repeated.
const SHOWN_BYTES: usize = 4_096;

/// A file of JSON lines.
pub struct JsonRows {
    reader: BufReader<File>,
    number: u64,
    position: u64,
}

impl JsonRows {
    /// From its beginning.
    #[must_use]
    pub fn open(file: File) -> Self {
        Self { reader: BufReader::new(file), number: 0, position: 0 }
    }

    /// How many bytes were read.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// The next row; `None` at the end. Blank lines are not counted.
    ///
    /// # Errors
    /// Where the file cannot be read on.
    pub fn read(&mut self) -> Result<Option<Read>, std::io::Error> {
        loop {
            let mut line = Vec::new();
            let length = self.reader.by_ref().take(MAX_LINE_BYTES + 1).read_until(b'\n', &mut line)?;
            if length == 0 {
                return Ok(None);
            }
            self.position += length as u64;
            let is_cut = length as u64 > MAX_LINE_BYTES && line.last() != Some(&b'\n');
            if is_cut {
                self.skip_line()?;
            }
            let line = line.trim_ascii();
            if !line.is_empty() {
                self.number += 1;
                return Ok(Some(read_line(self.number, line, is_cut)));
            }
        }
    }

    /// Passes over the rest of a line without keeping it.
    fn skip_line(&mut self) -> Result<(), std::io::Error> {
        loop {
            let buffer = self.reader.fill_buf()?;
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let length = end.map_or(buffer.len(), |end| end + 1);
            let is_over = end.is_some() || buffer.is_empty();
            self.reader.consume(length);
            self.position += length as u64;
            if is_over {
                return Ok(());
            }
        }
    }
}

fn read_line(number: u64, line: &[u8], is_cut: bool) -> Read {
    let bad = |reason: String| {
        let text = String::from_utf8_lossy(&line[..line.len().min(SHOWN_BYTES)]).into_owned();
        Read::Bad { number, reason: Bad::new("bad_row", reason), text }
    };
    if is_cut {
        return bad(format!("the line is above {MAX_LINE_BYTES} bytes"));
    }
    let Ok(text) = std::str::from_utf8(line) else { return bad("the line is not UTF-8".to_owned()) };
    match serde_json::from_str::<BTreeMap<String, &RawValue>>(text) {
        Ok(members) => {
            let fields = members.into_iter().map(|(name, raw)| (name, value(raw.get())));
            Read::Row(Row::new(number, fields.collect()))
        }
        Err(error) => bad(format!("the line is no JSON object: {error}")),
    }
}

/// A string without its quotes, everything else as it was written.
fn value(raw: &str) -> String {
    serde_json::from_str::<String>(raw).unwrap_or_else(|_| raw.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<Read> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("rows.jsonl");
        std::fs::write(&path, text).expect("written");
        let mut rows = JsonRows::open(File::open(path).expect("there"));
        std::iter::from_fn(|| rows.read().expect("readable")).collect()
    }

    #[test]
    fn good_lines_are_read_and_bad_ones_rejected_alone() {
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(2 * 1024 * 1024));
        let read = rows(&format!("{{\"a\":1,\"b\":\"x\\ny\",\"c\":[1, 2]}}\n\nnonsense\n{long}\n{{}}"));
        let Read::Row(first) = &read[0] else { panic!("a row") };
        let field = |name: &str| first.get(name).map(String::as_str);
        assert_eq!((field("a"), field("b"), field("c")), (Some("1"), Some("x\ny"), Some("[1, 2]")));
        assert!(matches!(&read[1], Read::Bad { number: 2, .. }));
        assert!(matches!(&read[2], Read::Bad { number: 3, text, .. } if text.len() <= SHOWN_BYTES));
        assert!(matches!(&read[3], Read::Row(row) if row.number == 4));
        assert_eq!(read.len(), 4);
    }
}
