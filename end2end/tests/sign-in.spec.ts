import { account, expect, hydrated, signIn, test } from '../journey';

test('a wrong password says so and tells nothing about the account', async ({ page, complaints }) => {
  for (const email of [account('sample').email, 'nobody@example.com']) {
    await page.goto('/sign-in');
    await page.getByLabel('Email').fill(email);
    await page.getByLabel('Password').fill('not the password');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expect(page.getByRole('alert')).toHaveText('This email and password do not belong together. Check both and try again.');
  }
  expect(complaints).toEqual([]);
});

test('signing in leads on to where one wanted to go, and never elsewhere', async ({ page }) => {
  await page.goto('/analytics?type=images');
  await expect(page).toHaveURL(/\/sign-in\?next=/);
  await signIn(page, 'sample', '/analytics?type=images');
  await expect(page).toHaveURL('/analytics?type=images');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page).toHaveURL(/\/sign-in/);
  for (const next of ['https://example.com/', '//example.com/', '/\\example.com']) {
    await signIn(page, 'sample', next);
    await expect(page).toHaveURL('/');
    await page.getByRole('button', { name: 'Sign out' }).click();
  }
});

test('the session is a cookie that scripts cannot read, and ends at sign-out', async ({ page, context }) => {
  await signIn(page, 'sample');
  const cookie = (await context.cookies()).find((c) => c.name.startsWith('__Host-'));
  expect(cookie).toMatchObject({ httpOnly: true, secure: true, sameSite: 'Lax', path: '/' });
  await hydrated(page);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await context.addCookies([{ ...cookie!, url: undefined }]);
  await page.goto('/analytics');
  await expect(page).toHaveURL(/\/sign-in/);
});
