-- Billing: what is offered, subscribed to, bought, paid, refunded and invoiced. Money is in minor units of its currency, net of tax
-- where nothing else is said. Rows of money are never deleted; what changes of them is their state.

-- Plans that are offered to an org. Final but for their end: a plan that changes is another row of the same name, and who
-- subscribed keeps the old one.
CREATE TABLE plan (
    org_id         INTEGER NOT NULL REFERENCES org (org_id),
    plan_id        INTEGER NOT NULL CHECK (plan_id >= 1),
    name           TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 256),
    title          TEXT    NOT NULL,
    description    TEXT    NOT NULL,
    credits        INTEGER CHECK (credits > 0),                   -- micro-credits of a whole cycle; NULL: to be agreed on
    price_minor    INTEGER CHECK (price_minor >= 0),              -- net, for a whole cycle; NULL: to be agreed on
    currency       TEXT    CHECK (length(currency) = 3),
    rollover       TEXT,                                          -- ledger::Rollover as JSON; NULL: the rest expires
    policy         TEXT    NOT NULL,                              -- ledger::Policy as JSON, in force while subscribed
    retention_days INTEGER CHECK (retention_days > 0),            -- how long details of events are kept; NULL: as the org's settings say
    by_agreement   INTEGER NOT NULL CHECK (by_agreement IN (0, 1)), -- only an operator subscribes an org to it
    offered_at     INTEGER NOT NULL,
    withdrawn_at   INTEGER,                                       -- nobody subscribes to it any more
    PRIMARY KEY (org_id, plan_id),
    CHECK ((credits IS NULL) <= (by_agreement = 1)),
    CHECK ((price_minor IS NULL) = (currency IS NULL))
) STRICT, WITHOUT ROWID;

-- What is bought once. A fixed amount has a price; a custom amount has prices by volume.
CREATE TABLE package (
    org_id       INTEGER NOT NULL REFERENCES org (org_id),
    package_id   INTEGER NOT NULL CHECK (package_id >= 1),
    title        TEXT    NOT NULL,
    credits      INTEGER CHECK (credits > 0),                     -- micro-credits; NULL: as many as somebody wants
    price_minor  INTEGER CHECK (price_minor >= 0),                -- net
    currency     TEXT    NOT NULL CHECK (length(currency) = 3),
    prices       TEXT,                                            -- ledger::VolumePrices as JSON, for a custom amount
    offered_at   INTEGER NOT NULL,
    withdrawn_at INTEGER,
    PRIMARY KEY (org_id, package_id),
    CHECK ((credits IS NULL) = (price_minor IS NULL) AND (credits IS NULL) = (prices IS NOT NULL))
) STRICT, WITHOUT ROWID;

