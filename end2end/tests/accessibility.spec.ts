import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from '@playwright/test';
import { expect, hydrated, signIn, test } from '../journey';

const axe = readFileSync(createRequire(__filename).resolve('axe-core/axe.min.js'), 'utf8');

/** Serious and critical findings, as one line each. */
async function findings(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const found = await (window as unknown as { axe: { run(): Promise<{ violations: { impact: string; id: string; nodes: { html: string }[] }[] }> } }).axe.run();
    return found.violations
      .filter((v) => ['serious', 'critical'].includes(v.impact))
      .map((v) => `${v.impact} ${v.id}: ${v.nodes.map((n) => n.html.slice(0, 160)).slice(0, 3).join(' | ')}`);
  });
}

for (const colorScheme of ['light', 'dark'] as const) {
  test(`axe finds nothing serious, ${colorScheme}`, async ({ page }) => {
    // Some twenty pages, each looked through whole.
    test.slow();
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.goto('/sign-in');
    expect(await findings(page)).toEqual([]);
    await signIn(page, 'sample');
    for (const path of ['/', '/analytics', '/analytics?type=images&group=source', '/analytics?from=2020-01-01&to=2026-01-01', '/rate-card?from=1&to=1', '/grants?status=all', '/grants?error=bad_amount&amount=x', '/grants?adjust=-1&reason=Test', '/settings/keys?status=all', '/settings/keys?error=bad_key_terms&do=create', '/settings/audit', '/settings/organization', '/settings/organization?error=bad_zone&do=organization&zone=x', '/settings/terminology', '/help', '/customers', '/customers/tenants', '/customers/interactions']) {
      await page.goto(path);
      await hydrated(page);
      expect(await findings(page), path).toEqual([]);
    }
    await page.goto('/analytics');
    await hydrated(page);
    await page.locator('button[popovertarget="range"]').click();
    expect(await findings(page), 'picker').toEqual([]);
    await page.keyboard.press('Escape');
    await page.locator('button[popovertarget="filters"]').click();
    expect(await findings(page), 'filters').toEqual([]);
  });
}
