//! What a provider's messages mean for a payment.
//!
//! Messages come in any order, several times, late, and some never. So a payment never goes back: its state is the furthest
//! of everything that was heard ([`State`] is in that order), and what was heard before changes nothing. Two messages heard
//! in either order leave the same state, and hearing one twice is hearing it once. Money that moved comes last in the order:
//! a payment that was given up and is paid after all is paid.
//!
//! A dispute goes the same way ([`Dispute`]). What follows from it and when it is done (credits given, taken, given again)
//! is told by [`Payment::hear`], for each change once.

use crate::money::Money;
use serde::{Deserialize, Serialize};

/// After how many seconds a payment takes long: what a bank decides at once it has decided by then, and whoever has waited for it is
/// gone.
pub const LATE_AFTER_S: i64 = 15 * 60;

/// Who is asked for money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// Built in; no money moves.
    Sandbox,
    /// Stripe.
    Stripe,
    /// Somebody transfers money, and an operator says that it came.
    BankTransfer,
}

impl Provider {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Sandbox, Self::Stripe, Self::BankTransfer];

    /// Its name in tables and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Stripe => "stripe",
            Self::BankTransfer => "bank_transfer",
        }
    }

    /// The provider of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|provider| provider.as_str() == text)
    }
}

/// How far a payment has come. In the order in which one state follows another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// The provider has said nothing yet.
    Created,
    /// Somebody has to do something on the provider's page.
    NeedsAction,
    /// The provider waits for a bank.
    Pending,
    /// It was refused.
    Failed,
    /// It was given up, by us or by the payer.
    Cancelled,
    /// The money is there.
    Succeeded,
}

impl State {
    /// All of them, in order.
    pub const ALL: [Self; 6] =
        [Self::Created, Self::NeedsAction, Self::Pending, Self::Failed, Self::Cancelled, Self::Succeeded];

    /// Its name in tables and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::NeedsAction => "needs_action",
            Self::Pending => "pending",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Succeeded => "succeeded",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether nothing more is expected. A payment that failed or was given up may succeed all the same.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Failed | Self::Cancelled | Self::Succeeded)
    }
}

/// Whether the payer's bank asks for the money back. In the order in which one follows another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dispute {
    /// It does not.
    None,
    /// It does, and nobody has decided.
    Open,
    /// It was decided for us.
    Won,
    /// It was decided for the payer.
    Lost,
}

impl Dispute {
    /// All of them, in order.
    pub const ALL: [Self; 4] = [Self::None, Self::Open, Self::Won, Self::Lost];

    /// Its name in tables and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Open => "open",
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }

    /// The dispute of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dispute| dispute.as_str() == text)
    }

    /// Whether the money is away: at once when a dispute opens, and for good when it is lost.
    #[must_use]
    pub const fn takes(self) -> bool {
        matches!(self, Self::Open | Self::Lost)
    }
}

/// Why a payment was refused: codes of ours, whatever the provider calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// The bank said no.
    Declined,
    /// There is not enough money.
    InsufficientFunds,
    /// The card is past its end.
    ExpiredCard,
    /// Whoever pays could not show who they are.
    AuthenticationFailed,
    /// The stored method needs somebody there, and nobody was.
    AuthenticationRequired,
    /// Nobody paid in time.
    Abandoned,
    /// The provider could not say more.
    ProviderError,
}

impl Failure {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Declined,
        Self::InsufficientFunds,
        Self::ExpiredCard,
        Self::AuthenticationFailed,
        Self::AuthenticationRequired,
        Self::Abandoned,
        Self::ProviderError,
    ];

    /// Its name in tables and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Declined => "declined",
            Self::InsufficientFunds => "insufficient_funds",
            Self::ExpiredCard => "expired_card",
            Self::AuthenticationFailed => "authentication_failed",
            Self::AuthenticationRequired => "authentication_required",
            Self::Abandoned => "abandoned",
            Self::ProviderError => "provider_error",
        }
    }

    /// The failure of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|failure| failure.as_str() == text)
    }
}

/// What a provider says of a payment, in our words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Saying {
    /// Nothing that changes it.
    Nothing,
    /// Somebody has to do something.
    NeedsAction,
    /// It waits for a bank.
    Pending,
    /// It was refused.
    Failed(Failure),
    /// It was given up.
    Cancelled,
    /// So much money is there.
    Succeeded(Money),
    /// The payer's bank asks for money back, or has decided. So much of it, where it says: all of it, where it does not.
    Disputed(Dispute, Option<Money>),
}

