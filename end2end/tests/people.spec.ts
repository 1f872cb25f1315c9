import { hydrated, test } from '../journey';
import { membership, secondStep } from '../people';
import { findings } from '../axe';
import { expect } from '@playwright/test';

test('somebody is invited, comes, changes role, goes between two organizations, and leaves', async ({ page, browser }) => {
  await membership(page, browser, true);
});

test('a second step is turned on, signs in, and a browser is signed out from another', async ({ page, browser }) => {
  await secondStep(page, browser, true);
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`axe finds nothing serious on the ways in, ${colorScheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    for (const path of ['/forgot-password', '/reset-password?token=x', '/invitation?token=x', '/sign-in/code?error=code', '/sign-in?done=reset']) {
      await page.goto(path);
      await hydrated(page);
      expect(await findings(page), path).toEqual([]);
    }
  });
}
