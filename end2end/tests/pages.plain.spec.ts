// The same journeys without JavaScript: everything is there in the first paint, forms and links do the rest.
import { expect, signIn, test } from '../journey';

test('sign in, read the overview, sign out', async ({ page }) => {
  await signIn(page, 'sample');
  await expect(page.locator('svg.chart:visible')).toHaveCount(3);
  await expect(page.getByRole('heading', { name: 'Last transactions' })).toBeVisible();
  await expect(page.getByText('Difference to the ledger: $0.000000')).toBeVisible();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page).toHaveURL(/\/sign-in/);
});

test('analytics: a type, a day, a source, by links and forms', async ({ page }) => {
  await signIn(page, 'sample', '/analytics');
  await expect(page.locator('svg.chart')).toBeVisible();
  await page.getByRole('navigation', { name: 'Credit type' }).getByRole('link', { name: /^Images/ }).click();
  await expect(page).toHaveURL(/type=images/);
  await page.locator('button[popovertarget="filters"]').click();
  await page.getByRole('group', { name: 'Source' }).getByRole('checkbox').first().check();
  await page.locator('#filters').getByRole('button', { name: 'Apply' }).click();
  await expect(page).toHaveURL(/type=images.*source=|source=.*type=images/);
  await page.locator('button[popovertarget="range"]').click();
  await page.locator('#range button[name=day]:enabled').first().click();
  await expect(page.locator('.usage-table tbody tr')).toHaveCount(24);
  await expect(page).toHaveURL(/type=images/);
});

test('a page that does not exist says so with its status', async ({ page }) => {
  await signIn(page, 'sample');
  const answer = await page.goto('/nowhere');
  expect(answer?.status()).toBe(404);
  await expect(page.getByRole('heading', { name: 'There is no such page' })).toBeVisible();
});
