// The chart of Analytics: kinds, comparison, legend, selection, files. What the cube in the page answers asks the server nothing.
import { readFileSync } from 'node:fs';
import type { Locator, Page } from '@playwright/test';
import { findings, overflow } from '../axe';
import { exact, expect, hydrated, signIn, test } from '../journey';

/** Fails with every request that is made while `act` runs. */
async function withoutRequests(page: Page, act: () => Promise<void>): Promise<void> {
  const asked: string[] = [];
  // Chromium asks for the icon again at every new address, by itself; why a range differs is the server's to say.
  const besides = ['/favicon.svg', '/api/fn/analytics-part'];
  const note = (request: { url(): string }) => besides.some((url) => request.url().endsWith(url)) || asked.push(request.url());
  page.on('request', note);
  await act();
  page.off('request', note);
  expect(asked).toEqual([]);
}

const kind = (page: Page, name: string) => page.getByRole('navigation', { name: 'Chart', exact: true }).getByRole('link', { name });
const compare = (page: Page, name: string) => page.getByRole('navigation', { name: 'Compare with' }).getByRole('link', { name });
const entries = (page: Page) => page.locator('.legend a[data-id]');
const overlay = (page: Page) => page.locator('#usage-chart-keys');
const drawing = (page: Page) => page.locator('.chart-drawing').innerHTML();
const figure = (page: Page, name: string) => page.locator('dl.summary > div').filter({ hasText: name }).locator('dd');

async function open(page: Page, query = ''): Promise<void> {
  await signIn(page, 'sample', `/analytics${query}`);
  await hydrated(page);
}

/** The middle of a bucket of the chart, from 0 to 1 across the plot. */
async function at(page: Page, part: number): Promise<{ x: number; y: number }> {
  await overlay(page).scrollIntoViewIfNeeded();
  const box = (await overlay(page).boundingBox())!;
  return { x: box.x + 44 + (box.width - 50) * part, y: box.y + 120 };
}

for (const query of ['', '?chart=bars', '?chart=lines', '?chart=cumulative', '?chart=lines&compare=previous', '?chart=bars&compare=previous', '?compare=previous&hide=output_tokens']) {
  test(`the server draws what the browser draws: ${query || 'stacked'}`, async ({ page }) => {
    await open(page, query);
    const html = await (await page.request.get(`/analytics${query}`)).text();
    const [sent] = /<svg[^>]*class="chart[^]*?<\/svg>/.exec(html)!;
    const width = await page.locator('.chart-box').evaluate((box) => box.clientWidth);
    expect(sent).toContain(`viewBox="0 0 ${width} `);
    const parsed = await page.evaluate((svg) => {
      const box = document.createElement('div');
      box.innerHTML = svg;
      return box.innerHTML;
    }, sent);
    const types = page.getByRole('navigation', { name: 'Credit type' }).getByRole('link');
    await types.nth(1).click();
    await expect.poll(() => drawing(page)).not.toBe(parsed);
    await types.first().click();
    await expect.poll(() => drawing(page)).toBe(parsed);
  });
}

test('the kind of chart is chosen without a request, and is in the address', async ({ page }) => {
  await open(page);
  const seen = new Set([await drawing(page)]);
  await withoutRequests(page, async () => {
    for (const [name, query] of [['Bars', 'bars'], ['Lines', 'lines'], ['Cumulative', 'cumulative']]) {
      await kind(page, name).click();
      await expect(page).toHaveURL(new RegExp(`chart=${query}`));
      await expect(kind(page, name)).toHaveAttribute('aria-current', 'true');
      seen.add(await drawing(page));
    }
    await kind(page, 'Stacked').click();
    await expect(page).not.toHaveURL(/chart=/);
  });
  expect(seen.size).toBe(4);
});

