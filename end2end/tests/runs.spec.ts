// A run that fills in while it runs: figures come, what one was doing stays.
import { findings, overflow } from '../axe';
import { expect, test } from '../journey';
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
