// Reports, projects and search without JavaScript: links and forms do everything.
import { expect, signIn, test } from '../journey';

test('a report is told apart, filtered, taken along, and leads to Analytics with its filters', async ({ page }) => {
  await signIn(page, 'sample', '/reports');
  const rows = page.locator('.report tbody tr');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Reports');
  await page.getByRole('navigation', { name: 'Lines by' }).getByRole('link', { name: 'Source' }).click();
  await expect(page).toHaveURL(/group=source/);
  const lines = await rows.count();
  expect(lines).toBeGreaterThan(1);

  await page.getByLabel('A line for').selectOption('week');
  await page.getByRole('button', { name: 'Show' }).click();
  await expect(page).toHaveURL(/interval=week/);
  await expect(page.getByRole('columnheader', { name: 'Week' })).toBeVisible();

  await page.getByText('Filter', { exact: true }).click();
  await page.locator('input[name=source]').first().check();
  await page.getByRole('button', { name: 'Apply' }).click();
  await expect(page).toHaveURL(/source=/);
  await expect(page.locator('.difference')).toContainText('Difference to the ledger');
  const file = await page.request.get((await page.getByRole('link', { name: 'CSV', exact: true }).getAttribute('href')) ?? '');
  expect((await file.text()).split('\r\n')[0]).toContain('Week,Source,Credits,Share');

  await rows.first().getByRole('link').first().click();
  await expect(page).toHaveURL(/\/analytics\?from=.*source=/);
});

test('each project leads to its Analytics', async ({ page }) => {
  await signIn(page, 'sample', '/projects');
  const first = page.locator('.report tbody tr').first();
  await expect(first.locator('svg')).toBeVisible();
  await first.getByRole('link').first().click();
  await expect(page).toHaveURL(/\/analytics\?project=/);
});

test('search is a page, and lists the keys that a script would take', async ({ page }) => {
  await signIn(page, 'sample', '/search');
  await page.getByLabel('Id, name, event or page').fill('event_1');
  await page.getByRole('main').getByRole('button', { name: 'Search' }).click();
  await page.getByRole('link', { name: 'event_1' }).click();
  await expect(page).toHaveURL(/\/events\/event_1$/);
});
