// An event's page without JavaScript: all of it is there, and a correction is two forms.
import { expect, test } from '../journey';
import { grant, newOrg, report, signInAs } from '../orgs';

test('read, preview and book', async ({ page }) => {
  const org = newOrg();
  grant(org, '10');
  await report(org, 'call-1');
  await signInAs(page, org.operator, '/');
  await page.locator('.table a[href="/events/event_1"]').click();
  await expect(page.getByText('Your browser checks this itself as soon as scripts run.')).toBeVisible();
  // The explanation is there; that somebody computed it again is not claimed.
  await expect(page.locator('.charge').last()).toContainText('input_tokens: 0.6 per 1000000 (line 1 of version 1)');
  await expect(page.locator('.charge').last()).toContainText('1000000 × 0.6 ÷ 1000000 = 0.600000');
  await expect(page.getByText('It also computes again what each quantity cost, and why.')).toBeVisible();
  await expect(page.getByText(/Computed again/)).toHaveCount(0);
  await expect(page.getByText('GET /api/v1/ledger/proof/event_1')).toBeVisible();
  await page.getByLabel('Why it is taken back').fill('Reported twice');
  await page.getByRole('form', { name: 'Take it back' }).getByRole('button', { name: 'Preview' }).click();
  await page.getByRole('button', { name: 'Book: take it back' }).click();
  await expect(page.locator('.note.warn')).toContainText('Booked. Taken back by entry_4');
});

test('an event that does not exist is not found', async ({ page }) => {
  await signInAs(page, newOrg().member, '/');
  const answer = await page.goto('/events/event_2');
  expect(answer?.status()).toBe(404);
  await expect(page.getByRole('heading', { name: 'There is no such page' })).toBeVisible();
});
