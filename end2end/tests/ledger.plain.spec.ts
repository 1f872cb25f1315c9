// The ledger without JavaScript: entries open, filters and the slider are forms.
import { expect, test } from '../journey';
import { grant, newOrg, report, signInAs } from '../orgs';

test('entries open, filters filter, the slider is a form', async ({ page }) => {
  const org = newOrg();
  grant(org, '10');
  await report(org, 'call-1');
  await signInAs(page, org.member, '/ledger');
  await page.locator('#entry_3 summary').click();
  await expect(page.locator('#entry_3 tfoot')).toContainText('$0.000000');
  await page.getByLabel('Kind').selectOption('usage');
  await page.getByRole('button', { name: 'Apply' }).click();
  await expect(page.locator('.entry')).toHaveCount(1);
  await page.getByRole('slider', { name: 'Instant' }).press('Home');
  await page.getByRole('form', { name: 'Instant', exact: true }).getByRole('button', { name: 'Show' }).click();
  await expect(page).toHaveURL(/kind=usage.*at=\d+/);
  await expect(page.locator('.standing-parts dd').first()).toHaveText('$0.000000');
  await page.getByLabel('As of').fill('2098-01-01T00:00:00');
  await page.getByRole('form', { name: 'Exact instant' }).getByRole('button', { name: 'Show' }).click();
  await expect(page.locator('.standing-parts dd').first()).toHaveText('$9.300000');
  await page.getByRole('link', { name: 'Back to now' }).click();
  await expect(page).toHaveURL(/\/ledger\?kind=usage$/);
});
