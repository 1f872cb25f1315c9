// The controls of Analytics without JavaScript: links, plain forms, and popovers of the browser's own.
import { expect, signIn, test } from '../journey';

test('sources are ticked and applied, users are listed in the page, chips are links', async ({ page }) => {
  await signIn(page, 'sample', '/analytics?group=source');
  await page.getByRole('button', { name: 'Filter' }).click();
  await page.getByRole('group', { name: 'Source' }).getByRole('checkbox').first().check();
  await page.locator('#filters').getByRole('button', { name: 'Apply' }).click();
  await expect(page).toHaveURL(/[?&]source=/);
  await expect(page).toHaveURL(/group=source/);
  await page.getByRole('button', { name: 'Filter' }).click();
  await page.locator('#filters').getByRole('link', { name: 'User…' }).click();
  const drawer = page.getByRole('dialog', { name: 'Filter' });
  await drawer.locator('.menu-list a').nth(1).click();
  await expect(page.locator('.chip')).toHaveCount(2);
  await drawer.getByRole('textbox', { name: 'Any user' }).fill('nobody <b>');
  await drawer.getByRole('button', { name: 'Add' }).click();
  await expect(page.locator('.chip')).toHaveCount(3);
  await expect(page.locator('.chips')).toContainText('nobody <b>');
  await page.getByRole('link', { name: 'Clear all' }).click();
  await expect(page.getByText('No filters')).toBeVisible();
});

test('two days are picked in the calendar one after the other, in any order, and one twice', async ({ page }) => {
  await signIn(page, 'sample', '/analytics?from=2026-01-10&to=2026-01-20&group=source');
  const pick = async (day: string) => {
    await page.locator('button[popovertarget="range"]').click();
    await page.locator(`#day-${day}`).click();
  };
  const days = page.locator('.usage-table tbody tr');
  await pick('2026-01-14');
  await expect(page).toHaveURL(/group=source&day=2026-01-14$/);
  await expect(days).toHaveCount(24);
  await pick('2026-01-05');
  await expect(page).toHaveURL(/group=source&from=2026-01-14&day=2026-01-05$/);
  await expect(page.locator('button[popovertarget="range"]')).toContainText('5 – 14 Jan 2026');
  await expect(days).toHaveCount(10);
  // A range of two begins anew.
  await pick('2026-01-07');
  await expect(page).toHaveURL(/group=source&day=2026-01-07$/);
  await pick('2026-01-07');
  await expect(days).toHaveCount(24);
});

test('a range in terms, grouping, interval and the link work by themselves', async ({ page }) => {
  await signIn(page, 'sample', '/analytics');
  await page.locator('button[popovertarget="range"]').click();
  await page.locator('#range').getByLabel('From', { exact: true }).fill('now-2w');
  await page.locator('#range').getByLabel('To', { exact: true }).fill('now');
  await page.locator('#range').getByRole('button', { name: 'Apply' }).click();
  await expect(page).toHaveURL(/from=now-2w&to=now/);
  await page.getByRole('button', { name: 'Group by' }).click();
  await page.locator('#group-by').getByRole('link', { name: 'User' }).click();
  await expect(page).toHaveURL(/group=user/);
  await page.getByRole('button', { name: 'Interval' }).click();
  await page.locator('#interval').getByRole('link', { name: 'Hour' }).click();
  await expect(page.getByRole('heading', { name: '$ per hour' })).toBeVisible();
  await page.getByRole('button', { name: 'Copy link' }).click();
  await expect(page.getByLabel('Link to this view')).toHaveValue(page.url());
  await expect(page.getByRole('button', { name: 'Copy', exact: true })).toHaveCount(0);
});
