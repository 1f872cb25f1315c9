// Alerts without JavaScript: every step is a link or a form.
import { expect, test } from '../journey';
import { grant, newOrg, report, signInAs } from '../orgs';

test('a rule is previewed, made, fires, is acknowledged and taken away', async ({ page }) => {
  const org = newOrg();
  grant(org, '5');
  await signInAs(page, org.operator, '/alerts/new');
  await page.getByLabel(/^Below,/).fill('4.5');
  await page.getByLabel('Name').fill('Nearly out');
  await page.getByRole('button', { name: 'Preview' }).click();
  await expect(page.locator('#simulation h2')).toContainText('would');
  await expect(page.getByLabel('Name')).toHaveValue('Nearly out');
  await page.getByRole('button', { name: 'Make alert' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Nearly out');
  for (const id of ['one', 'two', 'three']) await report(org, id);
  await page.goto('/notifications');
  await expect(page.getByRole('region', { name: 'Notifications' })).toContainText('Nearly out');
  await page.goto('/alerts');
  await page.getByRole('link', { name: 'Nearly out' }).first().click();
  await page.getByRole('button', { name: 'Acknowledge' }).click();
  await expect(page.locator('#standing')).toContainText('Acknowledged');
  // One click takes nothing away.
  await page.getByText('Delete…').click();
  await page.getByRole('button', { name: 'Delete for good' }).click();
  await page.goto('/alerts');
  await expect(page.getByText('Nothing is watched yet.')).toBeVisible();
  // The message stays, and where it leads says what became of it.
  await page.goto('/notifications');
  await page.getByRole('link', { name: 'Nearly out' }).first().click();
  await expect(page.getByText('This alert was deleted on')).toBeVisible();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Nearly out');
  await page.getByRole('link', { name: 'All alerts' }).click();
  await expect(page).toHaveURL(/\/alerts$/);
});
