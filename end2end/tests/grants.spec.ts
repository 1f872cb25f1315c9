import { exact, expect, hydrated, signIn, test, use } from '../journey';

const shown = (label: string) => `.stat:has(h2:has-text("${label}")) .amount`;

test('what became of each grant adds up, and what is left of all is available', async ({ page }) => {
  await signIn(page, 'sample', '/grants?status=all');
  await hydrated(page);
  let available = 0;
  const grants = await page.locator('.grant').all();
  expect(grants.length).toBeGreaterThan(8);
  for (const grant of grants) {
    const parts = await Promise.all((await grant.locator('.grant-parts .amount').all()).map(exact));
    const [left, amount] = await Promise.all((await grant.locator('.grant-left .amount').all()).map(exact));
    expect(parts.reduce((a, b) => a + b, 0)).toBe(amount);
    if (!(await grant.getByText('Scheduled').count())) available += left;
  }
  expect(await exact(page.locator(shown('Available balance')))).toBe(available);
  const [held, debt, settled] = await Promise.all(['Held', 'Debt', 'Settled'].map((l) => exact(page.locator(shown(l)).first())));
  expect(settled).toBe(available + held - debt);
  expect(held).toBe(4_250_000);
});

test('what is spent next, what expires when, what rolled over, and what is held', async ({ page }) => {
  await signIn(page, 'sample', '/grants?status=all');
  await hydrated(page);
  await expect(page.locator('.badge.next').last()).toHaveText('Spent next');
  const days = await page.locator('.timeline tbody time[datetime]:not([datetime*=T])').evaluateAll((all) => all.map((t) => t.getAttribute('datetime')));
  expect(days.length).toBeGreaterThan(1);
  expect(days).toEqual([...days].sort());
  await expect(page.locator('.stretch').first()).toBeVisible();
  const rolled = page.locator('.grant-rollover').filter({ hasText: 'rolled over to grant_' }).first();
  await expect(rolled).toHaveText(/granted, .* used, .* left on .* → cap 20% of \$60 = \$12 → \$12 rolled over to grant_\d+ until .*\./);
  await expect(page.locator('.grant', { hasText: 'Welcome' })).toContainText('Expired');
  await expect(page.locator('.grant', { hasText: 'Try out images' })).toContainText('Only for Images');
  await expect(page.getByRole('region', { name: 'Table of pending holds' }).locator('tbody tr')).toHaveCount(2);
  await expect(page.locator('.grant').first().getByRole('link')).toHaveAttribute('href', /^\/ledger\?grant=grant_\d+$/);
  await expect(page.locator('.banner')).toHaveCount(0);
});

test('ended grants are behind a link, and the address says so', async ({ page }) => {
  await signIn(page, 'sample', '/grants');
  await hydrated(page);
  await expect(page.locator('.ended')).toHaveCount(0);
  await page.getByRole('link', { name: 'Show ended grants' }).click();
  await expect(page).toHaveURL(/status=all/);
  await expect(page.locator('.ended .grant').first()).toBeVisible();
});

test('an org that ran out says so on every page without moving, and giving credits lifts the pause', async ({ page }) => {
  await use('Desk', 5, 'out-of-credits');
  await page.addInitScript(() => {
    Object.assign(window, { shift: 0 });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) (window as unknown as { shift: number }).shift += (entry as unknown as { value: number }).value;
    }).observe({ type: 'layout-shift', buffered: true });
  });
  await signIn(page, 'desk', '/analytics');
  for (const path of ['/', '/analytics', '/grants']) {
    expect(await (await page.request.get(path)).text(), path).toMatch(/new work is refused/);
    await page.goto(path);
    await hydrated(page);
    await expect(page.getByRole('complementary', { name: 'Balance' })).toContainText('new work is refused');
    expect(await page.evaluate(() => (window as unknown as { shift: number }).shift), path).toBeLessThan(0.01);
  }
  await expect(page.locator(shown('Debt'))).toHaveText('$5.000000');
  await page.getByLabel('Amount in $', { exact: true }).fill('25');
  await page.getByLabel('Description').fill('Package of 25 <b>credits</b>');
  await page.getByText('Times, cost, scope, rollover').click();
  await page.getByLabel('Expires', { exact: true }).fill('2099-01-01T00:00');
  await page.getByLabel('Paid for it').fill('20');
  await page.getByLabel('Currency').fill('EUR');
  await page.getByRole('button', { name: 'Give credits' }).click();
  await expect(page).toHaveURL(/given=grant_1$/);
  await expect(page.getByRole('status').filter({ hasText: 'grant_1' })).toHaveText('grant_1 is booked: $25 given (purchase, “Package of 25 <b>credits</b>”).');
  await expect(page.locator(shown('Available balance'))).toHaveText('$20.000000');
  await expect(page.locator('.banner')).toHaveCount(0);
  await expect(page.locator('.grant')).toContainText(['Paid 20.00 EUR']);
  await expect(page.locator('.grant')).toContainText(['Expires 1 Jan 2099, 00:00']);
});

