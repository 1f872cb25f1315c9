-- When a cycle's credits were given and its fee was put down; NULL: it waits until an unpaid invoice is paid.
ALTER TABLE billing_cycle ADD COLUMN supplied_at INTEGER;
