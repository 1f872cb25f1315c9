//! What somebody who waits sees: on a terminal one line that is drawn again, elsewhere a line every few seconds.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;
use store::Step;
use store::clock::Stopwatch;

/// How often the line is drawn again: as often as it can be read.
const REDRAW_EVERY: Duration = Duration::from_millis(100);
/// How often a line is written where there is no terminal.
const REPORT_EVERY: Duration = Duration::from_secs(5);

/// Progress on standard error. The line on a terminal goes away with this.
pub(super) struct Progress {
    quiet: bool,
    terminal: bool,
    watch: Stopwatch,
    next: Duration,
    last: Option<Step>,
    width: usize,
}

impl Progress {
    /// Nothing is shown with `quiet`.
    pub(super) fn new(quiet: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let next = if terminal { Duration::ZERO } else { REPORT_EVERY };
        Self { quiet, terminal, watch: Stopwatch::start(), next, last: None, width: 0 }
    }

    /// Shows a step, if it is time.
    pub(super) fn show(&mut self, step: Step) {
        // What follows another kind of step may last: it is shown at once, where that costs no line.
        let new = self.terminal && self.last.is_none_or(|last| !same_kind(last, step));
        self.last = Some(step);
        let elapsed = self.watch.elapsed();
        if self.quiet || (elapsed < self.next && !new) {
            return;
        }
        self.next = elapsed + if self.terminal { REDRAW_EVERY } else { REPORT_EVERY };
        let line = line(step);
        if self.terminal { self.draw(&line) } else { tell(&format!("{line}\n")) }
    }

    fn draw(&mut self, line: &str) {
        // Blanks over what was longer: every terminal knows them.
        let width = line.chars().count();
        let blanks = self.width.saturating_sub(width);
        tell(&format!("\r{line}{:blanks$}", ""));
        self.width = width;
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.width > 0 {
            self.draw("");
            tell("\r");
        }
    }
}

fn tell(text: &str) {
    // Nobody who went away stops the work: not the terminal, not the end of a pipe.
    let _ = std::io::stderr().write_all(text.as_bytes());
}

fn same_kind(a: Step, b: Step) -> bool {
    std::mem::discriminant(&a) == std::mem::discriminant(&b)
}

fn line(step: Step) -> String {
    match step {
        Step::Copying => "copying the database".to_owned(),
        Step::Events { done, of } => verified(done, of),
        Step::Rollups { done, of } => format!("{} · comparing analytics", verified(done, of)),
        Step::File => "checking the file's pages and indexes".to_owned(),
    }
}

fn verified(done: u64, of: u64) -> String {
    // The count is the ledger's own, which may be what is wrong with it.
    let percent = done.saturating_mul(100).checked_div(of).unwrap_or(100).min(100);
    format!("verified {} of {} events · {percent}%", grouped(done), grouped(of))
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_reads_as_people_count() {
        let events = |done, of| line(Step::Events { done, of });
        assert_eq!(events(123_904, 1_000_000), "verified 123,904 of 1,000,000 events · 12%");
        assert_eq!(events(0, 999), "verified 0 of 999 events · 0%");
        assert_eq!(events(0, 0), "verified 0 of 0 events · 100%");
        assert_eq!(events(7, 5), "verified 7 of 5 events · 100%");
        let rollups = line(Step::Rollups { done: 5_000, of: 10_000 });
        assert_eq!(rollups, "verified 5,000 of 10,000 events · 50% · comparing analytics");
    }
}
