-- Views for programs that read a snapshot: what docs/views.md promises. Tables may change with any release, these names and
-- columns only grow. Amounts: *_micros are whole micro-credits, exact; the same without it is a decimal of six places, as text.
-- Times are UTC, ISO 8601; days are those of the organization's own zone.

CREATE VIEW organizations AS
SELECT org_id, name AS organization, zone AS time_zone, synthetic,
    strftime('%Y-%m-%dT%H:%M:%fZ', created_at / 1000000.0, 'unixepoch') AS created_at
FROM org;

CREATE VIEW credit_types AS
SELECT org_id, meter_id, name AS credit_type, title, unit, service FROM meter;

CREATE VIEW events AS
SELECT e.org_id, 'event_' || e.seq AS event,
    strftime('%Y-%m-%dT%H:%M:%fZ', e.occurred_at / 1000000.0, 'unixepoch') AS occurred_at,
    o.value AS operation, s.value AS source,
    p.value AS project, coalesce(p.name, p.value) AS project_name,
    w.value AS workflow, coalesce(w.name, w.value) AS workflow_name,
    r.value AS run, m.value AS module, u.value AS user, t.value AS tenant, i.value AS interaction,
    CASE e.failed WHEN 1 THEN 'failed' ELSE 'succeeded' END AS status, e.bytes, e.description, e.attributes,
    v.event_seq IS NOT NULL AS voided,
    (SELECT coalesce(sum(c.credits), 0) FROM charge c WHERE c.org_id = e.org_id AND c.seq = e.seq) AS credits_micros,
    cu.value AS counts_for_user, ct.value AS counts_for_tenant
FROM event e
JOIN owned_event n ON n.org_id = e.org_id AND n.seq = e.seq
LEFT JOIN dimension cu ON cu.org_id = e.org_id AND cu.kind = 7 AND cu.id = n.user_id
LEFT JOIN dimension ct ON ct.org_id = e.org_id AND ct.kind = 8 AND ct.id = n.tenant_id
LEFT JOIN dimension o ON o.org_id = e.org_id AND o.kind = 1 AND o.id = e.operation_id
LEFT JOIN dimension s ON s.org_id = e.org_id AND s.kind = 2 AND s.id = e.source_id
LEFT JOIN dimension p ON p.org_id = e.org_id AND p.kind = 3 AND p.id = e.project_id
LEFT JOIN dimension w ON w.org_id = e.org_id AND w.kind = 4 AND w.id = e.workflow_id
LEFT JOIN dimension r ON r.org_id = e.org_id AND r.kind = 5 AND r.id = e.run_id
LEFT JOIN dimension m ON m.org_id = e.org_id AND m.kind = 6 AND m.id = e.module_id
LEFT JOIN dimension u ON u.org_id = e.org_id AND u.kind = 7 AND u.id = e.user_id
LEFT JOIN dimension t ON t.org_id = e.org_id AND t.kind = 8 AND t.id = e.tenant_id
LEFT JOIN dimension i ON i.org_id = e.org_id AND i.kind = 9 AND i.id = e.interaction_id
LEFT JOIN voided v ON v.org_id = e.org_id AND v.event_seq = e.seq
WHERE NOT EXISTS (SELECT 1 FROM pruning g WHERE g.org_id = e.org_id AND g.last_event >= e.seq);

CREATE VIEW charges AS
SELECT c.org_id, 'event_' || c.seq AS event,
    strftime('%Y-%m-%dT%H:%M:%fZ', e.occurred_at / 1000000.0, 'unixepoch') AS occurred_at,
    m.name AS credit_type, m.title, m.unit, printf('%d.%06d', c.quantity, c.quantity_micros) AS quantity,
    c.credits AS credits_micros,
    printf('%s%d.%06d', iif(c.credits < 0, '-', ''), abs(c.credits) / 1000000, abs(c.credits) % 1000000) AS credits,
    c.version AS rate_card_version, c.line AS rate_card_line,
    EXISTS (SELECT 1 FROM voided v WHERE v.org_id = c.org_id AND v.event_seq = c.seq) AS voided
FROM charge c
JOIN event e ON e.org_id = c.org_id AND e.seq = c.seq
JOIN meter m ON m.org_id = c.org_id AND m.meter_id = c.meter_id
WHERE NOT EXISTS (SELECT 1 FROM pruning g WHERE g.org_id = c.org_id AND g.last_event >= c.seq);

