// The controls around the chart: filters, grouping, interval, range, and what the view can be taken along as.
import type { Page } from '@playwright/test';
import { findings, overflow } from '../axe';
import { expect, hydrated, signIn, test } from '../journey';

const total = (page: Page) => page.locator('dl.summary dd').first().innerText();
const chips = (page: Page) => page.getByRole('list', { name: 'Filters in force' });

test('a source is ticked, shown as a chip, and taken away; the chart never moves', async ({ page }) => {
  await signIn(page, 'sample', '/analytics');
  await hydrated(page);
  const all = await total(page);
  const top = async () => (await page.locator('#usage-chart').boundingBox())!.y;
  const before = await top();
  await page.getByRole('button', { name: 'Filter' }).click();
  await page.getByRole('group', { name: 'Source' }).getByRole('checkbox').first().check();
  await expect(page).toHaveURL(/source=/);
  await expect(chips(page)).toContainText('Source');
  expect(await total(page)).not.toBe(all);
  expect(await top()).toBe(before);
  await page.keyboard.press('Escape');
  await chips(page).getByRole('link', { name: /^Take away the filter Source/ }).click();
  await expect(page).not.toHaveURL(/source=/);
  expect(await total(page)).toBe(all);
  await expect(page.locator('#filters-button')).toBeFocused();
});

test('users come from the server when asked for, several at once, and all go at once', async ({ page }) => {
  await signIn(page, 'sample', '/analytics');
  await hydrated(page);
  await page.getByRole('button', { name: 'Filter' }).click();
  await page.locator('#filters').getByRole('link', { name: 'User…' }).click();
  const drawer = page.getByRole('dialog', { name: 'Filter' });
  const users = drawer.locator('.menu-list a');
  await expect(users.nth(5)).toBeVisible();
  await users.nth(1).click();
  await expect(page).toHaveURL(/[?&]user=[^&]/);
  await expect(users.and(page.locator('[aria-current]'))).toHaveCount(1);
  await users.nth(3).click();
  await expect(page).toHaveURL(/user=.*&user=/);
  await drawer.press('Escape');
  await expect(drawer).toBeHidden();
  await expect(page.locator('.chip')).toHaveCount(2);
  await expect(page.getByText('Difference to the ledger: $0.000000')).toBeVisible();
  await page.getByRole('link', { name: 'Clear all' }).click();
  await expect(page.locator('.chip')).toHaveCount(0);
});

test('usage is grouped by what events say, and only possible intervals are offered', async ({ page }) => {
  await signIn(page, 'sample', '/analytics');
  await hydrated(page);
  await page.getByRole('button', { name: 'Group by' }).click();
  await page.locator('#group-by').getByRole('link', { name: 'Status' }).click();
  await expect(page).toHaveURL(/group=status/);
  await expect(page.locator('.legend')).toContainText(/failed/i);
  await page.getByRole('button', { name: 'Interval' }).click();
  await expect(page.locator('#interval [aria-disabled]')).toContainText(['Hourmore than 400 bars']);
  await page.locator('#interval').getByRole('link', { name: 'Week' }).click();
  await expect(page.getByRole('heading', { name: '$ per week' })).toBeVisible();
});

