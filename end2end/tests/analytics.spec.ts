import type { Page } from '@playwright/test';
import { expect, hydrated, signIn, test } from '../journey';

/** Fails with every request that is made while `act` runs. */
async function withoutRequests(page: Page, act: () => Promise<void>): Promise<void> {
  const asked: string[] = [];
  // Chromium asks for the icon again at every new address, by itself.
  const note = (request: { url(): string }) => request.url().endsWith('/favicon.svg') || asked.push(request.url());
  page.on('request', note);
  await act();
  page.off('request', note);
  expect(asked).toEqual([]);
}

const total = (page: Page) => page.locator('dl.summary dd').first().innerText();
const tab = (page: Page, name: RegExp | string) => page.getByRole('navigation', { name: 'Credit type' }).getByRole('link', { name });

test('filters redraw in the browser, ask the server nothing, and live in the URL', async ({ page }) => {
  await signIn(page, 'sample', '/analytics');
  await hydrated(page);
  const all = await total(page);
  await withoutRequests(page, async () => {
    await tab(page, /^Images/).click();
    await expect(page).toHaveURL(/type=images/);
    await expect(tab(page, /^Images/)).toHaveAttribute('aria-current', 'true');
    expect(await total(page)).not.toBe(all);
    await page.getByRole('button', { name: 'Group by' }).click();
    await page.locator('#group-by').getByRole('link', { name: 'Source' }).click();
    await expect(page).toHaveURL(/group=source/);
    await page.getByRole('button', { name: 'Filter' }).click();
    await page.getByRole('group', { name: 'Source' }).getByRole('checkbox').first().check();
    await expect(page).toHaveURL(/source=/);
  });
  const [url, shown] = [page.url(), await total(page)];
  await page.goto(url);
  expect(await total(page)).toBe(shown);
});

test('the tabs are of the same project as the chart', async ({ page }) => {
  await signIn(page, 'sample', '/analytics');
  const all = await total(page);
  await page.goto('/analytics?project=support');
  const of = await total(page);
  expect(of).not.toBe(all);
  expect(await tab(page, /^All/).innerText()).toContain(of);
});

test('the picker takes any two days, and the same day twice for one', async ({ page }) => {
  await signIn(page, 'sample', '/analytics');
  await hydrated(page);
  const picker = page.locator('#range');
  const open = () => page.locator('button[popovertarget="range"]').click();
  await open();
  await expect(picker.getByRole('grid')).toHaveCount(2);
  await picker.getByRole('button', { name: 'Previous month' }).click();
  const days = picker.getByRole('grid').first().locator('button[name=day]');
  await days.nth(4).click();
  await days.nth(9).click();
  await expect(page).toHaveURL(/from=\d{4}-\d\d-05&to=\d{4}-\d\d-10/);
  await expect(page.locator('.usage-table tbody tr')).toHaveCount(6);
  await open();
  const other = picker.getByRole('grid').first().locator('button[name=day]');
  await other.nth(14).click();
  await other.nth(14).click();
  await expect(page.locator('.usage-table tbody tr')).toHaveCount(24);
  await open();
  await picker.getByRole('link', { name: 'Last 7 days' }).click();
  await expect(page.locator('.usage-table tbody tr')).toHaveCount(7);
});

test('the calendar is steered by the keyboard', async ({ page }) => {
  await signIn(page, 'sample', '/analytics?from=2026-01-10&to=2026-01-20');
  await hydrated(page);
  await page.locator('button[popovertarget="range"]').click();
  await page.locator('#day-2026-01-20').focus();
  await page.keyboard.press('ArrowUp');
  await expect(page.locator('#day-2026-01-13')).toBeFocused();
  await page.keyboard.press('Enter');
  await page.keyboard.press('ArrowRight');
  await expect(page.locator('#day-2026-01-14')).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/from=2026-01-13&to=2026-01-14/);
});

test('the chart answers pointer and keyboard with the same figures', async ({ page }) => {
  await signIn(page, 'sample', '/analytics');
  await hydrated(page);
  const chart = page.getByRole('group', { name: /Arrow keys move/ });
  await chart.focus();
  await page.keyboard.press('Home');
  await expect(page.locator('.tooltip-label')).toBeVisible();
  const first = await page.locator('.tooltip-label').innerText();
  await page.keyboard.press('ArrowRight');
  await expect(page.locator('.tooltip-label')).not.toHaveText(first);
  const spoken = await page.locator('.chart-box [aria-live]').innerText();
  expect(spoken).toContain(await page.locator('.tooltip-label').innerText());
  await page.keyboard.press('Escape');
  await expect(page.locator('.tooltip')).toHaveCount(0);
  await chart.hover({ position: { x: 500, y: 100 } });
  await expect(page.locator('.tooltip')).toBeVisible();
});

test('the current day is marked as incomplete', async ({ page }) => {
  await signIn(page, 'sample', '/analytics');
  await expect(page.locator('.usage-table tbody tr').last()).toContainText('in progress');
  await expect(page.locator('.usage-table tbody tr').first()).not.toContainText('in progress');
});

test('the CSV holds exactly what is shown', async ({ page }) => {
  await signIn(page, 'sample', '/analytics?group=source');
  await hydrated(page);
  const heads = await page.locator('.usage-table thead th').allInnerTexts();
  const totals = await page.locator('.usage-table tfoot td').evaluateAll((cells) => cells.map((c) => c.getAttribute('title') ?? c.textContent ?? ''));
  const href = await page.locator('#export a', { hasText: 'Figures as CSV' }).getAttribute('href');
  const answer = await page.request.get(href!);
  expect(answer.headers()['content-type']).toContain('text/csv');
  const lines = (await answer.text()).trim().split('\r\n');
  // Programs read the file: its heads and figures are the same whatever the org calls its credits.
  expect(heads).toContain('Total $');
  const [day, ...rest] = heads.map((h) => h.replace('$', 'credits'));
  expect(lines[0].split(',')).toEqual([day, 'Begins (UTC)', ...rest]);
  expect(lines.at(-1)!.split(',').slice(2)).toEqual(totals.map((t) => t.replaceAll(/[$,]/g, '')));
  expect(lines).toHaveLength(2 + (await page.locator('.usage-table tbody tr').count()));
});

test('a range that cannot be shown says why and leads back', async ({ page }) => {
  await signIn(page, 'sample', '/analytics?from=2000-01-01&to=2100-01-01');
  await expect(page.getByText(/gives more than 400 bars/)).toBeVisible();
  await page.getByRole('link', { name: 'Show the last 30 days' }).click();
  await expect(page.locator('svg.chart')).toBeVisible();
});

test('nothing overflows at 360 px', async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await signIn(page, 'sample', '/analytics');
  await hydrated(page);
  for (const path of ['/analytics', '/']) {
    await page.goto(path);
    await hydrated(page);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(overflow, path).toBe(0);
  }
});
