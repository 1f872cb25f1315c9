-- Who changed what, and API keys that can be bound to a project, rotated and seen to be used.

-- The audit log: one row per change that a person, a key or the command line made. Never a secret, nor a hash of one.
CREATE TABLE audit (
    org_id    INTEGER NOT NULL REFERENCES org (org_id),
    audit_seq INTEGER NOT NULL CHECK (audit_seq >= 1),            -- counts from 1 without gaps
    at        INTEGER NOT NULL,                                   -- when it was written; never before the row before it
    actor     TEXT    NOT NULL CHECK (length(actor) BETWEEN 1 AND 300), -- 'user:' and an email, 'key:' and its prefix, 'command'
    address   TEXT,                                               -- from where; none for the command line
    action    TEXT    NOT NULL CHECK (length(action) BETWEEN 1 AND 64), -- 'key.create'
    target    TEXT    NOT NULL,                                   -- what was changed: 'key_3', 'grant_7'
    "before"  TEXT,                                               -- JSON of what was changed, as it was; none where it is new
    "after"   TEXT,                                               -- JSON as it is now; none where it is gone
    PRIMARY KEY (org_id, audit_seq)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER audit_is_final BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_stays BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

-- The only project whose events and holds the key may report and whose usage it may read; none: all of the org.
ALTER TABLE api_key ADD COLUMN project TEXT;
-- When a request last came with it, to ten minutes; none: never, or before this was noted.
ALTER TABLE api_key ADD COLUMN used_at INTEGER;
-- Who made it: as audit.actor; empty for keys from before this was noted.
ALTER TABLE api_key ADD COLUMN created_by TEXT NOT NULL DEFAULT '';
-- The key that took its place when it was rotated.
ALTER TABLE api_key ADD COLUMN replaced_by INTEGER REFERENCES api_key (key_id);
