import { findings, overflow } from '../axe';
import { expect, hydrated, keyOf, origin, signIn, test } from '../journey';
import { grant, newOrg, report, signInAs } from '../orgs';

test('the overview shows balance, charts, prices and the last transactions of the sample', async ({ page }) => {
  await signIn(page, 'sample');
  await hydrated(page);
  await expect(page.getByText('Synthetic sample data')).toBeVisible();
  await expect(page.getByRole('heading', { name: /Current balance/ })).toContainText(/Healthy|Low|Paused/);
  await expect(page.locator('svg.chart:visible')).toHaveCount(3);
  await expect(page.getByRole('region', { name: 'Last transactions' }).locator('tbody tr')).toHaveCount(100);
  await expect(page.getByText('Cached tokens cost 87.5% less than input tokens')).toBeVisible();
  await expect(page.getByText('Difference to the ledger: $0.000000')).toBeVisible();
});

test('thirty days say their number, amount and weekday, and twelve months their sum', async ({ page }) => {
  await signIn(page, 'sample');
  const days = page.getByRole('region', { name: 'Usage per day, chart' }).locator('g.column');
  await expect(days).toHaveCount(30);
  const tips = page.getByRole('region', { name: 'Usage per day, chart' }).locator('.tip');
  await expect(tips).toHaveCount(30);
  await expect(tips.last()).toBeHidden();
  const place = (await days.last().boundingBox())!;
  await page.mouse.move(place.x + place.width / 2, place.y + place.height / 2);
  await expect(tips.last()).toBeVisible();
  for (const title of await tips.locator('text').allTextContents()) expect(title).toMatch(/^[A-Z][a-z]{2} \d{1,2}: [\d,.]+$/);
  await expect(days.last().locator('text').first()).toHaveText(/^\d{1,2}$/);
  await page.locator('#daily-table summary').click();
  await expect(page.locator('#daily-table tbody tr')).toHaveCount(30);
  await expect(page.locator('.wide g.column')).toHaveCount(12);
});

test('the page follows what is reported while it is open, and keeps what was opened', async ({ page }) => {
  const org = newOrg();
  grant(org, '100');
  await signInAs(page, org.member, '/');
  await hydrated(page);
  await expect(page.getByRole('heading', { name: 'No usage yet' })).toBeVisible();
  await expect(page.getByRole('link', { name: 'Buy credits' })).toHaveAttribute('href', '/billing/purchase');
  await report(org, 'call-1');
  const list = page.getByRole('region', { name: 'Last transactions' });
  await expect(list.locator('.services').first()).toHaveText('ai_data_completion, ai_data', { timeout: 15_000 });
  await expect(page.locator('main [role=status]').last()).toHaveText(/Updated, as of/);
  await page.locator('#daily-table summary').click();
  await report(org, 'call-2');
  await expect(list.locator('tbody tr')).toHaveCount(3, { timeout: 15_000 });
  await expect(page.locator('#daily-table')).toHaveAttribute('open', '');
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
  await page.getByRole('link', { name: 'Refresh' }).click();
  await expect(page.getByRole('heading', { name: 'Last transactions' })).toBeVisible();
  // Nothing was bought: what was used is debt, and the page says what that means.
  await expect(page.getByText('Paused')).toBeVisible();
});

test('the history is downloaded under a name with date and time', async ({ page }) => {
  await signIn(page, 'sample');
  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Download history' }).click();
  expect((await download).suggestedFilename()).toMatch(/^token_usage_history_\d{4}-\d{2}-\d{2}_\d{2}-\d{2}-\d{2}\.csv$/);
});

test('on a phone and in the dark nothing is cut off, and everybody can use it', async ({ page }) => {
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.setViewportSize({ width: 360, height: 800 });
  await signIn(page, 'sample');
  await hydrated(page);
  expect(await overflow(page)).toBe(0);
  await expect(page.locator('svg.chart:visible')).toHaveCount(3);
  expect(await findings(page)).toEqual([]);
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
