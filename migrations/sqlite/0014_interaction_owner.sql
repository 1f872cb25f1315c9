-- On whose behalf: a user and a tenant for an interaction, said after the fact or before its first event.

-- What interactions are mapped to. It counts for all their events, whatever those say; what it leaves out (0) stays what the
-- event says. Each row is what its interaction's newest note in the audit log says; there is none where that says nothing.
CREATE TABLE interaction_owner (
    org_id         INTEGER NOT NULL REFERENCES org (org_id),
    interaction_id INTEGER NOT NULL CHECK (interaction_id >= 1),  -- a name of kind 9
    user_id        INTEGER NOT NULL CHECK (user_id >= 0),         -- of kind 7
    tenant_id      INTEGER NOT NULL CHECK (tenant_id >= 0),       -- of kind 8
    mapped_at      INTEGER NOT NULL,                              -- when, as the note says
    mapped_by      TEXT    NOT NULL,                              -- who, as the note says
    PRIMARY KEY (org_id, interaction_id),
    CHECK (user_id > 0 OR tenant_id > 0)
) STRICT, WITHOUT ROWID;

-- Events with the user and tenant that they count for: the one place that says so. The events keep what they said.
CREATE VIEW owned_event AS
SELECT e.org_id, e.seq, e.occurred_at, e.operation_id, e.source_id, e.project_id, e.workflow_id, e.run_id, e.module_id,
       CASE WHEN o.user_id > 0 THEN o.user_id ELSE e.user_id END AS user_id,
       CASE WHEN o.tenant_id > 0 THEN o.tenant_id ELSE e.tenant_id END AS tenant_id,
       e.interaction_id, e.failed, e.bytes, e.description, e.attributes
FROM event e LEFT JOIN interaction_owner o
    ON e.interaction_id > 0 AND o.org_id = e.org_id AND o.interaction_id = e.interaction_id;

-- For whom an interaction counts: user and tenant of its first event that has one. 0 for runs, which may do something for several.
-- Traces that there are, if any, are made again.
DELETE FROM trace;
DELETE FROM trace_event;
DELETE FROM trace_org;
DELETE FROM workflow_meter;
ALTER TABLE trace ADD COLUMN user_id INTEGER NOT NULL DEFAULT 0;
ALTER TABLE trace ADD COLUMN tenant_id INTEGER NOT NULL DEFAULT 0;
CREATE INDEX trace_by_user ON trace (org_id, user_id, last_at, id) WHERE kind = 9;
CREATE INDEX trace_by_tenant ON trace (org_id, tenant_id, last_at, id) WHERE kind = 9;

-- What was done to one thing, oldest first.
CREATE INDEX audit_by_target ON audit (org_id, target, audit_seq);
