-- What an endpoint was sent last, byte for byte: it can be held against what the receiver says it got, whatever was renamed since. What is
-- the same for all (the other headers) or new with each attempt (time and signature) is not kept.
ALTER TABLE delivery ADD COLUMN sent_shape TEXT CHECK (sent_shape IN ('webhook', 'slack', 'teams')); -- what the body looks like; NULL: nothing was sent, or by an older release
ALTER TABLE delivery ADD COLUMN sent_body  TEXT CHECK ((sent_body IS NULL) = (sent_shape IS NULL)); -- as it was sent last
