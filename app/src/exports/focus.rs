//! Usage and purchases in the columns of FOCUS 1.0, the FinOps foundation's format of bills. `docs/focus.md` says what each column
//! is made of, and why usage that draws on credits bought before has a cost but no bill.
//!
//! As the format asks: texts in quotes, numbers plain, `NULL` where nothing is said, times in UTC.

use super::safe_text;
use ledger::money::Currency;
use ledger::{Credits, Quantity, Timestamp};

/// The columns of FOCUS 1.0, in the order of their names, and after them ours.
pub const COLUMNS: [&str; 48] = [
    "AvailabilityZone",
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "CommitmentDiscountCategory",
    "CommitmentDiscountId",
    "CommitmentDiscountName",
    "CommitmentDiscountStatus",
    "CommitmentDiscountType",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedCost",
    "ContractedUnitPrice",
    "EffectiveCost",
    "InvoiceIssuerName",
    "ListCost",
    "ListUnitPrice",
    "PricingCategory",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "RegionId",
    "RegionName",
    "ResourceId",
    "ResourceName",
    "ResourceType",
    "ServiceCategory",
    "ServiceName",
    "SkuId",
    "SkuPriceId",
    "SubAccountId",
    "SubAccountName",
    "Tags",
    "x_Calls",
    "x_CreditType",
    "x_CreditUnit",
    "x_Credits",
    "x_Source",
];
/// Decimals of costs and prices that are worked out.
const DECIMALS: u32 = 10;

/// What a credit costs: so many minor units of a currency for so many micro-credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    /// Of which currency.
    pub currency: Currency,
    /// Minor units paid.
    pub minor: i128,
    /// Micro-credits that were given for them.
    pub micros: i128,
}

impl Price {
    /// What that many micro-credits cost, in 10^-10 of the currency, rounded half away from zero; `None` where nobody paid yet,
    /// or where it does not fit.
    #[must_use]
    pub fn of(&self, micros: i128) -> Option<i128> {
        let unit = 10_i128.pow(DECIMALS - self.currency.decimals());
        let product = micros.checked_mul(self.minor)?.checked_mul(unit)?;
        let half = if product < 0 { -self.micros / 2 } else { self.micros / 2 };
        product.checked_add(half)?.checked_div(self.micros)
    }
}

/// Whose bill it is, and in whose words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    /// The org.
    pub account: (String, String),
    /// Who runs this installation, by the product's name.
    pub issuer: String,
    /// What a credit is called.
    pub unit: String,
    /// What it costs.
    pub price: Price,
}

/// What a row is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Charge {
    /// Usage of one credit type by one source in one project.
    Usage {
        /// Name, title, unit and service of the credit type.
        meter: [String; 4],
        /// Where the credits were spent.
        source: String,
        /// Id and name.
        project: Option<(String, String)>,
        /// How much.
        quantity: Option<Quantity>,
        /// Calls.
        calls: i64,
    },
    /// Credits that were bought: the number of the grant, what it says, and minor units paid.
    Purchase(String, String, i64),
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// From the first instant to before the last.
    pub period: (Timestamp, Timestamp),
    /// The billing cycle that it begins in.
    pub cycle: (Timestamp, Timestamp),
    /// Used or bought.
    pub credits: Credits,
    /// What it is about.
    pub charge: Charge,
}

/// The first line.
#[must_use]
pub fn head() -> String {
    let names: Vec<String> = COLUMNS.iter().map(|name| format!("\"{name}\"")).collect();
    format!("{}\r\n", names.join(","))
}

/// A line.
pub fn row(text: &mut String, bill: &Bill, row: &Row) {
    let cells: Vec<String> = COLUMNS.iter().map(|column| cell(bill, row, column)).collect();
    text.push_str(&cells.join(","));
    text.push_str("\r\n");
}

