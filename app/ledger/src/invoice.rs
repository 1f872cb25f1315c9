//! Invoices: what one says ([`Document`], [`figures`]), and what is done about one that is not paid ([`next_step`]).
//!
//! An invoice tells a calendar month of the org's zone. What was bought is on it with the tax that was settled when it was paid; plans and
//! adjustments are taxed here, each rate once on its sum, rounded half up, and divided over the lines by the largest remainder: so
//! lines, taxes and totals add up exactly. Usage is on it in credits and costs no money: it was paid for before.
//!
//! More given back than charged is credit: it pays for the next invoices, and no money goes the other way by itself.

use crate::allocate::apportion;
use crate::credits::Credits;
use crate::cycle::BillingCycle;
use crate::id::OrgId;
use crate::money::{Currency, Money};
use crate::refusal::Refusal;
use crate::tax::Tax;
use crate::time::Timestamp;
use crate::words::Words;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// 100 % in millionths.
const WHOLE: i128 = 1_000_000;
const DAY_US: i64 = 86_400_000_000;

/// After how many days the stored method is charged again, each counted from the try before: a card that was empty is often filled
/// within the week, and more tries cost trust and fees.
pub const RETRY_AFTER_DAYS: [i64; 3] = [1, 3, 5];
/// How many days after it was due an invoice is reminded of.
pub const REMIND_AFTER_DAYS: [i64; 3] = [1, 8, 20];
/// How many days after it was due nobody is asked any more: it can still be paid, and then is.
pub const GIVE_UP_AFTER_DAYS: i64 = 30;

/// How an invoice stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It waits for late usage, and may still change.
    Draft,
    /// It is final, and not paid.
    Open,
    /// All that is due is paid.
    Paid,
    /// Nobody is asked for it any more.
    Uncollectible,
}

impl State {
    /// All, in the order in which an invoice goes through them.
    pub const ALL: [Self; 4] = [Self::Draft, Self::Open, Self::Paid, Self::Uncollectible];

    /// Its name in tables and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Open => "open",
            Self::Paid => "paid",
            Self::Uncollectible => "uncollectible",
        }
    }

    /// What people read.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Draft => "Draft",
            Self::Open => "Open",
            Self::Paid => "Paid",
            Self::Uncollectible => "Not paid",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// What an item is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemKind {
    /// A part of a plan's cycle.
    Plan,
    /// Credits that were bought and paid for.
    Purchase,
    /// What was given back.
    CreditNote,
    /// What an operator put right.
    Adjustment,
}

impl ItemKind {
    /// All, in the order in which an invoice lists them.
    pub const ALL: [Self; 4] = [Self::Plan, Self::Purchase, Self::CreditNote, Self::Adjustment];

    /// Its name in tables and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Purchase => "purchase",
            Self::CreditNote => "credit_note",
            Self::Adjustment => "adjustment",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Something that is on an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What it is for.
    pub kind: ItemKind,
    /// What people read.
    pub description: String,
    /// When it happened.
    pub on: NaiveDate,
    /// Of a plan: the first day, and the day after the last.
    pub period: Option<(NaiveDate, NaiveDate)>,
    /// Net, in minor units; below zero for what is given back.
    pub net: i64,
    /// Its tax and what that is called, where it was settled with a payment: then the whole of it is paid, or given back, already.
    pub settled: Option<(i64, String)>,
}

/// A line of money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// What it is for.
    pub kind: ItemKind,
    /// What people read.
    pub description: String,
    /// When it happened.
    pub on: NaiveDate,
    /// Of a plan: the first day, and the day after the last.
    pub period: Option<(NaiveDate, NaiveDate)>,
    /// Net, in minor units.
    pub net: i64,
    /// Its tax.
    pub tax: i64,
    /// Whether it was paid, or given back, before.
    pub settled: bool,
}

/// All lines of one tax.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaxSum {
    /// Such as `VAT 19 %`; empty where there is none.
    pub name: String,
    /// Net of those lines.
    pub net: i64,
    /// Their tax.
    pub tax: i64,
}

