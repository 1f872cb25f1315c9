-- What the Overview page sums up of grants, without reading all of them: what was given by kind, and the newest of a plan.
-- Grants are few beside events: some 60 bytes for each.
CREATE INDEX credit_grant_by_kind ON credit_grant (org_id, kind, effective_at, amount);
