// Saved views without JavaScript.
import { expect, signIn, test } from '../journey';

test('a view is saved and opened by plain forms and links', async ({ page }) => {
  await signIn(page, 'empty', '/analytics?from=now%2FM&to=now&group=source');
  await page.getByRole('button', { name: 'Saved views' }).click();
  const menu = page.locator('#views');
  await menu.getByPlaceholder(/^Name/).fill('This month');
  await menu.getByLabel('Everybody here sees it').check();
  await menu.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page.getByText('The view is saved.')).toBeVisible();
  await page.goto('/analytics');
  await page.getByRole('button', { name: 'Saved views' }).click();
  await menu.getByRole('link', { name: /This month/ }).click();
  await expect(page).toHaveURL(/from=now%2FM&to=now&group=source/);
});
