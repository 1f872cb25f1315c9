//! What the pages of invoices, payments and billing details show, what their forms do, and their files.

use super::desk::{Form, NotTaken, instant};
use super::settings::not_taken;
use super::{Backend, local};
use crate::calendar::{Day, parse_iso};
use crate::components::billing::details::{self, Details};
use crate::components::billing::invoices::{Filter, Invoices, Listed};
use crate::components::billing::payments::{self, Payment, Payments};
use crate::components::billing::sheet::{Sheet, month};
use crate::components::billing::{invoice, reconcile, seller};
use crate::components::settings::fields::Typed;
use crate::error::AppError;
use crate::exports::line;
use crate::query;
use crate::server_fns::Moment;
use ::ledger::decimal;
use ::ledger::invoice::{Document, Party, State};
use ::ledger::payment::Provider;
use ::ledger::seller::{BillingDetails, Seller};
use ::ledger::tax::Tax;
use ::ledger::{InvoiceId, Money, OrgId, PaymentId, Permission, Refusal, Timestamp};
use store::payment::list::Wanted;
use store::{InvoicePage, InvoiceRow, Org, PaidFor, PaymentLine, PaymentPage};

/// Rows on one page.
const PAGE: u32 = 50;
/// Rows that are read at once for a file.
const FILE_PAGE: u32 = 100;
/// Most rows of a file: memory stays bounded, and no org has that many.
const MAX_FILE_ROWS: usize = 100_000;
/// Decimals of a rate in percent: those of millionths.
const TAX_DECIMALS: u32 = 4;

impl Backend {
    /// The list of invoices.
    ///
    /// # Errors
    /// [`AppError::Refused`] for those who may not, or what the store says.
    pub async fn invoice_list(&self, filter: Filter) -> Result<Invoices, AppError> {
        let viewer = self.allowed(Permission::ManageBilling)?;
        let org = self.store.org(viewer.org).await?;
        let now = self.store.now();
        let page = InvoicePage { limit: PAGE + 1, ..page_of(&filter) };
        let mut rows = self.store.invoices(org.id, page).await?;
        let more = rows.len() > PAGE as usize;
        rows.truncate(PAGE as usize);
        let older = rows
            .last()
            .filter(|_| more)
            .map(|row| filter.href(crate::components::billing::invoices::PATH, Some(row.id)));
        let open = self.store.open_items(org.id).await?;
        let next = open.iter().map(|open| {
            let money = |minor| Money { minor, currency: open.currency };
            (money(open.figures.totals.gross), money(open.figures.totals.due))
        });
        let today = Day::new(local(&org, now)?.date());
        let (last, first) = (today.map_or(2000, year), year_of(&org)?);
        Ok(Invoices {
            lines: rows.iter().map(|row| listed(&org, row, now)).collect::<Result<_, _>>()?,
            older,
            filter,
            years: (first..=last).rev().collect(),
            next: next.collect(),
            month: today.map(Day::month_title).unwrap_or_default(),
        })
    }

    /// One invoice, by its id as text. `offered`: who can be paid; `is_back`: whoever looks comes back from there.
    ///
    /// # Errors
    /// As [`Backend::invoice_list`]; [`AppError::NotFound`].
    pub async fn invoice_shown(
        &self,
        id: &str,
        offered: &[Provider],
        is_back: bool,
    ) -> Result<invoice::Shown, AppError> {
        let viewer = self.allowed(Permission::ManageBilling)?;
        let org = self.store.org(viewer.org).await?;
        let id = InvoiceId::parse(id).ok_or(AppError::NotFound)?;
        // Before anything is read: what comes in between is news for the page, not old to it.
        let seen = self.seen(org.id).await?;
        let found = self.store.invoice(org.id, id).await?;
        let paid = self.store.payments_for(org.id, id).await?;
        let moment = |at: Option<Timestamp>| at.map(|at| moment(&org, at)).transpose();
        Ok(invoice::Shown {
            id,
            state: found.row.state,
            sheet: Sheet::of(&found.document),
            due: found.document.money(found.row.due),
            paid: found.document.money(found.row.paid),
            due_at: moment(found.row.due_at)?,
            overdue: overdue(&found.row, self.store.now()),
            paid_at: moment(found.row.paid_at)?,
            // One that is over waits for a method to be charged.
            next_try_at: moment(found.next_try_at.filter(|at| *at > self.store.now()))?,
            payments: paid.iter().map(|line| payment(&org, line)).collect::<Result<_, _>>()?,
            pay: self.to_pay(&found, offered, is_back).await?,
            seen,
        })
    }

