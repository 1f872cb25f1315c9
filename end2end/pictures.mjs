// The screenshots of the README, from a sample of the automation preset: `node end2end/pictures.mjs target/release/scrip`.
import { sampled } from './sampled.mjs';

const pages = {
  overview: '/',
  analytics: '/analytics?from=now-59d&to=now',
  run: async (page, origin) => {
    await page.goto(`${origin}/usage`);
    await page.locator('tbody a[href^="/runs/"]').filter({ hasText: 'Archive files' }).first().click();
    await page.waitForURL('**/runs/**');
  },
};

await sampled(process.argv[2], async (page, origin) => {
  await page.setViewportSize({ width: 1280, height: 860 });
  for (const [name, way] of Object.entries(pages)) {
    if (typeof way === 'string') await page.goto(origin + way);
    else await way(page, origin);
    await page.waitForSelector('html[data-hydrated]');
    await page.waitForLoadState('networkidle');
    await page.screenshot({ path: `docs/${name}.png` });
  }
}, 'automation');
