// Buying credits: the balance rises on open pages without loading them again; a bank that declines, that asks, that takes its time.
import { hydrated, expect, test } from '../journey';
import { grant, newOrg, report, signInAs } from '../orgs';
import type { Page } from '@playwright/test';

async function choose(page: Page, title: string): Promise<void> {
  await page.goto('/billing/purchase');
  await page.getByRole('radio', { name: title }).check();
  await page.getByRole('button', { name: 'See what it costs' }).click();
}

async function pay(page: Page, card: string): Promise<void> {
  await expect(page.getByRole('note')).toContainText('no money moves');
  await page.getByRole('radio', { name: card }).check();
  await page.getByRole('button', { name: 'Pay', exact: true }).click();
}

test('credits that are bought come at once, and the balance rises without reloading', async ({ page, context }) => {
  const org = newOrg();
  grant(org, '5');
  await report(org, 'first');
  await signInAs(page, org.operator, '/');
  await hydrated(page);
  const balance = page.getByRole('heading', { name: /Current balance/ }).locator('xpath=following-sibling::*[1]');
  await expect(balance).toContainText(/\$\d\.\d/);
  await page.evaluate(() => Object.assign(window, { stayed: true }));
  const shop = await context.newPage();
  await choose(shop, 'Package of 100 credits');
  await expect(shop.getByRole('row', { name: 'Total' })).toContainText('99.00 EUR');
  await shop.getByRole('button', { name: 'Buy for 99.00 EUR' }).click();
  await pay(shop, '4242 4242 4242 4242');
  await expect(shop.getByRole('heading', { name: 'Paid', exact: true })).toBeVisible();
  await expect(shop.locator('[data-balance]')).toContainText(/\$10\d\.\d/);
  await expect(shop.getByRole('heading', { name: 'Receipt' })).toBeVisible();
  await page.bringToFront();
  await expect(balance).toContainText(/\$10\d\.\d/, { timeout: 15_000 });
  expect(await page.evaluate(() => 'stayed' in window)).toBe(true);
});

test('a slow bank: the page waits, says so, and tells by itself when the money is there', async ({ page }) => {
  const org = newOrg();
  await signInAs(page, org.operator, '/billing/purchase');
  await choose(page, 'Package of 100 credits');
  await page.getByRole('button', { name: 'Buy for 99.00 EUR' }).click();
  await pay(page, '4000 0000 0000 0077');
  await expect(page.getByRole('heading', { name: 'Waiting for the payment' })).toBeVisible();
  await page.evaluate(() => Object.assign(window, { stayed: true }));
  // Other news meanwhile puts a new part in: what looks again for those without a script must not come to life in it.
  grant(org, '5');
  await expect(page.locator('[data-balance]')).toContainText('$5');
  await expect(page.getByRole('heading', { name: 'Paid', exact: true })).toBeVisible({ timeout: 20_000 });
  await expect(page.locator('[data-balance]')).toContainText('$105');
  expect(await page.evaluate(() => 'stayed' in window)).toBe(true);
});

test('a stored card is charged at once, and one that the bank asks about needs somebody', async ({ page }) => {
  const org = newOrg();
  await signInAs(page, org.operator, '/billing/methods');
  for (const card of ['4242 4242 4242 4242', '4000 0027 6000 3184']) {
    await page.getByRole('button', { name: 'Add a test card' }).click();
    await page.getByRole('radio', { name: card }).check();
    await page.getByRole('button', { name: 'Store it' }).click();
    await expect(page.getByText('The method is stored.')).toBeVisible();
  }
  await choose(page, 'Package of 100 credits');
  await page.getByRole('radio', { name: 'Test card ending in 4242' }).check();
  await page.getByRole('button', { name: 'Buy for 99.00 EUR' }).click();
  await expect(page.getByRole('heading', { name: 'Paid', exact: true })).toBeVisible();
  await expect(page.getByText('Test card ending in 4242')).toBeVisible();
  await choose(page, 'Package of 100 credits');
  await page.getByRole('radio', { name: 'Test card ending in 3184' }).check();
  await page.getByRole('button', { name: 'Buy for 99.00 EUR' }).click();
  await expect(page.getByRole('heading', { name: 'Your bank asks you to confirm' })).toBeVisible();
  await page.getByRole('link', { name: 'Confirm with your bank' }).click();
  await page.getByRole('button', { name: 'Yes, it is me' }).click();
  await expect(page.getByRole('heading', { name: 'Paid', exact: true })).toBeVisible();
  await expect(page.locator('[data-balance]')).toContainText('$200');
});
