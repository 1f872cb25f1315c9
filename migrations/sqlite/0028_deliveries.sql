-- What an endpoint was sent last, byte for byte: it can be held against what the receiver says it got, whatever was renamed since. What is
-- the same for all (the other headers) or new with each attempt (time and signature) is not kept.
ALTER TABLE delivery ADD COLUMN sent_shape TEXT CHECK (sent_shape IN ('webhook', 'slack', 'teams')); -- what the body looks like; NULL: nothing was sent, or by an older release
ALTER TABLE delivery ADD COLUMN sent_body  TEXT CHECK ((sent_body IS NULL) = (sent_shape IS NULL)); -- as it was sent last

-- How an endpoint fares, for its list: when it took something last, when it last did not, and how deliveries of the last days stand.
ALTER TABLE endpoint ADD COLUMN last_taken_at  INTEGER; -- NULL: never, or not since this is kept
ALTER TABLE endpoint ADD COLUMN last_failed_at INTEGER; -- NULL: never, or not since this is kept
CREATE INDEX delivery_standing ON delivery (org_id, endpoint_id, made_at, state, attempts);

-- A projection fires above its share of the plan. Until now that was kept as the share and one millionth, reached; people are told the
-- share that they set. Rows of the history say what was held against then, so they are put right too.
UPDATE alert_firing SET threshold = threshold - 1 WHERE json_extract(terms, '$.kind') = 'projected_above';
