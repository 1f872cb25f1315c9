-- Retention: the detail of events older than an org keeps it is pruned. What goes are the oldest rows of event, charge, charge_tier
-- and trace_event, whole settled ranges at a time; entries, postings, identities, rollups, wide usage and sums of traces stay.

-- How far an org's events are pruned, and what those that are gone added up to: what `verify` goes on from.
CREATE TABLE pruning (
    org_id      INTEGER NOT NULL REFERENCES org (org_id),
    last_event  INTEGER NOT NULL CHECK (last_event >= 1),         -- the last event that is pruned; none before it counts as kept
    last_entry  INTEGER NOT NULL,                                 -- the entry that settled it, whole
    until_at    INTEGER NOT NULL,                                 -- when that entry was booked
    swept_event INTEGER NOT NULL CHECK (swept_event BETWEEN 0 AND last_event), -- up to here the rows are gone already
    pruned_at   INTEGER NOT NULL,                                 -- when that was done last
    base        TEXT    NOT NULL,                                 -- JSON (server/store/src/retention/base.rs)
    digest      BLOB    NOT NULL CHECK (length(digest) = 32),     -- SHA-256 over all of this and the hash of last_entry
    PRIMARY KEY (org_id)
) STRICT, WITHOUT ROWID;

-- Of each run and interaction of which events were pruned: what those add up to, that stood. `trace` has these and the others.
CREATE TABLE trace_pruned (
    org_id       INTEGER NOT NULL REFERENCES org (org_id),
    kind         INTEGER NOT NULL CHECK (kind IN (5, 9)),         -- as in `trace`, likewise all up to `tenant_id`
    id           INTEGER NOT NULL,
    first_at     INTEGER NOT NULL,
    last_at      INTEGER NOT NULL,
    events       INTEGER NOT NULL CHECK (events >= 1),
    failed       INTEGER NOT NULL CHECK (failed >= 0),
    bytes        INTEGER NOT NULL,
    credits      INTEGER NOT NULL,
    workflow_id  INTEGER NOT NULL,
    project_id   INTEGER NOT NULL,
    one_project  INTEGER NOT NULL CHECK (one_project IN (0, 1)),
    user_id      INTEGER NOT NULL,
    tenant_id    INTEGER NOT NULL,
    workflow_at  INTEGER NOT NULL,                                -- when and by which event the workflow is said first, and so on
    workflow_seq INTEGER NOT NULL,
    project_at   INTEGER NOT NULL,
    project_seq  INTEGER NOT NULL,
    user_at      INTEGER NOT NULL,
    user_seq     INTEGER NOT NULL,
    tenant_at    INTEGER NOT NULL,
    tenant_seq   INTEGER NOT NULL,
    low_project  INTEGER NOT NULL,                                -- the least and the largest number of a project that they name
    high_project INTEGER NOT NULL,
    PRIMARY KEY (org_id, kind, id)
) STRICT, WITHOUT ROWID;

-- Whether a pruned event says so.
ALTER TABLE workflow_meter ADD COLUMN pruned INTEGER NOT NULL DEFAULT 0 CHECK (pruned IN (0, 1));

-- Events that were taken back stay known when their rows are gone, so this does not refer to them any more.
CREATE TABLE voided_2 (
    org_id          INTEGER NOT NULL,
    event_seq       INTEGER NOT NULL,
    entry_seq       INTEGER NOT NULL,
    replacement_seq INTEGER,
    PRIMARY KEY (org_id, event_seq),
    FOREIGN KEY (org_id, entry_seq) REFERENCES entry (org_id, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO voided_2 (org_id, event_seq, entry_seq, replacement_seq)
    SELECT org_id, event_seq, entry_seq, replacement_seq FROM voided;
DROP TABLE voided;
ALTER TABLE voided_2 RENAME TO voided;
CREATE TRIGGER voided_is_final BEFORE UPDATE ON voided BEGIN SELECT RAISE(ABORT, 'a voided event stays voided'); END;
CREATE TRIGGER voided_stays BEFORE DELETE ON voided WHEN NOT EXISTS (SELECT 1 FROM org_ending WHERE org_id = OLD.org_id AND begun_at IS NOT NULL) BEGIN SELECT RAISE(ABORT, 'a voided event stays voided'); END;

-- Events and their charges stay, but for those that are pruned and for an org whose deletion has begun. How far is pruned never goes back.
DROP TRIGGER event_stays;
DROP TRIGGER charge_stays;
DROP TRIGGER charge_tier_stays;
CREATE TRIGGER event_stays BEFORE DELETE ON event WHEN NOT EXISTS (SELECT 1 FROM pruning WHERE org_id = OLD.org_id AND last_event >= OLD.seq) AND NOT EXISTS (SELECT 1 FROM org_ending WHERE org_id = OLD.org_id AND begun_at IS NOT NULL) BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER charge_stays BEFORE DELETE ON charge WHEN NOT EXISTS (SELECT 1 FROM pruning WHERE org_id = OLD.org_id AND last_event >= OLD.seq) AND NOT EXISTS (SELECT 1 FROM org_ending WHERE org_id = OLD.org_id AND begun_at IS NOT NULL) BEGIN SELECT RAISE(ABORT, 'charges are append-only'); END;
CREATE TRIGGER charge_tier_stays BEFORE DELETE ON charge_tier WHEN NOT EXISTS (SELECT 1 FROM pruning WHERE org_id = OLD.org_id AND last_event >= OLD.seq) AND NOT EXISTS (SELECT 1 FROM org_ending WHERE org_id = OLD.org_id AND begun_at IS NOT NULL) BEGIN SELECT RAISE(ABORT, 'charges are append-only'); END;
CREATE TRIGGER pruning_goes_on BEFORE UPDATE ON pruning WHEN NEW.org_id <> OLD.org_id OR NEW.last_event < OLD.last_event OR NEW.swept_event < OLD.swept_event BEGIN SELECT RAISE(ABORT, 'what is pruned stays pruned'); END;
CREATE TRIGGER pruning_stays BEFORE DELETE ON pruning WHEN NOT EXISTS (SELECT 1 FROM org_ending WHERE org_id = OLD.org_id AND begun_at IS NOT NULL) BEGIN SELECT RAISE(ABORT, 'what is pruned stays pruned'); END;
