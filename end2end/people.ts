// Journeys of people, the same with and without JavaScript.
import { expect, type Browser, type Page } from '@playwright/test';
import { findings, overflow } from './axe';
import { newOrg, signInAs, type Person } from './orgs';
import { code } from './totp';

/** Nothing serious by axe, and no wider than the window. Without JavaScript axe has nothing to run in. */
async function sound(page: Page, scripts: boolean): Promise<void> {
  if (!scripts) return;
  expect(await findings(page), page.url()).toEqual([]);
  expect(await overflow(page), page.url()).toBeLessThanOrEqual(0);
}

/** Somebody is invited, comes, is made something else, goes to and fro between two orgs, and leaves. */
export async function membership(page: Page, browser: Browser, scripts: boolean): Promise<void> {
  const [org, other] = [newOrg(), newOrg()];
  await signInAs(page, org.operator, '/settings/members');
  const email = `guest-${org.operator.email}`;
  const password = 'three blue kettles';
  const invite = async (by: Page) => {
    await by.goto('/settings/members');
    await by.locator('#invite').getByLabel('Email').fill(email);
    await by.locator('#invite').getByLabel('Role').selectOption('analyst');
    await by.getByRole('button', { name: 'Invite' }).click();
    return by.getByLabel(/It is shown only now/).inputValue();
  };
  const link = await invite(page);
  await sound(page, scripts);

  const guest = await (await browser.newContext({ javaScriptEnabled: scripts })).newPage();
  await guest.goto(link);
  await expect(guest.getByRole('heading', { level: 1 })).toHaveText(`Join ${org.name}`);
  await sound(guest, scripts);
  await guest.getByLabel('New password', { exact: true }).fill('short');
  await guest.getByLabel('New password again').fill('short');
  await guest.getByRole('button', { name: 'Make an account and join' }).click();
  await expect(guest.getByRole('alert')).toContainText('at least 10 characters');
  await guest.getByLabel('New password', { exact: true }).fill(password);
  await guest.getByLabel('New password again').fill(password);
  await guest.getByRole('button', { name: 'Make an account and join' }).click();
  await expect(guest).toHaveURL('/');
  await guest.goto('/settings/members');
  await expect(guest.locator('#invite')).toContainText('Only owners and admins may invite people');

  await page.goto('/settings/members');
  await page.getByLabel(`Role of ${email}`).selectOption('admin');
  await page.locator('tr', { hasText: email }).getByRole('button', { name: 'Change role' }).click();
  await expect(page.getByRole('status')).toHaveText(/The role is changed/);
  await guest.reload();
  await expect(guest.locator('#roles')).toContainText('You are an admin here.');

  const elsewhere = await (await browser.newContext({ javaScriptEnabled: scripts })).newPage();
  await signInAs(elsewhere, other.operator, '/');
  await guest.goto(await invite(elsewhere));
  await guest.getByRole('button', { name: 'Join' }).click();
  const switcher = guest.getByLabel('Organization');
  await expect(switcher.locator('option:checked')).toHaveText(other.name);
  await sound(guest, scripts);
  await switcher.selectOption({ label: org.name });
  await guest.getByRole('button', { name: 'Switch' }).click();
  await expect(guest.getByLabel('Organization').locator('option:checked')).toHaveText(org.name);
  await guest.goto('/settings/members');
  await guest.getByText('Leave…').click();
  await guest.getByRole('button', { name: 'Leave now' }).click();
  await expect(guest.locator('.org-name')).toHaveText(other.name);
}

/** Somebody turns the second step on, signs in with it, and signs a browser out from another. */
export async function secondStep(page: Page, browser: Browser, scripts: boolean): Promise<void> {
  const person: Person = newOrg().operator;
  await signInAs(page, person, '/settings/security');
  await sound(page, scripts);
  const second = page.locator('#second');
  await second.getByLabel('Your password').fill(person.password);
  await second.getByRole('button', { name: 'Set up' }).click();
  await expect(page.getByRole('img', { name: /QR code/ })).toBeVisible();
  await sound(page, scripts);
  const key = await second.locator('.people-key').innerText();
  await second.getByLabel(/The code that the app shows now/).fill(code(key));
  await second.getByRole('button', { name: 'Turn on' }).click();
  await expect(page.locator('#codes li')).toHaveCount(10);
  const codes = await page.locator('#codes li').allInnerTexts();
  await sound(page, scripts);

  const other = await (await browser.newContext({ javaScriptEnabled: scripts })).newPage();
  await signInAs(other, person, '/analytics');
  await expect(other).toHaveURL(/\/sign-in\/code/);
  await sound(other, scripts);
  await other.getByLabel(/Code of your app/).fill('000000');
  await other.getByRole('button', { name: 'Sign in' }).click();
  await expect(other.getByRole('alert')).toContainText('This code is not right');
  await other.getByLabel(/Code of your app/).fill(codes[0]);
  await other.getByRole('button', { name: 'Sign in' }).click();
  await expect(other).toHaveURL('/analytics');

  await page.goto('/settings/security');
  await page.locator('#sessions').getByRole('button', { name: /Sign out of/ }).click();
  await expect(page.getByRole('status')).toHaveText('That browser is signed out.');
  await other.goto('/');
  await expect(other).toHaveURL(/\/sign-in/);
}
