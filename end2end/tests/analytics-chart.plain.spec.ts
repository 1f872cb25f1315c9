// The chart of Analytics without JavaScript: every choice is a link.
import { expect, signIn, test } from '../journey';

test('kind, comparison and legend are links', async ({ page }) => {
  await signIn(page, 'sample', '/analytics');
  await page.getByRole('navigation', { name: 'Chart', exact: true }).getByRole('link', { name: 'Lines' }).click();
  await expect(page).toHaveURL(/chart=lines/);
  await expect(page.locator('.chart .line').first()).toBeVisible();
  await page.getByRole('navigation', { name: 'Compare with' }).getByRole('link', { name: 'Previous period' }).click();
  await expect(page).toHaveURL(/chart=lines&compare=previous/);
  await expect(page.locator('.chart .before')).toHaveCount(1);
  const entry = page.locator('.legend a[data-id]').first();
  await entry.click();
  await expect(page).toHaveURL(/hide=/);
  await expect(page.locator('.legend li.off')).toHaveCount(1);
  await expect(entry).not.toHaveAttribute('aria-pressed');
  await page.getByRole('link', { name: 'Show all' }).click();
  await expect(page).not.toHaveURL(/hide=/);
});
