// Without JavaScript every form about people does the same.
import { test } from '../journey';
import { membership, secondStep } from '../people';

test('somebody is invited, comes, changes role, goes between two organizations, and leaves', async ({ page, browser }) => {
  await membership(page, browser, false);
});

test('a second step is turned on, signs in, and a browser is signed out from another', async ({ page, browser }) => {
  await secondStep(page, browser, false);
});