CREATE VIEW usage_by_day AS
SELECT d.org_id, date(d.bucket * 86400, 'unixepoch') AS day, m.name AS credit_type, m.title, s.value AS source,
    p.value AS project, coalesce(p.name, p.value) AS project_name, m.unit,
    printf('%d.%06d', d.quantity, d.quantity_micros) AS quantity, d.credits AS credits_micros,
    printf('%s%d.%06d', iif(d.credits < 0, '-', ''), abs(d.credits) / 1000000, abs(d.credits) % 1000000) AS credits
FROM usage_day d
JOIN meter m ON m.org_id = d.org_id AND m.meter_id = d.meter_id
LEFT JOIN dimension s ON s.org_id = d.org_id AND s.kind = 2 AND s.id = d.source_id
LEFT JOIN dimension p ON p.org_id = d.org_id AND p.kind = 3 AND p.id = d.project_id;

CREATE VIEW runs AS
SELECT e.org_id, r.value AS run, coalesce(r.name, r.value) AS run_name,
    strftime('%Y-%m-%dT%H:%M:%fZ', min(e.first_at) / 1000000.0, 'unixepoch') AS first_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', max(e.last_at) / 1000000.0, 'unixepoch') AS last_at,
    sum(e.events) AS events, sum(e.failed) AS failed, sum(e.bytes) AS bytes, sum(e.credits) AS credits_micros
FROM (SELECT k.org_id, k.run_id, k.occurred_at AS first_at, k.occurred_at AS last_at, 1 AS events, k.failed, k.bytes,
          (SELECT coalesce(sum(c.credits), 0) FROM charge c WHERE c.org_id = k.org_id AND c.seq = k.seq) AS credits
      FROM event k
      WHERE NOT EXISTS (SELECT 1 FROM voided v WHERE v.org_id = k.org_id AND v.event_seq = k.seq)
        AND NOT EXISTS (SELECT 1 FROM pruning g WHERE g.org_id = k.org_id AND g.last_event >= k.seq)
      UNION ALL
      SELECT t.org_id, t.id, t.first_at, t.last_at, t.events, t.failed, t.bytes, t.credits
      FROM trace_pruned t WHERE t.kind = 5) e
JOIN dimension r ON r.org_id = e.org_id AND r.kind = 5 AND r.id = e.run_id
GROUP BY e.org_id, e.run_id;

CREATE VIEW grants AS
SELECT g.org_id, 'grant_' || g.grant_id AS grant_id, g.kind, g.amount AS credits_micros,
    printf('%d.%06d', g.amount / 1000000, g.amount % 1000000) AS credits,
    strftime('%Y-%m-%dT%H:%M:%fZ', g.effective_at / 1000000.0, 'unixepoch') AS effective_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', g.expires_at / 1000000.0, 'unixepoch') AS expires_at,
    g.cost_minor, g.cost_currency, g.description,
    coalesce(a.balance, 0) AS left_micros
FROM credit_grant g
LEFT JOIN account a ON a.org_id = g.org_id AND a.account = 'grant' AND a.number = g.grant_id;

CREATE VIEW balances AS
SELECT org_id, account || iif(number > 0, '_' || number, '') AS account, balance AS balance_micros,
    printf('%s%d.%06d', iif(balance < 0, '-', ''), abs(balance) / 1000000, abs(balance) % 1000000) AS balance
FROM account;

CREATE VIEW ledger_entries AS
SELECT org_id, 'entry_' || seq AS entry, kind,
    strftime('%Y-%m-%dT%H:%M:%fZ', happened_at / 1000000.0, 'unixepoch') AS happened_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', booked_at / 1000000.0, 'unixepoch') AS booked_at,
    cause, lower(hex(hash)) AS hash
FROM entry;

CREATE VIEW ledger_postings AS
SELECT org_id, 'entry_' || entry_seq AS entry, account || iif(number > 0, '_' || number, '') AS account,
    amount AS amount_micros,
    printf('%s%d.%06d', iif(amount < 0, '-', ''), abs(amount) / 1000000, abs(amount) % 1000000) AS amount
FROM posting;