/// What an invoice comes to, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Totals {
    /// Of all lines.
    pub net: i64,
    /// Of all lines.
    pub tax: i64,
    /// Net and tax.
    pub gross: i64,
    /// Of that, what was paid before; below zero where more was given back.
    pub settled: i64,
    /// Credit from earlier invoices; from zero on.
    pub credit_before: i64,
    /// What is to be paid; from zero on.
    pub due: i64,
    /// Credit that is left for later ones; from zero on.
    pub credit_after: i64,
}

/// The money of an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// By kind, then by time.
    pub lines: Vec<Line>,
    /// By name.
    pub taxes: Vec<TaxSum>,
    /// What they come to.
    pub totals: Totals,
}

/// Who sells, or buys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// Their name.
    pub name: String,
    /// Lines.
    pub address: String,
    /// Empty where there is none.
    pub tax_number: String,
}

/// What was used of one credit type in one month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsageLine {
    /// What people read.
    pub title: String,
    /// The month in which it was used: an earlier one than the invoice's where an invoice of that month did not have it yet.
    pub month: BillingCycle,
    /// How many credits; below zero for what was taken back.
    pub credits: Credits,
}

/// All that an invoice says, frozen when it is issued: its page and its PDF are written from this and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// `S12-0001`; none for a draft.
    pub number: Option<String>,
    /// What it tells.
    pub month: BillingCycle,
    /// Whose days and months are meant.
    pub zone: String,
    /// When it was issued; for a draft, when it will be.
    pub issued: NaiveDate,
    /// Until when it is to be paid.
    pub due: NaiveDate,
    /// Who sells.
    pub seller: Party,
    /// Where money can be transferred to: lines.
    pub bank: String,
    /// Who buys.
    pub buyer: Party,
    /// Of all money on it.
    pub currency: Currency,
    /// Money, by line.
    pub lines: Vec<Line>,
    /// Money, by tax.
    pub taxes: Vec<TaxSum>,
    /// What it comes to.
    pub totals: Totals,
    /// How credits are called.
    pub words: Words,
    /// Credits that were used: costs no money.
    pub usage: Vec<UsageLine>,
    /// Credits used beyond what was there, at the end of the month.
    pub debt: Credits,
}

impl Document {
    /// An amount on it.
    #[must_use]
    pub const fn money(&self, minor: i64) -> Money {
        Money { minor, currency: self.currency }
    }

    /// All credits used.
    ///
    /// # Errors
    /// [`Refusal::AmountOverflow`].
    pub fn used(&self) -> Result<Credits, Refusal> {
        self.usage.iter().try_fold(Credits::ZERO, |sum, line| sum.plus(line.credits))
    }
}

/// What people call an invoice: its org, and its place among those of that org, without gaps.
#[must_use]
pub fn number(org: OrgId, ordinal: i64) -> String {
    format!("S{}-{ordinal:04}", org.0)
}

/// The money of an invoice over these items, at that tax where it was not settled before, with `credit` from earlier invoices.
///
/// # Errors
/// [`Refusal::AmountOverflow`].
pub fn figures(items: &[Item], tax: &Tax, currency: Currency, credit: i64) -> Result<Figures, Refusal> {
    let mut sorted: Vec<&Item> = items.iter().collect();
    // Stable: within a kind in the order in which they came.
    sorted.sort_by_key(|item| ItemKind::ALL.iter().position(|kind| *kind == item.kind));
    let open: Vec<&Item> = sorted.iter().copied().filter(|item| item.settled.is_none()).collect();
    let open_net = add(open.iter().map(|item| item.net))?;
    let open_tax = tax.on(Money { minor: open_net, currency })?.minor;
    let exact: Vec<i128> = open.iter().map(|item| i128::from(item.net) * i128::from(tax.millionths)).collect();
    let mut parts = apportion(open_tax, &exact, WHOLE)?.into_iter();
    let lines: Vec<Line> = sorted
        .iter()
        .map(|item| Line {
            kind: item.kind,
            description: item.description.clone(),
            on: item.on,
            period: item.period,
            net: item.net,
            tax: item.settled.as_ref().map_or_else(|| parts.next().unwrap_or_default(), |(minor, _)| *minor),
            settled: item.settled.is_some(),
        })
        .collect();
    let title = tax.title();
    let name = |item: &Item| item.settled.as_ref().map_or_else(|| title.clone(), |(_, name)| name.clone());
    let mut taxes: Vec<TaxSum> = Vec::new();
    for (item, line) in sorted.iter().zip(&lines) {
        let name = name(item);
        let known = taxes.iter_mut().find(|sum| sum.name == name);
        match known {
            Some(sum) => (sum.net, sum.tax) = (add([sum.net, line.net])?, add([sum.tax, line.tax])?),
            None => taxes.push(TaxSum { name, net: line.net, tax: line.tax }),
        }
    }
    taxes.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Figures { totals: totals(&lines, credit)?, lines, taxes })
}