test('a range stands beside the one before it, whatever is filtered', async ({ page }) => {
  await open(page, '?from=now-13d&to=now');
  const total = await exact(figure(page, 'Total'));
  await compare(page, 'Previous period').click();
  await expect(page).toHaveURL(/compare=previous/);
  await expect(page.locator('.chart .before')).toHaveCount(1);
  const before = await exact(figure(page, 'Before'));
  expect(await exact(figure(page, 'Total'))).toBe(total);
  await expect(figure(page, 'Change')).toHaveText(/^[+−]?\$[\d.,]+ \([+−][\d.,]+%\)$/);
  await overlay(page).focus();
  await page.keyboard.press('Home');
  await expect(page.locator('.tooltip-before')).toHaveCount(2);
  await withoutRequests(page, async () => {
    await page.getByRole('navigation', { name: 'Credit type' }).getByRole('link').nth(1).click();
    await expect(page).toHaveURL(/type=/);
    await expect.poll(() => exact(figure(page, 'Before'))).toBeLessThan(before);
  });
  // What was before is what that range says by itself.
  await page.goto('/analytics?from=now-27d&to=now-14d');
  expect(await exact(figure(page, 'Total'))).toBe(before);
});

test('the legend hides, isolates and shows again, by mouse and by keyboard', async ({ page }) => {
  await open(page);
  const total = await figure(page, 'Total').innerText();
  const count = await entries(page).count();
  expect(count).toBeGreaterThan(2);
  const shown = () => page.locator('.legend a[aria-pressed="true"]');
  await withoutRequests(page, async () => {
    await entries(page).first().click();
    await expect(entries(page).first()).toHaveAttribute('aria-pressed', 'false');
    await expect(page).toHaveURL(/hide=/);
    await expect(page.locator('.legend-note').first()).toContainText('Not in the chart');
    await expect(figure(page, 'Total')).toHaveText(total);
    await page.getByRole('link', { name: 'Show all' }).click();
    await expect(shown()).toHaveCount(count);
    await entries(page).nth(1).dblclick();
    await expect(shown()).toHaveCount(1);
    await expect(entries(page).nth(1)).toHaveAttribute('aria-pressed', 'true');
    await entries(page).nth(1).dblclick();
    await expect(shown()).toHaveCount(count);
    // The same by keys: the focus stays where it is.
    await entries(page).first().focus();
    await page.keyboard.press('Space');
    await expect(entries(page).first()).toHaveAttribute('aria-pressed', 'false');
    await expect(entries(page).first()).toBeFocused();
    await page.keyboard.press('Enter');
    await expect(shown()).toHaveCount(count);
    await page.keyboard.press('Shift+Enter');
    await expect(shown()).toHaveCount(1);
    await page.keyboard.press('Shift+Enter');
    await expect(shown()).toHaveCount(count);
  });
});

test('dragging zooms into days, a link and a double click lead back', async ({ page }) => {
  await open(page, '?from=2026-01-01&to=2026-01-20');
  const days = page.locator('.usage-table tbody tr');
  const drag = async () => {
    const [from, to] = [await at(page, 0.3), await at(page, 0.55)];
    await page.mouse.move(from.x, from.y);
    await page.mouse.down();
    await page.mouse.move(to.x, to.y, { steps: 4 });
    await expect(page.locator('.crosshair .band')).toHaveCount(1);
    await page.mouse.up();
    await expect(page).toHaveURL(/from=2026-01-0[67]&to=2026-01-1[012]/);
    await expect(page.locator('.crosshair .band')).toHaveCount(0);
  };
  await drag();
  await expect.poll(() => days.count()).toBeLessThan(8);
  await page.getByRole('link', { name: 'Zoom out' }).click();
  await expect(page).toHaveURL(/from=2026-01-01&to=2026-01-20/);
  await expect(page.getByRole('link', { name: 'Zoom out' })).toHaveCount(0);
  await drag();
  await expect(page.getByRole('link', { name: 'Zoom out' })).toBeVisible();
  const { x, y } = await at(page, 0.5);
  await page.mouse.dblclick(x, y);
  await expect(page).toHaveURL(/from=2026-01-01&to=2026-01-20/);
});

