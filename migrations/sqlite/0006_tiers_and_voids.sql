-- Tiers count what stands: voiding an event takes its use out of its billing cycle. What was voided before this stays counted.

-- Micro-credits that voided events left open in the cycle, which its next event pays; below zero: gets back.
ALTER TABLE tier_use ADD COLUMN owed INTEGER NOT NULL DEFAULT 0;

-- What of it a charge paid, or got back.
ALTER TABLE charge_tier ADD COLUMN owed INTEGER NOT NULL DEFAULT 0;

-- Whether a void took its event's use out of tiers; 0 where it had none, and in entries from before it did.
ALTER TABLE entry ADD COLUMN tiers INTEGER NOT NULL DEFAULT 0 CHECK (tiers = 0 OR (tiers = 1 AND kind = 'void'));
