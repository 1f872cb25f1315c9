// Billing beyond buying: tax, a transfer that an operator confirms, a dispute, auto top-up while usage runs, an invoice as page and PDF.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { findings, overflow } from '../axe';
import { expect, hydrated, signIn, test } from '../journey';
import { grant, newOrg, report, signInAs } from '../orgs';

async function storeCard(page: Page, card = '4242 4242 4242 4242'): Promise<void> {
  await page.goto('/billing/methods');
  await page.getByRole('button', { name: 'Add a test card' }).click();
  await page.getByRole('radio', { name: card }).check();
  await page.getByRole('button', { name: 'Store it' }).click();
  await expect(page.getByText('The method is stored.')).toBeVisible();
}

const stayed = (page: Page) => page.evaluate(() => 'stayed' in window);
const mark = (page: Page) => page.evaluate(() => Object.assign(window, { stayed: true }));

test('the tax of an organization stands in what it buys, in the total and on the receipt', async ({ page }) => {
  const org = newOrg();
  await signInAs(page, org.operator, '/billing/details');
  await page.getByLabel('Tax (operators only)').selectOption({ label: 'Another' });
  await page.getByLabel('Name of the other tax').fill('VAT');
  await page.getByLabel('Its rate in percent').fill('19');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('The billing details are saved.')).toBeVisible();
  await storeCard(page);
  await page.goto('/billing/purchase?package=package_1');
  const sum = async () => {
    await expect(page.getByRole('row', { name: /^VAT 19 %/ })).toContainText('18.81 EUR');
    await expect(page.getByRole('row', { name: /^Total/ })).toContainText('117.81 EUR');
  };
  await sum();
  await page.getByRole('button', { name: 'Buy for 117.81 EUR' }).click();
  await expect(page.getByRole('heading', { name: 'Paid', exact: true })).toBeVisible({ timeout: 15_000 });
  await sum();
});

test('a transfer is announced, an operator sees the money, and the credits come without reloading', async ({ page, browser }) => {
  const org = newOrg();
  await signInAs(page, org.member, '/billing/purchase?package=package_1');
  await page.getByRole('radio', { name: 'Bank transfer' }).check();
  await page.getByRole('button', { name: 'Buy for 99.00 EUR' }).click();
  await expect(page.getByRole('heading', { name: 'Waiting for your transfer' })).toBeVisible();
  const reference = await page.locator('code').innerText();
  expect(reference).toMatch(/^SCRIP-\d+-1$/);
  await mark(page);
  const office = await browser.newContext({ baseURL: process.env.E2E_ORIGIN });
  try {
    const desk = await office.newPage();
    await signInAs(desk, org.operator, '/operator/payments');
    const row = desk.getByRole('row').filter({ hasText: reference });
    // Another amount than was asked for is not taken.
    await row.getByLabel(`Amount that came for ${reference}`).fill('98.99');
    await row.getByRole('button', { name: 'Confirm' }).click();
    await expect(desk.getByRole('alert')).toContainText('not the amount that is awaited');
    await row.getByLabel(`Amount that came for ${reference}`).fill('99.00');
    await row.getByRole('button', { name: 'Confirm' }).click();
    await expect(desk.getByText('The transfer is confirmed')).toBeVisible();
    await expect(row).toHaveCount(0);
  } finally {
    await office.close();
  }
  await expect(page.getByRole('heading', { name: 'Paid', exact: true })).toBeVisible({ timeout: 15_000 });
  await expect(page.locator('[data-balance]')).toContainText('$100');
  expect(await stayed(page)).toBe(true);
});

test('a bank asks for the money back, the credits go at once, and come again when it decides for the seller', async ({ page }) => {
  const org = newOrg();
  await signInAs(page, org.operator, '/billing/purchase?package=package_1');
  await page.getByRole('button', { name: 'Buy for 99.00 EUR' }).click();
  await page.getByRole('radio', { name: '4000 0000 0000 0259' }).check();
  const bank = page.url();
  await page.getByRole('button', { name: 'Pay', exact: true }).click();
  await expect(page.getByText('bank asks for 99.00 EUR back')).toBeVisible({ timeout: 20_000 });
  await expect(page.locator('[data-balance]')).toContainText('$0');
  const purchase = page.url();
  await page.goto(bank);
  await page.getByRole('button', { name: /for the seller/i }).click();
  await page.goto(purchase);
  await expect(page.getByText('The bank decided for the seller')).toBeVisible({ timeout: 20_000 });
  await expect(page.locator('[data-balance]')).toContainText('$100');
});

