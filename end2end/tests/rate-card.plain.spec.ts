// The rate card without JavaScript: the server tries a card out, lays it down, compares.
import { expect, test } from '../journey';
import { newOrg, report, signInAs } from '../orgs';

test('a card is tried out, put right and laid down by forms alone', async ({ page }) => {
  const org = newOrg();
  await report(org, 'call-1');
  await signInAs(page, org.operator, '/rate-card');
  const text = page.getByRole('textbox', { name: 'Write the next version' });
  await text.fill('input_tokens: 1.2 per 1000000\nimages: 1 eech');
  await page.getByRole('button', { name: 'Preview' }).click();
  await expect(page.locator('.card-summary')).toHaveText('Line 2 cannot be used.');
  await expect(text).toHaveValue('input_tokens: 1.2 per 1000000\nimages: 1 eech');
  await text.fill('input_tokens: 1.2 per 1000000');
  await page.getByRole('button', { name: 'Preview' }).click();
  await expect(page.locator('#preview table')).toContainText('Input tokens');
  await page.getByRole('button', { name: 'Lay down version 2' }).click();
  await expect(page.getByRole('status').first()).toHaveText('Version 2 is laid down.');
  await page.getByRole('button', { name: 'Compare' }).click();
  await expect(page.locator('#compared')).toContainText('1 line new, 4 lines gone');
});
