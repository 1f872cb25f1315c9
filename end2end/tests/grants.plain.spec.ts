// Giving and adjusting without JavaScript: plain forms, and every answer is in the page.
import { expect, signIn, test, use } from '../journey';

test('an operator gives credits, is told what to change, and keeps what was typed', async ({ page }) => {
  await use('Till', 1, 'out-of-credits');
  await signIn(page, 'till', '/grants');
  await expect(page.getByRole('complementary', { name: 'Balance' })).toContainText('new work is refused');
  await page.getByLabel('Kind').selectOption('plan');
  await page.getByLabel('Amount in $', { exact: true }).fill('12,5');
  await page.getByLabel('Description').fill('Monthly credits');
  await page.getByText('Times, cost, scope, rollover').click();
  await page.getByLabel('Expires', { exact: true }).fill('2099-04-01T00:00');
  await page.getByLabel('Images').check();
  await page.getByRole('button', { name: 'Give credits' }).click();
  await expect(page.getByRole('alert')).toHaveText(/must be a number such as 12.5/);
  await expect(page.getByLabel('Amount in $', { exact: true })).toHaveValue('12,5');
  await expect(page.getByLabel('Amount in $', { exact: true })).toHaveAttribute('aria-invalid', 'true');
  await expect(page.getByLabel('Kind')).toHaveValue('plan');
  await expect(page.getByLabel('Images')).toBeChecked();
  await expect(page.getByLabel('Expires', { exact: true })).toHaveValue('2099-04-01T00:00');
  await page.getByLabel('Amount in $', { exact: true }).fill('12.5');
  await page.getByLabel('When a plan’s credits expire').selectOption('percent');
  await page.getByRole('textbox', { name: 'Up to' }).fill('20');
  await page.getByRole('textbox', { name: 'For months' }).fill('3');
  await page.getByRole('button', { name: 'Give credits' }).click();
  await expect(page.getByText(/grant_1 is booked: \$12\.50 given/)).toBeVisible();
  await expect(page.locator('.grant-rollover')).toHaveText(/→ cap 20% of \$12\.50 = \$2\.50 → on 1 Apr 2099 \$2\.50 would roll over until 1 Jul 2099, \$10 would expire\./);
  // Credits for images alone do not repay a debt that anything may have made.
  await expect(page.locator('.banner')).toContainText('debt');
});

test('an adjustment is previewed by a link that can be read, then booked once', async ({ page }) => {
  await signIn(page, 'till', '/grants');
  await page.getByLabel('Amount in $, above or below zero').fill('4');
  await page.locator('#adjust').getByLabel('Reason').fill('Goodwill');
  await page.getByRole('button', { name: 'Preview' }).click();
  await expect(page).toHaveURL(/adjust=4/);
  await expect(page.locator('.desk-preview')).toContainText('+$4.000000');
  await page.getByRole('button', { name: 'Book' }).click();
  await expect(page.getByText(/^Booked as entry_\d+/)).toBeVisible();
  await expect(page.locator('.grant', { hasText: 'Adjusted by hand' })).toBeVisible();
});
