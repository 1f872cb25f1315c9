//! What is done with a sample's credits: a plan that is subscribed to, packages, gifts, work in progress.

use crate::preset::{Package, Preset, Shape};
use ledger::{Credits, Label, Scope, Timestamp};
use store::NewGrant;

const DAY_US: i64 = 86_400_000_000;

/// Something that is done at its time.
#[derive(Debug)]
pub struct Deed {
    /// When.
    pub at: Timestamp,
    /// What.
    pub act: Act,
}

/// What is done.
#[derive(Debug)]
pub enum Act {
    /// A plan is subscribed to, by its name, for each calendar month.
    Subscribe(String),
    /// Credits are given.
    Give(NewGrant),
    /// Credits are held; and captured right after that, where the work is done.
    Hold {
        /// How many.
        amount: Credits,
        /// For how long.
        expires_in_s: i64,
        /// In which project.
        project: Option<Label>,
        /// What people read.
        description: String,
        /// What it came to.
        captured: Option<Credits>,
    },
}

/// Everything that is done over the days up to `now`, in order.
///
/// # Errors
/// A sentence; only for shapes that were not checked.
pub fn deeds(preset: &Preset, shape: &Shape, now: Timestamp, days: u32) -> Result<Vec<Deed>, String> {
    let back = |days: i64| Timestamp::from_micros(now.micros() - days * DAY_US);
    // Midnight, as the first event may happen right after it.
    let today = now.micros().div_euclid(DAY_US);
    let start = Timestamp::from_micros((today + 1 - i64::from(days)) * DAY_US);
    let mut deeds = Vec::new();
    let mut act = |at: Timestamp, act: Act| deeds.push(Deed { at: at.max(start), act });
    act(start, Act::Subscribe(preset.plan(&shape.plan)?.name.clone()));
    for gift in &shape.gifts {
        let at = gift.days_ago.map_or(start, |days| back(i64::from(days)));
        let expires_at = gift.days.map(|days| Timestamp::from_micros(at.micros() + i64::from(days) * DAY_US));
        // What ended before the sample begins is not given any more.
        if expires_at.is_none_or(|end| end > at.max(start)) {
            let scope = Scope { meters: gift.meters.clone(), projects: Vec::new() };
            let given = NewGrant::of(gift.kind, gift.credits, &gift.description);
            act(at, Act::Give(NewGrant { priority: gift.priority, expires_at, scope, ..given }));
        }
    }
    for purchase in &shape.purchases {
        let mut given = package_of(preset, &purchase.package)?.grant(1)?;
        given.effective_at = purchase.starts_in_days.map(|days| back(-i64::from(days)));
        if let Some(note) = &purchase.note {
            given.description = format!("{}, {note}", given.description);
        }
        act(back(i64::from(purchase.days_ago)), Act::Give(given));
    }
    for hold in &shape.holds {
        let project = hold.project.as_deref().map(|id| Label::parse("project", id)).transpose();
        let held = Act::Hold {
            amount: hold.credits,
            expires_in_s: i64::from(hold.days) * DAY_US / 1_000_000,
            project: project.map_err(|refusal| refusal.to_string())?,
            description: hold.description.clone(),
            captured: hold.captured,
        };
        act(back(i64::from(hold.days_ago)), held);
    }
    deeds.sort_by_key(|deed| deed.at);
    Ok(deeds)
}

/// What is bought so that `available` becomes at least `wanted`; `None` where it is already.
///
/// # Errors
/// A sentence where it is more than a ledger can hold.
pub fn topped_up(
    preset: &Preset,
    shape: &Shape,
    available: Credits,
    wanted: Credits,
) -> Result<Option<NewGrant>, String> {
    let missing = i128::from(wanted.micros()) - i128::from(available.micros());
    if missing <= 0 {
        return Ok(None);
    }
    let package = package_of(preset, &shape.top_up.package)?;
    let credits = package.credits.unwrap_or_default();
    let count = (missing - 1) / i128::from(credits.micros().max(1)) + 1;
    package.grant(i64::try_from(count).unwrap_or(i64::MAX)).map(Some)
}

fn package_of<'p>(preset: &'p Preset, title: &str) -> Result<&'p Package, String> {
    let found = preset.packages.iter().find(|package| package.title == title);
    found.ok_or_else(|| format!("the preset {} has no package \"{title}\"", preset.name))
}

impl Act {
    /// Credits that must be there for it.
    #[must_use]
    pub const fn needs(&self) -> Credits {
        match self {
            Self::Subscribe(_) | Self::Give(_) => Credits::ZERO,
            Self::Hold { amount, .. } => *amount,
        }
    }
}
