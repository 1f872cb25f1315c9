-- Running the installation: what jobs did, and organizations that come to an end.

-- What jobs and checks did, newest runs only. A directory: jobs go over all orgs. Runs in which nothing was to be done are not noted.
CREATE TABLE job_run (
    run_id   INTEGER PRIMARY KEY,
    job      TEXT    NOT NULL CHECK (length(job) BETWEEN 1 AND 64),
    begun_at INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    done     INTEGER NOT NULL,                                    -- how many things were done
    error    TEXT                                                 -- NULL: it went well
) STRICT;
CREATE INDEX job_run_by_job ON job_run (job, run_id);

-- The newest full export of an org: one must have been made before the org can be deleted.
CREATE TABLE org_export (
    org_id  INTEGER PRIMARY KEY REFERENCES org (org_id),
    made_at INTEGER NOT NULL,
    made_by TEXT    NOT NULL
) STRICT;

-- Orgs that will be deleted. Until then everything can be read, nothing is taken, and an owner may keep the org.
CREATE TABLE org_ending (
    org_id   INTEGER PRIMARY KEY REFERENCES org (org_id),
    asked_at INTEGER NOT NULL,
    asked_by TEXT    NOT NULL,
    ends_at  INTEGER NOT NULL CHECK (ends_at > asked_at),
    begun_at INTEGER                                              -- since when its rows are being deleted; no way back
) STRICT;

-- What is left of orgs that were deleted: that they were, and where their chain ended, so that an export can be told to be whole.
CREATE TABLE org_deleted (
    org_id     INTEGER PRIMARY KEY,                               -- never given again
    created_at INTEGER NOT NULL,
    asked_at   INTEGER NOT NULL,
    asked_by   TEXT    NOT NULL,
    deleted_at INTEGER NOT NULL,
    entries    INTEGER NOT NULL,
    head_hash  BLOB    NOT NULL CHECK (length(head_hash) = 32)
) STRICT;

-- What is append-only stays, but for an org whose deletion has begun.
DROP TRIGGER IF EXISTS entry_stays;
DROP TRIGGER IF EXISTS posting_stays;
DROP TRIGGER IF EXISTS event_stays;
DROP TRIGGER IF EXISTS charge_stays;
DROP TRIGGER IF EXISTS charge_tier_stays;
DROP TRIGGER IF EXISTS identity_stays;
DROP TRIGGER IF EXISTS credit_grant_stays;
DROP TRIGGER IF EXISTS hold_stays;
DROP TRIGGER IF EXISTS hold_part_stays;
DROP TRIGGER IF EXISTS rate_card_stays;
DROP TRIGGER IF EXISTS voided_stays;
DROP TRIGGER IF EXISTS idempotency_stays;
DROP TRIGGER IF EXISTS audit_stays;
CREATE TRIGGER entry_stays BEFORE DELETE ON entry WHEN NOT EXISTS (SELECT 1 FROM org_ending WHERE org_id = OLD.org_id AND begun_at IS NOT NULL) BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;
CREATE TRIGGER posting_stays BEFORE DELETE ON posting WHEN NOT EXISTS (SELECT 1 FROM org_ending WHERE org_id = OLD.org_id AND begun_at IS NOT NULL) BEGIN SELECT RAISE(ABORT, 'postings are append-only'); END;
CREATE TRIGGER event_stays BEFORE DELETE ON event WHEN NOT EXISTS (SELECT 1 FROM org_ending WHERE org_id = OLD.org_id AND begun_at IS NOT NULL) BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER charge_stays BEFORE DELETE ON charge WHEN NOT EXISTS (SELECT 1 FROM org_ending WHERE org_id = OLD.org_id AND begun_at IS NOT NULL) BEGIN SELECT RAISE(ABORT, 'charges are append-only'); END;
CREATE TRIGGER charge_tier_stays BEFORE DELETE ON charge_tier WHEN NOT EXISTS (SELECT 1 FROM org_ending WHERE org_id = OLD.org_id AND begun_at IS NOT NULL) BEGIN SELECT RAISE(ABORT, 'charges are append-only'); END;
CREATE TRIGGER identity_stays BEFORE DELETE ON identity WHEN NOT EXISTS (SELECT 1 FROM org_ending WHERE org_id = OLD.org_id AND begun_at IS NOT NULL) BEGIN SELECT RAISE(ABORT, 'identities are append-only'); END;
CREATE TRIGGER credit_grant_stays BEFORE DELETE ON credit_grant WHEN NOT EXISTS (SELECT 1 FROM org_ending WHERE org_id = OLD.org_id AND begun_at IS NOT NULL) BEGIN SELECT RAISE(ABORT, 'grants are final'); END;
CREATE TRIGGER hold_stays BEFORE DELETE ON hold WHEN NOT EXISTS (SELECT 1 FROM org_ending WHERE org_id = OLD.org_id AND begun_at IS NOT NULL) BEGIN SELECT RAISE(ABORT, 'holds are kept'); END;
CREATE TRIGGER hold_part_stays BEFORE DELETE ON hold_part WHEN NOT EXISTS (SELECT 1 FROM org_ending WHERE org_id = OLD.org_id AND begun_at IS NOT NULL) BEGIN SELECT RAISE(ABORT, 'parts of holds are final'); END;
CREATE TRIGGER rate_card_stays BEFORE DELETE ON rate_card WHEN NOT EXISTS (SELECT 1 FROM org_ending WHERE org_id = OLD.org_id AND begun_at IS NOT NULL) BEGIN SELECT RAISE(ABORT, 'rate cards are append-only'); END;
CREATE TRIGGER voided_stays BEFORE DELETE ON voided WHEN NOT EXISTS (SELECT 1 FROM org_ending WHERE org_id = OLD.org_id AND begun_at IS NOT NULL) BEGIN SELECT RAISE(ABORT, 'a voided event stays voided'); END;
CREATE TRIGGER idempotency_stays BEFORE DELETE ON idempotency WHEN NOT EXISTS (SELECT 1 FROM org_ending WHERE org_id = OLD.org_id AND begun_at IS NOT NULL) BEGIN SELECT RAISE(ABORT, 'answers are kept'); END;
CREATE TRIGGER audit_stays BEFORE DELETE ON audit WHEN NOT EXISTS (SELECT 1 FROM org_ending WHERE org_id = OLD.org_id AND begun_at IS NOT NULL) BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
