-- What the installation and its orgs are set to, and how far the first start has come.

-- The installation: one row. What it is called, the words of orgs that have none of their own, where help is found.
CREATE TABLE installation (
    installation_id INTEGER PRIMARY KEY CHECK (installation_id = 1),
    product       TEXT    NOT NULL CHECK (length(product) BETWEEN 1 AND 64),   -- the product's name, in the header, titles and mails
    unit          TEXT    NOT NULL CHECK (length(unit) BETWEEN 1 AND 64),      -- as in org_words
    unit_position TEXT    NOT NULL CHECK (unit_position IN ('before', 'after')),
    decimals      INTEGER NOT NULL CHECK (decimals BETWEEN 0 AND 6),
    workflow      TEXT    NOT NULL CHECK (length(workflow) BETWEEN 1 AND 64),
    workflows     TEXT    NOT NULL CHECK (length(workflows) BETWEEN 1 AND 64),
    support       TEXT    CHECK (length(support) BETWEEN 3 AND 256)            -- an email address or a page; NULL: none
) STRICT;
INSERT INTO installation VALUES (1, 'Scrip', 'credits', 'after', 2, 'Workflow', 'Workflows', NULL);

-- What the product is called for an org that has words of its own; NULL: as in the installation.
ALTER TABLE org_words ADD COLUMN product TEXT CHECK (length(product) BETWEEN 1 AND 64);

-- What an org is set to beside name, zone, words and policy; the defaults where there is no row.
CREATE TABLE org_setting (
    org_id         INTEGER NOT NULL REFERENCES org (org_id),
    currency       TEXT    NOT NULL DEFAULT 'USD' CHECK (length(currency) = 3), -- ISO 4217: what the org pays with
    contact        TEXT    CHECK (length(contact) BETWEEN 3 AND 256),           -- an email address or a domain; NULL: none
    low_balance    INTEGER CHECK (low_balance > 0),                             -- in micro-credits: from there down pages say so; NULL: never
    retention_days INTEGER CHECK (retention_days BETWEEN 30 AND 3650),          -- how long events' detail is to be kept; NULL: for ever
    PRIMARY KEY (org_id)
) STRICT, WITHOUT ROWID;

-- The first start: at most one row. There is none where people were made by the command line.
CREATE TABLE setup (
    setup_id    INTEGER PRIMARY KEY CHECK (setup_id = 1),
    token_hash  BLOB    CHECK (length(token_hash) = 32),          -- SHA-256 of the link's token; NULL: it was used
    expires_at  INTEGER,                                          -- until when the link works
    user_id     INTEGER REFERENCES user (user_id),                -- who used it: the first owner, who goes on by their session
    draft       TEXT    NOT NULL DEFAULT '{}',                    -- JSON: what was answered before the org is made
    org_id      INTEGER REFERENCES org (org_id),                  -- the org, once it is made
    finished_at INTEGER                                           -- when the owner said that it is done
) STRICT;