-- Subscriptions, one at a time.
CREATE TABLE subscription (
    org_id          INTEGER NOT NULL REFERENCES org (org_id),
    subscription_id INTEGER NOT NULL CHECK (subscription_id >= 1),
    plan_id         INTEGER NOT NULL,                             -- now
    next_plan_id    INTEGER,                                      -- from the next cycle on: a downgrade
    anchor_at       INTEGER,                                      -- cycles begin at this instant of each month; NULL: calendar months of the org's zone
    began_at        INTEGER NOT NULL,
    cancelled_at    INTEGER,                                      -- asked to end with its cycle
    ended_at        INTEGER,
    PRIMARY KEY (org_id, subscription_id),
    FOREIGN KEY (org_id, plan_id) REFERENCES plan (org_id, plan_id),
    FOREIGN KEY (org_id, next_plan_id) REFERENCES plan (org_id, plan_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX subscription_in_force ON subscription (org_id) WHERE ended_at IS NULL;

-- The cycles of subscriptions that have begun, in order and without gaps within a subscription.
CREATE TABLE billing_cycle (
    org_id          INTEGER NOT NULL REFERENCES org (org_id),
    cycle_id        INTEGER NOT NULL CHECK (cycle_id >= 1),
    subscription_id INTEGER NOT NULL,
    plan_id         INTEGER NOT NULL,                             -- with which it began
    begins_at       INTEGER NOT NULL,
    ends_at         INTEGER NOT NULL CHECK (ends_at > begins_at),
    grant_id        INTEGER,                                      -- its credits; NULL where the plan gives none in it
    PRIMARY KEY (org_id, cycle_id),
    FOREIGN KEY (org_id, subscription_id) REFERENCES subscription (org_id, subscription_id),
    FOREIGN KEY (org_id, plan_id) REFERENCES plan (org_id, plan_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX billing_cycle_of ON billing_cycle (org_id, subscription_id, begins_at);

-- How an org can be charged without anybody there. Never a number of a card: the provider's own reference.
CREATE TABLE payment_method (
    org_id     INTEGER NOT NULL REFERENCES org (org_id),
    method_id  INTEGER NOT NULL CHECK (method_id >= 1),
    provider   TEXT    NOT NULL CHECK (provider IN ('sandbox', 'stripe', 'bank_transfer')),
    reference  TEXT    NOT NULL,                                  -- the provider's, of customer and method
    title      TEXT    NOT NULL,                                  -- such as "Visa ending in 4242"
    is_default INTEGER NOT NULL CHECK (is_default IN (0, 1)),
    added_at   INTEGER NOT NULL,
    added_by   TEXT    NOT NULL,
    removed_at INTEGER,
    PRIMARY KEY (org_id, method_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX payment_method_default ON payment_method (org_id) WHERE is_default = 1 AND removed_at IS NULL;

-- Orders of credits. Credits are given when a payment has succeeded, and only then.
CREATE TABLE purchase (
    org_id      INTEGER NOT NULL REFERENCES org (org_id),
    purchase_id INTEGER NOT NULL CHECK (purchase_id >= 1),
    package_id  INTEGER NOT NULL,
    title       TEXT    NOT NULL,
    credits     INTEGER NOT NULL CHECK (credits > 0),
    net_minor   INTEGER NOT NULL CHECK (net_minor >= 0),
    tax_minor   INTEGER NOT NULL CHECK (tax_minor >= 0),
    tax_name    TEXT    NOT NULL,                                 -- such as "VAT 19 %"; empty where there is none
    currency    TEXT    NOT NULL CHECK (length(currency) = 3),
    cause       TEXT    NOT NULL CHECK (cause IN ('person', 'top_up', 'operator')),
    made_at     INTEGER NOT NULL,
    made_by     TEXT    NOT NULL,
    paid_at     INTEGER,
    closed_at   INTEGER,                                          -- given up: failed for good, abandoned
    grant_id    INTEGER,                                          -- what it gave
    PRIMARY KEY (org_id, purchase_id),
    FOREIGN KEY (org_id, package_id) REFERENCES package (org_id, package_id),
    CHECK ((paid_at IS NULL) = (grant_id IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX purchase_newest ON purchase (org_id, made_at, purchase_id);

-- Attempts to be paid, for a purchase or an invoice, and what the provider said of each.
CREATE TABLE payment (
    org_id         INTEGER NOT NULL REFERENCES org (org_id),
    payment_id     INTEGER NOT NULL CHECK (payment_id >= 1),
    purchase_id    INTEGER,
    invoice_id     INTEGER,
    provider       TEXT    NOT NULL CHECK (provider IN ('sandbox', 'stripe', 'bank_transfer')),
    method_id      INTEGER,                                       -- charged without anybody there; NULL: somebody pays on the provider's page
    amount_minor   INTEGER NOT NULL CHECK (amount_minor > 0),     -- gross
    currency       TEXT    NOT NULL CHECK (length(currency) = 3),
    state          TEXT    NOT NULL CHECK (state IN ('created', 'pending', 'needs_action', 'succeeded', 'failed', 'cancelled')),
    refunded_minor INTEGER NOT NULL DEFAULT 0 CHECK (refunded_minor BETWEEN 0 AND amount_minor),
    dispute        TEXT    NOT NULL DEFAULT 'none' CHECK (dispute IN ('none', 'open', 'won', 'lost')),
    failure        TEXT,                                          -- a code of ours: declined, expired, …
    idempotency    TEXT    NOT NULL CHECK (length(idempotency) >= 16), -- told to the provider, so that asking twice charges once
    action_url     TEXT,                                          -- where the payer goes on
    created_at     INTEGER NOT NULL,
    changed_at     INTEGER NOT NULL,
    PRIMARY KEY (org_id, payment_id),
    CHECK ((purchase_id IS NULL) <> (invoice_id IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX payment_of_purchase ON payment (org_id, purchase_id) WHERE purchase_id IS NOT NULL;
CREATE INDEX payment_of_invoice ON payment (org_id, invoice_id) WHERE invoice_id IS NOT NULL;
CREATE INDEX payment_waiting ON payment (org_id, changed_at) WHERE state IN ('created', 'pending', 'needs_action');

-- Whose payment a provider's reference is. A directory: providers know no orgs.
CREATE TABLE payment_reference (
    provider   TEXT    NOT NULL,
    reference  TEXT    NOT NULL,
    org_id     INTEGER NOT NULL REFERENCES org (org_id),
    payment_id INTEGER NOT NULL,
    PRIMARY KEY (provider, reference),
    FOREIGN KEY (org_id, payment_id) REFERENCES payment (org_id, payment_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX payment_reference_of ON payment_reference (org_id, payment_id);

-- Verified messages of providers, each once, and what they did. A directory: they come before anybody knows whose they are.
CREATE TABLE provider_message (
    provider    TEXT    NOT NULL,
    message_id  TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    reference   TEXT    NOT NULL,                                 -- the payment it is about
    received_at INTEGER NOT NULL,
    outcome     TEXT    NOT NULL,                                 -- applied, stale, unknown_payment, …
    PRIMARY KEY (provider, message_id)
) STRICT, WITHOUT ROWID;

-- What was given back.
CREATE TABLE refund (
    org_id       INTEGER NOT NULL REFERENCES org (org_id),
    refund_id    INTEGER NOT NULL CHECK (refund_id >= 1),
    payment_id   INTEGER NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),       -- gross
    credits      INTEGER NOT NULL CHECK (credits >= 0),           -- taken back from the purchase's grant
    state        TEXT    NOT NULL CHECK (state IN ('asked', 'succeeded', 'failed')),
    cause        TEXT    NOT NULL CHECK (cause IN ('refund', 'dispute')),
    reason       TEXT    NOT NULL,
    reference    TEXT,                                            -- the provider's
    idempotency  TEXT    NOT NULL CHECK (length(idempotency) >= 16),
    entry_seq    INTEGER,                                         -- the adjustment that took the credits back
    asked_at     INTEGER NOT NULL,
    asked_by     TEXT    NOT NULL,
    done_at      INTEGER,
    PRIMARY KEY (org_id, refund_id),
    FOREIGN KEY (org_id, payment_id) REFERENCES payment (org_id, payment_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX refund_of ON refund (org_id, payment_id);

-- Auto top-up: below a threshold buy a package.
CREATE TABLE top_up_rule (
    org_id      INTEGER NOT NULL REFERENCES org (org_id),
    is_on       INTEGER NOT NULL CHECK (is_on IN (0, 1)),
    threshold   INTEGER NOT NULL CHECK (threshold >= 0),          -- micro-credits that are available
    package_id  INTEGER NOT NULL,
    credits     INTEGER CHECK (credits > 0),                      -- for a custom amount
    cap_minor   INTEGER NOT NULL CHECK (cap_minor > 0),           -- gross, per calendar month of the org's zone
    failures    INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0), -- in a row
    off_because TEXT,                                             -- why it turned itself off
    changed_at  INTEGER NOT NULL,
    changed_by  TEXT    NOT NULL,
    PRIMARY KEY (org_id),
    FOREIGN KEY (org_id, package_id) REFERENCES package (org_id, package_id)
) STRICT;

-- What auto top-up did, and why it did not.
CREATE TABLE top_up (
    org_id      INTEGER NOT NULL REFERENCES org (org_id),
    top_up_id   INTEGER NOT NULL CHECK (top_up_id >= 1),
    at          INTEGER NOT NULL,
    available   INTEGER NOT NULL,                                 -- micro-credits, when it looked
    outcome     TEXT    NOT NULL CHECK (outcome IN ('bought', 'capped', 'no_method', 'no_package', 'turned_on', 'turned_off')),
    purchase_id INTEGER,
    reason      TEXT    NOT NULL,
    PRIMARY KEY (org_id, top_up_id),
    CHECK ((outcome = 'bought') = (purchase_id IS NOT NULL))
) STRICT, WITHOUT ROWID;

-- Who sells: one row, of the installation. What invoices say.
CREATE TABLE seller (
    seller_id      INTEGER PRIMARY KEY CHECK (seller_id = 1),
    name           TEXT    NOT NULL,
    address        TEXT    NOT NULL,                              -- lines
    tax_number     TEXT    NOT NULL,
    bank           TEXT    NOT NULL,                              -- where to transfer money to, in lines
    tax_name       TEXT    NOT NULL,                              -- such as "VAT"; empty: no tax
    tax_millionths INTEGER NOT NULL CHECK (tax_millionths BETWEEN 0 AND 1000000), -- 190000 are 19 %
    grace_hours    INTEGER NOT NULL CHECK (grace_hours BETWEEN 0 AND 240),  -- how long a draft waits for late usage
    due_days       INTEGER NOT NULL CHECK (due_days BETWEEN 0 AND 365)
) STRICT;

-- Who buys: what its invoices are made out to, and its own tax where it is another.
CREATE TABLE billing_details (
    org_id         INTEGER NOT NULL REFERENCES org (org_id),
    name           TEXT    NOT NULL,
    address        TEXT    NOT NULL,
    tax_number     TEXT    NOT NULL,
    email          TEXT    NOT NULL,                              -- invoices go there; empty: to those who manage billing
    tax_name       TEXT,                                          -- NULL: the seller's
    tax_millionths INTEGER CHECK (tax_millionths BETWEEN 0 AND 1000000),
    changed_at     INTEGER NOT NULL,
    PRIMARY KEY (org_id),
    CHECK ((tax_name IS NULL) = (tax_millionths IS NULL))
) STRICT;

-- What is to be invoiced, or is. Written in the transaction of what it tells; an invoice takes what happened in its month.
CREATE TABLE invoice_item (
    org_id         INTEGER NOT NULL REFERENCES org (org_id),
    item_id        INTEGER NOT NULL CHECK (item_id >= 1),
    kind           TEXT    NOT NULL CHECK (kind IN ('plan', 'purchase', 'credit_note', 'adjustment')),
    description    TEXT    NOT NULL,
    net_minor      INTEGER NOT NULL,                              -- below zero for what is given back
    tax_minor      INTEGER,                                       -- where it was settled before, with a payment; NULL: the invoice works it out
    tax_name       TEXT,
    currency       TEXT    NOT NULL CHECK (length(currency) = 3),
    happened_at    INTEGER NOT NULL,
    from_at        INTEGER,                                       -- of a plan: the part of its cycle
    to_at          INTEGER,
    cycle_id       INTEGER,
    purchase_id    INTEGER,
    refund_id      INTEGER,
    invoice_id     INTEGER,                                       -- NULL: not on one yet
    PRIMARY KEY (org_id, item_id),
    CHECK ((tax_minor IS NULL) = (tax_name IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX invoice_item_open ON invoice_item (org_id, happened_at) WHERE invoice_id IS NULL;
CREATE INDEX invoice_item_of ON invoice_item (org_id, invoice_id) WHERE invoice_id IS NOT NULL;

-- Invoices: one per org, currency and calendar month of the org's zone in which something was to be invoiced.
CREATE TABLE invoice (
    org_id       INTEGER NOT NULL REFERENCES org (org_id),
    invoice_id   INTEGER NOT NULL CHECK (invoice_id >= 1),
    month        INTEGER NOT NULL,                                -- ledger::BillingCycle::number
    currency     TEXT    NOT NULL CHECK (length(currency) = 3),
    state        TEXT    NOT NULL CHECK (state IN ('draft', 'open', 'paid', 'uncollectible')),
    ordinal      INTEGER CHECK (ordinal >= 1),                    -- its number within the org, without gaps; NULL for a draft
    drafted_at   INTEGER NOT NULL,
    finalises_at INTEGER NOT NULL,                                -- when a draft stops waiting for late usage
    issued_at    INTEGER,
    due_at       INTEGER,
    net_minor    INTEGER NOT NULL DEFAULT 0,
    tax_minor    INTEGER NOT NULL DEFAULT 0,
    document     TEXT,                                            -- all it says, as JSON, from when it is issued: never changed
    paid_at      INTEGER,
    tries        INTEGER NOT NULL DEFAULT 0,                      -- of charging the stored method
    next_try_at  INTEGER,
    reminded     INTEGER NOT NULL DEFAULT 0,                      -- reminders sent
    PRIMARY KEY (org_id, invoice_id),
    UNIQUE (org_id, ordinal),
    UNIQUE (org_id, month, currency),
    CHECK ((state = 'draft') = (ordinal IS NULL) AND (ordinal IS NULL) = (issued_at IS NULL) AND (ordinal IS NULL) = (document IS NULL))
) STRICT, WITHOUT ROWID;

-- What people are to be told, written in the transaction that caused it; a job sends it by mail.
CREATE TABLE notice (
    org_id      INTEGER NOT NULL REFERENCES org (org_id),
    notice_id   INTEGER NOT NULL CHECK (notice_id >= 1),
    kind        TEXT    NOT NULL,                                 -- payment_failed, invoice_issued, …
    facts       TEXT    NOT NULL,                                 -- what its text is made of, as JSON; no secrets
    made_at     INTEGER NOT NULL,
    tries       INTEGER NOT NULL DEFAULT 0,
    next_try_at INTEGER,                                          -- NULL: done or given up
    sent_at     INTEGER,
    error       TEXT,
    PRIMARY KEY (org_id, notice_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX notice_waiting ON notice (next_try_at, org_id, notice_id) WHERE next_try_at IS NOT NULL;

-- What is agreed and what happened stays, but for an org whose deletion has begun.
CREATE TRIGGER invoice_stays BEFORE DELETE ON invoice WHEN NOT EXISTS (SELECT 1 FROM org_ending WHERE org_id = OLD.org_id AND begun_at IS NOT NULL) BEGIN SELECT RAISE(ABORT, 'invoices are kept'); END;
CREATE TRIGGER invoice_says BEFORE UPDATE OF ordinal, document, net_minor, tax_minor, issued_at ON invoice WHEN OLD.ordinal IS NOT NULL BEGIN SELECT RAISE(ABORT, 'an issued invoice is final'); END;
CREATE TRIGGER payment_stays BEFORE DELETE ON payment WHEN NOT EXISTS (SELECT 1 FROM org_ending WHERE org_id = OLD.org_id AND begun_at IS NOT NULL) BEGIN SELECT RAISE(ABORT, 'payments are kept'); END;
CREATE TRIGGER purchase_stays BEFORE DELETE ON purchase WHEN NOT EXISTS (SELECT 1 FROM org_ending WHERE org_id = OLD.org_id AND begun_at IS NOT NULL) BEGIN SELECT RAISE(ABORT, 'purchases are kept'); END;
CREATE TRIGGER purchase_paid_once BEFORE UPDATE OF grant_id ON purchase WHEN OLD.grant_id IS NOT NULL BEGIN SELECT RAISE(ABORT, 'a purchase gives credits once'); END;
CREATE TRIGGER invoice_item_stays BEFORE DELETE ON invoice_item WHEN NOT EXISTS (SELECT 1 FROM org_ending WHERE org_id = OLD.org_id AND begun_at IS NOT NULL) BEGIN SELECT RAISE(ABORT, 'what is invoiced is kept'); END;
CREATE TRIGGER invoice_item_says BEFORE UPDATE OF net_minor, tax_minor, currency, happened_at ON invoice_item BEGIN SELECT RAISE(ABORT, 'what is invoiced is final'); END;
CREATE TRIGGER refund_stays BEFORE DELETE ON refund WHEN NOT EXISTS (SELECT 1 FROM org_ending WHERE org_id = OLD.org_id AND begun_at IS NOT NULL) BEGIN SELECT RAISE(ABORT, 'refunds are kept'); END;