fn totals(lines: &[Line], credit_before: i64) -> Result<Totals, Refusal> {
    let net = add(lines.iter().map(|line| line.net))?;
    let tax = add(lines.iter().map(|line| line.tax))?;
    let settled = add(lines.iter().filter(|line| line.settled).flat_map(|line| [line.net, line.tax]))?;
    let gross = add([net, tax])?;
    let left = i128::from(gross) - i128::from(settled) - i128::from(credit_before);
    let fits = |minor: i128| i64::try_from(minor.max(0)).map_err(|_| Refusal::AmountOverflow);
    Ok(Totals { net, tax, gross, settled, credit_before, due: fits(left)?, credit_after: fits(-left)? })
}

fn add(amounts: impl IntoIterator<Item = i64>) -> Result<i64, Refusal> {
    let sum: i128 = amounts.into_iter().map(i128::from).sum();
    i64::try_from(sum).map_err(|_| Refusal::AmountOverflow)
}

/// How an issued invoice stands, as far as it decides what is done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Now.
    pub state: State,
    /// Until when it is to be paid.
    pub due_at: Timestamp,
    /// How much.
    pub due: i64,
    /// How much is paid: what succeeded, less what the payer's bank took back.
    pub paid: i64,
    /// How often the stored method was charged.
    pub tries: usize,
    /// Not before this instant again.
    pub next_try_at: Option<Timestamp>,
    /// How many reminders are behind it.
    pub reminded: usize,
    /// Whether a payment is under way.
    pub in_flight: bool,
    /// Whether there is a method to charge.
    pub has_method: bool,
}

/// What is done about an invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing now.
    Wait,
    /// It is paid.
    Paid,
    /// What was paid was taken back: it is open again.
    Reopen,
    /// The stored method is charged, and not again before this instant, if ever.
    Charge(Option<Timestamp>),
    /// Somebody is reminded; so many reminders are behind it then. One is sent for all that were missed.
    Remind(usize),
    /// Nobody is asked any more.
    GiveUp,
}

/// What is to be done about an invoice now. After each step it is asked again, until there is nothing to do.
#[must_use]
pub fn next_step(standing: &Standing, now: Timestamp) -> Step {
    let paid = standing.paid >= standing.due;
    match standing.state {
        State::Draft => Step::Wait,
        State::Paid if paid => Step::Wait,
        State::Paid => Step::Reopen,
        State::Open | State::Uncollectible if paid => Step::Paid,
        State::Uncollectible => Step::Wait,
        State::Open => dun(standing, now),
    }
}

fn dun(standing: &Standing, now: Timestamp) -> Step {
    let may_charge = standing.has_method && !standing.in_flight;
    if may_charge && standing.next_try_at.is_some_and(|at| at <= now) {
        return Step::Charge(RETRY_AFTER_DAYS.get(standing.tries).map(|days| days_after(now, *days)));
    }
    if days_after(standing.due_at, GIVE_UP_AFTER_DAYS) <= now {
        return Step::GiveUp;
    }
    let behind = REMIND_AFTER_DAYS.iter().filter(|days| days_after(standing.due_at, **days) <= now).count();
    if behind > standing.reminded { Step::Remind(behind) } else { Step::Wait }
}

