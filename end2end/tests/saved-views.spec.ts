// Saved views: saved, opened, shared, renamed, deleted.
import { expect, hydrated, signIn, test } from '../journey';

test('a view is saved under a name and opened again, relative as it was', async ({ page }) => {
  await signIn(page, 'sample', '/analytics?from=now-6d&to=now&source=api');
  await hydrated(page);
  await page.getByRole('button', { name: 'Saved views' }).click();
  const menu = page.locator('#views');
  await menu.getByPlaceholder(/^Name/).fill('Our week <i>');
  await menu.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page.getByRole('status').first()).toContainText('The view is saved.');
  // It is told once: neither the address nor a reload tells it again.
  await expect(page).toHaveURL(/\/analytics\?from=now-6d&to=now&source=api$/);
  await page.reload();
  await expect(page.getByText('The view is saved.')).toHaveCount(0);
  await page.goto('/analytics');
  await hydrated(page);
  await page.getByRole('button', { name: 'Saved views' }).click();
  await menu.getByRole('link', { name: 'Our week <i>' }).click();
  await expect(page).toHaveURL(/from=now-6d&to=now&source=api/);
  await page.getByRole('button', { name: 'Saved views' }).click();
  await menu.locator('summary[aria-label="Change Our week <i>"]').click();
  await menu.locator('.saved-view').getByLabel('Name').fill('Our week');
  await menu.getByRole('button', { name: 'Rename' }).click();
  await expect(page.getByRole('status').first()).toContainText('changed');
  await page.getByRole('button', { name: 'Saved views' }).click();
  await menu.locator('summary[aria-label="Change Our week"]').click();
  await menu.getByRole('button', { name: 'Delete' }).click();
  await expect(page.getByRole('status').first()).toContainText('deleted');
  await page.getByRole('button', { name: 'Saved views' }).click();
  await expect(menu).toContainText('None yet.');
});
