//! A plain model of an org and its alerts: whole credits, a list of what was used, and nothing that the product has.

pub const HOUR: i64 = 3_600_000_000;
pub const DAY: i64 = 24 * HOUR;
pub const MONTHS: [i64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
/// What the plan gives each month.
pub const PLAN: i64 = 150;

/// What a rule watches: what is left, or what was used in a period.
#[derive(Clone, Copy, PartialEq)]
pub enum In {
    Balance,
    Hour,
    Day,
    Month,
}

/// In what, from how much on (or below how much), and whether of project chat alone.
pub const RULES: [(In, i64, bool); 10] = [
    (In::Balance, 60, false),
    (In::Balance, 15, false),
    (In::Hour, 7, false),
    (In::Day, 14, false),
    (In::Month, 75, false),
    (In::Month, 150, false),
    (In::Month, 300, false),
    (In::Hour, 5, true),
    (In::Day, 8, true),
    (In::Month, 90, true),
];

/// Who paid: the plan of a month, what was bought, or nobody yet.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Payer {
    Plan(i64),
    Bought,
    Debt,
}

/// Something that was used: when, whether in project chat, who paid how much, and whether it was taken back.
struct Used {
    at: i64,
    chat: bool,
    paid: Vec<(Payer, i64)>,
    void: bool,
}

struct Held {
    id: i64,
    until: i64,
    chat: bool,
    parts: Vec<(Payer, i64)>,
}

/// The org. Times are microseconds since the year began in its zone.
#[derive(Default)]
pub struct Model {
    /// Free credits of the plan, and its month.
    plan: (i64, i64),
    bought: i64,
    pub debt: i64,
    used: Vec<Used>,
    holds: Vec<Held>,
    last_hold: i64,
    /// Per rule: whether it is firing, and the period in which it fired last.
    state: [(bool, Option<i64>); RULES.len()],
    /// Rule and time of each firing.
    pub fired: Vec<(i64, i64)>,
    /// What each kind of thing was done how often: so that a year that shows nothing is seen.
    pub done: std::collections::BTreeMap<&'static str, usize>,
}

pub fn month_of(at: i64) -> i64 {
    let mut days = at / DAY;
    for (month, length) in MONTHS.iter().enumerate() {
        if days < *length {
            return i64::try_from(month).expect("small");
        }
        days -= length;
    }
    12
}

/// When a month is over.
pub fn month_end(month: i64) -> i64 {
    MONTHS.iter().take(usize::try_from(month + 1).expect("small")).sum::<i64>() * DAY
}

impl Model {
    pub fn free(&self) -> i64 {
        self.plan.0 + self.bought
    }

    fn did(&mut self, what: &'static str) {
        *self.done.entry(what).or_default() += 1;
    }

    /// Takes from the plan first, then from what was bought, then from nobody.
    fn take(&mut self, amount: i64) -> Vec<(Payer, i64)> {
        let of_plan = amount.min(self.plan.0);
        let of_bought = (amount - of_plan).min(self.bought);
        let owed = amount - of_plan - of_bought;
        (self.plan.0, self.bought, self.debt) = (self.plan.0 - of_plan, self.bought - of_bought, self.debt + owed);
        let all = [(Payer::Plan(self.plan.1), of_plan), (Payer::Bought, of_bought), (Payer::Debt, owed)];
        all.into_iter().filter(|(_, part)| *part > 0).collect()
    }

    /// Gives back to whoever had it; what a month's plan gets back after its end is lost. Then debt is repaid.
    fn return_to(&mut self, parts: &[(Payer, i64)], at: i64) {
        for (payer, part) in parts {
            match payer {
                Payer::Plan(month) if *month == self.plan.1 && at < month_end(*month) => self.plan.0 += part,
                Payer::Plan(_) => {}
                Payer::Bought => self.bought += part,
                Payer::Debt => {
                    let open = self.debt.min(*part);
                    (self.debt, self.bought) = (self.debt - open, self.bought + part - open);
                }
            }
        }
        self.repay();
    }

    fn repay(&mut self) {
        let repaid = self.debt.min(self.free());
        let of_plan = repaid.min(self.plan.0);
        (self.plan.0, self.bought, self.debt) =
            (self.plan.0 - of_plan, self.bought - (repaid - of_plan), self.debt - repaid);
    }

    /// What time does until then: holds end, and so do months.
    pub fn pass(&mut self, at: i64) {
        loop {
            let ends = month_end(self.plan.1);
            let soonest = self.holds.iter().enumerate().min_by_key(|(_, held)| (held.until, held.id));
            match soonest.map(|(place, held)| (place, held.until)) {
                Some((place, until)) if until <= at && (until <= ends || self.plan.0 == 0) => {
                    let held = self.holds.remove(place);
                    self.return_to(&held.parts, until);
                    self.did("hold expired");
                }
                _ if ends <= at && self.plan.0 > 0 => self.plan.0 = 0,
                _ => return,
            }
        }
    }

