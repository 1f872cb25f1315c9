import { findings, overflow } from '../axe';
import { expect, hydrated, signIn, test } from '../journey';
import { type Org, grant, micros, newOrg, report, signInAs } from '../orgs';

let org: Org;

test.beforeAll(async () => {
  org = newOrg();
  grant(org, '100');
  for (let i = 1; i <= 55; i += 1) await report(org, `call-${i}`);
  // The slider counts in seconds.
  await new Promise((next) => setTimeout(next, 2_100));
  grant(org, '20', '--kind', 'promotion', '--expires-at', '2099-01-01T00:00:00Z', '--description', 'Welcome');
});

test('every entry is listed, opens, and sums to zero', async ({ page }) => {
  await signInAs(page, org.member, '/ledger');
  await hydrated(page);
  const entries = page.locator('.entry');
  await expect(entries).toHaveCount(50);
  await expect(entries.first().locator('summary')).toContainText('Grant');
  await expect(entries.first().locator('.entry-amount')).toHaveText('+$20.000000');
  for (const entry of [entries.first(), entries.nth(1)]) {
    await entry.locator('summary').click();
    await expect(entry.locator('tfoot td').first()).toHaveText('$0.000000');
    const amounts = await entry.locator('tbody td:nth-child(2)').allInnerTexts();
    expect(amounts.map(micros).reduce((a, b) => a + b, 0n)).toBe(0n);
  }
  await expect(entries.nth(1).locator('.entry-about')).toHaveText('event_55');
  // By the keyboard too.
  await page.keyboard.press('Enter');
  await expect(entries.nth(1).locator('details')).not.toHaveAttribute('open');
});

test('older, newer, and one entry by its address', async ({ page }) => {
  await signInAs(page, org.member, '/ledger');
  await hydrated(page);
  await expect(page.getByRole('link', { name: 'Newer' })).toHaveCount(0);
  await page.getByRole('link', { name: 'Older' }).click();
  await expect(page).toHaveURL(/before=entry_9/);
  await expect(page.locator('.entry')).toHaveCount(8);
  await expect(page.locator('.entry').last()).toContainText('Rate card');
  await page.getByRole('link', { name: 'Newer' }).click();
  await expect(page.locator('.entry')).toHaveCount(50);
  await expect(page).not.toHaveURL(/before=/);
  await page.goto('/ledger?entry=entry_5');
  await expect(page.locator('#entry_5 details')).toHaveAttribute('open', '');
  await expect(page.locator('.entry')).toHaveCount(5);
});

test('filters by kind, grant and days are in the address', async ({ page }) => {
  await signInAs(page, org.member, '/ledger');
  const form = page.getByRole('form', { name: 'Filter entries' });
  await form.getByLabel('Kind').selectOption('grant');
  await form.getByRole('button', { name: 'Apply' }).click();
  await expect(page).toHaveURL(/kind=grant/);
  await expect(page.locator('.entry')).toHaveCount(2);
  await form.getByLabel('Kind').selectOption('');
  await form.getByRole('textbox', { name: 'Grant' }).fill('2');
  await form.getByRole('button', { name: 'Apply' }).click();
  await expect(page.locator('.entry')).toHaveCount(1);
  await expect(form.getByRole('textbox', { name: 'Grant' })).toHaveValue('grant_2');
  await page.goto('/ledger?from=2020-01-01&to=2020-01-31');
  await expect(page.getByText('No entry fits these filters.')).toBeVisible();
  await page.getByRole('link', { name: 'Show all entries' }).click();
  await expect(page.locator('.entry')).toHaveCount(50);
});

