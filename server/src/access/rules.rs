//! The table: every route with what it needs, and every function of the server that pages call.

use super::{Need, Rule};
use ledger::Permission;
use store::Scope;

const fn rule(method: &'static str, path: &'static str, need: Need) -> Rule {
    Rule { method, path, need }
}

/// Reserving for work and charging for it is what the services do that report usage; giving credits is not.
const WORK: Need = Need::ProjectKey(&[Scope::EventsWrite, Scope::LedgerWrite]);
const WORK_READ: Need = Need::ProjectKey(&[Scope::EventsWrite, Scope::LedgerRead]);

/// Every route.
pub const RULES: &[Rule] = &[
    // The API. Reading usage and events is one right; reading and writing the ledger are others.
    rule("POST", "/api/v1/events", Need::ProjectKey(&[Scope::EventsWrite])),
    rule("GET", "/api/v1/events", Need::Key(&[Scope::UsageRead])),
    rule("GET", "/api/v1/events/{id}", Need::ProjectKey(&[Scope::UsageRead])),
    rule("GET", "/api/v1/usage", Need::ProjectKey(&[Scope::UsageRead])),
    // On whose behalf is said by what reports usage; of any project, since an interaction may be in several.
    rule("GET", "/api/v1/interactions", Need::ProjectKey(&[Scope::UsageRead])),
    rule("GET", "/api/v1/interactions/{id}", Need::ProjectKey(&[Scope::UsageRead])),
    rule("PUT", "/api/v1/interactions", Need::Key(&[Scope::EventsWrite])),
    rule("PUT", "/api/v1/interactions/{id}", Need::Key(&[Scope::EventsWrite])),
    rule("GET", "/api/v1/users", Need::ProjectKey(&[Scope::UsageRead])),
    rule("GET", "/api/v1/tenants", Need::ProjectKey(&[Scope::UsageRead])),
    rule("GET", "/api/v1/runs", Need::ProjectKey(&[Scope::UsageRead])),
    rule("GET", "/api/v1/runs/{id}", Need::ProjectKey(&[Scope::UsageRead])),
    // A workflow may have usage of several projects: what it is called is of none alone.
    rule("GET", "/api/v1/workflows", Need::ProjectKey(&[Scope::UsageRead])),
    rule("GET", "/api/v1/workflows/{id}", Need::Key(&[Scope::UsageRead])),
    rule("PUT", "/api/v1/workflows/{id}", Need::Key(&[Scope::EventsWrite])),
    rule("GET", "/api/v1/balance", Need::Key(&[Scope::LedgerRead])),
    // Asking posts nothing.
    rule("POST", "/api/v1/authorize", WORK_READ),
    rule("GET", "/api/v1/holds", Need::Key(&[Scope::EventsWrite, Scope::LedgerRead])),
    rule("POST", "/api/v1/holds", WORK),
    rule("GET", "/api/v1/holds/{id}", WORK_READ),
    rule("POST", "/api/v1/holds/{id}/capture", WORK),
    rule("POST", "/api/v1/holds/{id}/release", WORK),
    rule("POST", "/api/v1/holds/{id}/extend", WORK),
    rule("GET", "/api/v1/subscription", Need::Key(&[Scope::LedgerRead])),
    rule("GET", "/api/v1/plans", Need::Key(&[Scope::LedgerRead])),
    rule("GET", "/api/v1/grants", Need::Key(&[Scope::LedgerRead])),
    rule("POST", "/api/v1/grants", Need::Key(&[Scope::LedgerWrite])),
    rule("GET", "/api/v1/grants/{id}", Need::Key(&[Scope::LedgerRead])),
    rule("POST", "/api/v1/corrections", Need::Key(&[Scope::LedgerWrite])),
    rule("GET", "/api/v1/rate-cards", Need::Key(&[Scope::LedgerRead])),
    rule("PUT", "/api/v1/rate-cards", Need::Key(&[Scope::LedgerWrite])),
    rule("GET", "/api/v1/rate-cards/{version}", Need::Key(&[Scope::LedgerRead])),
    rule("GET", "/api/v1/ledger", Need::Key(&[Scope::LedgerRead])),
    rule("GET", "/api/v1/ledger/{id}", Need::Key(&[Scope::LedgerRead])),
    rule("GET", "/api/v1/ledger/proof/{event}", Need::Key(&[Scope::LedgerRead])),
    rule("GET", "/api/v1/invoices", Need::Key(&[Scope::LedgerRead])),
    rule("GET", "/api/v1/invoices/{id}", Need::Key(&[Scope::LedgerRead])),
    rule("GET", "/api/v1/invoices/{id}/pdf", Need::Key(&[Scope::LedgerRead])),
    rule("GET", "/api/v1/payments", Need::Key(&[Scope::LedgerRead])),
    rule("GET", "/api/v1/purchases", Need::Key(&[Scope::LedgerRead])),
    // What would have fired is read, though it is asked for with a body.
    rule("GET", "/api/v1/alerts", Need::Key(&[Scope::AlertsWrite, Scope::LedgerRead])),
    rule("POST", "/api/v1/alerts", Need::Key(&[Scope::AlertsWrite])),
    rule("GET", "/api/v1/alerts/history", Need::Key(&[Scope::AlertsWrite, Scope::LedgerRead])),
    rule("POST", "/api/v1/alerts/simulate", Need::Key(&[Scope::AlertsWrite, Scope::LedgerRead])),
    rule("GET", "/api/v1/alerts/{id}", Need::Key(&[Scope::AlertsWrite, Scope::LedgerRead])),
    rule("PUT", "/api/v1/alerts/{id}", Need::Key(&[Scope::AlertsWrite])),
    rule("DELETE", "/api/v1/alerts/{id}", Need::Key(&[Scope::AlertsWrite])),
    rule("POST", "/api/v1/alerts/{id}/snooze", Need::Key(&[Scope::AlertsWrite])),
    rule("POST", "/api/v1/alerts/{id}/mute", Need::Key(&[Scope::AlertsWrite])),
    rule("POST", "/api/v1/alerts/{id}/acknowledge", Need::Key(&[Scope::AlertsWrite])),
    rule("GET", "/api/v1/budgets", Need::Key(&[Scope::AlertsWrite, Scope::LedgerRead])),
    rule("POST", "/api/v1/budgets", Need::Key(&[Scope::AlertsWrite])),
    rule("GET", "/api/v1/budgets/{id}", Need::Key(&[Scope::AlertsWrite, Scope::LedgerRead])),
    rule("PUT", "/api/v1/budgets/{id}", Need::Key(&[Scope::AlertsWrite])),
    rule("DELETE", "/api/v1/budgets/{id}", Need::Key(&[Scope::AlertsWrite])),
    rule("GET", "/api/v1/keys", Need::Key(&[Scope::Admin])),
    rule("POST", "/api/v1/keys", Need::Key(&[Scope::Admin])),
    rule("GET", "/api/v1/keys/{id}", Need::Key(&[Scope::Admin])),
    rule("DELETE", "/api/v1/keys/{id}", Need::Key(&[Scope::Admin])),
    rule("POST", "/api/v1/keys/{id}/rotate", Need::Key(&[Scope::Admin])),
    // What is sent where, with secrets that sign: as keys are.
    rule("GET", "/api/v1/webhook-endpoints", Need::Key(&[Scope::AlertsWrite])),
    rule("POST", "/api/v1/webhook-endpoints", Need::Key(&[Scope::AlertsWrite])),
    rule("GET", "/api/v1/webhook-endpoints/{id}", Need::Key(&[Scope::AlertsWrite])),
    rule("PUT", "/api/v1/webhook-endpoints/{id}", Need::Key(&[Scope::AlertsWrite])),
    rule("DELETE", "/api/v1/webhook-endpoints/{id}", Need::Key(&[Scope::AlertsWrite])),
    rule("POST", "/api/v1/webhook-endpoints/{id}/rotate-secret", Need::Key(&[Scope::AlertsWrite])),
    rule("POST", "/api/v1/webhook-endpoints/{id}/enable", Need::Key(&[Scope::AlertsWrite])),
    rule("POST", "/api/v1/webhook-endpoints/{id}/disable", Need::Key(&[Scope::AlertsWrite])),
    rule("POST", "/api/v1/webhook-endpoints/{id}/test", Need::Key(&[Scope::AlertsWrite])),
    rule("GET", "/api/v1/webhook-endpoints/{id}/deliveries", Need::Key(&[Scope::AlertsWrite])),
    rule("GET", "/api/v1/deliveries/{id}", Need::Key(&[Scope::AlertsWrite])),
    rule("POST", "/api/v1/deliveries/{id}/redeliver", Need::Key(&[Scope::AlertsWrite])),
    // Its description, and the page to read it.
    rule("GET", "/api/openapi.json", Need::Nothing),
    rule("GET", "/api/docs", Need::Nothing),
    rule("GET", "/api/docs/", Need::Nothing),
    rule("GET", "/api/docs/{*rest}", Need::Nothing),
    // Pages, and what they ask the server for.
    rule("GET", "/", Need::May(Permission::SeeUsage)),
    rule("GET", "/analytics", Need::May(Permission::SeeUsage)),
    // Whoever sees usage keeps views of it; whose they are is checked by the store.
    rule("POST", "/analytics/views", Need::May(Permission::SeeUsage)),
    // On whose behalf.
    rule("GET", "/customers", Need::May(Permission::SeeUsage)),
    rule("GET", "/customers/tenants", Need::May(Permission::SeeUsage)),
    rule("GET", "/customers/interactions", Need::May(Permission::SeeUsage)),
    rule("GET", "/interactions/{id}", Need::May(Permission::SeeUsage)),
    // For whom usage counts changes every sum by user and tenant: a matter of those who run the org.
    rule("POST", "/customers/interactions", Need::May(Permission::ManageSettings)),
    rule("POST", "/interactions/{id}", Need::May(Permission::ManageSettings)),
    rule("GET", "/users/{id}", Need::May(Permission::SeeUsage)),
    rule("GET", "/tenants/{id}", Need::May(Permission::SeeUsage)),
    rule("GET", "/usage", Need::May(Permission::SeeUsage)),
    rule("GET", "/runs/{id}", Need::May(Permission::SeeUsage)),
    rule("GET", "/workflows", Need::May(Permission::SeeUsage)),
    rule("GET", "/workflows/{id}", Need::May(Permission::SeeUsage)),
    rule("POST", "/workflows/{id}", Need::May(Permission::ManageSettings)),
    rule("GET", "/search", Need::May(Permission::SeeUsage)),
    rule("GET", "/search.json", Need::May(Permission::SeeUsage)),
    // Everybody sees what is watched; who sets it up is another right.
    rule("GET", "/alerts", Need::May(Permission::SeeUsage)),
    rule("GET", "/alerts/new", Need::May(Permission::ManageAlerts)),
    rule("POST", "/alerts/new", Need::May(Permission::ManageAlerts)),
    rule("GET", "/alerts/{id}", Need::May(Permission::SeeUsage)),
    rule("POST", "/alerts/{id}", Need::May(Permission::ManageAlerts)),
    rule("GET", "/alerts/budgets/new", Need::May(Permission::ManageAlerts)),
    rule("POST", "/alerts/budgets/new", Need::May(Permission::ManageAlerts)),
    rule("GET", "/alerts/budgets/{id}", Need::May(Permission::SeeUsage)),
    rule("POST", "/alerts/budgets/{id}", Need::May(Permission::ManageAlerts)),
    rule("GET", "/projects", Need::May(Permission::SeeUsage)),
    rule("GET", "/reports", Need::May(Permission::SeeUsage)),
    // Buying, and how it is paid.
    rule("GET", "/billing", Need::May(Permission::ManageBilling)),
    rule("GET", "/billing/plan", Need::May(Permission::ManageBilling)),
    rule("POST", "/billing/plan", Need::May(Permission::ManageBilling)),
    rule("GET", "/billing/top-up", Need::May(Permission::ManageBilling)),
    rule("POST", "/billing/top-up", Need::May(Permission::ManageBilling)),
    rule("GET", "/billing/purchase", Need::May(Permission::ManageBilling)),
    rule("POST", "/billing/purchase", Need::May(Permission::ManageBilling)),
    rule("GET", "/billing/purchases", Need::May(Permission::ManageBilling)),
    rule("GET", "/billing/purchases/{id}", Need::May(Permission::ManageBilling)),
    rule("POST", "/billing/purchases/{id}", Need::May(Permission::ManageBilling)),
    rule("GET", "/billing/methods", Need::May(Permission::ManageBilling)),
    rule("POST", "/billing/methods", Need::May(Permission::ManageBilling)),
    // The sandbox plays a provider; whose payment it is, its handlers check.
    rule("GET", "/billing/sandbox/{reference}", Need::May(Permission::ManageBilling)),
    rule("POST", "/billing/sandbox/{reference}", Need::May(Permission::ManageBilling)),
    // Messages of providers: opened by their signatures, which the handler checks before it reads them.
    rule("POST", "/webhooks/{provider}", Need::Nothing),
    // What was charged and paid is for those who buy.
    rule("GET", "/billing/invoices", Need::May(Permission::ManageBilling)),
    rule("GET", "/billing/invoices/{id}", Need::May(Permission::ManageBilling)),
    rule("POST", "/billing/invoices/{id}", Need::May(Permission::ManageBilling)),
    rule("GET", "/billing/invoices/{id}/pdf", Need::May(Permission::ManageBilling)),
    rule("GET", "/billing/payments", Need::May(Permission::ManageBilling)),
    rule("GET", "/billing/details", Need::May(Permission::ManageBilling)),
    rule("POST", "/billing/details", Need::May(Permission::ManageBilling)),
    rule("GET", "/exports/invoices.csv", Need::May(Permission::ManageBilling)),
    rule("GET", "/exports/payments.csv", Need::May(Permission::ManageBilling)),
    rule("GET", "/grants", Need::May(Permission::SeeLedger)),
    // Operators only, which the handlers check: whoever is signed out goes to sign in instead of losing the page.
    rule("POST", "/grants", Need::Page),
    rule("POST", "/grants/adjust", Need::Page),
    rule("GET", "/ledger", Need::May(Permission::SeeLedger)),
    rule("GET", "/rate-card", Need::May(Permission::SeeLedger)),
    // Trying a card out writes nothing and is everybody's; laying one down is checked by the handler.
    rule("POST", "/rate-card", Need::May(Permission::SeeLedger)),
    rule("GET", "/events/{id}", Need::May(Permission::SeeUsage)),
    // The page of an event is where a correction goes, so that signing in leads back to it.
    rule("POST", "/events/{id}", Need::Page),
    // Help is for whoever works with the org; sending a call asks in its handler for the right to manage keys.
    rule("GET", "/help/{text}", Need::Page),
    rule("GET", "/help/api", Need::Page),
    rule("POST", "/help/api", Need::May(Permission::ManageKeys)),
    rule("GET", "/settings", Need::Page),
    rule("GET", "/settings/keys", Need::May(Permission::ManageKeys)),
    rule("POST", "/settings/keys", Need::May(Permission::ManageKeys)),
    // Messages: one's own, and where those of the org go. Who ends mails by the link in one needs its signature, and nothing else.
    rule("GET", "/notifications", Need::Page),
    rule("POST", "/notifications", Need::Page),
    rule("GET", "/settings/notifications", Need::Page),
    rule("POST", "/settings/notifications", Need::Page),
    rule("GET", "/unsubscribe", Need::Nothing),
    rule("POST", "/unsubscribe", Need::Nothing),
    rule("GET", "/settings/webhooks", Need::May(Permission::ManageSettings)),
    rule("POST", "/settings/webhooks", Need::May(Permission::ManageSettings)),
    rule("GET", "/settings/webhooks/{id}", Need::May(Permission::ManageSettings)),
    rule("POST", "/settings/webhooks/{id}", Need::May(Permission::ManageSettings)),
    rule("GET", "/settings/webhooks/{id}/{delivery}", Need::May(Permission::ManageSettings)),
    rule("POST", "/settings/webhooks/{id}/{delivery}", Need::May(Permission::ManageSettings)),
    rule("GET", "/settings/audit", Need::May(Permission::SeeAudit)),
    rule("GET", "/settings/organization", Need::May(Permission::ManageSettings)),
    rule("POST", "/settings/organization", Need::May(Permission::ManageSettings)),
    // Words of the org are for those who may change its settings, those of the installation for operators: by the form.
    rule("GET", "/settings/terminology", Need::Page),
    rule("POST", "/settings/terminology", Need::Page),
    // Whoever cannot sign in needs it most; it shows more to those who can.
    rule("GET", "/help", Need::Nothing),
    rule("GET", "/exports/audit.csv", Need::May(Permission::SeeAudit)),
    // All that an org has, and its end.
    rule("GET", "/settings/deletion", Need::May(Permission::DeleteOrg)),
    rule("POST", "/settings/deletion", Need::May(Permission::DeleteOrg)),
    // No GET, since the audit log notes who took everything along.
    rule("POST", "/exports/organization.jsonl", Need::May(Permission::DeleteOrg)),
    // The only pages that name an org in the request: for those who run the installation.
    rule("GET", "/operator", Need::Operator),
    rule("GET", "/operator/organizations", Need::Operator),
    rule("POST", "/operator/organizations", Need::Operator),
    rule("GET", "/operator/jobs", Need::Operator),
    rule("GET", "/operator/payments", Need::Operator),
    rule("POST", "/operator/payments", Need::Operator),
    rule("GET", "/operator/seller", Need::Operator),
    rule("POST", "/operator/seller", Need::Operator),
    rule("GET", "/operator/reconcile", Need::Operator),
    rule("GET", "/operator/verify", Need::Operator),
    rule("POST", "/operator/verify", Need::Operator),
    rule("GET", "/operator/backups", Need::Operator),
    rule("POST", "/operator/backups", Need::Operator),
    rule("POST", "/operator/backups/{name}", Need::Operator),
    // The first start: opened by the link's token, then by its owner's session, which the handlers check.
    rule("GET", "/setup", Need::Nothing),
    rule("POST", "/setup", Need::Nothing),
    rule("GET", "/setup/waiting", Need::Nothing),
    rule("GET", "/setup/{token}", Need::Nothing),
    rule("POST", "/setup/{token}", Need::Nothing),
    rule("GET", "/sign-in", Need::Nothing),
    rule("POST", "/sign-in", Need::Nothing),
    rule("POST", "/sign-out", Need::Nothing),
    // The second step: opened by the cookie of the first.
    rule("GET", "/sign-in/code", Need::Nothing),
    rule("POST", "/sign-in/code", Need::Nothing),
    // By a service elsewhere. The second is a GET that signs in: the service sends the browser there, and it counts only
    // with the cookie and the state that the first one gave to this browser, once.
    rule("GET", "/sign-in/oidc", Need::Nothing),
    rule("GET", "/sign-in/oidc/callback", Need::Nothing),
    // With a passkey: what was asked is bound to a cookie, and the answer to what was asked.
    rule("POST", "/sign-in/passkey/begin", Need::Nothing),
    rule("POST", "/sign-in/passkey", Need::Nothing),
    // Links in mails: opened by their tokens, which the handlers check.
    rule("GET", "/forgot-password", Need::Nothing),
    rule("POST", "/forgot-password", Need::Nothing),
    rule("GET", "/reset-password", Need::Nothing),
    rule("POST", "/reset-password", Need::Nothing),
    rule("GET", "/invitation", Need::Nothing),
    rule("POST", "/invitation", Need::Nothing),
    // Who belongs to an org is no secret among those who do; one's own account and where one goes are one's own.
    rule("GET", "/settings/members", Need::Page),
    rule("POST", "/settings/members", Need::May(Permission::ManageMembers)),
    rule("POST", "/settings/leave", Need::Page),
    rule("GET", "/settings/security", Need::Page),
    rule("POST", "/settings/security", Need::Page),
    rule("POST", "/settings/security/passkeys/begin", Need::Page),
    rule("POST", "/settings/security/passkeys", Need::Page),
    rule("POST", "/switch", Need::Page),
    rule("POST", "/api/fn/{*name}", Need::Login),
    rule("GET", "/exports/usage.csv", Need::May(Permission::Export)),
    rule("GET", "/exports/usage.xlsx", Need::May(Permission::Export)),
    rule("GET", "/exports/focus.csv", Need::May(Permission::Export)),
    rule("GET", "/exports/report.csv", Need::May(Permission::Export)),
    rule("GET", "/exports/report.xlsx", Need::May(Permission::Export)),
    rule("GET", "/exports/events.csv", Need::May(Permission::Export)),
    rule("GET", "/exports/runs.csv", Need::May(Permission::Export)),
    rule("GET", "/exports/usage.svg", Need::May(Permission::Export)),
    rule("GET", "/exports/usage.png", Need::May(Permission::Export)),
    rule("GET", "/exports/ledger.csv", Need::May(Permission::Export)),
    // What is listed there is what Overview shows.
    rule("GET", "/exports/transactions.csv", Need::May(Permission::SeeUsage)),
    // News for an open page: that there are some, and nothing of what they are.
    rule("GET", "/live", Need::May(Permission::SeeUsage)),
    // For whoever runs the server.
    rule("GET", "/healthz", Need::Nothing),
    rule("GET", "/readyz", Need::Nothing),
    rule("GET", "/metrics", Need::Nothing),
];

/// What the pages ask the server for, and who may. One that is not listed is not reachable.
pub const FUNCTIONS: &[(&str, Option<Permission>)] = &[
    // Who is looking: everybody may know that of themselves, and the sign-in page asks too.
    ("/api/fn/session", None),
    ("/api/fn/overview", Some(Permission::SeeUsage)),
    ("/api/fn/analytics", Some(Permission::SeeUsage)),
    ("/api/fn/analytics-part", Some(Permission::SeeUsage)),
    ("/api/fn/event", Some(Permission::SeeUsage)),
    ("/api/fn/ledger", Some(Permission::SeeLedger)),
    ("/api/fn/standing", Some(Permission::SeeLedger)),
    ("/api/fn/rate-card", Some(Permission::SeeLedger)),
];
