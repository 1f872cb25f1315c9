//! What a rule said last, and what follows from the next measure.

use super::Side;
use crate::time::Timestamp;

/// Longest that a rule is silenced for: a month. Whoever wants longer mutes it.
pub const MAX_SNOOZE_S: i64 = 31 * 86_400;

/// How a rule is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watch {
    /// Which way its value crosses the threshold.
    pub side: Side,
    /// How far it must come back to be over, in percent of the threshold.
    pub margin_percent: u32,
}

/// A figure, and what it is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measure {
    /// When it was taken.
    pub at: Timestamp,
    /// The figure.
    pub value: i64,
    /// What it must not cross.
    pub threshold: i64,
    /// When the period began in which it is added up; `None` for what stands at an instant.
    pub period: Option<Timestamp>,
}

/// That a rule holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Firing {
    /// Since when.
    pub since: Timestamp,
    /// In which period.
    pub period: Option<Timestamp>,
}

/// What a rule said last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct State {
    /// That it holds, where it does.
    pub firing: Option<Firing>,
    /// The period in which it fired last.
    pub fired_in: Option<Timestamp>,
}

/// What follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Decision {
    /// What it fired for is over. Comes before it fires again.
    pub resolves: bool,
    /// It fires.
    pub fires: bool,
}

/// What follows from a measure.
#[must_use]
pub fn decide(watch: Watch, state: &State, measure: &Measure) -> Decision {
    let is_crossed = watch.crossed(measure);
    let Some(firing) = &state.firing else {
        let told = measure.period.is_some() && measure.period == state.fired_in;
        return Decision { resolves: false, fires: is_crossed && !told };
    };
    // Another period began: what was told belongs to the old one.
    if measure.period != firing.period {
        return Decision { resolves: true, fires: is_crossed };
    }
    Decision { resolves: watch.is_over(measure), fires: false }
}

impl State {
    /// What it said last once that is done.
    #[must_use]
    pub fn after(mut self, watch: Watch, decision: Decision, measure: &Measure) -> Self {
        if decision.resolves {
            self.firing = None;
        }
        if decision.fires {
            // Of what happens each time nothing stands afterwards.
            self.firing = (watch.side != Side::Each).then_some(Firing { since: measure.at, period: measure.period });
            self.fired_in = measure.period;
        }
        self
    }
}

impl Watch {
    /// Whether the value is on the wrong side.
    #[must_use]
    pub const fn crossed(self, measure: &Measure) -> bool {
        match self.side {
            Side::Below => measure.value < measure.threshold,
            Side::Reaches => measure.value >= measure.threshold,
            Side::Exceeds | Side::Each => measure.value > measure.threshold,
        }
    }

    /// Whether it is back, by the margin.
    #[must_use]
    pub fn is_over(self, measure: &Measure) -> bool {
        let (value, threshold) = (i128::from(measure.value), i128::from(measure.threshold));
        let margin = (threshold.abs() * i128::from(self.margin_percent) + 99) / 100;
        match self.side {
            Side::Below => value >= threshold + margin,
            // Of what cannot fall that far, nothing at all is far enough.
            Side::Reaches => value < threshold && value <= (threshold - margin).max(0),
            Side::Exceeds => value <= threshold && value <= (threshold - margin).max(0),
            Side::Each => false,
        }
    }
}

/// Whether a rule may speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Voice {
    /// It never does.
    pub muted: bool,
    /// Not before then.
    pub snoozed_until: Option<Timestamp>,
}

impl Voice {
    /// Whether it may speak now.
    #[must_use]
    pub fn speaks(&self, now: Timestamp) -> bool {
        !self.muted && self.snoozed_until.is_none_or(|until| until <= now)
    }

    /// Whether it was to be silent until now and has something to say still: it holds, and nobody has seen to it.
    #[must_use]
    pub fn wakes(&self, now: Timestamp, is_firing: bool, is_acknowledged: bool) -> bool {
        let is_over = self.snoozed_until.is_some_and(|until| until <= now);
        is_over && !self.muted && is_firing && !is_acknowledged
    }
}

/// The measures at which a rule would have fired, had it been there from the first on.
#[must_use]
pub fn replay(watch: Watch, measures: &[Measure]) -> Vec<Measure> {
    let mut state = State::default();
    let mut fired = Vec::new();
    for measure in measures {
        let decision = decide(watch, &state, measure);
        fired.extend(decision.fires.then_some(*measure));
        state = state.after(watch, decision, measure);
    }
    fired
}
