//! Jobs, verification and backups.

use super::{BACKUPS, Check, JOBS, Office, Run, VERIFY, go, head};
use crate::components::people::parts::{form, hint, panel, paragraph};
use crate::markup::{Markup, cell, number, row, span, table, time};

/// What jobs there are, and what they did.
pub(super) fn jobs(jobs: &[(&'static str, &'static str)], runs: &[Run], failed: bool) -> Vec<Markup> {
    let rows = jobs.iter().map(|(name, about)| row(span(name), [cell(about)]));
    let what = table("table-scroll in-panel", "Jobs", &["Job", "What it does"], rows, None);
    let (href, word) =
        if failed { (JOBS.to_owned(), "All runs") } else { (format!("{JOBS}?failed=1"), "Failed runs only") };
    let heads = ["When", "Job", "Took\t", "Done\t", "Error"];
    let list = runs.iter().map(|run| {
        let error = run.error.as_deref().unwrap_or("\u{2013}");
        let cells =
            [cell(&run.job), number(&format!("{} ms", run.took_ms)), number(&run.done.to_string()), cell(error)];
        row(time(&run.at), cells)
    });
    let panel = panel("runs", "Runs").child(Markup::new("p").child(go(&href, word)));
    let panel = if runs.is_empty() {
        panel.child(hint(if failed { "No run has failed." } else { "No job has had anything to do yet." }))
    } else {
        panel.child(table("table-scroll in-panel", "Runs", &heads, list, None))
    };
    vec![
        head("Jobs", "What the server does by itself. Runs in which nothing was to be done are not listed."),
        Markup::new("section").class("panel").attr("aria-label", "Jobs").child(what),
        panel,
    ]
}

/// The button, and how it goes.
pub(super) fn verify(check: &Check) -> Vec<Markup> {
    let panel = panel("check", "The ledger");
    let panel = match check {
        Check::None => panel.child(hint("Not verified since the server started.")),
        Check::Running(done, of) => {
            let percent = done.saturating_mul(100).checked_div(*of).unwrap_or(0).min(100).to_string();
            let bar = Markup::new("progress").attr("max", "100").attr("value", &percent).attr("aria-label", "Verified");
            panel
                .child(paragraph(&format!("Verifying: {done} of {of} events. This page looks again by itself.")))
                .child(bar)
        }
        Check::Done(at, [orgs, entries, events], problems) => {
            let sizes = format!("{orgs} organizations, {entries} entries, {events} events, at {at}.");
            if problems.is_empty() {
                panel.child(paragraph(&format!("Intact: {sizes}")))
            } else {
                let list = problems.iter().map(|problem| Markup::new("li").text(problem));
                let wrong = "Something is wrong. Restore a backup, and keep this file to find out why.";
                let wrong = Markup::new("p").class("form-error").attr("role", "alert").text(wrong);
                panel.child(wrong).child(Markup::new("ul").children(list)).child(hint(&sizes))
            }
        }
        Check::Failed(why) => panel.child(
            Markup::new("p")
                .class("form-error")
                .attr("role", "alert")
                .text(&format!("It could not be verified: {why}")),
        ),
    };
    let running = matches!(check, Check::Running(..));
    let button = Markup::new("button").class("button primary").maybe_attr("disabled", running.then_some(""));
    vec![
        head(
            "Verify",
            "Everything is computed again from the rows: chains, sums, balances, prices, analytics, the file itself.",
        ),
        panel.child(form(VERIFY, "verify").child(button.text("Verify now"))),
    ]
}

/// The button, and the snapshots there are.
pub(super) fn backups(office: &Office) -> Vec<Markup> {
    let button = Markup::new("button").class("button primary").maybe_attr("disabled", office.backing_up.then_some(""));
    let state = office
        .backing_up
        .then(|| paragraph("A snapshot is being written and verified. This page looks again by itself."));
    let error = office.backup_error.as_deref().map(|error| {
        Markup::new("p").class("form-error").attr("role", "alert").text(&format!("The last backup failed: {error}"))
    });
    let rows = office.backups.iter().map(|(name, bytes)| {
        let download = Markup::new("form").attr("method", "post").attr("action", &format!("{BACKUPS}/{name}"));
        let download = download.child(Markup::new("button").class("button").text("Download"));
        row(span(name), [number(&size(*bytes)), Markup::new("td").child(download)])
    });
    let list = panel("snapshots", "Snapshots");
    let list = if office.backups.is_empty() {
        list.child(hint("None yet."))
    } else {
        list.child(table("table-scroll in-panel", "Snapshots", &["File", "Size\t", "For another machine"], rows, None))
    };
    let about = "A snapshot holds everything that was acknowledged before, and is verified before it gets its name. It lies in the data \
        folder: copy it to another machine.";
    vec![
        head("Backups", about),
        panel("make", "Another")
            .children(state)
            .children(error)
            .child(form(BACKUPS, "backup").child(button.text("Back up now"))),
        list.child(hint("To restore one: stop the server, then scrip restore FILE --replace.")),
    ]
}

/// In whole units of 1,024: a size is looked at, not added up.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_024 => format!("{bytes} B"),
        1_024..1_048_576 => format!("{} KiB", bytes / 1_024),
        _ => format!("{} MiB", bytes / 1_048_576),
    }
}