test('keys select and zoom, down to the hours of a day and no further', async ({ page }) => {
  await open(page, '?from=2026-01-01&to=2026-01-20');
  await overlay(page).focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Shift+ArrowRight');
  await page.keyboard.press('Shift+ArrowRight');
  await expect(page.locator('.chart-box [aria-live]')).toContainText('3 selected');
  await page.keyboard.press('Escape');
  await expect(page.locator('.crosshair .band')).toHaveCount(0);
  await page.keyboard.press('Shift+ArrowLeft');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/from=2026-01-03&to=2026-01-04/);
  // The chart of before stays until the answer is there: two days of hours.
  await expect(page.locator('.usage-table tbody tr')).toHaveCount(48);
  await expect(overlay(page)).toBeFocused();
  await page.keyboard.press('Home');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/from=2026-01-03&to=2026-01-03/);
  await expect(page.locator('.usage-table tbody tr')).toHaveCount(24);
  await expect(overlay(page)).toBeFocused();
  await page.keyboard.press('Home');
  await page.keyboard.press('Shift+ArrowRight');
  await withoutRequests(page, async () => {
    await page.keyboard.press('Enter');
    await expect(page.locator('.crosshair .band')).toHaveCount(0);
  });
  await expect(page).toHaveURL(/from=2026-01-03&to=2026-01-03/);
});

test('the tooltip lists the largest first and stays within the panel', async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await open(page, '?compare=previous');
  const panel = page.locator('section.panel').first();
  const inside = async (box: Locator) => {
    const [a, b] = [(await box.boundingBox())!, (await panel.boundingBox())!];
    expect(a.x >= b.x && a.x + a.width <= b.x + b.width + 0.5 && a.y >= b.y && a.y + a.height <= b.y + b.height, JSON.stringify([a, b])).toBe(true);
  };
  await overlay(page).focus();
  for (const key of ['Home', 'ArrowRight', 'End', 'ArrowLeft']) {
    await page.keyboard.press(key);
    await inside(page.locator('.tooltip'));
  }
  const amounts = await page.locator('.tooltip li:not(.tooltip-total, .tooltip-before) b').allInnerTexts();
  const read = amounts.map((text) => Number(text.replace(/[$,<]/g, '').replace('−', '-')));
  expect(read).toEqual([...read].sort((a, b) => b - a));
  expect(await overflow(page)).toBe(0);
});

test('the chart is taken along as SVG and PNG', async ({ page }) => {
  await open(page, '?group=source&chart=lines&compare=previous');
  for (const [name, ending] of [['SVG', 'svg'], ['PNG', 'png']]) {
    await page.getByRole('button', { name: 'Export' }).click();
    const link = page.getByRole('link', { name: `Chart as ${name}` });
    const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
    await page.keyboard.press('Escape');
    expect(download.suggestedFilename()).toMatch(new RegExp(`^usage_\\d{4}-\\d\\d-\\d\\d_\\d{4}-\\d\\d-\\d\\d\\.${ending}$`));
    const content = readFileSync(await download.path());
    if (ending === 'png') {
      expect(content.subarray(1, 4).toString()).toBe('PNG');
      expect(content.readUInt32BE(16)).toBe((1118 + 32) * 2);
    } else {
      const svg = content.toString();
      expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"/);
      expect(svg).not.toContain('var(');
      expect(svg).toContain('Before: ');
    }
  }
  const dark = await page.request.get('/exports/usage.svg?theme=dark');
  expect(dark.headers()['content-type']).toBe('image/svg+xml');
  expect(await dark.text()).toContain('fill="#0e1116"');
});

test('print has the chart whole, what it says, and no controls', async ({ page }) => {
  await open(page, '?compare=previous');
  await page.emulateMedia({ media: 'print' });
  await page.setViewportSize({ width: 700, height: 1000 });
  await expect(page.locator('.chart-controls')).toBeHidden();
  await expect(page.locator('.segments').first()).toBeHidden();
  await expect(page.locator('.print-head')).toBeVisible();
  await expect(page.locator('.print-head')).toContainText('data as of');
  const chart = (await page.locator('.chart-drawing svg').boundingBox())!;
  expect(chart.x + chart.width).toBeLessThanOrEqual(700);
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`axe finds nothing serious in any kind of chart, ${colorScheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await open(page);
    for (const query of ['?chart=bars&compare=previous', '?chart=lines&hide=output_tokens', '?chart=cumulative&compare=year']) {
      await page.goto(`/analytics${query}`);
      await hydrated(page);
      expect(await findings(page), query).toEqual([]);
    }
  });
}
