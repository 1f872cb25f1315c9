-- Wide usage has one more level of detail (7: no facet but the status, by quarters of an hour), by which hours and days of other
-- zones are answered. Segments are made of the events, so they are made again: the job begins from the first event.
DELETE FROM wide_day;
DELETE FROM wide_org;
