import { expect, hydrated, keyOf, origin, signIn, test } from '../journey';
import { newOrg, report, signInAs } from '../orgs';

test('the overview shows balance, chart and last events of the sample', async ({ page }) => {
  await signIn(page, 'sample');
  await hydrated(page);
  await expect(page.getByText('Synthetic sample data')).toBeVisible();
  await expect(page.getByRole('heading', { name: /Available balance/ })).toBeVisible();
  await expect(page.locator('svg.chart')).toHaveCount(1);
  await expect(page.getByRole('table').last().locator('tbody tr')).toHaveCount(10);
  await expect(page.getByText('Difference to the ledger: $0.000000')).toBeVisible();
});

test('an org without events is told how to send one, and the curl line works', async ({ page }) => {
  await signIn(page, 'empty');
  const curl = await page.getByLabel('Command that sends an event').innerText();
  const [, url] = /(http:\S+)/.exec(curl)!;
  const [, body] = /-d '(.*)'/.exec(curl)!;
  expect(url).toBe(`${origin}/api/v1/events`);
  const answer = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${keyOf('Empty')}`, 'content-type': 'application/json' },
    body,
  });
  expect(await answer.json()).toMatchObject({ accepted: 1, rejected: 0 });
  await page.reload();
  await expect(page.getByRole('heading', { name: 'Last events' })).toBeVisible();
  // Nothing was bought: what was used is debt, and the page says what that means.
  await expect(page.getByText('Paused')).toBeVisible();
});

test('the last events are listed by service', async ({ page }) => {
  const org = newOrg();
  await report(org, 'call-1');
  await signInAs(page, org.member, '/');
  await expect(page.locator('.usages')).toHaveText('ai_data 1,000,000ai_data_completion 100,000');
});

test('the theme is chosen, kept, and there in the first byte', async ({ page }) => {
  await signIn(page, 'sample');
  await hydrated(page);
  await page.getByRole('button', { name: 'Dark theme' }).click();
  const html = await (await page.request.get('/')).text();
  expect(html).toContain('data-theme="dark"');
  await page.reload();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
});
