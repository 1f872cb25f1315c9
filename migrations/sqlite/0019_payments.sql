-- Which of several payments of a purchase paid for it: what else succeeds is too much, and goes back. And when a provider was
-- asked, and how often, so that one that does not answer is asked less and less often.
ALTER TABLE purchase ADD COLUMN paid_by INTEGER;                   -- payment.payment_id
ALTER TABLE payment ADD COLUMN asked_at INTEGER;                   -- when the provider was asked last; NULL: not yet
ALTER TABLE payment ADD COLUMN asks INTEGER NOT NULL DEFAULT 0;    -- how often, since its state changed last
ALTER TABLE refund ADD COLUMN grant_id INTEGER;                   -- as which its credits were given again, where it came to nothing
CREATE UNIQUE INDEX refund_reference ON refund (org_id, payment_id, reference) WHERE reference IS NOT NULL;

-- What the built-in sandbox, which moves no money, knows of each payment: it plays a provider, so it has a memory of its own.
CREATE TABLE sandbox_payment (
    org_id         INTEGER NOT NULL REFERENCES org (org_id),
    payment_id     INTEGER NOT NULL,
    amount_minor   INTEGER NOT NULL CHECK (amount_minor > 0),
    currency       TEXT    NOT NULL CHECK (length(currency) = 3),
    title          TEXT    NOT NULL,                              -- what its page says is paid for
    return_path    TEXT    NOT NULL,                              -- where its page leads back to
    state          TEXT    NOT NULL CHECK (state IN ('open', 'authenticate', 'waiting', 'paid', 'declined', 'cancelled')),
    card           TEXT,                                          -- the test card it was paid with
    refunded_minor INTEGER NOT NULL DEFAULT 0 CHECK (refunded_minor BETWEEN 0 AND amount_minor),
    PRIMARY KEY (org_id, payment_id)
) STRICT, WITHOUT ROWID;

-- Messages of the sandbox: sent when they are due, until they are taken.
CREATE TABLE sandbox_message (
    org_id       INTEGER NOT NULL REFERENCES org (org_id),
    message_no   INTEGER NOT NULL CHECK (message_no >= 1),
    payment_id   INTEGER NOT NULL,
    says         TEXT    NOT NULL,                                -- JSON
    due_at       INTEGER NOT NULL,
    delivered_at INTEGER,
    PRIMARY KEY (org_id, message_no)
) STRICT, WITHOUT ROWID;
CREATE INDEX sandbox_message_due ON sandbox_message (due_at) WHERE delivered_at IS NULL;
