// Overview without JavaScript: all of it is there in the first paint, and links do the rest.
import { expect, signIn, test } from '../journey';
import { grant, newOrg, report, signInAs } from '../orgs';

test('figures, charts, prices and transactions are there, with a table behind each chart', async ({ page }) => {
  await signIn(page, 'sample');
  for (const name of ['Last 30 days', 'Last 12 months', 'This billing cycle', 'Estimated usage remaining', 'Cost per usage', 'Account']) {
    await expect(page.getByRole('heading', { name })).toBeVisible();
  }
  await expect(page.getByRole('region', { name: 'Last transactions' }).locator('tbody tr')).toHaveCount(100);
  await page.locator('#cycle-table summary').click();
  await expect(page.locator('#cycle-table tbody tr').first()).toBeVisible();
});

test('refreshing is a link to the page itself', async ({ page }) => {
  const org = newOrg();
  grant(org, '100');
  await signInAs(page, org.member, '/');
  await report(org, 'call-1');
  await page.getByRole('link', { name: 'Refresh' }).click();
  const rows = page.getByRole('region', { name: 'Last transactions' }).locator('tbody tr');
  await expect(rows.locator('.kind')).toHaveText(['Usage', 'Purchase']);
});
