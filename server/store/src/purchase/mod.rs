//! Orders of credits. A purchase is opened with what it costs, tax included, and stands until a payment for it has succeeded:
//! only then credits are given, in the transaction that hears of it, and once ([`Tx::pay`]). The price is the one at which it
//! was opened, whatever is offered or taxed by the time it is paid.

pub mod paid;

use crate::Store;
use crate::audit::{By, Change};
use crate::error::StoreError;
use crate::grant::NewGrant;
use crate::invoice::item::{NewItem, Of};
use crate::once::{Done, Once};
use crate::payment::{self, For, NewPayment, PaymentRow};
use crate::rows::unreadable;
use crate::tx::Tx;
use crate::{outbox, package, seller};
use ledger::package::NoSale;
use ledger::payment::Provider;
use ledger::{
    Credits, Currency, GrantId, GrantKind, MessageKind, MethodId, Money, OrgId, PackageId, PaymentId, PurchaseId,
    Timestamp,
};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::{Value, json};

/// Purchases on one page, at most: those of a page of the API, and one that says whether there are more.
pub const MAX_PAGE: u32 = 101;

macro_rules! columns {
    ($more:literal) => {
        concat!(
            "SELECT purchase_id, package_id, title, credits, net_minor, tax_minor, tax_name, currency, cause, made_at, made_by,
             paid_at, paid_by, closed_at, grant_id, org_id FROM purchase ",
            $more
        )
    };
}
const SELECT: &str = columns!("WHERE org_id = ?1");

/// What made somebody buy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// A person of the org.
    Person,
    /// Auto top-up.
    TopUp,
    /// An operator, for the org.
    Operator,
}

impl Cause {
    const ALL: [Self; 3] = [Self::Person, Self::TopUp, Self::Operator];

    /// Its name in tables and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::TopUp => "top_up",
            Self::Operator => "operator",
        }
    }
}

/// What is to be bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewPurchase {
    /// Which package.
    pub package: PackageId,
    /// How many credits, for a custom amount and only then.
    pub credits: Option<Credits>,
    /// What made somebody buy.
    pub cause: Cause,
}

/// What something costs, before anybody buys it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// What it is called.
    pub title: String,
    /// How many credits it gives.
    pub credits: Credits,
    /// Without tax.
    pub net: Money,
    /// The tax.
    pub tax: Money,
    /// What the tax is called; empty where there is none.
    pub tax_name: String,
}

impl Quote {
    /// What is to be paid.
    ///
    /// # Errors
    /// [`NoSale::TooDear`].
    pub fn gross(&self) -> Result<Money, NoSale> {
        let minor = self.net.minor.checked_add(self.tax.minor).ok_or(NoSale::TooDear)?;
        Ok(Money { minor, ..self.net })
    }
}

/// An order of credits, and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purchase {
    /// Its number within the org.
    pub id: PurchaseId,
    /// Which package.
    pub package: PackageId,
    /// What it is, and what it costs.
    pub quote: Quote,
    /// What made somebody buy.
    pub cause: Cause,
    /// When it was opened.
    pub made_at: Timestamp,
    /// By whom.
    pub made_by: String,
    /// When the money was there, and the credits.
    pub paid_at: Option<Timestamp>,
    /// The payment that paid for it.
    pub paid_by: Option<PaymentId>,
    /// When it was given up.
    pub closed_at: Option<Timestamp>,
    /// What it gave.
    pub grant: Option<GrantId>,
}

impl Store {
    /// What something costs an org now, tax included.
    ///
    /// # Errors
    /// [`NoSale`], [`StoreError::NotFound`].
    pub async fn quote(&self, org: OrgId, package: PackageId, credits: Option<Credits>) -> Result<Quote, StoreError> {
        self.read(move |conn| quote(conn, org, package, credits)).await
    }

