// Settings with JavaScript: reached from the header, left as the server wrote them, and back.
import { expect, hydrated, signIn, test } from '../journey';
import { newOrg, signInAs } from '../orgs';

test('settings are a step from every page, and going back comes back', async ({ page }) => {
  const org = newOrg();
  await signInAs(page, org.member, '/analytics');
  await hydrated(page);
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Settings' }).click();
  await expect(page).toHaveURL(/settings\/members$/);
  await page.getByRole('navigation', { name: 'Settings' }).getByRole('link', { name: 'API keys' }).click();
  await expect(page).toHaveURL(/settings\/keys$/);
  await hydrated(page);
  await expect(page).toHaveTitle(/^API keys/);
  await expect(page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Settings' })).toHaveAttribute('aria-current', 'page');
  await expect(page.getByRole('checkbox', { name: /^admin/ })).toBeDisabled();
  await page.getByLabel('Name').fill('Browser');
  await page.getByRole('button', { name: 'Create key' }).click();
  await expect(page.getByLabel('The key', { exact: true })).toContainText('scrip_');
  await page.getByRole('navigation', { name: 'Settings' }).getByRole('link', { name: 'Audit log' }).click();
  await expect(page).toHaveTitle(/^Audit log/);
  await expect(page.locator('tbody tr').first()).toContainText('API key created');
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Analytics' }).click();
  await expect(page).toHaveURL(/analytics/);
  await page.goBack();
  await expect(page.getByRole('heading', { name: 'Audit log', level: 1 })).toBeVisible();
});

test('the sample has a log to look at', async ({ page }) => {
  await signIn(page, 'sample', '/settings/audit');
  await expect(page.locator('tbody tr').last()).toBeVisible();
});