/// What decides about a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payment {
    /// What was asked for, gross.
    pub amount: Money,
    /// How far it has come.
    pub state: State,
    /// Why it was refused, where it was.
    pub failure: Option<Failure>,
    /// Whether the money is asked back.
    pub dispute: Dispute,
    /// How much of it, in minor units: what was said first, since a bank decides about what it asked for. 0 without a dispute.
    pub disputed_minor: i64,
}

/// What hearing something did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// Nothing: it was known, or further things were.
    Stale,
    /// Nothing: the money that came is not what was asked for. Somebody has to look.
    Mismatch,
    /// The payment is as `now` says, and this follows.
    Changed {
        /// The payment.
        now: Payment,
        /// What follows from it.
        so: Effect,
    },
}

/// What follows from a change, for what was paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing yet.
    None,
    /// Somebody has to act: they are to be told.
    Act,
    /// It failed: they are to be told.
    Fail,
    /// It is given up.
    GiveUp,
    /// What was bought is given; where a dispute takes the money at once, it is taken again.
    Give,
    /// What was given is taken back.
    Take,
    /// What was taken back is given again.
    GiveAgain,
    /// What was taken back stays with us.
    Keep,
}

impl Payment {
    /// A payment of which nothing was heard.
    #[must_use]
    pub const fn new(amount: Money) -> Self {
        Self { amount, state: State::Created, failure: None, dispute: Dispute::None, disputed_minor: 0 }
    }

    /// What a message does.
    #[must_use]
    pub fn hear(self, saying: Saying) -> Heard {
        match saying {
            Saying::Nothing => Heard::Stale,
            Saying::NeedsAction => self.moved(State::NeedsAction, None, Effect::Act),
            Saying::Pending => self.moved(State::Pending, None, Effect::None),
            Saying::Failed(failure) => self.moved(State::Failed, Some(failure), Effect::Fail),
            Saying::Cancelled => self.moved(State::Cancelled, self.failure, Effect::GiveUp),
            Saying::Succeeded(money) if money != self.amount => Heard::Mismatch,
            Saying::Succeeded(_) => self.moved(State::Succeeded, None, Effect::Give),
            Saying::Disputed(dispute, of) => self.disputed(dispute, of),
        }
    }

    fn moved(self, state: State, failure: Option<Failure>, so: Effect) -> Heard {
        if state <= self.state {
            return Heard::Stale;
        }
        Heard::Changed { now: Self { state, failure, ..self }, so }
    }

    /// A dispute says nothing of the money having come, so before that it only waits to count.
    fn disputed(self, dispute: Dispute, of: Option<Money>) -> Heard {
        if dispute <= self.dispute {
            return Heard::Stale;
        }
        let so = match (self.state, self.dispute.takes(), dispute) {
            (State::Succeeded, true, Dispute::Lost) => Effect::Keep,
            (State::Succeeded, true, Dispute::Won) => Effect::GiveAgain,
            (State::Succeeded, false, Dispute::Open | Dispute::Lost) => Effect::Take,
            _ => Effect::None,
        };
        // Of other money than was paid nobody can say which part that is.
        let part = of.filter(|of| of.currency == self.amount.currency).map_or(self.amount.minor, |of| of.minor);
        let part = if self.disputed_minor > 0 { self.disputed_minor } else { part.clamp(1, self.amount.minor) };
        Heard::Changed { now: Self { dispute, disputed_minor: part, ..self }, so }
    }

    /// Whether people should be told that it takes long: somebody has done what they could, or nobody was to be there, and a bank
    /// or provider has said nothing for [`LATE_AFTER_S`]. Transfers take days, which whoever makes one knows.
    #[must_use]
    pub const fn is_late(&self, provider: Provider, alone: bool, waits_s: i64) -> bool {
        let waits = match self.state {
            State::Pending => true,
            State::Created => alone,
            State::NeedsAction | State::Failed | State::Cancelled | State::Succeeded => false,
        };
        waits && waits_s >= LATE_AFTER_S && !matches!(provider, Provider::BankTransfer)
    }
}

#[cfg(test)]
mod tests;
