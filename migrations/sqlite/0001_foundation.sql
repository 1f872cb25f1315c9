-- The foundation: orgs, people, keys, rate cards, grants, the ledger, usage events and their rollups.
--
-- Rules for every table: STRICT; org_id leads each key of what belongs to an org, so that the same schema can be
-- distributed by org; what must be unique everywhere (names of orgs, emails, hashes of keys) lives in directory tables.
-- Times are microseconds since 1970 UTC. Amounts are micro-credits. Quantities are whole units and micro-units apart,
-- since the second is nearly always 0 and then costs nothing. Migrations only go forward.

-- Directory of organizations. org_id is small because it leads every key below.
CREATE TABLE org (
    org_id     INTEGER PRIMARY KEY,
    name       TEXT    NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 256),
    zone       TEXT    NOT NULL,                                  -- IANA name: the days and months of this org
    synthetic  INTEGER NOT NULL DEFAULT 0 CHECK (synthetic IN (0, 1)), -- filled with made-up usage: every page says so
    created_at INTEGER NOT NULL
) STRICT;

-- Directory of people.
CREATE TABLE user (
    user_id       INTEGER PRIMARY KEY,
    email         TEXT    NOT NULL UNIQUE CHECK (length(email) BETWEEN 3 AND 256), -- lower case
    password_hash TEXT    NOT NULL,                               -- Argon2id in PHC form
    created_at    INTEGER NOT NULL
) STRICT;

