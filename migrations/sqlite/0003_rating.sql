-- Rating, whole: formulas and tiers, what meters and credits are called, in which words an org is spoken to.

-- Compute units that an event used, in micro-units: one of the inputs of a formula.
ALTER TABLE event ADD COLUMN compute INTEGER NOT NULL DEFAULT 0 CHECK (compute >= 0);

-- What people read in lists of transactions; empty: the meter's own name.
ALTER TABLE meter ADD COLUMN service TEXT NOT NULL DEFAULT '';

-- Who or what laid a version of the rate card down is said by its entry; nothing of it ever changes.
CREATE TRIGGER rate_card_is_final BEFORE UPDATE ON rate_card BEGIN SELECT RAISE(ABORT, 'rate cards are append-only'); END;
CREATE TRIGGER rate_card_stays BEFORE DELETE ON rate_card BEGIN SELECT RAISE(ABORT, 'rate cards are append-only'); END;

-- How much of a meter a tiered line has charged in each billing cycle: where the next quantity finds itself.
-- version and line name the line as it was first laid down; a later version that keeps it goes on from there.
CREATE TABLE tier_use (
    org_id      INTEGER NOT NULL REFERENCES org (org_id),
    version     INTEGER NOT NULL,
    line        INTEGER NOT NULL,
    cycle       INTEGER NOT NULL,                                 -- months since the year 0
    used        INTEGER NOT NULL CHECK (used >= 0),
    used_micros INTEGER NOT NULL CHECK (used_micros BETWEEN 0 AND 999999),
    PRIMARY KEY (org_id, version, line, cycle)
) STRICT, WITHOUT ROWID;

-- For charges by tiers: their cycle, and what the line had charged in it before.
CREATE TABLE charge_tier (
    org_id      INTEGER NOT NULL,
    seq         INTEGER NOT NULL,
    meter_id    INTEGER NOT NULL,
    cycle       INTEGER NOT NULL,
    used        INTEGER NOT NULL CHECK (used >= 0),
    used_micros INTEGER NOT NULL CHECK (used_micros BETWEEN 0 AND 999999),
    PRIMARY KEY (org_id, seq, meter_id)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER charge_tier_is_final BEFORE UPDATE ON charge_tier BEGIN SELECT RAISE(ABORT, 'charges are append-only'); END;
CREATE TRIGGER charge_tier_stays BEFORE DELETE ON charge_tier BEGIN SELECT RAISE(ABORT, 'charges are append-only'); END;

-- How credits and workflows are called in an org; the words of the installation where there is no row.
CREATE TABLE org_words (
    org_id        INTEGER NOT NULL REFERENCES org (org_id),
    unit          TEXT    NOT NULL CHECK (length(unit) BETWEEN 1 AND 64),   -- the credit's symbol or word
    unit_position TEXT    NOT NULL CHECK (unit_position IN ('before', 'after')),
    decimals      INTEGER NOT NULL CHECK (decimals BETWEEN 0 AND 6),        -- how many are shown
    workflow      TEXT    NOT NULL CHECK (length(workflow) BETWEEN 1 AND 64),
    workflows     TEXT    NOT NULL CHECK (length(workflows) BETWEEN 1 AND 64),
    PRIMARY KEY (org_id)
) STRICT, WITHOUT ROWID;
