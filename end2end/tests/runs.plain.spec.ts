// From all runs to one event and back, by links and forms alone.
import { expect, test } from '../journey';
import { grant, newOrg, report, signInAs } from '../orgs';

test('from the list by a filter to a run, its events and back', async ({ page }) => {
  const org = newOrg('Europe/Vienna', 'automation');
  grant(org, '1000');
  const step = (id: string, run: string, workflow: string, module: string, more: object = {}) =>
    report(org, id, { type: 'module_run', data: { quantities: { operation: 2, data_transfer: 1500 }, bytes: 1500, run, workflow: { id: workflow, name: `Flow ${workflow}` }, module: { id: module, name: `Step ${module}` }, ...more } });
  await step('e1', 'run-1', 'w1', 'm1');
  await step('e2', 'run-1', 'w1', 'm2', { status: 'failed' });
  await step('e3', '../"2', 'w2', 'm1');
  await report(org, 'e4', { type: 'agent_step', data: { quantities: { ai_agent: 1 }, run: 'run-3', workflow: 'helper' } });

  await signInAs(page, org.member, '/usage');
  const rows = page.getByRole('region', { name: 'Runs' }).locator('tbody tr');
  await expect(rows).toHaveCount(4 - 1);
  await expect(rows.filter({ hasText: 'run-3' })).toContainText('AI agent');
  await page.getByLabel('Status').selectOption('failed');
  await page.getByRole('button', { name: 'Show' }).click();
  await expect(rows).toHaveCount(1);
  await expect(rows).toContainText('1 of 2 failed');
  await rows.getByRole('rowheader').getByRole('link').click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Flow w1');
  await expect(page.getByRole('img', { name: /Step m1, 2\.00 credits; Step m2, 2\.00 credits, 1 failed/ })).toBeVisible();
  await expect(page.getByRole('region', { name: 'Modules', exact: true }).locator('tfoot')).toContainText('4.00');
  await page.getByRole('link', { name: 'Hide credit usage' }).click();
  await expect(page.getByRole('img', { name: /^Modules in order: Step m1; Step m2, 1 failed$/ })).toBeVisible();
  await expect(page.locator('main')).not.toContainText('4.00');
  await page.getByRole('navigation', { name: 'Breadcrumb' }).getByRole('link', { name: 'Usage' }).click();
  await expect(page).toHaveURL(/\/usage\?status=failed$/);
  await page.getByLabel('Status').selectOption('');
  await page.getByRole('searchbox', { name: 'Run' }).fill('../');
  await page.getByRole('button', { name: 'Show' }).click();
  await rows.getByRole('rowheader').getByRole('link').click();
  await page.getByRole('region', { name: 'Events' }).getByRole('link', { name: 'e3' }).click();
  // Where the list stood travels along, so that the way back leads there.
  await expect(page).toHaveURL(/\/events\/event_3\?.*q=..%2F$/);
});

test('an org without runs is told how one comes to be', async ({ page }) => {
  const org = newOrg();
  await signInAs(page, org.member, '/usage');
  await expect(page.getByText(/No run yet/)).toBeVisible();
  await expect(page.getByLabel('Command that sends an event of a run')).toContainText('"run":"run-1"');
});
