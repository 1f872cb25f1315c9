// Customers without JavaScript: what belongs to nobody is found, mapped by its page and by a CSV, and every sum follows.
import { expect, keyOf, origin, signIn, test } from '../journey';

const events = [
  { id: 'a', type: 'transcript', data: { credits: '4', interaction: 'visit 1/é', bytes: 2000000 } },
  { id: 'b', type: 'fact', data: { credits: '0.5', interaction: 'visit 1/é' } },
  { id: 'c', type: 'document', data: { credits: '3', interaction: 'visit-2', user: 'dr-berg', tenant: 'north' } },
];

/** Reports what was said and written. */
async function report(org: string): Promise<void> {
  const answer = await fetch(`${origin}/api/v1/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${keyOf(org)}`, 'content-type': 'application/json' },
    body: JSON.stringify(events.map((event) => ({ ...event, source: 'api' }))),
  });
  expect(await answer.json()).toMatchObject({ accepted: 3 });
}

test('what belongs to nobody is found, mapped, and counts for somebody at once', async ({ page }) => {
  await signIn(page, 'clinic', '/customers');
  await expect(page.getByText('Nothing was used in these days.')).toBeVisible();
  await report('Clinic');
  await page.reload();
  await expect(page.getByRole('row', { name: /No user/ })).toContainText('4.50');
  await page.getByRole('link', { name: 'No user' }).click();
  await expect(page.getByRole('link', { name: 'visit-2' })).toHaveCount(0);
  await page.getByRole('link', { name: 'visit 1/é' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('visit 1/é');
  await expect(page.getByRole('region', { name: 'Transcripts' }).getByRole('table')).toContainText('4.00');
  await expect(page.getByRole('region', { name: 'Facts' }).getByRole('table')).toContainText('0.50');
  await page.getByLabel('User').fill('dr-lund');
  await page.getByLabel('Tenant').fill('south');
  await page.getByRole('button', { name: 'Map' }).click();
  await expect(page.getByRole('status')).toContainText('Mapped.');
  await expect(page.getByRole('list', { name: 'History' })).toContainText('from nobody to user dr-lund, tenant south');
  await page.getByRole('link', { name: 'dr-lund' }).click();
  await expect(page.getByRole('row', { name: /Transcripts/ })).toContainText('4.00');
  await expect(page.getByRole('row', { name: /visit 1/ })).toContainText('4.50');
  await page.getByRole('link', { name: 'Open in Analytics' }).click();
  await expect(page).toHaveURL(/\/analytics\?user=dr-lund$/);
});

test('a CSV maps its good lines and names the bad ones', async ({ page }) => {
  await signIn(page, 'clinic', '/customers/interactions');
  await page.getByLabel('Or pasted').fill('interaction,user,tenant\nvisit-2,dr-holm,\nvisit-3,,\n');
  await page.getByRole('button', { name: 'Map all' }).click();
  await expect(page.getByRole('alert')).toContainText('1 mapped; 1 line could not be read');
  await expect(page.getByRole('row', { name: /Line 3/ })).toContainText('neither user nor tenant');
  await page.goto('/customers/tenants');
  await expect(page.getByRole('row', { name: /north/ })).toContainText('3.00');
  await page.goto('/users/dr-holm');
  await expect(page.getByRole('row', { name: /Documents/ })).toContainText('3.00');
});
