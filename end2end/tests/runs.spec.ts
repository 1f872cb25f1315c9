// A run that fills in while it runs: figures come, what one was doing stays.
import { findings, overflow } from '../axe';
import { expect, origin, test } from '../journey';
import { grant, newOrg, report, signInAs } from '../orgs';

test('a run fills in while its events arrive, and keeps focus and address', async ({ page }) => {
  const org = newOrg('Europe/Vienna', 'automation');
  grant(org, '1000');
  const step = (id: string, module: string) =>
    report(org, id, { type: 'module_run', data: { quantities: { operation: 1 }, run: 'live', module } });
  await step('e1', 'fetch');
  await signInAs(page, org.member, '/runs/live');
  const modules = page.getByRole('region', { name: 'Modules', exact: true });
  await expect(modules.locator('tbody tr')).toHaveCount(1);
  const link = page.getByRole('link', { name: 'e1', exact: true });
  await link.focus();
  await step('e2', 'write');
  await expect(modules.locator('tbody tr')).toHaveCount(2);
  await expect(modules.locator('tfoot')).toContainText('2.00');
  await expect(link).toBeFocused();
  await step('e3', 'write');
  await expect(page.getByRole('region', { name: 'Events' }).locator('tbody tr')).toHaveCount(3);
  expect(await findings(page)).toEqual([]);
  expect(await overflow(page)).toBe(0);
  await page.goto('/usage');
  await expect(page.getByRole('rowheader')).toContainText('live');
  expect(await findings(page)).toEqual([]);
  expect(await overflow(page)).toBe(0);
});

test('a list of runs goes on where it ends, keeps few rows, and comes back', async ({ page }) => {
  const org = newOrg('Europe/Vienna', 'automation');
  grant(org, '1000');
  const all = Array.from({ length: 620 }, (_, index) => `run-${String(index).padStart(3, '0')}`);
  const time = (index: number) => new Date(Date.UTC(2026, 0, 1) + index * 60_000).toISOString();
  const events = all.map((run, index) => ({ id: run, source: 'api', type: 'module_run', time: time(index), data: { quantities: { operation: 1 }, run, workflow: 'w' } }));
  const answer = await fetch(`${origin}/api/v1/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${org.key}`, 'content-type': 'application/json' },
    body: JSON.stringify(events),
  });
  expect(await answer.json()).toMatchObject({ accepted: all.length });
  await signInAs(page, org.member, '/usage');
  const rows = page.getByRole('region', { name: 'Runs' }).locator('tbody tr');
  const shown = () => rows.evaluateAll((found) => found.map((row) => row.querySelector('th')?.textContent ?? ''));
  await expect(rows).toHaveCount(50);
  // Rows are let go while others come: each is noted when it appears.
  await page.evaluate(() => {
    const names = (rows: NodeListOf<Element> | Element[]) => [...rows].map((row) => /run-\d{3}/.exec(row.textContent ?? '')?.[0] ?? '');
    const body = document.querySelector('tbody')!;
    const seen = new Set(names(body.querySelectorAll('tr')));
    Object.assign(window, { seen });
    new MutationObserver((changes) => changes.forEach((change) => names([...change.addedNodes] as Element[]).forEach((name) => seen.add(name)))).observe(body, { childList: true });
  });
  await expect(async () => {
    await page.mouse.wheel(0, 4000);
    expect((await shown()).at(-1)).toContain('run-000');
  }).toPass({ timeout: 20_000 });
  expect((await shown()).length).toBeLessThanOrEqual(450);
  expect(await page.evaluate(() => [...(window as unknown as { seen: Set<string> }).seen].sort())).toEqual(all);
  await expect(page.getByRole('link', { name: 'Older' })).toBeHidden();
  await expect(async () => {
    await page.mouse.wheel(0, -4000);
    expect((await shown())[0]).toContain('run-619');
  }).toPass({ timeout: 30_000 });
});

test('a chart leads to its runs, a run to its workflow and back, under the same days', async ({ page }) => {
  const org = newOrg('Europe/Vienna', 'automation');
  grant(org, '1000');
  const data = { quantities: { operation: 3 }, run: 'r-1', workflow: { id: 'w', name: 'Import' }, module: 'fetch', project: 'p' };
  await report(org, 'e1', { type: 'module_run', time: '2026-11-02T10:00:00Z', data });
  await report(org, 'e2', { type: 'module_run', time: '2026-10-02T10:00:00Z', data: { ...data, run: 'r-0' } });
  const days = 'from=2026-11-01&to=2026-11-10';
  await signInAs(page, org.operator, `/analytics?${days}&workflow=w`);
  await page.getByRole('button', { name: 'Export' }).click();
  await page.getByRole('link', { name: 'Runs behind them' }).click();
  await expect(page).toHaveURL(new RegExp(`/usage\\?.*workflow=w`));
  await expect(page.getByRole('rowheader')).toHaveText(['Importr-1']);
  await page.getByRole('rowheader').getByRole('link', { name: 'Import' }).click();
  await page.getByRole('link', { name: 'e1', exact: true }).click();
  const crumbs = page.getByRole('navigation', { name: 'Breadcrumb' });
  await crumbs.getByRole('link', { name: 'r-1' }).click();
  await expect(page).toHaveURL(/\/runs\/r-1\?.*from=2026-11-01/);
  await page.getByRole('link', { name: 'Import' }).click();
  await expect(page).toHaveURL(/\/workflows\/w\?from=2026-11-01&to=2026-11-10/);
  await expect(page.getByRole('region', { name: 'History' }).getByRole('rowheader')).toHaveText(['Import']);
  expect(await findings(page)).toEqual([]);
});
