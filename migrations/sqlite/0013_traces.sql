-- What runs and interactions sum up to, so that lists of them read a row each, and their pages no other's events.
--
-- Made from the events in the background, up to `last_event`; what came later is read from the events. A void takes its event
-- out in its own transaction. Orgs that have events begin at none and are caught up with, some thousand events a step: that is
-- why this is not behind the mark of wide usage, whose steps are larger than what the writer may be kept for here.

-- Up to which event an org's traces are made.
CREATE TABLE trace_org (
    org_id     INTEGER NOT NULL REFERENCES org (org_id),
    last_event INTEGER NOT NULL,
    beside     INTEGER NOT NULL,                                  -- events up to it that name neither run nor interaction
    PRIMARY KEY (org_id)
) STRICT, WITHOUT ROWID;

-- A run or an interaction: the sums over its events that stand. Without any it is not here.
CREATE TABLE trace (
    org_id      INTEGER NOT NULL REFERENCES org (org_id),
    kind        INTEGER NOT NULL CHECK (kind IN (5, 9)),          -- as in `dimension`: 5 run, 9 interaction
    id          INTEGER NOT NULL,
    first_at    INTEGER NOT NULL,                                 -- when its first event happened
    last_at     INTEGER NOT NULL,                                 -- when its last one did
    events      INTEGER NOT NULL CHECK (events >= 1),
    failed      INTEGER NOT NULL CHECK (failed >= 0),
    bytes       INTEGER NOT NULL,
    credits     INTEGER NOT NULL,                                 -- micro-credits
    workflow_id INTEGER NOT NULL,                                 -- of the first event that names one; 0: none does
    project_id  INTEGER NOT NULL,                                 -- likewise
    one_project INTEGER NOT NULL CHECK (one_project IN (0, 1)),   -- whether all its events say the same of their project
    PRIMARY KEY (org_id, kind, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX trace_by_time ON trace (org_id, kind, last_at, id);
CREATE INDEX trace_by_credits ON trace (org_id, kind, credits, id);
CREATE INDEX trace_by_bytes ON trace (org_id, kind, bytes, id);
CREATE INDEX trace_by_workflow ON trace (org_id, workflow_id, last_at, id) WHERE kind = 5;

-- Its events that stand, in the order in which they happened.
CREATE TABLE trace_event (
    org_id INTEGER NOT NULL REFERENCES org (org_id),
    kind   INTEGER NOT NULL,
    id     INTEGER NOT NULL,
    at     INTEGER NOT NULL,                                      -- when it happened, as in `event`
    seq    INTEGER NOT NULL,
    PRIMARY KEY (org_id, kind, id, at, seq)
) STRICT, WITHOUT ROWID;

-- Which meters a workflow ever used, in events up to `trace_org.last_event`, whether or not they stand.
CREATE TABLE workflow_meter (
    org_id      INTEGER NOT NULL REFERENCES org (org_id),
    workflow_id INTEGER NOT NULL,
    meter_id    INTEGER NOT NULL,
    PRIMARY KEY (org_id, workflow_id, meter_id)
) STRICT, WITHOUT ROWID;

-- Whether a workflow that uses it is an AI agent.
ALTER TABLE meter ADD COLUMN agent INTEGER NOT NULL DEFAULT 0 CHECK (agent IN (0, 1));

-- Things are looked up by the beginning of their id (the unique key) or of their name, in any case of letters.
CREATE INDEX dimension_by_name ON dimension (org_id, kind, name COLLATE NOCASE) WHERE name IS NOT NULL;