-- Who belongs to which org, as what.
CREATE TABLE member (
    org_id     INTEGER NOT NULL REFERENCES org (org_id),
    user_id    INTEGER NOT NULL REFERENCES user (user_id),
    role       TEXT    NOT NULL CHECK (role IN ('owner', 'admin', 'billing', 'analyst', 'member')),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (org_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX member_by_user ON member (user_id);

-- Directory of signed-in browsers.
CREATE TABLE session (
    token_hash BLOB    PRIMARY KEY CHECK (length(token_hash) = 32), -- SHA-256; the token itself is only in the cookie
    user_id    INTEGER NOT NULL REFERENCES user (user_id),
    created_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,                                  -- for the idle limit; moved at most every few minutes
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Directory of API keys.
CREATE TABLE api_key (
    key_id     INTEGER PRIMARY KEY,
    org_id     INTEGER NOT NULL REFERENCES org (org_id),
    name       TEXT    NOT NULL,
    prefix     TEXT    NOT NULL,                                  -- shown, so that people recognise it
    key_hash   BLOB    NOT NULL UNIQUE CHECK (length(key_hash) = 32), -- SHA-256; the key itself is shown once
    scopes     TEXT    NOT NULL,                                  -- comma-separated
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER
) STRICT;
CREATE INDEX api_key_by_org ON api_key (org_id);

-- What can be used, as people see it.
CREATE TABLE meter (
    org_id   INTEGER NOT NULL REFERENCES org (org_id),
    meter_id INTEGER NOT NULL,
    name     TEXT    NOT NULL,
    title    TEXT    NOT NULL,
    unit     TEXT    NOT NULL,
    PRIMARY KEY (org_id, meter_id),
    UNIQUE (org_id, name)
) STRICT, WITHOUT ROWID;

-- Which meters came together in one event, so that an event is counted once whichever of them are asked for.
CREATE TABLE meter_set (
    org_id  INTEGER NOT NULL REFERENCES org (org_id),
    set_id  INTEGER NOT NULL,
    members TEXT    NOT NULL,                                     -- ascending meter_ids with commas between
    PRIMARY KEY (org_id, set_id),
    UNIQUE (org_id, members)
) STRICT, WITHOUT ROWID;

-- Versions of the prices. The version in force is the newest whose time has come.
CREATE TABLE rate_card (
    org_id       INTEGER NOT NULL REFERENCES org (org_id),
    version      INTEGER NOT NULL CHECK (version >= 1),
    effective_at INTEGER NOT NULL,
    lines        TEXT    NOT NULL,                                -- JSON array of rate lines, in the order they are tried
    created_at   INTEGER NOT NULL,
    PRIMARY KEY (org_id, version)
) STRICT, WITHOUT ROWID;

-- What rating carries below one micro-credit (or towards the next block), per line.
CREATE TABLE carry (
    org_id  INTEGER NOT NULL REFERENCES org (org_id),
    version INTEGER NOT NULL,
    line    INTEGER NOT NULL,
    carry   INTEGER NOT NULL CHECK (carry >= 0),
    PRIMARY KEY (org_id, version, line)
) STRICT, WITHOUT ROWID;

-- Credits given. What is left of each is a balance in `account`.
CREATE TABLE credit_grant (
    org_id       INTEGER NOT NULL REFERENCES org (org_id),
    grant_id     INTEGER NOT NULL,
    kind         TEXT    NOT NULL CHECK (kind IN ('plan', 'purchase', 'promotion', 'rollover', 'adjustment', 'refund')),
    amount       INTEGER NOT NULL CHECK (amount > 0),
    priority     INTEGER NOT NULL,
    scope        TEXT    NOT NULL,                                -- JSON; {} may be spent on everything
    effective_at INTEGER NOT NULL,
    expires_at   INTEGER CHECK (expires_at > effective_at),
    description  TEXT    NOT NULL,
    PRIMARY KEY (org_id, grant_id)
) STRICT, WITHOUT ROWID;

-- The ledger. Chained: hash covers the entry, its postings and the hash before.
CREATE TABLE entry (
    org_id      INTEGER NOT NULL REFERENCES org (org_id),
    seq         INTEGER NOT NULL CHECK (seq >= 1),
    kind        TEXT    NOT NULL CHECK (kind IN ('grant', 'usage', 'expiry', 'repayment')),
    grant_id    INTEGER,
    first_event INTEGER,                                          -- usage settles the events first_event ..= last_event
    last_event  INTEGER,
    root        BLOB,                                             -- Merkle root over those events
    happened_at INTEGER NOT NULL,
    booked_at   INTEGER NOT NULL,
    cause       TEXT    NOT NULL,
    hash        BLOB    NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (org_id, seq),
    CHECK ((kind = 'usage') = (first_event IS NOT NULL AND last_event >= first_event AND length(root) = 32)),
    CHECK ((kind = 'usage') = (grant_id IS NULL))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX entry_by_event ON entry (org_id, first_event) WHERE first_event IS NOT NULL;

-- The lines of an entry; they sum to zero.
CREATE TABLE posting (
    org_id    INTEGER NOT NULL,
    entry_seq INTEGER NOT NULL,
    ordinal   INTEGER NOT NULL,
    account   TEXT    NOT NULL CHECK (account IN ('grant', 'hold', 'debt', 'funding', 'consumed', 'expired', 'adjustment')),
    number    INTEGER NOT NULL,                                   -- which grant or hold; 0 for accounts that exist once
    amount    INTEGER NOT NULL,
    PRIMARY KEY (org_id, entry_seq, ordinal),
    FOREIGN KEY (org_id, entry_seq) REFERENCES entry (org_id, seq)
) STRICT, WITHOUT ROWID;

-- Cache: the sum of each account's postings. Can be dropped and rebuilt.
CREATE TABLE account (
    org_id  INTEGER NOT NULL REFERENCES org (org_id),
    account TEXT    NOT NULL,
    number  INTEGER NOT NULL,
    balance INTEGER NOT NULL,
    PRIMARY KEY (org_id, account, number),
    CHECK (account NOT IN ('grant', 'hold') OR balance >= 0),
    CHECK (account <> 'debt' OR balance <= 0)
) STRICT, WITHOUT ROWID;

-- Names that events bring, as small numbers. kind: 1 operation, 2 source, 3 project, 4 workflow, 5 run, 6 module,
-- 7 user, 8 tenant, 9 interaction.
CREATE TABLE dimension (
    org_id INTEGER NOT NULL REFERENCES org (org_id),
    kind   INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 9),
    id     INTEGER NOT NULL CHECK (id >= 1),
    value  TEXT    NOT NULL,
    name   TEXT,                                                  -- what people read, where the event said it
    PRIMARY KEY (org_id, kind, id),
    UNIQUE (org_id, kind, value)
) STRICT, WITHOUT ROWID;

-- Usage events, narrow, in the order in which they were accepted. 0 in a dimension: not said.
CREATE TABLE event (
    org_id         INTEGER NOT NULL REFERENCES org (org_id),
    seq            INTEGER NOT NULL CHECK (seq >= 1),
    occurred_at    INTEGER NOT NULL,
    time_said      INTEGER NOT NULL CHECK (time_said IN (0, 1)),  -- whether the event named its time
    operation_id   INTEGER NOT NULL,
    source_id      INTEGER NOT NULL,
    project_id     INTEGER NOT NULL,
    workflow_id    INTEGER NOT NULL,
    run_id         INTEGER NOT NULL,
    module_id      INTEGER NOT NULL,
    user_id        INTEGER NOT NULL,
    tenant_id      INTEGER NOT NULL,
    interaction_id INTEGER NOT NULL,
    failed         INTEGER NOT NULL CHECK (failed IN (0, 1)),
    bytes          INTEGER NOT NULL CHECK (bytes >= 0),
    reported       INTEGER,                                       -- credits the event says it consumed, in 10^-12
    description    TEXT,
    attributes     TEXT,                                          -- JSON array of [name, value], by name
    PRIMARY KEY (org_id, seq)
) STRICT, WITHOUT ROWID;

-- What each quantity of an event cost.
CREATE TABLE charge (
    org_id          INTEGER NOT NULL,
    seq             INTEGER NOT NULL,
    meter_id        INTEGER NOT NULL,
    quantity        INTEGER NOT NULL CHECK (quantity >= 0),
    quantity_micros INTEGER NOT NULL CHECK (quantity_micros BETWEEN 0 AND 999999),
    credits         INTEGER NOT NULL,
    version         INTEGER NOT NULL,
    line            INTEGER NOT NULL,
    carry_before    INTEGER NOT NULL CHECK (carry_before >= 0),
    PRIMARY KEY (org_id, seq, meter_id)
) STRICT, WITHOUT ROWID;

-- Which event has which identity: kept for as long as the ledger lives, in the order of the events, so that appending
-- touches one page. Found by key through `identity_index` or, for the most recent, in the writer's memory.
CREATE TABLE identity (
    org_id      INTEGER NOT NULL,
    seq         INTEGER NOT NULL,
    source_id   INTEGER NOT NULL,
    external_id TEXT    NOT NULL,
    content     BLOB    NOT NULL CHECK (length(content) = 16),    -- first half of SHA-256 over what was said
    PRIMARY KEY (org_id, seq)
) STRICT, WITHOUT ROWID;

-- Older identities by key, merged in sorted order: one touched page holds many new keys. A random key inserted per event
-- would dirty a page per event.
CREATE TABLE identity_index (
    org_id INTEGER NOT NULL,
    key    BLOB    NOT NULL CHECK (length(key) = 16),             -- first half of SHA-256 over source and id
    seq    INTEGER NOT NULL,
    PRIMARY KEY (org_id, key)
) STRICT, WITHOUT ROWID;

-- Up to which event identities are in `identity_index`; and sums over all time, so that no rollup can overflow.
CREATE TABLE org_total (
    org_id     INTEGER PRIMARY KEY REFERENCES org (org_id),
    merged_seq INTEGER NOT NULL DEFAULT 0,
    events     INTEGER NOT NULL DEFAULT 0,
    failed     INTEGER NOT NULL DEFAULT 0,
    bytes      INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Sums per meter over all time.
CREATE TABLE meter_total (
    org_id          INTEGER NOT NULL REFERENCES org (org_id),
    meter_id        INTEGER NOT NULL,
    credits         INTEGER NOT NULL,
    quantity        INTEGER NOT NULL,
    quantity_micros INTEGER NOT NULL,
    PRIMARY KEY (org_id, meter_id)
) STRICT, WITHOUT ROWID;

-- Rollups. bucket: quarters of an hour since 1970 UTC in *_quarter (every zone's days begin at one), days since 1970 in
-- the org's zone in *_day. They change in the transaction that accepts the events.
CREATE TABLE usage_quarter (
    org_id          INTEGER NOT NULL,
    bucket          INTEGER NOT NULL,
    meter_id        INTEGER NOT NULL,
    source_id       INTEGER NOT NULL,
    project_id      INTEGER NOT NULL,
    credits         INTEGER NOT NULL,
    quantity        INTEGER NOT NULL,
    quantity_micros INTEGER NOT NULL CHECK (quantity_micros BETWEEN 0 AND 999999),
    PRIMARY KEY (org_id, bucket, meter_id, source_id, project_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE usage_day (
    org_id          INTEGER NOT NULL,
    bucket          INTEGER NOT NULL,
    meter_id        INTEGER NOT NULL,
    source_id       INTEGER NOT NULL,
    project_id      INTEGER NOT NULL,
    credits         INTEGER NOT NULL,
    quantity        INTEGER NOT NULL,
    quantity_micros INTEGER NOT NULL CHECK (quantity_micros BETWEEN 0 AND 999999),
    PRIMARY KEY (org_id, bucket, meter_id, source_id, project_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE calls_quarter (
    org_id     INTEGER NOT NULL,
    bucket     INTEGER NOT NULL,
    set_id     INTEGER NOT NULL,
    source_id  INTEGER NOT NULL,
    project_id INTEGER NOT NULL,
    events     INTEGER NOT NULL,
    failed     INTEGER NOT NULL,
    bytes      INTEGER NOT NULL,
    PRIMARY KEY (org_id, bucket, set_id, source_id, project_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE calls_day (
    org_id     INTEGER NOT NULL,
    bucket     INTEGER NOT NULL,
    set_id     INTEGER NOT NULL,
    source_id  INTEGER NOT NULL,
    project_id INTEGER NOT NULL,
    events     INTEGER NOT NULL,
    failed     INTEGER NOT NULL,
    bytes      INTEGER NOT NULL,
    PRIMARY KEY (org_id, bucket, set_id, source_id, project_id)
) STRICT, WITHOUT ROWID;

-- The ledger and the events are append-only: the database refuses what no code should try.
CREATE TRIGGER entry_is_final BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;
CREATE TRIGGER entry_stays BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;
CREATE TRIGGER posting_is_final BEFORE UPDATE ON posting BEGIN SELECT RAISE(ABORT, 'postings are append-only'); END;
CREATE TRIGGER posting_stays BEFORE DELETE ON posting BEGIN SELECT RAISE(ABORT, 'postings are append-only'); END;
CREATE TRIGGER event_is_final BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER event_stays BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER charge_is_final BEFORE UPDATE ON charge BEGIN SELECT RAISE(ABORT, 'charges are append-only'); END;
CREATE TRIGGER charge_stays BEFORE DELETE ON charge BEGIN SELECT RAISE(ABORT, 'charges are append-only'); END;
CREATE TRIGGER identity_is_final BEFORE UPDATE ON identity BEGIN SELECT RAISE(ABORT, 'identities are append-only'); END;
CREATE TRIGGER identity_stays BEFORE DELETE ON identity BEGIN SELECT RAISE(ABORT, 'identities are append-only'); END;