test('the page stands still in the browser, and comes back by the back button', async ({ page }) => {
  await signIn(page, 'sample', '/');
  await hydrated(page);
  const nav = page.getByRole('navigation', { name: 'Main' });
  await nav.getByRole('link', { name: 'Grants' }).click();
  await hydrated(page);
  await expect(page).toHaveTitle('Grants · Scrip');
  await expect(nav.getByRole('link', { name: 'Grants' })).toHaveAttribute('aria-current', 'page');
  await nav.getByRole('link', { name: 'Analytics' }).click();
  await expect(page.getByRole('heading', { name: 'Analytics' })).toBeVisible();
  await page.goBack();
  await expect(page.locator('.grant').first()).toBeVisible();
  await hydrated(page);
  await nav.getByRole('link', { name: 'Overview' }).click();
  await expect(page.getByRole('heading', { name: 'Last transactions' })).toBeVisible();
});

test('a form that is sent twice counts once', async ({ page }) => {
  await signIn(page, 'desk', '/grants');
  await hydrated(page);
  const key = await page.locator('#give input[name=key]').inputValue();
  const form = { key, kind: 'promotion', amount: '1', description: 'Twice' };
  const send = async (more: object) => {
    const answer = await page.request.post('/grants', { form: { ...form, ...more }, maxRedirects: 0 });
    return answer.headers()['location'] ?? '';
  };
  const first = await send({});
  expect(first).toMatch(/given=grant_\d+$/);
  expect(await send({})).toBe(first);
  expect(await send({ amount: '2' })).toMatch(/error=idempotency_conflict/);
  await page.goto('/grants');
  await expect(page.locator('.grant', { hasText: 'Twice' })).toHaveCount(1);
});

test('an adjustment is seen before it is booked', async ({ page }) => {
  await signIn(page, 'desk', '/grants');
  await hydrated(page);
  const before = await exact(page.locator(shown('Available balance')));
  await page.getByLabel('Amount in $, above or below zero').fill('−2.5');
  await page.locator('#adjust').getByLabel('Reason').fill('Charged twice by mistake');
  await page.getByRole('button', { name: 'Preview' }).click();
  const preview = page.locator('.desk-preview');
  await expect(preview.getByRole('row', { name: /^Available/ })).toContainText('−$2.500000');
  expect(await exact(page.locator(shown('Available balance')))).toBe(before);
  await page.getByRole('button', { name: 'Book' }).click();
  await expect(page).toHaveURL(/adjusted=entry_/);
  await expect(page.getByRole('status').filter({ hasText: 'Booked as' })).toContainText('−$2.50.');
  expect(await exact(page.locator(shown('Available balance')))).toBe(before - 2_500_000);
  await page.goto('/grants?adjust=-9999&reason=Too+much');
  await expect(page.locator('#adjust').getByRole('alert')).toHaveText(/^Only \$\S+ can be taken there/);
});

test('whoever is no operator sees why not, and is refused', async ({ page }) => {
  await signIn(page, 'traces', '/grants');
  await expect(page.getByText(/Only operators, who run this server/)).toBeVisible();
  await expect(page.locator('main form')).toHaveCount(0);
  for (const path of ['/grants', '/grants/adjust']) {
    const form = { key: '0'.repeat(32), kind: 'purchase', amount: '5', description: 'x', adjust: '5', reason: 'x' };
    const answer = await page.request.post(path, { form, maxRedirects: 0 });
    expect(answer.status()).toBe(403);
    expect(await answer.text()).toContain('not_operator');
  }
  await expect(page.getByText('Nothing expires: all that is left stays until it is used.')).toBeVisible();
});

test('another site cannot send the form', async ({ page }) => {
  await signIn(page, 'desk', '/grants');
  const answer = await page.request.post('/grants', {
    form: { amount: '5' },
    headers: { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
    maxRedirects: 0,
  });
  expect(answer.status()).toBe(403);
});

test('an org without grants is told how to give the first', async ({ page }) => {
  await signIn(page, 'clients', '/grants');
  await expect(page.getByRole('heading', { name: 'Open grants' })).toBeVisible();
  await page.context().clearCookies();
  await signIn(page, 'empty', '/grants');
  await expect(page.getByLabel('Command that gives credits', { exact: true })).toHaveText(/^scrip grant --org Empty --amount 100/);
  await expect(page.getByLabel('Command that gives credits through the API')).toContainText('/api/v1/grants');
});

test('nothing overflows at 360 px', async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await signIn(page, 'sample', '/grants');
  for (const path of ['/grants?status=all', '/grants?adjust=-1&reason=Test']) {
    await page.goto(path);
    await hydrated(page);
    await page.getByText('Times, cost, scope, rollover').click();
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(overflow, path).toBe(0);
  }
});