/// So many times 24 hours later.
#[must_use]
pub const fn days_after(at: Timestamp, days: i64) -> Timestamp {
    Timestamp::from_micros(at.micros().saturating_add(days.saturating_mul(DAY_US)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, day).expect("a date")
    }

    fn item(kind: ItemKind, net: i64, settled: Option<i64>) -> Item {
        let settled = settled.map(|tax| (tax, "VAT 19 %".to_owned()));
        Item { kind, description: format!("{kind:?}"), on: day(1), period: None, net, settled }
    }

    fn eur() -> Currency {
        Currency::parse("EUR").expect("a currency")
    }

    fn vat(millionths: u32) -> Tax {
        Tax { name: "VAT".to_owned(), millionths }
    }

    #[test]
    fn tax_is_rounded_once_per_rate_and_divided_over_the_lines() {
        // Thrice 0.19 of a cent's half: 3 × 0.095 = 0.285 → 0.29, not 3 × 0.10.
        let items = [50, 50, 50].map(|net| item(ItemKind::Adjustment, net, None));
        let made = figures(&items, &vat(190_000), eur(), 0).expect("fits");
        assert_eq!(made.lines.iter().map(|line| line.tax).collect::<Vec<_>>(), [10, 10, 9]);
        assert_eq!(made.taxes, [TaxSum { name: "VAT 19 %".to_owned(), net: 150, tax: 29 }]);
        assert_eq!((made.totals.gross, made.totals.due), (179, 179));
    }

    #[test]
    fn what_was_paid_when_it_was_bought_is_not_due_again() {
        let items = [
            item(ItemKind::CreditNote, -1_000, Some(-190)),
            item(ItemKind::Purchase, 5_000, Some(950)),
            item(ItemKind::Plan, 2_000, None),
        ];
        let made = figures(&items, &vat(190_000), eur(), 0).expect("fits");
        let kinds: Vec<ItemKind> = made.lines.iter().map(|line| line.kind).collect();
        assert_eq!(kinds, [ItemKind::Plan, ItemKind::Purchase, ItemKind::CreditNote]);
        let expected = Totals {
            net: 6_000,
            tax: 1_140,
            gross: 7_140,
            settled: 4_760,
            credit_before: 0,
            due: 2_380,
            credit_after: 0,
        };
        assert_eq!(made.totals, expected);
        // One row where the tax is the same, whoever worked it out.
        assert_eq!(made.taxes.len(), 1);
    }

    #[test]
    fn more_given_back_than_charged_pays_for_the_next_invoice() {
        let first = figures(&[item(ItemKind::Adjustment, -3_000, None)], &vat(0), eur(), 0).expect("fits").totals;
        assert_eq!((first.gross, first.due, first.credit_after), (-3_000, 0, 3_000));
        let plan = [item(ItemKind::Plan, 2_000, None)];
        let second = figures(&plan, &vat(0), eur(), first.credit_after).expect("fits").totals;
        assert_eq!((second.due, second.credit_after), (0, 1_000));
        let third = figures(&plan, &vat(0), eur(), second.credit_after).expect("fits").totals;
        assert_eq!((third.due, third.credit_after), (1_000, 0));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let items = [item(ItemKind::Plan, i64::MAX, None), item(ItemKind::Plan, 1, None)];
        assert_eq!(figures(&items, &vat(0), eur(), 0), Err(Refusal::AmountOverflow));
        let items = [item(ItemKind::Plan, i64::MAX, None)];
        assert_eq!(figures(&items, &vat(190_000), eur(), 0), Err(Refusal::AmountOverflow));
    }

    #[test]
    fn numbers_are_of_their_org_and_of_four_digits_at_least() {
        assert_eq!([number(OrgId(12), 1), number(OrgId(3), 12_345)], ["S12-0001", "S3-12345"]);
    }

    fn open() -> Standing {
        Standing {
            state: State::Open,
            due_at: days_after(Timestamp::from_micros(0), 14),
            due: 100,
            paid: 0,
            tries: 0,
            next_try_at: Some(Timestamp::from_micros(0)),
            reminded: 0,
            in_flight: false,
            has_method: true,
        }
    }

    /// What happens to an invoice over days on which the job runs, if every charge fails.
    fn life(mut standing: Standing, days: impl IntoIterator<Item = i64>) -> Vec<(i64, Step)> {
        let mut told = Vec::new();
        for day in days {
            let now = days_after(Timestamp::from_micros(0), day);
            loop {
                let step = next_step(&standing, now);
                match step {
                    Step::Wait => break,
                    Step::Paid => standing.state = State::Paid,
                    Step::Reopen => standing.state = State::Open,
                    Step::Charge(again) => (standing.tries, standing.next_try_at) = (standing.tries + 1, again),
                    Step::Remind(count) => standing.reminded = count,
                    Step::GiveUp => standing.state = State::Uncollectible,
                }
                told.push((day, step));
            }
        }
        told
    }

    #[test]
    fn an_unpaid_invoice_is_charged_four_times_reminded_of_thrice_and_then_given_up() {
        let told = life(open(), 0..100);
        let days = |wanted: fn(&Step) -> bool| -> Vec<i64> {
            told.iter().filter(|(_, step)| wanted(step)).map(|(day, _)| *day).collect()
        };
        assert_eq!(days(|step| matches!(step, Step::Charge(_))), [0, 1, 4, 9]);
        assert_eq!(days(|step| matches!(step, Step::Remind(_))), [15, 22, 34]);
        assert_eq!(days(|step| matches!(step, Step::GiveUp)), [44]);
        assert_eq!(told.len(), 8);
    }

    #[test]
    fn a_job_that_is_late_sends_one_reminder_for_all_that_were_missed() {
        let told = life(Standing { has_method: false, ..open() }, [40, 41]);
        assert_eq!(told, [(40, Step::Remind(3))]);
    }

    #[test]
    fn nothing_is_charged_twice_at_once_and_money_that_comes_late_counts() {
        let at = days_after(Timestamp::from_micros(0), 1);
        assert_eq!(next_step(&Standing { in_flight: true, ..open() }, at), Step::Wait);
        assert_eq!(next_step(&Standing { paid: 100, ..open() }, at), Step::Paid);
        let given_up = Standing { state: State::Uncollectible, ..open() };
        assert_eq!(next_step(&given_up, at), Step::Wait);
        assert_eq!(next_step(&Standing { paid: 100, ..given_up }, at), Step::Paid);
        assert_eq!(next_step(&Standing { state: State::Paid, ..open() }, at), Step::Reopen);
        assert_eq!(next_step(&Standing { due: 0, ..open() }, at), Step::Paid);
    }

    fn any_item() -> impl Strategy<Value = Item> {
        let settled = prop::option::of((-10_000_i64..10_000, 0_usize..3));
        (0_usize..4, -1_000_000_000_i64..1_000_000_000, settled).prop_map(|(kind, net, settled)| Item {
            settled: settled.map(|(tax, name)| (tax, ["VAT 19 %", "VAT 7 %", ""][name].to_owned())),
            ..item(ItemKind::ALL[kind], net, None)
        })
    }

    proptest! {
        #[test]
        fn every_invoice_adds_up(
            items in prop::collection::vec(any_item(), 0..30),
            millionths in 0_u32..1_000_000,
            credit in 0_i64..1_000_000_000,
        ) {
            let tax = vat(millionths);
            let Figures { lines, taxes, totals } = figures(&items, &tax, eur(), credit).expect("fits");
            prop_assert_eq!(lines.len(), items.len());
            prop_assert_eq!(lines.iter().map(|line| line.net).sum::<i64>(), totals.net);
            prop_assert_eq!(lines.iter().map(|line| line.tax).sum::<i64>(), totals.tax);
            prop_assert_eq!(taxes.iter().map(|sum| sum.net).sum::<i64>(), totals.net);
            prop_assert_eq!(taxes.iter().map(|sum| sum.tax).sum::<i64>(), totals.tax);
            prop_assert_eq!(totals.gross, totals.net + totals.tax);
            // Nothing is lost between what is due, what was paid and what is credit.
            prop_assert_eq!(totals.due - totals.credit_after, totals.gross - totals.settled - credit);
            prop_assert!(totals.due >= 0 && totals.credit_after >= 0 && totals.due.min(totals.credit_after) == 0);
            let open = lines.iter().filter(|line| !line.settled);
            let (net, sum) = open.clone().fold((0, 0), |(net, tax), line| (net + line.net, tax + line.tax));
            prop_assert_eq!(tax.on(Money { minor: net, currency: eur() }).expect("fits").minor, sum);
            for line in open {
                let exact = i128::from(line.net) * i128::from(millionths);
                prop_assert!((i128::from(line.tax) * WHOLE - exact).abs() < WHOLE, "{line:?}");
            }
        }
    }
}