    /// What an issued invoice says, for its PDF.
    ///
    /// # Errors
    /// As [`Backend::invoice_shown`]; a draft is not there yet.
    pub async fn invoice_document(&self, id: &str) -> Result<Document, AppError> {
        let viewer = self.allowed(Permission::ManageBilling)?;
        let id = InvoiceId::parse(id).ok_or(AppError::NotFound)?;
        let found = self.store.invoice(viewer.org, id).await?;
        if found.row.state == State::Draft { Err(AppError::NotFound) } else { Ok(found.document) }
    }

    /// The list of payments.
    ///
    /// # Errors
    /// As [`Backend::invoice_list`]; [`AppError::BadRange`] for days that are none.
    pub async fn payment_list(&self, filter: payments::Filter) -> Result<Payments, AppError> {
        let viewer = self.allowed(Permission::ManageBilling)?;
        let org = self.store.org(viewer.org).await?;
        let page = PaymentPage { limit: PAGE + 1, ..payments_of(&org, &filter)? };
        let mut rows = self.store.payments(org.id, page).await?;
        let more = rows.len() > PAGE as usize;
        rows.truncate(PAGE as usize);
        let older = rows.last().filter(|_| more).map(|row| filter.href(payments::PATH, Some(row.id)));
        let lines = rows.iter().map(|line| payment(&org, line)).collect::<Result<_, _>>()?;
        Ok(Payments { lines, older, filter })
    }

    /// The invoices that a filter lets through, as CSV.
    ///
    /// # Errors
    /// As [`Backend::invoice_list`].
    pub async fn invoices_csv(&self, search: &str) -> Result<String, AppError> {
        let viewer = self.allowed(Permission::ManageBilling)?;
        let org = self.store.org(viewer.org).await?;
        let filter = Filter::new(&query::parse(search));
        let mut text = String::new();
        let heads = ["number", "month", "state", "issued", "due", "currency", "total", "to_be_paid", "paid", "id"];
        line(&mut text, heads.into_iter());
        let (mut before, mut count) = (None, 0);
        loop {
            let page = InvoicePage { limit: FILE_PAGE, before, ..page_of(&filter) };
            let rows = self.store.invoices(org.id, page).await?;
            for row in &rows {
                line(&mut text, invoice_cells(&org, row)?.iter().map(String::as_str));
            }
            count += rows.len();
            before = rows.last().map(|row| row.id);
            if rows.len() < FILE_PAGE as usize || count >= MAX_FILE_ROWS {
                return Ok(text);
            }
        }
    }

    /// The payments that a filter lets through, as CSV.
    ///
    /// # Errors
    /// As [`Backend::payment_list`].
    pub async fn payments_csv(&self, search: &str) -> Result<String, AppError> {
        let viewer = self.allowed(Permission::ManageBilling)?;
        let org = self.store.org(viewer.org).await?;
        let filter = payments::Filter::new(&query::parse(search));
        let mut text = String::new();
        let heads = [
            "id",
            "begun",
            "changed",
            "for",
            "provider",
            "method",
            "currency",
            "amount",
            "given_back",
            "state",
            "dispute",
            "failure",
        ];
        line(&mut text, heads.into_iter());
        let (mut before, mut count): (Option<PaymentId>, usize) = (None, 0);
        loop {
            let page = PaymentPage { limit: FILE_PAGE, before, ..payments_of(&org, &filter)? };
            let rows = self.store.payments(org.id, page).await?;
            for row in &rows {
                line(&mut text, payment_cells(row).iter().map(String::as_str));
            }
            count += rows.len();
            before = rows.last().map(|row| row.id);
            if rows.len() < FILE_PAGE as usize || count >= MAX_FILE_ROWS {
                return Ok(text);
            }
        }
    }

