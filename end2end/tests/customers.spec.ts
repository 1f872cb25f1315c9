// Customers with a script: the pages stand still beside those that do not, and links carry period and filters between them.
import { expect, hydrated, keyOf, origin, signIn, test } from '../journey';

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

test('period and filters travel from the list to a user, to Analytics and back', async ({ page }) => {
  await report('Ward');
  await signIn(page, 'ward', '/');
  await hydrated(page);
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Customers' }).click();
  await page.getByRole('link', { name: 'Last 7 days' }).click();
  await expect(page).toHaveURL(/from=now-6d&to=now/);
  await page.getByLabel('User begins with').fill('dr-');
  await page.getByRole('button', { name: 'Show' }).click();
  await expect(page.getByRole('row', { name: /dr-berg/ })).toContainText('3.00');
  await page.getByRole('link', { name: 'dr-berg' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('dr-berg');
  await expect(page.getByRole('region', { name: 'Usage over time, chart' }).locator('svg')).toBeVisible();
  await page.getByRole('link', { name: 'Open in Analytics' }).click();
  await hydrated(page);
  await expect(page).toHaveURL(/user=dr-berg/);
  await page.goBack();
  await page.getByRole('navigation', { name: 'Breadcrumb' }).getByRole('link', { name: 'Customers' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Customers');
  await page.getByRole('navigation', { name: 'Customers' }).getByRole('link', { name: 'Interactions' }).click();
  await page.getByRole('link', { name: 'visit 1/é' }).click();
  await page.getByRole('link', { name: 'a', exact: true }).click();
  await hydrated(page);
  await expect(page.getByRole('heading', { level: 1 })).toContainText('event_1');
});

test('an interaction is mapped before its first event', async ({ page }) => {
  await signIn(page, 'ward', '/customers/interactions');
  const form = page.getByRole('region', { name: 'Map an interaction' });
  await form.getByLabel('Interaction').fill('visit-9');
  await form.getByLabel('Tenant').fill('west');
  await form.getByRole('button', { name: 'Map' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('visit-9');
  await expect(page.getByText('No event of this interaction stands')).toBeVisible();
  await page.getByRole('link', { name: 'west' }).click();
  await expect(page.getByText('Nothing was used in these days: choose others above.')).toBeVisible();
});
