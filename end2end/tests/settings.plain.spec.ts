// Settings without JavaScript: a key is made, used, rotated and revoked by forms alone, and the audit log tells it.
import { expect, origin, test } from '../journey';
import { newOrg, signInAs } from '../orgs';

const usage = async (key: string): Promise<number> =>
  (await fetch(`${origin}/api/v1/usage`, { headers: { authorization: `Bearer ${key}` } })).status;

test('a key is created, rotated and revoked, and the log says who did it', async ({ page }) => {
  const org = newOrg();
  await signInAs(page, org.operator, '/settings/keys');
  await expect(page.getByRole('heading', { name: 'API keys', level: 1 })).toBeVisible();
  await page.getByLabel('Name').fill('Nightly report');
  await page.getByRole('checkbox', { name: /events:write/ }).uncheck();
  await page.getByRole('button', { name: 'Create key' }).click();
  await expect(page.getByRole('alert')).toContainText('Choose at least one scope');
  await expect(page.getByLabel('Name')).toHaveValue('Nightly report');
  await page.getByRole('checkbox', { name: /usage:read/ }).check();
  await page.getByLabel('Ends').selectOption('90');
  await page.getByRole('button', { name: 'Create key' }).click();
  const first = (await page.getByLabel('The key', { exact: true }).textContent()) ?? '';
  expect(first).toMatch(/^scrip_\w{8}_\w{46}$/);
  expect(await usage(first)).toBe(200);

  await page.goto('/settings/keys');
  await expect(page.locator('body')).not.toContainText(first);
  await page.getByLabel('Rotate Nightly report').click();
  await page.getByLabel('The old key goes on').first().selectOption('1');
  await page.getByRole('button', { name: 'Rotate key' }).first().click();
  const second = (await page.getByLabel('The key', { exact: true }).textContent()) ?? '';
  expect([await usage(first), await usage(second), first === second]).toEqual([200, 200, false]);

  await page.goto('/settings/keys');
  await page.locator('.key', { hasText: second.slice(0, 14) }).getByText('Revoke', { exact: true }).click();
  await page.locator('.key', { hasText: second.slice(0, 14) }).getByRole('button', { name: 'Revoke key' }).click();
  await expect(page.getByRole('status')).toContainText('is revoked');
  expect(await usage(second)).toBe(401);

  await page.getByRole('link', { name: 'Audit log' }).click();
  await expect(page.locator('tbody tr').first()).toContainText('API key revoked');
  await expect(page.locator('tbody tr').first()).toContainText(org.operator.email);
  await page.getByLabel('What').selectOption('API key rotated');
  await page.getByRole('button', { name: 'Filter' }).click();
  await expect(page.locator('tbody tr')).toHaveCount(1);
});