test('the slider shows how things stood, and its address shows it again', async ({ page }) => {
  await signInAs(page, org.member, '/ledger');
  await hydrated(page);
  const available = page.locator('.standing-parts dd').first();
  const now = await available.innerText();
  // 55 × 0.7 of 100, and 20 more.
  expect(now).toBe('$81.500000');
  const height = await page.locator('.standing-figures').evaluate((box) => box.clientHeight);
  const slider = page.getByRole('slider', { name: 'Instant' });
  await slider.focus();
  await page.keyboard.press('Home');
  await expect(available).toHaveText('$0.000000');
  await expect(page.getByText('No grant had been given by then.')).toBeVisible();
  await expect(page).toHaveURL(/at=\d+/);
  expect(await page.locator('.standing-figures').evaluate((box) => box.clientHeight)).toBe(height);

  // The second before the second grant.
  const given = await page.locator('#entry_58 time').first().getAttribute('datetime');
  const before = Math.floor(Date.parse(given!) / 1000) - 1;
  await slider.evaluate((input: HTMLInputElement, at) => {
    input.value = String(at);
    input.dispatchEvent(new Event('input', { bubbles: true }));
  }, before);
  await expect(available).toHaveText('$61.500000');
  await expect(page).toHaveURL(new RegExp(`at=${before}`));
  const [url, when, rows] = [page.url(), await page.locator('.slider output').innerText(), await page.locator('.standing-grants tbody tr').count()];
  expect(rows).toBe(1);
  await page.goto(url);
  await hydrated(page);
  await expect(available).toHaveText('$61.500000');
  expect(await page.locator('.slider output').innerText()).toBe(when);
  await expect(slider).toHaveValue(String(before));
  await page.getByRole('link', { name: 'Back to now' }).click();
  await expect(available).toHaveText('$81.500000');
  await expect(page).not.toHaveURL(/at=/);
});

test('as known at leaves out what was booked later; the future is not known', async ({ page }) => {
  await signInAs(page, org.member, '/ledger');
  const given = await page.locator('#entry_58 time').first().getAttribute('datetime');
  const known = Math.floor(Date.parse(given!) / 1000) - 1;
  await page.goto(`/ledger?known=${known}`);
  await hydrated(page);
  await expect(page.locator('.standing-parts dd').first()).toHaveText('$61.500000');
  await expect(page.locator('.standing-when')).toContainText('as known at');
  await page.goto('/ledger?known=2098-01-01T00:00');
  await expect(page.getByText(/nobody knows yet/)).toBeVisible();
  // When the promotion is over, if nothing else happens.
  await page.goto('/ledger?at=2099-06-01T00:00');
  await expect(page.locator('.standing-parts dd').first()).toHaveText('$61.500000');
});

test('the CSV has a line per posting and ends with the chain', async ({ page }) => {
  await signInAs(page, org.member, '/ledger');
  const href = await page.getByRole('link', { name: 'Download CSV' }).getAttribute('href');
  const answer = await page.request.get(href!);
  expect(answer.headers()['content-disposition']).toMatch(/filename="ledger_Org-\w+_entry_58\.csv"/);
  const lines = (await answer.text()).trim().split('\r\n').map((line) => line.split(','));
  expect(lines[0]).toEqual(['entry', 'kind', 'happened_at', 'booked_at', 'cause', 'account', 'amount', 'balance', 'hash', 'reason']);
  expect(lines.every((line) => line.length === 10)).toBe(true);
  const [entry, kind, , , , , , , hash] = lines.at(-1)!;
  expect([entry, kind]).toEqual(['entry_58', 'chain_head']);
  await expect(page.locator('.chain-end code')).toHaveText(hash);
  const sum = lines.slice(1, -1).filter((line) => line[6] !== '').map((line) => micros(line[6]));
  expect(sum).toHaveLength(2 * 57);
  expect(sum.reduce((a, b) => a + b, 0n)).toBe(0n);
  const few = await (await page.request.get('/exports/ledger.csv?kind=grant')).text();
  expect(few.trim().split('\r\n')).toHaveLength(1 + 2 * 2 + 1);
});

test('an org whose ledger is young is told what to do', async ({ page }) => {
  const young = newOrg();
  await signInAs(page, young.member, '/ledger');
  await hydrated(page);
  await expect(page.getByText('scrip grant --org NAME')).toBeVisible();
  await expect(page.locator('.entry')).toHaveCount(1);
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`axe finds nothing serious in the ledger, ${colorScheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await signInAs(page, org.member, '/ledger?entry=entry_58');
    await hydrated(page);
    expect(await findings(page)).toEqual([]);
    await page.goto('/ledger?kind=void&known=2098-01-01T00:00');
    await hydrated(page);
    expect(await findings(page)).toEqual([]);
  });
}

test('the ledger does not overflow at 360 px', async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await signIn(page, 'sample', '/ledger');
  await hydrated(page);
  await page.locator('.entry summary').first().click();
  expect(await overflow(page)).toBe(0);
});
