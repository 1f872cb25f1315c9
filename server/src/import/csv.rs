//! Reading CSV, row by row. A row of another length or that is not UTF-8 is rejected alone.

use super::mapping::Bad;
use super::rows::{Read, Row};
use csv::{ByteRecord, ErrorKind, Reader, ReaderBuilder};
use std::fs::File;
use std::io::BufReader;

/// A CSV file.
pub struct CsvRows {
    reader: Reader<BufReader<File>>,
    head: Vec<String>,
    record: ByteRecord,
    number: u64,
}

impl CsvRows {
    /// Reads the head.
    ///
    /// # Errors
    /// Where there is none.
    pub fn open(file: File) -> Result<Self, Bad> {
        let mut reader = ReaderBuilder::new().from_reader(BufReader::new(file));
        let head = reader.headers().map_err(|error| Bad::new("bad_head", format!("the first line: {error}")))?;
        // A byte order mark, as spreadsheets write it, is no part of a name.
        let head: Vec<String> = head.iter().map(|name| name.trim_start_matches('\u{FEFF}').to_owned()).collect();
        if head.iter().all(String::is_empty) {
            return Err(Bad::new("bad_head", "the first line names no columns"));
        }
        Ok(Self { reader, head, record: ByteRecord::new(), number: 0 })
    }

    /// The names of the columns.
    #[must_use]
    pub fn head(&self) -> &[String] {
        &self.head
    }

    /// How many bytes were read.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.reader.position().byte()
    }

    /// The next row; `None` at the end.
    ///
    /// # Errors
    /// Where the file cannot be read on.
    pub fn read(&mut self) -> Result<Option<Read>, std::io::Error> {
        self.number += 1;
        match self.reader.read_byte_record(&mut self.record) {
            Ok(true) => Ok(Some(self.row())),
            Ok(false) => Ok(None),
            Err(error) => match error.into_kind() {
                ErrorKind::Io(error) => Err(error),
                ErrorKind::UnequalLengths { expected_len, len, .. } => {
                    Ok(Some(self.bad(format!("the row has {len} columns, the head {expected_len}"))))
                }
                _ => Ok(Some(self.bad("the row cannot be read".to_owned()))),
            },
        }
    }

    fn row(&self) -> Read {
        let values = self.record.iter().map(|value| std::str::from_utf8(value).map(str::to_owned));
        match values.collect::<Result<Vec<String>, _>>() {
            Ok(values) => Read::Row(Row::new(self.number, self.head.iter().cloned().zip(values).collect())),
            Err(_) => self.bad("the row is not UTF-8".to_owned()),
        }
    }

    fn bad(&self, reason: String) -> Read {
        let values = self.record.iter().map(String::from_utf8_lossy);
        let text = values.collect::<Vec<_>>().join(",");
        Read::Bad { number: self.number, reason: Bad::new("bad_row", reason), text }
    }
}
