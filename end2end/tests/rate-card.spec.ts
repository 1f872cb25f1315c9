// The Rate card page: prices, a card being written and tried out at every key, laid down, compared.
import { expect, hydrated, test } from '../journey';
import { grant, newOrg, report, signInAs } from '../orgs';

test('a card is tried out while it is written, laid down, and compared', async ({ page }) => {
  const org = newOrg();
  grant(org, '10');
  await report(org, 'call-1');
  await signInAs(page, org.operator, '/rate-card');
  await hydrated(page);
  await expect(page.getByRole('region', { name: 'List of prices' })).toContainText('$0.6 per 1,000,000 tokens');
  const text = page.getByRole('textbox', { name: 'Write the next version' });
  const told = page.locator('.card-summary');
  await expect(text).toHaveValue(/^input_tokens: 0\.6 per 1000000\n/);
  await expect(told).toContainText('the same as it did');
  const charged = await page.locator('#preview tfoot .amount').first().getAttribute('title');

  // Every key is answered here, without the server.
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  await text.fill('input_tokens: 1.2 per 1000000\nimages: 1 eech\nimages: 1 each\nfoo');
  await expect(told).toHaveText('2 problems: none of this can be used until they are put right.');
  await page.getByRole('link', { name: 'Line 4' }).click();
  await expect(text).toBeFocused();
  expect(await text.evaluate((area: HTMLTextAreaElement) => area.value.slice(area.selectionStart, area.selectionEnd))).toBe('foo');
  await text.fill('input_tokens: 1.2 per 1000000\ncompletion_tokens: 1 per 1000000\ncached_tokens: 0.075 per 1000000\nimages: 0.0001 each');
  await expect(told).toContainText('more.');
  await expect(page.locator('#preview tfoot .amount').first()).toHaveAttribute('title', charged ?? '');
  expect(asked).toEqual([]);

  await text.fill('input_tokens: 1.2 per 1000000\nimages: 0.0001 each');
  await page.getByRole('button', { name: 'Lay down version 2' }).click();
  await expect(page.getByRole('status').first()).toHaveText('Version 2 is laid down.');
  await expect(page.locator('#versions')).toContainText('Superseded');
  await page.getByRole('button', { name: 'Compare' }).click();
  await expect(page.locator('#compared')).toContainText('1 line new, 3 lines gone, 1 line as before');

  // What is as it was is no new version.
  await page.getByRole('link', { name: 'Rate card' }).click();
  await page.getByRole('button', { name: 'Lay down version 3' }).click();
  await expect(page.getByRole('status').first()).toContainText('says the same as version 2');
});

test('a card that is refused says why and keeps what was typed', async ({ page }) => {
  const org = newOrg();
  await signInAs(page, org.operator, '/rate-card');
  await hydrated(page);
  const text = page.getByRole('textbox', { name: 'Write the next version' });
  await text.fill('images: 1 eech');
  await page.getByRole('button', { name: 'Lay down version 2' }).click();
  await expect(page.getByRole('alert')).toContainText('Line 1: after the price 1');
  await expect(text).toHaveValue('images: 1 eech');
  await text.fill('images: 1 each');
  await page.getByLabel('Takes effect').fill('2020-01-01T00:00');
  await page.getByRole('button', { name: 'Lay down version 2' }).click();
  await expect(page.getByRole('alert')).toContainText('now or later');
  await expect(page.getByLabel('Takes effect')).toHaveValue('2020-01-01T00:00');
});

test('who is no operator may try a card, and is told who may lay one down', async ({ page }) => {
  const org = newOrg();
  await report(org, 'call-1');
  await signInAs(page, org.member, '/rate-card');
  await expect(page.getByRole('heading', { name: 'Try out another card' })).toBeVisible();
  await expect(page.getByText('Only operators, who run this server, may lay down a version')).toBeVisible();
  await expect(page.getByRole('button', { name: /Lay down/ })).toHaveCount(0);
  const forged = await page.request.post('/rate-card', { form: { do: 'lay-down', card: 'images: free', key: '0'.repeat(32), replaces: '1' } });
  expect(forged.status()).toBe(422);
  expect(await forged.text()).toContain('Only operators may lay down a version');
});
