//! The file of rejected rows: what stood there, which row it was, and why it was not taken.
//!
//! Made when the first row is rejected. It is data, to be corrected and imported again: nothing in it is changed.

use super::mapping::{Bad, Format};
use super::rows::Row;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Error, Write as _};
use std::path::{Path, PathBuf};

/// The file of rejected rows.
pub struct Rejects {
    path: PathBuf,
    head: Option<Vec<String>>,
    file: Option<Sink>,
    codes: BTreeMap<String, u64>,
}

enum Sink {
    Csv(Box<csv::Writer<File>>),
    Lines(BufWriter<File>),
}

impl Rejects {
    /// Beside `input`, or at `path`. `head` names the columns of a CSV file.
    #[must_use]
    pub fn new(input: &Path, path: Option<PathBuf>, format: Format, head: Option<Vec<String>>) -> Self {
        let ending = match format {
            Format::Csv => ".rejected.csv",
            Format::Jsonl => ".rejected.jsonl",
        };
        let beside = || {
            let mut name = input.as_os_str().to_owned();
            name.push(ending);
            PathBuf::from(name)
        };
        Self { path: path.unwrap_or_else(beside), head, file: None, codes: BTreeMap::new() }
    }

    /// Notes a row that was read.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn row(&mut self, row: &Row, code: &str, reason: &str) -> Result<(), Error> {
        self.count(code);
        let number = row.number.to_string();
        match self.sink()? {
            Sink::Csv(file) => {
                let before = [number.as_str(), code, reason].into_iter();
                Ok(file.write_record(before.chain(row.fields.iter().map(|(_, value)| value.as_str())))?)
            }
            Sink::Lines(file) => {
                let fields: BTreeMap<&str, &str> = row.fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
                writeln!(file, "{}", json!({"row": row.number, "code": code, "reason": reason, "fields": fields}))
            }
        }
    }

    /// Notes something that was no row.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn bad(&mut self, number: u64, bad: &Bad, text: &str) -> Result<(), Error> {
        self.count(bad.code);
        match self.sink()? {
            Sink::Csv(file) => Ok(file.write_record([number.to_string().as_str(), bad.code, &bad.reason, text])?),
            Sink::Lines(file) => {
                writeln!(file, "{}", json!({"row": number, "code": bad.code, "reason": bad.reason, "text": text}))
            }
        }
    }

    /// Counts one without writing it: a dry run leaves nothing behind.
    pub fn count(&mut self, code: &str) {
        *self.codes.entry(code.to_owned()).or_default() += 1;
    }

    /// How many, by code.
    #[must_use]
    pub const fn codes(&self) -> &BTreeMap<String, u64> {
        &self.codes
    }

    /// Writes out what is buffered; says where it is, if there is anything.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn finish(&mut self) -> Result<Option<&Path>, Error> {
        match &mut self.file {
            None => return Ok(None),
            Some(Sink::Csv(file)) => file.flush()?,
            Some(Sink::Lines(file)) => file.flush()?,
        }
        Ok(Some(&self.path))
    }

    fn sink(&mut self) -> Result<&mut Sink, Error> {
        if self.file.is_none() {
            let file = File::create(&self.path)?;
            self.file = Some(match &self.head {
                Some(head) => {
                    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(file);
                    let before = ["row", "code", "reason"].into_iter();
                    writer.write_record(before.chain(head.iter().map(String::as_str)))?;
                    Sink::Csv(Box::new(writer))
                }
                None => Sink::Lines(BufWriter::new(file)),
            });
        }
        // Just set where it was not.
        self.file.as_mut().ok_or_else(|| Error::other("no file"))
    }
}