    /// The Billing details page.
    ///
    /// # Errors
    /// As [`Backend::invoice_list`].
    pub async fn billing_details_shown(&self, typed: Vec<(String, String)>) -> Result<Details, AppError> {
        let viewer = self.allowed(Permission::ManageBilling)?;
        let org = self.store.org(viewer.org).await?;
        let seller = self.store.seller().await?;
        let found = self.store.billing_details(org.id).await?;
        // Until somebody says more, invoices name the org.
        let party = Party { name: org.name, ..Party::default() };
        let details = found.unwrap_or(BillingDetails { party, ..BillingDetails::default() });
        let tax = details.tax.clone().unwrap_or(seller.tax);
        Ok(Details { details, tax, operator: viewer.operator, typed: Typed::new(typed) })
    }

    /// Sets the billing details as the form says: the address of the page that says what came of it.
    ///
    /// # Errors
    /// As [`Backend::invoice_list`].
    pub async fn send_billing_details(&self, body: &str) -> Result<String, AppError> {
        let viewer = self.allowed(Permission::ManageBilling)?;
        let form = Form::parse(body);
        let done = async {
            let before = self.store.billing_details(viewer.org).await?;
            // Who pays does not choose the tax.
            let tax = if viewer.operator { own_tax(&form)? } else { before.and_then(|before| before.tax) };
            let email = Some(form.get("email").to_owned()).filter(|email| !email.is_empty());
            let new = BillingDetails { party: party(&form), email, tax };
            new.check().map_err(field_code)?;
            self.store.set_billing_details(viewer.by(), viewer.org, new).await.map_err(not_taken)
        };
        settled(done.await, &form, (details::PATH, details::FORM))
    }

    /// The Seller page.
    ///
    /// # Errors
    /// [`AppError::Refused`] for whoever is no operator, or what the store says.
    pub async fn seller_shown(&self, search: &str) -> Result<seller::Shown, AppError> {
        self.operator()?;
        Ok(seller::Shown { seller: self.store.seller().await?, typed: Typed::new(query::parse(search)) })
    }

    /// Sets the seller as the form says.
    ///
    /// # Errors
    /// As [`Backend::seller_shown`].
    pub async fn send_seller(&self, body: &str) -> Result<String, AppError> {
        let viewer = self.operator()?;
        let form = Form::parse(body);
        let done = async {
            let whole = |name: &str, code| form.get(name).parse::<u32>().map_err(|_| NotTaken::Form(code));
            let new = Seller {
                party: party(&form),
                bank: form.get("bank").replace('\r', ""),
                tax: tax(&form)?,
                grace_hours: whole("grace_hours", "bad_grace_hours")?,
                due_days: whole("due_days", "bad_due_days")?,
            };
            new.check().map_err(field_code)?;
            self.store.set_seller(viewer.by(), viewer.org, new).await.map_err(not_taken)
        };
        settled(done.await, &form, (seller::PATH, seller::FORM))
    }

    /// What money and ledger say of each other, of every org.
    ///
    /// # Errors
    /// As [`Backend::seller_shown`].
    pub async fn reconciled(&self) -> Result<reconcile::Shown, AppError> {
        self.operator()?;
        let at = super::utc_moment(self.store.now())?;
        let found = self.store.reconcile().await?;
        let mut lines = Vec::new();
        for difference in found.differences {
            let org = match difference.org {
                Some(id) => self.store.org(id).await.map(|org| (id.to_string(), org.name)).ok(),
                None => None,
            };
            lines.push(reconcile::Line { code: difference.code, org, about: difference.about, says: difference.says });
        }
        Ok(reconcile::Shown { at, compared: found.compared, lines })
    }