    pub fn give_plan(&mut self, month: i64) {
        self.plan = (PLAN, month);
        self.repay();
    }

    pub fn buy(&mut self, amount: i64) {
        self.bought += amount;
        self.repay();
        self.did("bought");
    }

    pub fn spend(&mut self, at: i64, amount: i64, chat: bool) {
        let paid = self.take(amount);
        self.used.push(Used { at, chat, paid, void: false });
        self.did("used");
    }

    /// Takes back one of the newest hundred, the one that `choice` says; its number, where there is one.
    pub fn void(&mut self, at: i64, choice: usize) -> Option<i64> {
        let count = self.used.len();
        let place = count.checked_sub(1 + choice % count.clamp(1, 100))?;
        if std::mem::replace(&mut self.used[place].void, true) {
            return None;
        }
        let paid = std::mem::take(&mut self.used[place].paid);
        self.return_to(&paid, at);
        self.did("void");
        i64::try_from(place + 1).ok()
    }

    /// Holds credits back where they are there; the hold's number.
    pub fn hold(&mut self, amount: i64, until: i64, chat: bool) -> Option<i64> {
        if self.free() < amount {
            self.did("hold refused");
            return None;
        }
        let parts = self.take(amount);
        self.last_hold += 1;
        self.holds.push(Held { id: self.last_hold, until, chat, parts });
        self.did("hold");
        Some(self.last_hold)
    }

    /// A pending hold: its number, and what it holds.
    pub fn pending(&self, choice: usize) -> Option<(i64, i64)> {
        let held = self.holds.get(choice.checked_rem(self.holds.len())?)?;
        Some((held.id, held.parts.iter().map(|(_, part)| part).sum()))
    }

    pub fn release(&mut self, at: i64, id: i64) {
        let place = self.holds.iter().position(|held| held.id == id).expect("pending");
        let held = self.holds.remove(place);
        self.return_to(&held.parts, at);
        self.did("release");
    }

    /// The work cost so much: out of what was held, then of what is free.
    pub fn capture(&mut self, at: i64, id: i64, amount: i64) {
        let place = self.holds.iter().position(|held| held.id == id).expect("pending");
        let held = self.holds.remove(place);
        let (mut due, mut paid, mut back) = (amount, Vec::new(), Vec::new());
        for (payer, part) in held.parts {
            let of_it = due.min(part);
            due -= of_it;
            paid.push((payer, of_it));
            back.push((payer, part - of_it));
        }
        // What was held and not needed pays for nothing else: it is there only once this is booked.
        paid.extend(self.take(due));
        self.used.push(Used { at, chat: held.chat, paid, void: false });
        self.return_to(&back, at);
        self.did("capture");
    }

    fn sum(&self, chat: bool, holds: impl Fn(i64) -> bool) -> i64 {
        let counts = |used: &&Used| !used.void && (used.chat || !chat) && holds(used.at);
        self.used
            .iter()
            .rev()
            .take(2_000)
            .filter(counts)
            .map(|used| used.paid.iter().map(|(_, part)| part).sum::<i64>())
            .sum()
    }

    /// What everybody hears once something was booked.
    pub fn look(&mut self, at: i64) {
        for (place, (of, threshold, chat)) in RULES.into_iter().enumerate() {
            let (mut firing, told) = self.state[place];
            let (value, period) = match of {
                In::Balance => (self.free(), None),
                In::Hour => (self.sum(chat, |then| then / HOUR == at / HOUR), Some(at / HOUR)),
                In::Day => (self.sum(chat, |then| then / DAY == at / DAY), Some(at / DAY)),
                In::Month => (self.sum(chat, |then| month_of(then) == month_of(at)), Some(month_of(at))),
            };
            let is_crossed = if of == In::Balance { value < threshold } else { value >= threshold };
            // A twentieth of the way back, and it is over; or its period is.
            let is_back = if of == In::Balance { value * 20 >= threshold * 21 } else { value * 20 <= threshold * 19 };
            firing &= !is_back && (period.is_none() || told == period);
            if is_crossed && !firing && (period.is_none() || told != period) {
                self.fired.push((i64::try_from(place).expect("small") + 1, at));
                self.state[place] = (true, period);
            } else {
                self.state[place].0 = firing;
            }
        }
    }

    /// How many rules are firing now.
    pub fn firing(&self) -> usize {
        self.state.iter().filter(|(firing, _)| *firing).count()
    }
}
