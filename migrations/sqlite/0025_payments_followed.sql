-- How much of a payment its payer's bank asks back, since that may be a part of it; and when people were told that a payment takes
-- long, which they are once.
ALTER TABLE payment ADD COLUMN disputed_minor INTEGER NOT NULL DEFAULT 0 CHECK (disputed_minor >= 0);
ALTER TABLE payment ADD COLUMN late_told_at INTEGER;               -- NULL: they were not
UPDATE payment SET disputed_minor = amount_minor WHERE dispute <> 'none';
