// What a page is like while it comes, as part of `make bench`: layout shift, largest contentful paint and the time until the
// page answers, on loopback in Chromium, with nothing cached. The middle of several loads.
import { line, sampled } from './sampled.mjs';

const LOADS = 7;
const PAGES = ['/', '/analytics'];

await sampled(process.argv[2], async (page, origin) => {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Network.setCacheDisabled', { cacheDisabled: true });
  await page.addInitScript(() => {
    const seen = { shift: 0, paint: 0, hydrated: 0 };
    Object.assign(window, { seen });
    const observe = (type, note) => new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({ type, buffered: true });
    observe('layout-shift', (entry) => (seen.shift += entry.hadRecentInput ? 0 : entry.value));
    observe('largest-contentful-paint', (entry) => (seen.paint = entry.startTime));
    new MutationObserver((_, observer) => {
      if (!document.documentElement?.hasAttribute('data-hydrated')) return;
      seen.hydrated = performance.now();
      observer.disconnect();
    }).observe(document, { subtree: true, attributes: true, attributeFilter: ['data-hydrated'] });
  });
  for (const path of PAGES) {
    const loads = [];
    for (let load = 0; load < LOADS; load += 1) {
      await page.goto(origin + path);
      await page.waitForSelector('html[data-hydrated]');
      // Whatever shifts does so by then: the widths are known and the fonts are there.
      await page.evaluate(() => new Promise((next) => setTimeout(next, 300)));
      loads.push(await page.evaluate(() => window.seen));
    }
    const middle = (what) => loads.map((load) => load[what]).sort((a, b) => a - b)[LOADS >> 1];
    const most = Math.max(...loads.map((load) => load.shift));
    line(`${path}: layout shift`, most.toFixed(4), '0', `the most of ${LOADS} loads`);
    line(`${path}: largest contentful paint`, middle('paint').toFixed(0), '≤ 400', 'ms');
    line(`${path}: hydrated`, middle('hydrated').toFixed(0), '≤ 500', 'ms');
  }
});
