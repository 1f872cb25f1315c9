-- What people say of a workflow in its settings, besides what events say.

-- A name that people gave stands in `name` and stays; what events call it is kept beside it.
ALTER TABLE dimension ADD COLUMN is_renamed INTEGER NOT NULL DEFAULT 0 CHECK (is_renamed IN (0, 1));
ALTER TABLE dimension ADD COLUMN said TEXT;                        -- what events call it; only where it is renamed

-- The project that a workflow belongs to, in lists of workflows. Usage counts for the project that its event names, whatever stands here.
CREATE TABLE workflow_project (
    org_id      INTEGER NOT NULL REFERENCES org (org_id),
    workflow_id INTEGER NOT NULL CHECK (workflow_id >= 1),        -- a name of kind 4
    project_id  INTEGER NOT NULL CHECK (project_id >= 1),         -- of kind 3
    PRIMARY KEY (org_id, workflow_id)
) STRICT, WITHOUT ROWID;
