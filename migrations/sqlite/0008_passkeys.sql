-- Two more ways to sign in: passkeys (WebAuthn), and an account at a service elsewhere (OpenID Connect).
-- Nothing here signs anybody in by itself: of a passkey only the public half is kept, of a service only whom it names.

-- Directory of passkeys.
CREATE TABLE passkey (
    passkey_id    INTEGER PRIMARY KEY,
    user_id       INTEGER NOT NULL REFERENCES user (user_id),
    credential_id BLOB    NOT NULL UNIQUE CHECK (length(credential_id) BETWEEN 1 AND 1023), -- by which its holder names it
    handle        BLOB    NOT NULL CHECK (length(handle) = 16),   -- random; the same for all passkeys of a person, and told to their holders instead of an email
    name          TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 60),
    credential    TEXT    NOT NULL,                               -- JSON: the public key, and how often it has signed
    created_at    INTEGER NOT NULL,
    used_at       INTEGER                                         -- NULL: not yet
) STRICT;
CREATE INDEX passkey_by_user ON passkey (user_id);

-- Directory of whom a service knows a person as. The subject is the service's own name for them and never changes, as an
-- email there may: one person has one subject at a service, and a second one is not taken for them.
CREATE TABLE account_elsewhere (
    issuer     TEXT    NOT NULL,
    subject    TEXT    NOT NULL CHECK (length(subject) BETWEEN 1 AND 255),
    user_id    INTEGER NOT NULL REFERENCES user (user_id),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (issuer, subject),
    UNIQUE (issuer, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX account_elsewhere_by_user ON account_elsewhere (user_id);