fn cell(bill: &Bill, row: &Row, column: &str) -> String {
    let price = (bill.price.minor > 0 && bill.price.micros > 0).then_some(bill.price);
    let cost = |micros: i128| decimal(price.and_then(|price| price.of(micros)).unwrap_or(0));
    let micros = i128::from(row.credits.micros());
    match column {
        "BillingAccountId" => text(&bill.account.0),
        "BillingAccountName" => text(&bill.account.1),
        "BillingCurrency" => text(bill.price.currency.as_str()),
        "BillingPeriodStart" => time(row.cycle.0),
        "BillingPeriodEnd" => time(row.cycle.1),
        "ChargePeriodStart" => time(row.period.0),
        "ChargePeriodEnd" => time(row.period.1),
        "InvoiceIssuerName" | "ProviderName" | "PublisherName" => text(&bill.issuer),
        "PricingCategory" => text("Standard"),
        "PricingQuantity" | "x_Credits" => row.credits.to_string(),
        "PricingUnit" | "x_CreditUnit" => text(&bill.unit),
        "ServiceCategory" => text("Other"),
        _ => match &row.charge {
            Charge::Usage { meter, source, project, quantity, calls } => match column {
                "BilledCost" => decimal(0),
                "ContractedCost" | "EffectiveCost" | "ListCost" => cost(micros),
                "ContractedUnitPrice" | "ListUnitPrice" => {
                    price.and_then(|price| price.of(1_000_000)).map_or_else(null, decimal)
                }
                "ChargeCategory" => text("Usage"),
                "ChargeDescription" => text(&described(&meter[1], source, project.as_ref())),
                "ChargeFrequency" => text("Usage-Based"),
                "ConsumedQuantity" => quantity.map_or_else(null, |quantity| quantity.to_string()),
                "ConsumedUnit" => quantity.map_or_else(null, |_| text(or(&meter[2], "Units"))),
                "ServiceName" => text(or(&meter[3], &meter[1])),
                "SkuId" | "SkuPriceId" => text(&meter[0]),
                "SubAccountId" => project.as_ref().map_or_else(null, |(id, _)| text(id)),
                "SubAccountName" => project.as_ref().map_or_else(null, |(_, name)| text(name)),
                "Tags" => text(&serde_json::json!({"source": source}).to_string()),
                "x_Calls" => calls.to_string(),
                "x_CreditType" => text(&meter[1]),
                "x_Source" => text(source),
                _ => null(),
            },
            Charge::Purchase(grant, description, minor) => match column {
                "BilledCost" | "ContractedCost" | "ListCost" => {
                    decimal(i128::from(*minor) * 10_i128.pow(DECIMALS - bill.price.currency.decimals()))
                }
                "EffectiveCost" => decimal(0),
                "ChargeCategory" => text("Purchase"),
                "ChargeDescription" => text(or(description, grant)),
                "ChargeFrequency" => text("One-Time"),
                "ServiceName" => text(&bill.issuer),
                "SkuId" | "SkuPriceId" => text(grant),
                _ => null(),
            },
        },
    }
}

fn described(title: &str, source: &str, project: Option<&(String, String)>) -> String {
    let project = project.map_or(String::new(), |(_, name)| format!(" in {name}"));
    format!("{title} from {source}{project}")
}

fn or<'t>(text: &'t str, other: &'t str) -> &'t str {
    if text.is_empty() { other } else { text }
}

fn null() -> String {
    "NULL".to_owned()
}

/// In quotes, whatever it is; what a spreadsheet would run as a formula is neutralised.
fn text(text: &str) -> String {
    format!("\"{}\"", safe_text(text).replace('"', "\"\""))
}

/// `"2026-11-01T00:00:00Z"`: whole seconds, as the format asks.
fn time(at: Timestamp) -> String {
    let whole = Timestamp::from_micros(at.micros().div_euclid(1_000_000) * 1_000_000);
    format!("\"{whole}\"")
}

/// So many 10^-10 with all their decimals.
fn decimal(scaled: i128) -> String {
    let (unit, sign) = (10_u128.pow(DECIMALS), if scaled < 0 { "-" } else { "" });
    let size = scaled.unsigned_abs();
    format!("{sign}{}.{:010}", size / unit, size % unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_exact_to_its_last_decimal() {
        let price = |code, minor, micros| Price { currency: Currency::parse(code).expect("a currency"), minor, micros };
        // 10.00 EUR for 3 credits.
        assert_eq!(price("EUR", 1_000, 3_000_000).of(1_000_000).map(decimal).as_deref(), Some("3.3333333333"));
        assert_eq!(price("EUR", 1_000, 3_000_000).of(-2_000_000).map(decimal).as_deref(), Some("-6.6666666667"));
        assert_eq!(price("JPY", 500, 1_000_000).of(3).map(decimal).as_deref(), Some("0.0015000000"));
        assert_eq!(price("EUR", 0, 0).of(1), None, "nobody paid");
        assert_eq!(price("EUR", i128::MAX, 1).of(2), None);
    }

    #[test]
    fn columns_stand_in_the_order_of_their_names_and_ours_after_them() {
        let (standard, ours) = COLUMNS.split_at(43);
        assert!(standard.is_sorted() && ours.is_sorted() && ours.iter().all(|name| name.starts_with("x_")));
    }
}