    /// Opens a purchase and an attempt to be paid for it. The provider is asked afterwards.
    ///
    /// # Errors
    /// [`NoSale`], [`StoreError::NotFound`], also for the payment method.
    pub async fn buy(
        &self,
        org: OrgId,
        by: By,
        new: NewPurchase,
        (provider, method): (Provider, Option<MethodId>),
        once: Option<Once>,
    ) -> Result<Done<(PurchaseId, PaymentId)>, StoreError> {
        let open = move |tx: &mut Tx<'_>| {
            let (purchase, amount) = tx.open_purchase(org, &by, &new)?;
            let payment = NewPayment { of: For::Purchase(purchase), provider: provider.as_str(), method, amount };
            Ok((purchase, tx.open_payment(org, &payment)?))
        };
        let run = move |tx: &mut Tx<'_>| tx.once(org, once.as_ref(), &open);
        self.writer().call(0, run).await
    }

    /// One more attempt to be paid for a purchase whose attempts so far came to nothing.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], also where it is paid; [`StoreError::Conflict`] while an attempt is under way.
    pub async fn buy_again(
        &self,
        org: OrgId,
        purchase: PurchaseId,
        (provider, method): (Provider, Option<MethodId>),
    ) -> Result<PaymentId, StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            tx.org(org)?;
            let found = find(tx.conn, org, purchase)?;
            if found.paid_at.is_some() {
                return Err(StoreError::NotFound("open purchase"));
            }
            if payment::of_purchase(tx.conn, org, purchase)?.iter().any(|payment| !payment.stands.state.is_over()) {
                return Err(StoreError::Conflict("purchase"));
            }
            let reopen = "UPDATE purchase SET closed_at = NULL WHERE org_id = ?1 AND purchase_id = ?2";
            tx.conn.prepare_cached(reopen)?.execute([org.0, purchase.0])?;
            let amount = found.quote.gross()?;
            let payment = NewPayment { of: For::Purchase(purchase), provider: provider.as_str(), method, amount };
            tx.open_payment(org, &payment)
        };
        self.writer().call(0, run).await
    }

    /// One purchase, and the attempts to be paid for it, oldest first.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn purchase(&self, org: OrgId, id: PurchaseId) -> Result<(Purchase, Vec<PaymentRow>), StoreError> {
        self.read(move |conn| Ok((find(conn, org, id)?, payment::of_purchase(conn, org, id)?))).await
    }

    /// A page of purchases, newest first: those before one, if so asked.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn purchases(
        &self,
        org: OrgId,
        before: Option<PurchaseId>,
        limit: u32,
    ) -> Result<Vec<Purchase>, StoreError> {
        let run = move |conn: &Connection| {
            let sql = format!("{SELECT} AND purchase_id < ?2 ORDER BY purchase_id DESC LIMIT ?3");
            let mut select = conn.prepare_cached(&sql)?;
            let values = params![org.0, before.map_or(i64::MAX, |id| id.0), limit.min(MAX_PAGE)];
            let rows = select.query_map(values, |row| Ok(purchase(row)))?;
            rows.map(|row| row?).collect()
        };
        self.read(run).await
    }
}

impl Store {
    /// The newest purchases of all orgs, for operators.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn newest_purchases(&self, limit: u32) -> Result<Vec<(OrgId, Purchase)>, StoreError> {
        let run = move |conn: &Connection| {
            let sql = columns!("ORDER BY made_at DESC, org_id, purchase_id DESC LIMIT ?1");
            let mut select = conn.prepare_cached(sql)?;
            let rows = select.query_map([limit.min(MAX_PAGE)], |row| Ok((OrgId(row.get(15)?), purchase(row))))?;
            rows.map(|row| row.map_err(StoreError::from).and_then(|(org, purchase)| Ok((org, purchase?)))).collect()
        };
        self.read(run).await
    }
}

