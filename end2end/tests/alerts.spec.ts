// Alerts: somebody makes a rule, sees what it would have said, usage crosses it, and it stands in the list.
import { findings, overflow } from '../axe';
import { expect, test } from '../journey';
import { grant, newOrg, report, signInAs } from '../orgs';

test('a rule that is made fires once usage crosses it, and can be acknowledged', async ({ page }) => {
  const org = newOrg();
  grant(org, '5');
  await signInAs(page, org.operator, '/alerts');
  await expect(page.getByText('Nothing is watched yet.')).toBeVisible();
  await page.getByRole('link', { name: 'New alert' }).click();
  await page.getByLabel('Watch for').selectOption('Balance below an amount');
  await page.getByRole('button', { name: 'Choose' }).click();
  await page.getByLabel('Name').fill('Balance below 4.50 <b>"now"</b>');
  await page.getByLabel(/^Below,/).fill('4.5');
  await page.getByRole('button', { name: 'Make alert' }).click();
  await expect(page.getByRole('status').filter({ hasText: 'Saved' })).toBeVisible();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Balance below 4.50 <b>"now"</b>');
  for (const id of ['one', 'two', 'three']) await report(org, id);
  await page.goto('/alerts');
  const rule = page.getByRole('table').first().getByRole('row').filter({ hasText: '4.50' });
  await expect(rule).toContainText('Firing since');
  await expect(page.getByRole('region', { name: 'History' }).getByRole('row')).toHaveCount(2);
  await rule.getByRole('link').click();
  await page.getByRole('button', { name: 'Acknowledge' }).click();
  await expect(page.locator('#standing')).toContainText('Acknowledged, firing since');
});

test('the threshold of a rule is moved on its chart, and the page tells again how often it would have fired', async ({ page }) => {
  const org = newOrg();
  grant(org, '100');
  await report(org, 'one');
  await signInAs(page, org.operator, '/alerts/new?kind=spend_above');
  const count = page.locator('#simulation h2');
  await expect(count).toContainText('would not have fired');
  const handle = page.locator('.wide').getByRole('slider', { name: 'Threshold' });
  const field = page.getByLabel(/^From,/);
  await field.fill('0.5');
  await expect(count).toContainText('would have fired once');
  await handle.focus();
  const before = Number(await field.inputValue());
  await page.keyboard.press('ArrowDown');
  expect(Number(await field.inputValue())).toBeLessThan(before);
  const box = await handle.boundingBox();
  if (!box) throw new Error('no handle');
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2, box.y - 60);
  await page.mouse.up();
  expect(Number(await field.inputValue())).toBeGreaterThan(before);
  await page.goto('/alerts/new?kind=failed_share');
  const share = page.locator('.wide').getByRole('slider', { name: 'Threshold' });
  await expect(share).toHaveText('10%');
  await expect(share).toHaveAttribute('aria-valuetext', '10%');
});

test('a budget is made, and what cannot be is said', async ({ page }) => {
  const org = newOrg();
  grant(org, '5');
  await signInAs(page, org.operator, '/alerts/budgets/new');
  await page.getByLabel('Name').fill('Chat');
  await page.getByLabel('Its id').fill('chat');
  await page.getByLabel(/^At most,/).fill('-1');
  await page.getByRole('button', { name: 'Make budget' }).click();
  await expect(page.getByRole('alert')).toContainText('must be');
  await page.getByLabel(/^At most,/).fill('0.5');
  await page.getByLabel(/^Pause:/).check();
  await page.getByLabel('By mail').uncheck();
  await page.getByRole('checkbox', { name: 'Billing' }).uncheck();
  await page.getByRole('button', { name: 'Make budget' }).click();
  await page.goto('/alerts/budgets/budget_1');
  await expect(page.getByLabel('In the app')).toBeChecked();
  await expect(page.getByLabel('By mail')).not.toBeChecked();
  await expect(page.getByRole('checkbox', { name: 'Billing' })).not.toBeChecked();
  await expect(page.getByRole('checkbox', { name: 'Owner' })).toBeChecked();
  await report(org, 'one');
  await page.goto('/alerts');
  await expect(page.locator('#budgets')).toContainText('Used up, paused');
});

const pages = [
  '/alerts', '/alerts?q=name&state=ok&kind=spend_above', '/alerts/rule_1', '/alerts/new', '/alerts/new?kind=unusual_spend', '/alerts/new?title=&kind=spend_above&amount=x', '/alerts/budgets/new',
  '/alerts/budgets/budget_1', '/notifications', '/notifications?show=unread', '/settings/webhooks', '/settings/notifications',
];

for (const colorScheme of ['light', 'dark'] as const) {
  test(`axe finds nothing serious on the pages of alerts and messages, and none is too wide, ${colorScheme}`, async ({ page }) => {
    test.slow();
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const org = newOrg();
    grant(org, '5');
    await signInAs(page, org.operator, '/alerts/new?kind=spend_above');
    await page.getByLabel('Name').fill('A name of many letters that has no place to be broken: ' + 'x'.repeat(50));
    await page.getByLabel(/^From,/).fill('0.1');
    await page.getByRole('button', { name: 'Make alert' }).click();
    await page.goto('/alerts/budgets/new');
    await page.getByLabel('Name').fill('Chat');
    await page.getByLabel('Its id').fill('chat');
    await page.getByLabel(/^At most,/).fill('0.5');
    await page.getByRole('button', { name: 'Make budget' }).click();
    await report(org, 'one');
    for (const path of pages) {
      expect((await page.goto(path))?.status(), path).toBe(200);
      expect(await findings(page), path).toEqual([]);
      await page.setViewportSize({ width: 360, height: 800 });
      expect(await overflow(page), path).toBeLessThanOrEqual(0);
      await page.setViewportSize({ width: 1440, height: 900 });
    }
  });
}
