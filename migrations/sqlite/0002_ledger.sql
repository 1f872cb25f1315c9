-- The ledger, whole: more kinds of entries, running balances, holds, corrections, policies, answers that are kept.

-- Entries, with all their kinds. What a column holds depends on the kind:
--   grant, expiry, repayment  grant_id                              (digest: the grant's terms)
--   rollover                  grant_id → child_id                   (digest: the child's terms)
--   usage, capture            first_event ..= last_event, hold_id   (digest: Merkle root over them)
--   hold, extension, release, hold_expiry  hold_id, until_at        (digest: the hold's terms)
--   void                      event_seq, replacement_seq, grant_id of a refund (digest: its terms), reason
--   adjustment                grant_id (digest: the terms of a grant that was given), reason
--   rate_card                 version                               (digest: what it says)
CREATE TABLE entry_2 (
    org_id          INTEGER NOT NULL REFERENCES org (org_id),
    seq             INTEGER NOT NULL CHECK (seq >= 1),
    kind            TEXT    NOT NULL CHECK (kind IN ('usage', 'grant', 'expiry', 'rollover', 'repayment', 'hold', 'extension',
                                                     'capture', 'release', 'hold_expiry', 'void', 'adjustment', 'rate_card')),
    grant_id        INTEGER,
    child_id        INTEGER,
    hold_id         INTEGER,
    version         INTEGER,
    first_event     INTEGER,
    last_event      INTEGER,
    event_seq       INTEGER,
    replacement_seq INTEGER,
    until_at        INTEGER,
    digest          BLOB    CHECK (length(digest) = 32),
    reason          TEXT,
    happened_at     INTEGER NOT NULL,
    booked_at       INTEGER NOT NULL,
    cause           TEXT    NOT NULL,
    hash            BLOB    NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (org_id, seq),
    CHECK ((kind IN ('usage', 'capture')) = (first_event IS NOT NULL AND last_event >= first_event)),
    CHECK (digest IS NOT NULL OR kind NOT IN ('usage', 'capture', 'rollover', 'hold', 'rate_card')),
    CHECK ((kind IN ('hold', 'extension', 'capture', 'release', 'hold_expiry')) = (hold_id IS NOT NULL)),
    CHECK (grant_id IS NOT NULL OR kind NOT IN ('grant', 'expiry', 'rollover', 'repayment', 'adjustment')),
    CHECK ((kind = 'rollover') = (child_id IS NOT NULL)),
    CHECK ((kind = 'extension') = (until_at IS NOT NULL)),
    CHECK ((kind = 'void') = (event_seq IS NOT NULL)),
    CHECK ((kind IN ('void', 'adjustment')) = (length(reason) > 0))
) STRICT, WITHOUT ROWID;

-- Postings, each with the balance of its account after it: what an account held at any entry is one look-up.
CREATE TABLE posting_2 (
    org_id    INTEGER NOT NULL,
    entry_seq INTEGER NOT NULL,
    ordinal   INTEGER NOT NULL,
    account   TEXT    NOT NULL CHECK (account IN ('grant', 'hold', 'debt', 'funding', 'consumed', 'expired', 'adjustment')),
    number    INTEGER NOT NULL,                                   -- which grant or hold; 0 for accounts that exist once
    amount    INTEGER NOT NULL,
    balance   INTEGER NOT NULL,                                   -- cache: the account's sum up to here
    PRIMARY KEY (org_id, entry_seq, ordinal),
    FOREIGN KEY (org_id, entry_seq) REFERENCES entry_2 (org_id, seq)
) STRICT, WITHOUT ROWID;

INSERT INTO entry_2 (org_id, seq, kind, grant_id, first_event, last_event, digest, happened_at, booked_at, cause, hash)
    SELECT org_id, seq, kind, grant_id, first_event, last_event, root, happened_at, booked_at, cause, hash FROM entry;
INSERT INTO posting_2 (org_id, entry_seq, ordinal, account, number, amount, balance)
    SELECT org_id, entry_seq, ordinal, account, number, amount,
           sum(amount) OVER (PARTITION BY org_id, account, number ORDER BY entry_seq, ordinal)
    FROM posting;
DROP TABLE posting;
DROP TABLE entry;
ALTER TABLE entry_2 RENAME TO entry;
ALTER TABLE posting_2 RENAME TO posting;

CREATE UNIQUE INDEX entry_by_event ON entry (org_id, first_event) WHERE first_event IS NOT NULL;
CREATE INDEX entry_by_time ON entry (org_id, booked_at);
CREATE INDEX entry_by_kind ON entry (org_id, kind, seq) WHERE kind <> 'usage';
CREATE INDEX entry_by_grant ON entry (org_id, grant_id, seq) WHERE grant_id IS NOT NULL;
CREATE INDEX entry_by_hold ON entry (org_id, hold_id, seq) WHERE hold_id IS NOT NULL;
CREATE INDEX posting_by_account ON posting (org_id, account, number, entry_seq);

CREATE TRIGGER entry_is_final BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;
CREATE TRIGGER entry_stays BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;
CREATE TRIGGER posting_is_final BEFORE UPDATE ON posting BEGIN SELECT RAISE(ABORT, 'postings are append-only'); END;
CREATE TRIGGER posting_stays BEFORE DELETE ON posting BEGIN SELECT RAISE(ABORT, 'postings are append-only'); END;

-- What was paid for a grant, what becomes of its rest, whose rest it is, and the entry that gave it.
ALTER TABLE credit_grant ADD COLUMN cost_minor INTEGER CHECK (cost_minor >= 0);
ALTER TABLE credit_grant ADD COLUMN cost_currency TEXT CHECK (length(cost_currency) = 3);
ALTER TABLE credit_grant ADD COLUMN rollover TEXT;                -- JSON terms; NULL: the rest expires
ALTER TABLE credit_grant ADD COLUMN parent_id INTEGER;
ALTER TABLE credit_grant ADD COLUMN given_seq INTEGER NOT NULL DEFAULT 0;
UPDATE credit_grant SET given_seq =
    (SELECT seq FROM entry e WHERE e.org_id = credit_grant.org_id AND e.grant_id = credit_grant.grant_id AND e.kind = 'grant');
-- Grants of which something is left: what every write reads, and the job over all orgs, however many were spent before.
CREATE INDEX account_open ON account (org_id, number) WHERE account = 'grant' AND balance > 0;

-- Credits reserved for work in progress. Its terms are bound by its entry; status, expires_at and what follows change.
CREATE TABLE hold (
    org_id           INTEGER NOT NULL REFERENCES org (org_id),
    hold_id          INTEGER NOT NULL,
    amount           INTEGER NOT NULL CHECK (amount > 0),
    uncovered        INTEGER NOT NULL CHECK (uncovered BETWEEN 0 AND amount), -- promised beyond what grants cover
    meter            TEXT    NOT NULL,                            -- what a capture counts for
    source           TEXT    NOT NULL,
    project          TEXT,
    description      TEXT    NOT NULL,
    created_at       INTEGER NOT NULL,
    first_expires_at INTEGER NOT NULL,                            -- as agreed when it was made
    expires_at       INTEGER NOT NULL,
    status           TEXT    NOT NULL CHECK (status IN ('pending', 'captured', 'released', 'expired')),
    opened_seq       INTEGER NOT NULL,
    closed_seq       INTEGER,
    closed_at        INTEGER,
    captured         INTEGER CHECK (captured > 0),
    event_seq        INTEGER,                                     -- the event that the captured work counts as
    PRIMARY KEY (org_id, hold_id),
    CHECK ((status = 'pending') = (closed_seq IS NULL)),
    CHECK ((status = 'captured') = (captured IS NOT NULL AND event_seq IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX hold_pending ON hold (org_id, expires_at) WHERE status = 'pending';
CREATE INDEX hold_by_closing ON hold (org_id, closed_seq) WHERE closed_seq IS NOT NULL;

-- What a hold reserves of which grant, in drawdown order.
CREATE TABLE hold_part (
    org_id   INTEGER NOT NULL,
    hold_id  INTEGER NOT NULL,
    ordinal  INTEGER NOT NULL,
    grant_id INTEGER NOT NULL,
    amount   INTEGER NOT NULL CHECK (amount > 0),
    PRIMARY KEY (org_id, hold_id, ordinal),
    FOREIGN KEY (org_id, hold_id) REFERENCES hold (org_id, hold_id),
    FOREIGN KEY (org_id, grant_id) REFERENCES credit_grant (org_id, grant_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX hold_part_by_grant ON hold_part (org_id, grant_id);

-- Events that were taken back: at most once each.
CREATE TABLE voided (
    org_id          INTEGER NOT NULL,
    event_seq       INTEGER NOT NULL,
    entry_seq       INTEGER NOT NULL,
    replacement_seq INTEGER,
    PRIMARY KEY (org_id, event_seq),
    FOREIGN KEY (org_id, event_seq) REFERENCES event (org_id, seq),
    FOREIGN KEY (org_id, entry_seq) REFERENCES entry (org_id, seq)
) STRICT, WITHOUT ROWID;

-- What happens when an org runs out of credits; no row: pause.
CREATE TABLE org_policy (
    org_id INTEGER PRIMARY KEY REFERENCES org (org_id),
    policy TEXT    NOT NULL CHECK (policy IN ('pause', 'finish_in_flight', 'overdraft')),
    limit_micros INTEGER CHECK (limit_micros > 0),
    CHECK ((policy = 'pause') = (limit_micros IS NULL))
) STRICT;

-- Answers to writes that named an Idempotency-Key: kept for as long as the ledger lives, like the identities of events.
CREATE TABLE idempotency (
    org_id     INTEGER NOT NULL REFERENCES org (org_id),
    key        TEXT    NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    request    BLOB    NOT NULL CHECK (length(request) = 32),     -- SHA-256 over what was asked
    answer     TEXT    NOT NULL,                                  -- JSON
    created_at INTEGER NOT NULL,
    PRIMARY KEY (org_id, key)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER hold_part_is_final BEFORE UPDATE ON hold_part BEGIN SELECT RAISE(ABORT, 'parts of holds are final'); END;
CREATE TRIGGER hold_part_stays BEFORE DELETE ON hold_part BEGIN SELECT RAISE(ABORT, 'parts of holds are final'); END;
CREATE TRIGGER voided_is_final BEFORE UPDATE ON voided BEGIN SELECT RAISE(ABORT, 'a voided event stays voided'); END;
CREATE TRIGGER voided_stays BEFORE DELETE ON voided BEGIN SELECT RAISE(ABORT, 'a voided event stays voided'); END;
CREATE TRIGGER idempotency_is_final BEFORE UPDATE ON idempotency BEGIN SELECT RAISE(ABORT, 'answers are kept'); END;
CREATE TRIGGER idempotency_stays BEFORE DELETE ON idempotency BEGIN SELECT RAISE(ABORT, 'answers are kept'); END;
-- What was agreed about a grant or a hold never changes.
CREATE TRIGGER credit_grant_is_final BEFORE UPDATE ON credit_grant BEGIN SELECT RAISE(ABORT, 'grants are final'); END;
CREATE TRIGGER credit_grant_stays BEFORE DELETE ON credit_grant BEGIN SELECT RAISE(ABORT, 'grants are final'); END;
CREATE TRIGGER hold_stays BEFORE DELETE ON hold BEGIN SELECT RAISE(ABORT, 'holds are kept'); END;
CREATE TRIGGER hold_is_agreed BEFORE UPDATE OF org_id, hold_id, amount, uncovered, meter, source, project, description,
    created_at, first_expires_at, opened_seq ON hold BEGIN SELECT RAISE(ABORT, 'what was agreed about a hold is final'); END;
CREATE TRIGGER hold_ends_once BEFORE UPDATE ON hold WHEN OLD.status <> 'pending' BEGIN SELECT RAISE(ABORT, 'a hold ends once'); END;

-- Operators run the installation: they may correct and adjust, which nobody in an org may do for themselves.
ALTER TABLE user ADD COLUMN operator INTEGER NOT NULL DEFAULT 0 CHECK (operator IN (0, 1));
