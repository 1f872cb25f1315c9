-- Invoices, once they are issued: what is due on one, and which usage it told.

-- What is to be paid, in minor units: gross less what was paid when it was bought, less credit of earlier invoices.
ALTER TABLE invoice ADD COLUMN due_minor INTEGER NOT NULL DEFAULT 0 CHECK (due_minor >= 0);

-- Which usage an issued invoice told, by the month in which it was used: what comes to that month later is told by the next invoice.
CREATE TABLE invoice_usage (
    org_id     INTEGER NOT NULL REFERENCES org (org_id),
    month      INTEGER NOT NULL,                                  -- ledger::BillingCycle::number
    meter_id   INTEGER NOT NULL,
    invoice_id INTEGER NOT NULL,
    credits    INTEGER NOT NULL,                                  -- micro-credits; below zero for what was taken back since
    PRIMARY KEY (org_id, month, meter_id, invoice_id),
    FOREIGN KEY (org_id, invoice_id) REFERENCES invoice (org_id, invoice_id)
) STRICT, WITHOUT ROWID;

-- What the job looks at: drafts, and what is not paid.
CREATE INDEX invoice_waiting ON invoice (state, finalises_at) WHERE state <> 'paid';

DROP TRIGGER invoice_says;
CREATE TRIGGER invoice_says BEFORE UPDATE OF ordinal, document, net_minor, tax_minor, due_minor, issued_at, month, currency ON invoice WHEN OLD.ordinal IS NOT NULL BEGIN SELECT RAISE(ABORT, 'an issued invoice is final'); END;
CREATE TRIGGER invoice_usage_stays BEFORE DELETE ON invoice_usage WHEN NOT EXISTS (SELECT 1 FROM org_ending WHERE org_id = OLD.org_id AND begun_at IS NOT NULL) BEGIN SELECT RAISE(ABORT, 'what an invoice told is kept'); END;
CREATE TRIGGER invoice_usage_says BEFORE UPDATE ON invoice_usage BEGIN SELECT RAISE(ABORT, 'what an invoice told is final'); END;
-- What is on an issued invoice stays on it.
CREATE TRIGGER invoice_item_placed BEFORE UPDATE OF invoice_id ON invoice_item WHEN EXISTS (SELECT 1 FROM invoice WHERE org_id = OLD.org_id AND invoice_id = OLD.invoice_id AND ordinal IS NOT NULL) BEGIN SELECT RAISE(ABORT, 'an issued invoice is final'); END;