    /// Puts something onto the next invoice of an org, as the form of an operator says.
    ///
    /// # Errors
    /// What was wrong with it.
    pub(super) async fn adjust_invoice(&self, viewer: &super::Viewer, form: &Form) -> Result<OrgId, NotTaken> {
        let org = OrgId::parse(form.get("org")).ok_or(NotTaken::Form("stale_form"))?;
        let text = form.get("amount");
        let (sign, rest) = text.strip_prefix(['-', '\u{2212}']).map_or((1, text), |rest| (-1, rest));
        let money = Money::parse(&format!("{rest} {}", form.get("currency").to_ascii_uppercase()))?;
        let net = Money { minor: sign * money.minor, ..money };
        self.store
            .adjust_invoice(org, viewer.by(), net, form.get("reason").to_owned(), Some(form.once("operator-invoice")?))
            .await?;
        Ok(org)
    }
}

fn page_of(filter: &Filter) -> InvoicePage {
    InvoicePage { state: filter.state, year: filter.year, before: filter.before, limit: PAGE }
}

fn payments_of(org: &Org, filter: &payments::Filter) -> Result<PaymentPage, AppError> {
    let midnight = |day: &str, later: i64| {
        if day.is_empty() {
            return Ok(None);
        }
        let bad =
            || AppError::BadRange { problem: "A day is not complete: choose it again, or leave it out.".to_owned() };
        let day = parse_iso(day).ok_or_else(bad)?.plus_days(later);
        instant(org, &format!("{}T00:00", day.iso())).map_err(|_| bad())
    };
    Ok(PaymentPage {
        standing: Wanted::parse(&filter.state),
        from: midnight(&filter.from, 0)?,
        until: midnight(&filter.to, 1)?,
        before: filter.before,
        limit: PAGE,
    })
}

fn year(day: Day) -> i32 {
    day.iso().get(..4).and_then(|year| year.parse().ok()).unwrap_or(2000)
}

/// The first year in which an org can have been invoiced.
fn year_of(org: &Org) -> Result<i32, AppError> {
    Ok(Day::new(local(org, org.created_at)?.date()).map_or(2000, year))
}

fn moment(org: &Org, at: Timestamp) -> Result<Moment, AppError> {
    Ok(Moment::new(at, local(org, at)?))
}

fn overdue(row: &InvoiceRow, now: Timestamp) -> bool {
    row.state == State::Open && row.due_at.is_some_and(|at| at < now)
}

fn listed(org: &Org, row: &InvoiceRow, now: Timestamp) -> Result<Listed, AppError> {
    let money = |minor| Money { minor, currency: row.currency };
    let day = Day::new(local(org, row.issued_at)?.date());
    let issued = Moment { iso: row.issued_at.to_string(), text: day.map(Day::medium).unwrap_or_default() };
    Ok(Listed {
        id: row.id,
        number: row.number.clone(),
        month: month(row.month),
        issued,
        gross: money(row.gross),
        open: money(row.due.saturating_sub(row.paid).max(0)),
        state: row.state,
        overdue: overdue(row, now),
    })
}

fn payment(org: &Org, line: &PaymentLine) -> Result<Payment, AppError> {
    let paid_for = match &line.paid_for {
        PaidFor::Purchase(id, title) => (title.clone(), format!("/billing/purchases/{id}")),
        PaidFor::Invoice(id, number) => (format!("Invoice {number}"), format!("/billing/invoices/{id}")),
    };
    let by = line.method.clone().unwrap_or_else(|| provider(&line.provider).to_owned());
    let refunded = Money { minor: line.refunded, ..line.amount };
    Ok(Payment { at: moment(org, line.created_at)?, paid_for, by, amount: line.amount, refunded, state: state(line) })
}

fn provider(name: &str) -> &str {
    match name {
        "sandbox" => "Sandbox: no money moves",
        "stripe" => "Stripe",
        "bank_transfer" => "Bank transfer",
        other => other,
    }
}

