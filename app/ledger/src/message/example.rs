//! An example of what each kind of message says: for the description of the API, and for tests, which hold what is sent against it.

use super::MessageKind;

/// `data` of such a message, as JSON.
pub(super) const fn data(kind: MessageKind) -> &'static str {
    match kind {
        MessageKind::BalanceLow => {
            r#"{"available":"48.200000","held":"0.000000","debt":"0.000000","limit":"50.000000","state":"active","url":"/"}"#
        }
        MessageKind::BalanceDepleted => {
            r#"{"available":"0.000000","held":"0.000000","debt":"1.250000","state":"paused","url":"/"}"#
        }
        MessageKind::OrgPaused => r#"{"available":"0.000000","debt":"1.250000","policy":"pause","url":"/"}"#,
        MessageKind::OrgResumed => r#"{"available":"998.750000","debt":"0.000000","policy":"pause","url":"/"}"#,
        MessageKind::GrantCreated => {
            r#"{"grant":"grant_12","kind":"purchase","amount":"1000.000000","expires_at":null,"description":"1,000 credits","url":"/grants"}"#
        }
        MessageKind::GrantExpiring => {
            r#"{"grant":"grant_12","kind":"promotion","amount":"1000.000000","left":"320.500000","expires_at":"2026-12-01T00:00:00Z","url":"/grants"}"#
        }
        MessageKind::GrantExpired => {
            r#"{"grant":"grant_12","kind":"promotion","amount":"1000.000000","expired":"320.500000","expired_at":"2026-12-01T00:00:00Z","url":"/grants"}"#
        }
        MessageKind::PurchasePaid => {
            r#"{"purchase":"purchase_3","title":"1,000 credits","credits":"1000.000000","total":"99.00","currency":"USD","grant":"grant_12","url":"/billing/purchases/purchase_3"}"#
        }
        MessageKind::PurchaseFailed => {
            r#"{"purchase":"purchase_3","title":"1,000 credits","credits":"1000.000000","total":"99.00","currency":"USD","reason":"insufficient_funds","url":"/billing/purchases/purchase_3"}"#
        }
        MessageKind::InvoiceCreated => {
            r#"{"invoice":"invoice_4","number":"ACME-0004","total":"119.00","due":"119.00","currency":"EUR","due_at":"2026-12-15T00:00:00Z","url":"/billing/invoices/invoice_4"}"#
        }
        MessageKind::InvoicePaid => {
            r#"{"invoice":"invoice_4","number":"ACME-0004","total":"119.00","currency":"EUR","url":"/billing/invoices/invoice_4"}"#
        }
        MessageKind::HoldExpired => {
            r#"{"hold":"hold_7","amount":"5.000000","meter":"training","source":"api","expired_at":"2026-11-22T10:00:00Z","url":"/grants"}"#
        }
        MessageKind::AlertFired => {
            r#"{"rule":"rule_3","firing":"firing_9","kind":"balance_below","terms":{"kind":"balance_below","amount":"50.000000"},"title":"Balance below 50","detail":"","value":"48.200000","threshold":"50.000000","scope":{},"url":"/alerts/rule_3"}"#
        }
        MessageKind::AlertResolved => {
            r#"{"rule":"rule_3","firing":"firing_9","kind":"balance_below","terms":{"kind":"balance_below","amount":"50.000000"},"title":"Balance below 50","detail":"","value":"1048.200000","threshold":"50.000000","scope":{},"url":"/alerts/rule_3"}"#
        }
        MessageKind::BudgetWarned => {
            r#"{"budget":"budget_2","title":"Project atlas","used":"800.000000","limit":"1000.000000","scope":{"project":"atlas"},"url":"/alerts"}"#
        }
        MessageKind::BudgetExceeded => {
            r#"{"budget":"budget_2","title":"Project atlas","used":"1000.400000","limit":"1000.000000","paused":true,"scope":{"project":"atlas"},"url":"/alerts"}"#
        }
        MessageKind::EndpointDisabled => {
            r#"{"endpoint":"endpoint_1","title":"Billing system","host":"example.com","reason":"gone","url":"/settings/webhooks/endpoint_1"}"#
        }
        MessageKind::EndpointTest => {
            r#"{"endpoint":"endpoint_1","text":"This is a test: nothing has happened.","url":"/settings/webhooks/endpoint_1"}"#
        }
    }
}
