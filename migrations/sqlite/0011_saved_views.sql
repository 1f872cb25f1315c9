-- Views of usage that people keep: a name for what an address of the Analytics page says.

CREATE TABLE saved_view (
    org_id   INTEGER NOT NULL REFERENCES org (org_id),
    view_id  INTEGER NOT NULL CHECK (view_id >= 1),                -- counted within the org
    user_id  INTEGER NOT NULL REFERENCES user (user_id),          -- whose it is; theirs alone to change
    name     TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 60),
    query    TEXT    NOT NULL CHECK (length(query) <= 4096),      -- the query string of the page, as the app writes it; empty: the default view
    shared   INTEGER NOT NULL CHECK (shared IN (0, 1)),           -- whether everybody in the org sees it
    saved_at INTEGER NOT NULL,                                    -- when it was last changed
    PRIMARY KEY (org_id, view_id),
    UNIQUE (org_id, user_id, name)
) STRICT, WITHOUT ROWID;
