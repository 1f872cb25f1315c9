// Reports and projects are sound at every width; keys find and go everywhere, and can be turned off.
import { findings, overflow } from '../axe';
import { expect, signIn, test } from '../journey';

test('reports and projects are sound, wide and narrow', async ({ page }) => {
  await signIn(page, 'sample', '/reports');
  for (const path of ['/reports?group=operation&interval=week', '/reports?group=user', '/projects', '/search?q=a']) {
    await page.goto(path);
    expect(await findings(page), path).toEqual([]);
    await page.setViewportSize({ width: 360, height: 800 });
    expect(await overflow(page), path).toBeLessThanOrEqual(0);
    await page.setViewportSize({ width: 1440, height: 900 });
  }
});

test('Ctrl K finds a page by its name, with the keyboard alone', async ({ page }) => {
  await signIn(page, 'sample', '/grants');
  await page.keyboard.press('Control+k');
  const results = page.getByRole('listbox', { name: 'Results' });
  const field = page.getByRole('combobox', { name: 'Search' });
  await expect(field).toBeFocused();
  await expect(results.getByRole('option').first()).toBeVisible();
  expect(await findings(page)).toEqual([]);
  await field.fill('rate');
  await expect(results.getByRole('option')).toHaveCount(1);
  await expect(results.getByRole('option', { selected: true })).toContainText('Rate card');
  await field.fill('nothing of that name');
  await expect(page.getByRole('dialog').getByRole('status')).toContainText('Nothing begins with this');
  await field.fill('rate');
  await expect(results.getByRole('option')).toHaveCount(1);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/rate-card$/);
});

test('single keys go to pages, are told, and can be turned off', async ({ page }) => {
  await signIn(page, 'sample', '/grants');
  await page.keyboard.press('g');
  await page.keyboard.press('r');
  await page.waitForURL(/\/reports$/);
  await page.keyboard.press('?');
  const sheet = page.getByRole('dialog', { name: 'Keyboard shortcuts' });
  await expect(sheet).toContainText('Analytics');
  expect(await findings(page)).toEqual([]);
  await sheet.getByRole('checkbox').uncheck();
  await sheet.getByRole('button', { name: 'Close' }).click();
  await expect(sheet).toBeHidden();
  await page.reload();
  await page.keyboard.press('?');
  await page.keyboard.press('Control+k');
  await expect(page.getByRole('dialog', { name: 'Search' })).toBeVisible();
  await expect(sheet).toHaveCount(0);
});
