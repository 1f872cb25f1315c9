// Buying credits without JavaScript: every step is a form or a link, and a page that waits looks again by itself.
import { expect, test } from '../journey';
import { newOrg, signInAs } from '../orgs';

test('credits are bought by forms alone, and the volume decides the price', async ({ page }) => {
  const org = newOrg();
  await signInAs(page, org.operator, '/billing/purchase');
  await page.getByRole('radio', { name: 'Custom amount' }).check();
  await page.getByLabel(/How many, from 10 to 50,000/).fill('5');
  await page.getByRole('button', { name: 'See what it costs' }).click();
  await expect(page.getByRole('alert')).toContainText('within the bounds');
  await expect(page.getByLabel(/How many/)).toHaveValue('5');
  await page.getByLabel(/How many/).fill('240');
  await page.getByRole('button', { name: 'See what it costs' }).click();
  await expect(page.getByText('cost less: 237.50 EUR')).toBeVisible();
  await page.getByRole('link', { name: /cost less/ }).click();
  await page.getByRole('button', { name: 'Buy for 237.50 EUR' }).click();
  await page.getByRole('radio', { name: '4000 0000 0000 0077' }).check();
  await page.getByRole('button', { name: 'Pay', exact: true }).click();
  await expect(page.getByRole('heading', { name: 'Waiting for the payment' })).toBeVisible();
  await expect(page.getByRole('heading', { name: 'Paid', exact: true })).toBeVisible({ timeout: 20_000 });
  await expect(page.locator('[data-balance]')).toContainText('$250');
});

test('a bank declines, somebody tries again, the bank asks, and it is paid', async ({ page }) => {
  const org = newOrg();
  await signInAs(page, org.operator, '/billing/purchase');
  await page.getByRole('button', { name: 'See what it costs' }).click();
  await page.getByRole('button', { name: /^Buy for/ }).click();
  await page.getByRole('radio', { name: '4000 0000 0000 0002' }).check();
  await page.getByRole('button', { name: 'Pay', exact: true }).click();
  await expect(async () => {
    await page.reload();
    await expect(page.getByText('The bank declined the payment.')).toBeVisible({ timeout: 500 });
  }).toPass();
  await expect(page.getByText('Nothing was charged')).toBeVisible();
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByRole('radio', { name: '4000 0027 6000 3184' }).check();
  await page.getByRole('button', { name: 'Pay', exact: true }).click();
  await page.getByRole('button', { name: 'Yes, it is me' }).click();
  await expect(async () => {
    await page.reload();
    await expect(page.getByRole('heading', { name: 'Paid', exact: true })).toBeVisible({ timeout: 500 });
  }).toPass();
});

test('what nobody pays is given up, and can be paid after all', async ({ page }) => {
  const org = newOrg();
  await signInAs(page, org.operator, '/billing/purchase');
  await page.getByRole('button', { name: 'See what it costs' }).click();
  await page.getByRole('button', { name: /^Buy for/ }).click();
  await page.goto('/billing/purchases');
  await page.getByRole('link', { name: 'Package of 100 credits' }).click();
  await expect(page.getByRole('link', { name: 'Go on to pay' })).toBeVisible();
  await page.getByRole('button', { name: 'Give it up' }).click();
  await expect(page.getByRole('heading', { name: 'Given up' })).toBeVisible();
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByRole('radio', { name: '4242 4242 4242 4242' }).check();
  await page.getByRole('button', { name: 'Pay', exact: true }).click();
  await expect(async () => {
    await page.reload();
    await expect(page.getByRole('heading', { name: 'Paid', exact: true })).toBeVisible({ timeout: 500 });
  }).toPass();
});

test('an operator gives back what is left, and the credits are gone', async ({ page }) => {
  const org = newOrg();
  await signInAs(page, org.operator, '/billing/methods');
  await page.getByRole('button', { name: 'Add a test card' }).click();
  await page.getByRole('button', { name: 'Store it' }).click();
  await page.goto('/billing/purchase?package=package_1');
  await page.getByRole('button', { name: 'Buy for 99.00 EUR' }).click();
  await expect(async () => {
    await page.reload();
    await expect(page.getByRole('heading', { name: 'Paid', exact: true })).toBeVisible({ timeout: 500 });
  }).toPass();
  const purchase = page.url();
  await page.goto('/operator/payments');
  const row = page.getByRole('row').filter({ hasText: org.name });
  await row.getByText('Give back', { exact: true }).first().click();
  await row.getByLabel('Reason').fill('Bought by mistake');
  await row.getByRole('button', { name: 'Give back' }).click();
  await expect(page.getByText('The money goes back')).toBeVisible();
  await page.goto(purchase);
  await expect(page.getByText(/99\.00 EUR (are on their way back|went back)/)).toBeVisible();
  await expect(page.locator('[data-balance]')).toContainText('$0');
});