test('a range is typed in terms, shifted by its length, and by arrow keys outside of fields', async ({ page }) => {
  await signIn(page, 'sample', '/analytics');
  await hydrated(page);
  await page.locator('button[popovertarget="range"]').click();
  const range = page.locator('#range');
  await range.getByLabel('From', { exact: true }).fill('last week');
  await range.getByRole('button', { name: 'Apply' }).click();
  expect(await range.getByLabel('From', { exact: true }).evaluate((field: HTMLInputElement) => field.validity.patternMismatch)).toBe(true);
  await range.getByLabel('From', { exact: true }).fill('Now-6D');
  await range.getByLabel('To', { exact: true }).fill('now');
  await range.getByRole('button', { name: 'Apply' }).click();
  await expect(page).toHaveURL(/from=now-6d&to=now/i);
  await expect(page.locator('.usage-table tbody tr')).toHaveCount(7);
  await hydrated(page);
  const shown = () => page.locator('button[popovertarget="range"]').innerText();
  const now = await shown();
  await page.getByRole('link', { name: /^Earlier/ }).click();
  await expect.poll(shown).not.toBe(now);
  await expect(page.locator('.usage-table tbody tr')).toHaveCount(7);
  await page.locator('h1').click();
  await page.keyboard.press('ArrowRight');
  await expect.poll(shown).toBe(now);
  await page.goto('/analytics?from=yesterday');
  await expect(page.getByRole('alert')).toContainText('“yesterday” is neither a day');
});

test('what changed is explained, adds up, and leads to what did it', async ({ page }) => {
  await signIn(page, 'sample', '/analytics?from=now-6d&to=now&compare=previous');
  await hydrated(page);
  const why = page.getByRole('region', { name: 'Why did it change?' });
  await expect(why).toContainText(/(more|less) than|As much as in/);
  const micros = (text: string) => Math.round(Number(text.replace('\u2212', '-').replaceAll(/[+,]/g, '')) * 1e6);
  for (const row of await why.locator('tbody tr, tfoot tr').all()) {
    const [before, now, difference, volume, mix, price] = (await row.locator('td').allInnerTexts()).map(micros);
    expect(now - before).toBe(difference);
    expect(volume + mix + price).toBe(difference);
  }
  await why.locator('tbody a').first().click();
  await expect(page.locator('.chip')).toHaveCount(1);
  await expect(why).toBeVisible();
});

test('the link is absolute, and can be copied with fixed days', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await signIn(page, 'sample', '/analytics?from=now-6d&to=now&source=api');
  await hydrated(page);
  await page.getByRole('button', { name: 'Copy link' }).click();
  expect(await page.getByLabel('Link to this view').inputValue()).toBe(page.url());
  await page.locator('#share button').nth(1).click();
  await expect(page.locator('#share button').nth(1)).toHaveText('Copied');
  expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(/^http.*from=\d{4}-\d\d-\d\d&to=\d{4}-\d\d-\d\d&source=api$/);
});

test('files of the view have its days, its filters and as many events as it has calls', async ({ page }) => {
  await signIn(page, 'sample', '/analytics?source=api');
  await hydrated(page);
  const calls = await page.locator('dl.summary dd').nth(1).innerText();
  const href = (name: string) => page.locator('#export a', { hasText: name }).getAttribute('href');
  const events = await page.request.get((await href('Events behind them'))!);
  expect(events.headers()['content-disposition']).toMatch(/events_\d{4}-\d\d-\d\d_\d{4}-\d\d-\d\d\.csv/);
  expect((await events.text()).trim().split('\r\n').length - 1).toBe(Number(calls.replaceAll(',', '')));
  const book = await page.request.get((await href('Excel workbook'))!);
  expect((await book.body()).subarray(0, 2).toString()).toBe('PK');
});

test('menus and lists are clean for axe, in both themes and at 360 px', async ({ page }) => {
  await signIn(page, 'sample', '/analytics?source=api&user=&compare=previous&filter=user');
  await hydrated(page);
  await expect(page.getByRole('dialog', { name: 'Filter' }).locator('.menu-list a').first()).toBeVisible();
  for (const scheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    expect(await findings(page), scheme).toEqual([]);
  }
  await page.setViewportSize({ width: 360, height: 740 });
  for (const menu of ['filters', 'group-by', 'interval', 'views', 'share', 'export']) {
    await page.goto('/analytics?source=api&compare=previous');
    await hydrated(page);
    await page.locator(`button[popovertarget="${menu}"]`).click();
    expect(await overflow(page), menu).toBe(0);
    expect(await findings(page), menu).toEqual([]);
  }
});
