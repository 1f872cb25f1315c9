-- People: where they are signed in, a second factor, forgotten passwords, invitations.
-- Tokens and recovery codes are stored as SHA-256 only: who reads the file can use none of them.

-- From where a browser signed in, for the person to recognise it, and which org it looks at.
ALTER TABLE session ADD COLUMN agent   TEXT CHECK (length(agent) <= 300);   -- User-Agent, cut; NULL: not said
ALTER TABLE session ADD COLUMN address TEXT CHECK (length(address) <= 64);  -- IP address; NULL: before this release
ALTER TABLE session ADD COLUMN org_id  INTEGER REFERENCES org (org_id);     -- NULL: the first org the person belongs to
CREATE INDEX session_by_user ON session (user_id);

-- The org somebody looked at last: signing in goes there.
ALTER TABLE user ADD COLUMN last_org_id INTEGER REFERENCES org (org_id);

-- Directory of second factors: time-based codes (RFC 6238, SHA-1, six digits, 30 seconds).
CREATE TABLE second_factor (
    user_id      INTEGER PRIMARY KEY REFERENCES user (user_id),
    secret       TEXT    NOT NULL,                                -- base 32, as authenticator apps take it; needed in the clear
    created_at   INTEGER NOT NULL,
    confirmed_at INTEGER,                                         -- NULL: shown, but no code of it was typed yet
    last_step    INTEGER NOT NULL DEFAULT 0                       -- the newest step whose code was used: none up to it counts again
) STRICT;

-- Directory of recovery codes: each signs its person in once, where the second factor is lost.
CREATE TABLE recovery_code (
    user_id   INTEGER NOT NULL REFERENCES user (user_id),
    code_hash BLOB    NOT NULL CHECK (length(code_hash) = 32),
    used_at   INTEGER,
    PRIMARY KEY (user_id, code_hash)
) STRICT, WITHOUT ROWID;

-- Directory of browsers whose person gave the password and owes the second factor.
CREATE TABLE half_session (
    token_hash BLOB    PRIMARY KEY CHECK (length(token_hash) = 32),
    user_id    INTEGER NOT NULL REFERENCES user (user_id),
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Directory of links that set a new password. A row goes when its link is used.
CREATE TABLE password_reset (
    token_hash BLOB    PRIMARY KEY CHECK (length(token_hash) = 32),
    user_id    INTEGER NOT NULL REFERENCES user (user_id),
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX password_reset_by_user ON password_reset (user_id);

-- Who was asked to join an org. A row goes when it is accepted or revoked: the audit log has both.
CREATE TABLE invitation (
    org_id        INTEGER NOT NULL REFERENCES org (org_id),
    invitation_id INTEGER NOT NULL,
    email         TEXT    NOT NULL CHECK (length(email) BETWEEN 3 AND 256), -- lower case
    role          TEXT    NOT NULL CHECK (role IN ('owner', 'admin', 'billing', 'analyst', 'member')),
    token_hash    BLOB    NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    invited_by    TEXT    NOT NULL,                               -- email of whoever asked
    created_at    INTEGER NOT NULL,                               -- when it was sent last
    expires_at    INTEGER NOT NULL,
    PRIMARY KEY (org_id, invitation_id),
    UNIQUE (org_id, email)
) STRICT, WITHOUT ROWID;