test('auto top-up buys while usage runs, and the balance on an open page rises by itself', async ({ page }) => {
  const org = newOrg();
  grant(org, '3');
  await signInAs(page, org.operator, '/');
  await storeCard(page);
  await page.goto('/billing/top-up');
  await page.getByLabel(/^Below so many/).fill('2');
  await page.getByRole('combobox', { name: /^Buy/ }).selectOption({ index: 0 });
  await page.getByLabel('At most in a calendar month, tax included').fill('150');
  await page.getByRole('button', { name: 'Turn on' }).click();
  await expect(page.getByRole('heading', { name: 'It is on' })).toBeVisible();
  await page.goto('/');
  await hydrated(page);
  const balance = page.getByRole('heading', { name: /Current balance/ }).locator('xpath=following-sibling::*[1]');
  await report(org, 'call-0');
  await expect(balance).toContainText(/\$2\.\d/, { timeout: 15_000 });
  await mark(page);
  // 0.70 each: the first still leaves more than the threshold, the next one less.
  await report(org, 'call-1');
  await expect(balance).toContainText(/\$10\d\.\d/, { timeout: 20_000 });
  expect(await stayed(page)).toBe(true);
  // One purchase, and why; the cap leaves no room for a second.
  await page.goto('/billing/top-up');
  const history = page.getByRole('row').filter({ hasText: 'below 2.000000' });
  await expect(history).toHaveCount(1);
  await page.goto('/billing/purchases');
  await expect(page.getByRole('row').filter({ hasText: 'Paid, by auto top-up' })).toHaveCount(1);
});

test('an invoice says the same on its page and in its PDF, word for word', async ({ page }) => {
  await signIn(page, 'sample', '/billing/invoices');
  await page.getByRole('link', { name: /^S1-\d{4}$/ }).first().click();
  await expect(page.getByRole('heading', { name: /^Invoice S1-\d{4}$/ }).first()).toBeVisible();
  const told = await page.locator('article.invoice').innerText();
  const href = (await page.getByRole('link', { name: 'Download PDF' }).getAttribute('href')) ?? '';
  const answer = await page.request.get(href);
  expect(answer.headers()['content-type']).toBe('application/pdf');
  const folder = mkdtempSync(join(tmpdir(), 'scrip-pdf-'));
  try {
    const file = join(folder, 'invoice.pdf');
    writeFileSync(file, await answer.body());
    const read = execFileSync('pdftotext', ['-layout', file, '-'], { encoding: 'utf8' });
    const words = (text: string) => text.split(/\s+/).filter((word) => word !== '').sort();
    // The foot of each page is the paper's own.
    expect(words(read.replace(/Invoice \S+, page \d+ of \d+/g, ''))).toEqual(words(told));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

const pages = [
  '/billing', '/billing/plan', '/billing/plan?choose=plan_1', '/billing/top-up', '/billing/purchase', '/billing/purchase?package=package_1',
  '/billing/purchase?package=package_1&error=price_changed', '/billing/purchases', '/billing/methods', '/billing/sandbox/store', '/billing/invoices',
  '/billing/invoices/invoice_1', '/billing/payments', '/billing/details', '/operator/payments', '/operator/seller',
  '/operator/reconcile', '/operator/organizations?org=org_1',
];

for (const colorScheme of ['light', 'dark'] as const) {
  test(`axe finds nothing serious on the pages of billing, and none is too wide, ${colorScheme}`, async ({ page }) => {
    test.slow();
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await signIn(page, 'sample', '/billing');
    for (const path of pages) {
      await page.goto(path);
      expect(await findings(page), path).toEqual([]);
      await page.setViewportSize({ width: 360, height: 800 });
      expect(await overflow(page), path).toBeLessThanOrEqual(0);
      await page.setViewportSize({ width: 1440, height: 900 });
    }
  });
}