impl Tx<'_> {
    /// Opens a purchase at today's price and tax: its number, and what is to be paid. Who calls opens the payment.
    pub(crate) fn open_purchase(
        &mut self,
        org: OrgId,
        by: &By,
        new: &NewPurchase,
    ) -> Result<(PurchaseId, Money), StoreError> {
        self.org(org)?;
        let quote = quote(self.conn, org, new.package, new.credits)?;
        let gross = quote.gross()?;
        let sql =
            "INSERT INTO purchase (org_id, purchase_id, package_id, title, credits, net_minor, tax_minor, tax_name,
                                         currency, cause, made_at, made_by)
             SELECT ?1, coalesce(max(purchase_id), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11
             FROM purchase WHERE org_id = ?1 RETURNING purchase_id";
        let id = self.conn.prepare_cached(sql)?.query_row(
            params![
                org.0,
                new.package.0,
                quote.title,
                quote.credits.micros(),
                quote.net.minor,
                quote.tax.minor,
                quote.tax_name,
                quote.net.currency.as_str(),
                new.cause.as_str(),
                self.now().micros(),
                by.actor,
            ],
            |row| row.get(0).map(PurchaseId),
        )?;
        let after = json!({"title": quote.title, "credits": quote.credits.to_string(), "total": gross.to_string()});
        let change = Change { action: "purchase.open", target: id.to_string(), before: None, after: Some(after) };
        self.note(org, by, change)?;
        Ok((id, gross))
    }

    /// A payment for a purchase has succeeded: gives what was bought, and puts it down to be invoiced. `false` where
    /// another payment did that before: this one is too much.
    pub(crate) fn pay(&mut self, org: OrgId, id: PurchaseId, by: PaymentId) -> Result<bool, StoreError> {
        let purchase = find(self.conn, org, id)?;
        if purchase.paid_at.is_some() {
            return Ok(false);
        }
        let Quote { title, credits, net, tax, tax_name } = purchase.quote;
        let new = NewGrant { cost: Some(net), ..NewGrant::of(GrantKind::Purchase, credits, &title) };
        let grant = self.give_grant(org, &by.to_string(), &new)?;
        let now = self.now();
        let sql = "UPDATE purchase SET paid_at = ?3, grant_id = ?4, paid_by = ?5, closed_at = NULL
             WHERE org_id = ?1 AND purchase_id = ?2";
        self.conn.prepare_cached(sql)?.execute(params![org.0, id.0, now.micros(), grant.id.0, by.0])?;
        let item = NewItem { of: Of::Purchase(id), description: title, net, tax: Some((tax.minor, tax_name)) };
        self.add_item(org, &item)?;
        let mut data = about(&find(self.conn, org, id)?)?;
        data["grant"] = json!(grant.id.to_string());
        self.tell_all(org, MessageKind::PurchasePaid, &data)?;
        Ok(true)
    }

    /// A payment of a purchase failed.
    pub(crate) fn announce_failure(&mut self, org: OrgId, id: PurchaseId, reason: &str) -> Result<(), StoreError> {
        let mut data = about(&find(self.conn, org, id)?)?;
        data["reason"] = json!(reason);
        self.tell_all(org, MessageKind::PurchaseFailed, &data)
    }

    /// A purchase is given up. One that is paid all the same is opened again by that.
    pub(crate) fn close_purchase(&mut self, org: OrgId, id: PurchaseId) -> Result<(), StoreError> {
        let sql = "UPDATE purchase SET closed_at = ?3
             WHERE org_id = ?1 AND purchase_id = ?2 AND paid_at IS NULL AND closed_at IS NULL";
        self.conn.prepare_cached(sql)?.execute(params![org.0, id.0, self.now().micros()])?;
        Ok(())
    }
}

/// What messages say of a purchase.
fn about(of: &Purchase) -> Result<Value, StoreError> {
    let gross = of.quote.gross()?;
    Ok(json!({"purchase": of.id.to_string(), "title": of.quote.title, "credits": of.quote.credits.to_string(),
        "total": outbox::decimal(gross), "currency": gross.currency.as_str(), "url": format!("/billing/purchases/{}", of.id)}))
}

/// What something costs an org now.
pub(crate) fn quote(
    conn: &Connection,
    org: OrgId,
    id: PackageId,
    credits: Option<Credits>,
) -> Result<Quote, StoreError> {
    let package = package::for_sale(conn, org, id)?;
    let (credits, net) = package.terms.sell(credits)?;
    let tax = seller::tax(conn, org)?;
    let quote = Quote { title: package.title, credits, net, tax: tax.on(net)?, tax_name: tax.title() };
    quote.gross()?;
    Ok(quote)
}

pub(crate) fn find(conn: &Connection, org: OrgId, id: PurchaseId) -> Result<Purchase, StoreError> {
    let sql = format!("{SELECT} AND purchase_id = ?2");
    let found = conn.prepare_cached(&sql)?.query_row([org.0, id.0], |row| Ok(purchase(row))).optional()?;
    found.ok_or(StoreError::NotFound("purchase"))?
}

fn purchase(row: &Row<'_>) -> Result<Purchase, StoreError> {
    let currency = Currency::parse(&row.get::<_, String>(7)?)?;
    let cause: String = row.get(8)?;
    let at = |column: usize| row.get::<_, Option<i64>>(column).map(|at| at.map(Timestamp::from_micros));
    Ok(Purchase {
        id: PurchaseId(row.get(0)?),
        package: PackageId(row.get(1)?),
        quote: Quote {
            title: row.get(2)?,
            credits: Credits::from_micros(row.get(3)?),
            net: Money { minor: row.get(4)?, currency },
            tax: Money { minor: row.get(5)?, currency },
            tax_name: row.get(6)?,
        },
        cause: Cause::ALL
            .into_iter()
            .find(|known| known.as_str() == cause)
            .ok_or_else(|| unreadable("cause of a purchase"))?,
        made_at: Timestamp::from_micros(row.get(9)?),
        made_by: row.get(10)?,
        paid_at: at(11)?,
        paid_by: row.get::<_, Option<i64>>(12)?.map(PaymentId),
        closed_at: at(13)?,
        grant: row.get::<_, Option<i64>>(14)?.map(GrantId),
    })
}
