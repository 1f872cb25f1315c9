-- Alerts: rules, what became of them, and budgets.

-- What people want to hear of. The state of a rule is in its row, so that a restart forgets nothing.
CREATE TABLE alert_rule (
    org_id         INTEGER NOT NULL REFERENCES org (org_id),
    rule_id        INTEGER NOT NULL CHECK (rule_id >= 1),         -- counted within the org, never given again
    title          TEXT    NOT NULL CHECK (length(title) BETWEEN 1 AND 120),
    kind           TEXT    NOT NULL,                              -- balance_below, … (ledger::alert::Kind)
    terms          TEXT    NOT NULL,                              -- JSON: kind and parameters
    scope          TEXT    NOT NULL,                              -- JSON: the part of usage it is about; '{}' is all of it
    recipients     TEXT    NOT NULL,                              -- JSON: who hears of it
    margin_percent INTEGER NOT NULL CHECK (margin_percent BETWEEN 0 AND 50), -- how far it must come back to be over
    by_job         INTEGER NOT NULL CHECK (by_job IN (0, 1)),     -- looked at by the job; otherwise in the transaction that changes it
    is_default     INTEGER NOT NULL CHECK (is_default IN (0, 1)), -- made by Scrip for an org with a plan
    made_at        INTEGER NOT NULL,
    made_by        TEXT    NOT NULL,
    muted          INTEGER NOT NULL DEFAULT 0 CHECK (muted IN (0, 1)), -- says nothing
    snoozed_until  INTEGER,                                       -- says nothing before then
    firing_id      INTEGER,                                       -- what it fired and is not over; NULL: it does not hold
    fired_at       INTEGER,                                       -- since when
    fired_in       INTEGER,                                       -- when the period began in which it fired last; NULL: never, or it has none
    seen           INTEGER NOT NULL DEFAULT 0,                    -- the number of what it told last, for what happens each time
    counted_from   INTEGER,                                       -- the period whose usage is counted
    counted_to     INTEGER,
    counted        INTEGER,                                       -- micro-credits of it; NULL: to be counted anew
    PRIMARY KEY (org_id, rule_id),
    CHECK ((firing_id IS NULL) = (fired_at IS NULL)),
    CHECK ((counted_from IS NULL) = (counted_to IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX alert_rule_by_job ON alert_rule (org_id) WHERE by_job = 1;
CREATE INDEX alert_rule_waits ON alert_rule (snoozed_until) WHERE snoozed_until IS NOT NULL;
CREATE INDEX alert_rule_ends ON alert_rule (counted_to) WHERE firing_id IS NOT NULL AND counted_to IS NOT NULL;

-- That a rule came to hold: the history. It outlives its rule.
CREATE TABLE alert_firing (
    org_id          INTEGER NOT NULL REFERENCES org (org_id),
    firing_id       INTEGER NOT NULL CHECK (firing_id >= 1),
    rule_id         INTEGER NOT NULL,                             -- the rule may be gone
    title           TEXT    NOT NULL,                             -- what it was called then
    terms           TEXT    NOT NULL,                             -- JSON: what it watched for then
    detail          TEXT    NOT NULL,                             -- what happened, where a figure does not say it; may be empty
    fired_at        INTEGER NOT NULL,
    value           INTEGER NOT NULL,                             -- in the unit of its kind
    threshold       INTEGER NOT NULL,
    silence         TEXT    CHECK (silence IN ('imported', 'muted', 'snoozed', 'already')), -- why nobody was told; NULL: they were
    resolved_at     INTEGER,                                      -- NULL: it still holds
    acknowledged_at INTEGER,
    acknowledged_by TEXT,
    PRIMARY KEY (org_id, firing_id),
    CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX alert_firing_of ON alert_firing (org_id, rule_id, firing_id);

-- What a project, a user or a tenant may use.
CREATE TABLE budget (
    org_id       INTEGER NOT NULL REFERENCES org (org_id),
    budget_id    INTEGER NOT NULL CHECK (budget_id >= 1),         -- counted within the org, never given again
    title        TEXT    NOT NULL CHECK (length(title) BETWEEN 1 AND 120),
    whose        TEXT    NOT NULL CHECK (whose IN ('project', 'user', 'tenant')),
    id           TEXT    NOT NULL,                                -- of the project, user or tenant
    amount       INTEGER NOT NULL CHECK (amount > 0),             -- micro-credits
    per          TEXT    NOT NULL CHECK (per IN ('hour', 'day', 'cycle')),
    warn_percent INTEGER CHECK (warn_percent BETWEEN 1 AND 99),   -- NULL: nobody is warned
    pauses       INTEGER NOT NULL CHECK (pauses IN (0, 1)),       -- whether authorize and holds are refused once it is used up
    recipients   TEXT    NOT NULL,                                -- JSON: who hears of it
    made_at      INTEGER NOT NULL,
    made_by      TEXT    NOT NULL,
    standing     TEXT    NOT NULL DEFAULT 'within' CHECK (standing IN ('within', 'warned', 'exceeded')), -- the farthest that was told
    standing_in  INTEGER,                                         -- in the period that began then
    counted_from INTEGER,                                         -- the period whose usage is counted
    counted_to   INTEGER,
    counted      INTEGER,                                         -- micro-credits of it; NULL: to be counted anew
    PRIMARY KEY (org_id, budget_id),
    CHECK ((counted_from IS NULL) = (counted_to IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX budget_that_pauses ON budget (org_id, whose, id) WHERE pauses = 1;

-- What is known of an org's alerts as a whole, once it has any.
CREATE TABLE alert_org (
    org_id       INTEGER NOT NULL REFERENCES org (org_id),
    last_rule    INTEGER NOT NULL DEFAULT 0,                      -- the last number given, also where its rule is gone
    last_budget  INTEGER NOT NULL DEFAULT 0,
    has_defaults INTEGER NOT NULL DEFAULT 0 CHECK (has_defaults IN (0, 1)), -- whether default rules were made
    past_at      INTEGER,                                         -- when usage of long ago came in since the job looked: it keeps quiet once
    PRIMARY KEY (org_id)
) STRICT;
