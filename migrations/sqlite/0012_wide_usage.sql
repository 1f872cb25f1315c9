-- Usage by everything an event says: workflow, user, tenant, status and attributes, besides what the rollups tell apart.
--
-- Rows of one day are kept together as columns (server/store/src/wide/segment.rs): read whole, they are a fiftieth of the
-- work of as many rows. Made from the events in the background, up to `last_event`; what came later is read from the events.

-- Up to which event an org's segments are made.
CREATE TABLE wide_org (
    org_id     INTEGER NOT NULL REFERENCES org (org_id),
    last_event INTEGER NOT NULL,
    PRIMARY KEY (org_id)
) STRICT, WITHOUT ROWID;

-- One day of the org's zone, at several levels of detail, so that a question reads no more than it asks about.
CREATE TABLE wide_day (
    org_id  INTEGER NOT NULL REFERENCES org (org_id),
    level   INTEGER NOT NULL,                                     -- 0: quarters of an hour; 1: the day; 2: only status; 3 workflow, 4 user, 5 tenant, 6 attributes
    day     INTEGER NOT NULL,                                     -- days since 1970 in the org's zone
    credits INTEGER NOT NULL,                                     -- micro-credits of all its rows, to be held against the ledger
    data    BLOB    NOT NULL,                                     -- the segment
    PRIMARY KEY (org_id, level, day)
) STRICT, WITHOUT ROWID;

-- Attributes that came together in one event, as a number.
CREATE TABLE attribute_set (
    org_id  INTEGER NOT NULL REFERENCES org (org_id),
    set_id  INTEGER NOT NULL CHECK (set_id >= 1),
    members TEXT    NOT NULL,                                     -- as the event has them: JSON array of [name, value], by name
    PRIMARY KEY (org_id, set_id),
    UNIQUE (org_id, members)
) STRICT, WITHOUT ROWID;

-- The same, taken apart.
CREATE TABLE attribute (
    org_id INTEGER NOT NULL REFERENCES org (org_id),
    name   TEXT    NOT NULL,
    set_id INTEGER NOT NULL,
    value  TEXT    NOT NULL,
    PRIMARY KEY (org_id, name, set_id)
) STRICT, WITHOUT ROWID;