fn state(line: &PaymentLine) -> (&'static str, String) {
    let (class, words) = match (line.state.as_str(), line.dispute.as_str()) {
        (_, "open") => ("warn", "Disputed"),
        (_, "lost") => ("danger", "Taken back by the bank"),
        ("succeeded", _) if line.refunded >= line.amount.minor => ("quiet", "Given back"),
        ("succeeded", _) => ("ok", "Paid"),
        ("failed", _) => ("danger", "Failed"),
        ("cancelled", _) => ("quiet", "Given up"),
        ("needs_action", _) => ("warn", "To be confirmed"),
        _ => ("quiet", "Under way"),
    };
    (class, words.to_owned())
}

fn invoice_cells(org: &Org, row: &InvoiceRow) -> Result<[String; 10], AppError> {
    let money = |minor| Money { minor, currency: row.currency }.decimal();
    let day = |at: Timestamp| Ok::<_, AppError>(local(org, at)?.date().to_string());
    Ok([
        row.number.clone().unwrap_or_default(),
        row.month.to_string(),
        row.state.as_str().to_owned(),
        day(row.issued_at)?,
        row.due_at.map(day).transpose()?.unwrap_or_default(),
        row.currency.as_str().to_owned(),
        money(row.gross),
        money(row.due),
        money(row.paid),
        row.id.to_string(),
    ])
}

fn payment_cells(line: &PaymentLine) -> [String; 12] {
    let paid_for = match &line.paid_for {
        PaidFor::Purchase(id, _) => id.to_string(),
        PaidFor::Invoice(id, _) => id.to_string(),
    };
    [
        line.id.to_string(),
        line.created_at.to_string(),
        line.changed_at.to_string(),
        paid_for,
        line.provider.clone(),
        line.method.clone().unwrap_or_default(),
        line.amount.currency.as_str().to_owned(),
        line.amount.decimal(),
        Money { minor: line.refunded, ..line.amount }.decimal(),
        line.state.clone(),
        line.dispute.clone(),
        line.failure.clone().unwrap_or_default(),
    ]
}

fn party(form: &Form) -> Party {
    let text = |name: &str| form.get(name).replace('\r', "");
    Party { name: text("name"), address: text("address"), tax_number: text("tax_number") }
}

/// The tax that a form says, its rate in percent.
fn tax(form: &Form) -> Result<Tax, NotTaken> {
    let text = Some(form.get("tax")).filter(|text| !text.is_empty()).unwrap_or("0");
    let rate = decimal::parse(text, TAX_DECIMALS).ok().and_then(|rate| u32::try_from(rate).ok());
    Ok(Tax { name: form.get("tax_name").to_owned(), millionths: rate.ok_or(NotTaken::Form("bad_tax"))? })
}

fn own_tax(form: &Form) -> Result<Option<Tax>, NotTaken> {
    if form.get("own_tax") == "own" { tax(form).map(Some) } else { Ok(None) }
}

/// The code of the sentence about the field that was not taken.
fn field_code(refusal: Refusal) -> NotTaken {
    let Refusal::BadLabel { field, .. } = &refusal else { return refusal.into() };
    NotTaken::Form(match *field {
        "name" => "bad_party",
        "address" => "bad_address",
        "tax_number" => "bad_tax_number",
        "bank" => "bad_bank",
        "tax_name" => "bad_tax_name",
        "tax" => "bad_tax",
        "grace_hours" => "bad_grace_hours",
        "due_days" => "bad_due_days",
        "email" => "bad_email",
        _ => return refusal.into(),
    })
}

fn settled(done: Result<(), NotTaken>, form: &Form, (page, id): (&str, &str)) -> Result<String, AppError> {
    match done {
        Ok(()) => Ok(format!("{page}?done=saved")),
        Err(NotTaken::Form(wrong)) => Ok(form.back_to(page, wrong, id)),
        Err(NotTaken::Store(error)) => Err(error.into()),
    }
}
