-- What people and other systems are to hear (the outbox): rows written in the transaction that caused them, and sent at least once.

-- Something that somebody is to hear.
CREATE TABLE message (
    org_id     INTEGER NOT NULL REFERENCES org (org_id),
    message_id INTEGER NOT NULL CHECK (message_id >= 1),          -- counted within the org
    kind       TEXT    NOT NULL,                                  -- balance.low, alert.fired, … (ledger::MessageKind)
    public_id  TEXT    NOT NULL,                                  -- webhook-id: random, since a number may be given again after a restore
    data       TEXT    NOT NULL,                                  -- JSON: what the message says; no secrets
    made_at    INTEGER NOT NULL,
    PRIMARY KEY (org_id, message_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX message_by_age ON message (made_at);

-- Where an org's messages go besides its people. Rows stay, so that no number is given twice.
CREATE TABLE endpoint (
    org_id         INTEGER NOT NULL REFERENCES org (org_id),
    endpoint_id    INTEGER NOT NULL CHECK (endpoint_id >= 1),     -- counted within the org, never given again
    shape          TEXT    NOT NULL CHECK (shape IN ('webhook', 'slack', 'teams')), -- what the body looks like
    title          TEXT    NOT NULL CHECK (length(title) <= 60),  -- what people call it; may be empty
    url            TEXT    NOT NULL CHECK (length(url) BETWEEN 8 AND 2048),         -- for Slack and Teams a secret by itself
    kinds          TEXT    NOT NULL,                              -- JSON array of the kinds it hears; empty: all
    secret         BLOB    NOT NULL CHECK (length(secret) = 32),  -- signs what is sent there; in clear, since it must
    old_secret     BLOB    CHECK (length(old_secret) = 32),       -- signs too, for a day after a rotation
    old_until      INTEGER,                                       -- until when
    disabled       TEXT    CHECK (disabled IN ('by_hand', 'gone', 'failing')), -- why nothing is sent there; NULL: it is
    disabled_at    INTEGER,
    failures       INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0), -- attempts that failed since one did not
    failing_since  INTEGER,                                       -- when the first of them was made
    rests_until    INTEGER NOT NULL DEFAULT 0,                    -- it fails again and again: nothing is tried before
    created_at     INTEGER NOT NULL,
    created_by     TEXT    NOT NULL,
    deleted_at     INTEGER,                                       -- NULL: it is there
    PRIMARY KEY (org_id, endpoint_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX endpoint_awake ON endpoint (rests_until) WHERE disabled IS NULL AND deleted_at IS NULL;

-- A message on its way to an endpoint.
CREATE TABLE delivery (
    org_id       INTEGER NOT NULL REFERENCES org (org_id),
    delivery_id  INTEGER NOT NULL CHECK (delivery_id >= 1),       -- counted within the org
    message_id   INTEGER NOT NULL,
    endpoint_id  INTEGER NOT NULL,
    state        TEXT    NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed')),
    tries        INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),   -- by schedule; a redelivery by hand begins anew
    attempts     INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0), -- in all
    made_at      INTEGER NOT NULL,
    next_try_at  INTEGER,                                         -- NULL: done, given up, or only by hand
    done_at      INTEGER,
    PRIMARY KEY (org_id, delivery_id),
    FOREIGN KEY (org_id, message_id) REFERENCES message (org_id, message_id),
    FOREIGN KEY (org_id, endpoint_id) REFERENCES endpoint (org_id, endpoint_id),
    CHECK ((state = 'waiting') = (done_at IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX delivery_due ON delivery (org_id, endpoint_id, next_try_at) WHERE next_try_at IS NOT NULL;
CREATE INDEX delivery_log ON delivery (org_id, endpoint_id, delivery_id);
CREATE INDEX delivery_message ON delivery (org_id, message_id);

-- What came of each attempt; the newest few of a delivery are kept.
CREATE TABLE attempt (
    org_id      INTEGER NOT NULL REFERENCES org (org_id),
    delivery_id INTEGER NOT NULL,
    ordinal     INTEGER NOT NULL CHECK (ordinal >= 1),
    at          INTEGER NOT NULL,                                 -- when it was begun
    took_ms     INTEGER NOT NULL CHECK (took_ms >= 0),
    by_hand     INTEGER NOT NULL CHECK (by_hand IN (0, 1)),
    status      INTEGER,                                          -- of the answer; NULL: none came
    answer      TEXT    NOT NULL,                                 -- how it begins, as text
    error       TEXT,                                             -- a code: why it does not count; NULL: it does
    PRIMARY KEY (org_id, delivery_id, ordinal),
    FOREIGN KEY (org_id, delivery_id) REFERENCES delivery (org_id, delivery_id)
) STRICT, WITHOUT ROWID;

-- What one person is told of: in the app, by mail, or both.
CREATE TABLE inbox (
    org_id     INTEGER NOT NULL REFERENCES org (org_id),
    user_id    INTEGER NOT NULL REFERENCES user (user_id),
    message_id INTEGER NOT NULL,
    in_app     INTEGER NOT NULL CHECK (in_app IN (0, 1)),         -- whether the app shows it
    read_at    INTEGER,                                           -- NULL: not yet
    mail_at    INTEGER,                                           -- when it goes into a mail; NULL: never, or it has
    mail_id    INTEGER,                                           -- the mail that it is in
    PRIMARY KEY (org_id, user_id, message_id),
    FOREIGN KEY (org_id, message_id) REFERENCES message (org_id, message_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX inbox_to_mail ON inbox (mail_at) WHERE mail_at IS NOT NULL;
CREATE INDEX inbox_unread ON inbox (org_id, user_id) WHERE in_app = 1 AND read_at IS NULL;
CREATE INDEX inbox_message ON inbox (org_id, message_id);
CREATE INDEX inbox_mail ON inbox (org_id, mail_id) WHERE mail_id IS NOT NULL;

-- A mail with one message or, after quiet hours or once a day, several: which ones is settled before it is sent, so that it is the same
-- mail however often it is tried.
CREATE TABLE mail (
    org_id      INTEGER NOT NULL REFERENCES org (org_id),
    mail_id     INTEGER NOT NULL CHECK (mail_id >= 1),
    user_id     INTEGER NOT NULL REFERENCES user (user_id),
    made_at     INTEGER NOT NULL,
    tries       INTEGER NOT NULL DEFAULT 0,
    next_try_at INTEGER,                                          -- NULL: sent or given up
    sent_at     INTEGER,
    error       TEXT,
    PRIMARY KEY (org_id, mail_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX mail_waiting ON mail (next_try_at) WHERE next_try_at IS NOT NULL;

-- How a member wants to hear; the defaults where there is no row.
CREATE TABLE person_channel (
    org_id       INTEGER NOT NULL REFERENCES org (org_id),
    user_id      INTEGER NOT NULL REFERENCES user (user_id),
    mail         INTEGER NOT NULL CHECK (mail IN (0, 1)),          -- whether by mail
    zone         TEXT    NOT NULL,                                 -- IANA name: whose hours the others are
    quiet_from   INTEGER CHECK (quiet_from BETWEEN 0 AND 1439),    -- minute of the day at which mails begin to wait; NULL: never
    quiet_until  INTEGER CHECK (quiet_until BETWEEN 0 AND 1439),   -- minute at which they come, as one
    digest_at    INTEGER CHECK (digest_at BETWEEN 0 AND 1439),     -- minute at which all of a day come as one; NULL: each by itself
    changed_at   INTEGER NOT NULL,
    PRIMARY KEY (org_id, user_id),
    CHECK ((quiet_from IS NULL) = (quiet_until IS NULL))
) STRICT, WITHOUT ROWID;

-- What links in mails that work without signing in are signed with; made when the first is.
ALTER TABLE installation ADD COLUMN link_key BLOB CHECK (length(link_key) = 32);

-- Grants by the end of their time, for those that it comes near to.
CREATE INDEX credit_grant_ends ON credit_grant (expires_at) WHERE expires_at IS NOT NULL;

-- What was last said of a balance, so that a crossing is told once; an org without a row has enough.
CREATE TABLE balance_told (
    org_id INTEGER NOT NULL REFERENCES org (org_id),
    state  TEXT    NOT NULL CHECK (state IN ('enough', 'low', 'depleted')),
    paused INTEGER NOT NULL CHECK (paused IN (0, 1)),
    PRIMARY KEY (org_id)
) STRICT, WITHOUT ROWID;

-- Grants of which it was said that they expire soon: each is told of once.
CREATE TABLE grant_told (
    org_id   INTEGER NOT NULL REFERENCES org (org_id),
    grant_id INTEGER NOT NULL,
    told_at  INTEGER NOT NULL,
    PRIMARY KEY (org_id, grant_id),
    FOREIGN KEY (org_id, grant_id) REFERENCES credit_grant (org_id, grant_id)
) STRICT, WITHOUT ROWID;
