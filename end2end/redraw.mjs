// Filter to redraw, as part of `make bench`: from the click on a credit type to the new chart in the page, in Chromium,
// against the release build with the sample of 90 days. Prints one line beside its target.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from '@playwright/test';

const CLICKS = 200;
const binary = process.argv[2];
const data = mkdtempSync(join(tmpdir(), 'scrip-redraw-'));
const listen = `127.0.0.1:${41_000 + (process.pid % 1_000)}`;
const printed = execFileSync(binary, ['sample', '--data', data], { encoding: 'utf8' });
const email = /\S+@\S+/.exec(printed)[0];
const password = /password:?\s+(\S+)/i.exec(printed)[1];
const server = spawn(binary, ['serve', '--data', data, '--listen', listen], { stdio: 'ignore' });

try {
  for (let attempt = 0; attempt < 500; attempt += 1) {
    if (await fetch(`http://${listen}/readyz`).then((answer) => answer.ok, () => false)) break;
    await new Promise((next) => setTimeout(next, 20));
  }
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.goto(`http://${listen}/sign-in?next=/analytics`);
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL('**/analytics*');
  await page.waitForSelector('html[data-hydrated]');
  const took = await page.evaluate(async (clicks) => {
    const tabs = () => [...document.querySelectorAll('nav[aria-label="Credit type"] a')];
    const drawing = document.querySelector('.chart-drawing');
    const times = [];
    for (let n = 0; n < clicks; n += 1) {
      const drawn = new Promise((seen) => {
        const observer = new MutationObserver(() => {
          observer.disconnect();
          seen(performance.now());
        });
        observer.observe(drawing, { childList: true });
      });
      const start = performance.now();
      tabs()[(n + 1) % tabs().length].click();
      times.push((await drawn) - start);
      await new Promise((next) => requestAnimationFrame(() => setTimeout(next, 0)));
    }
    return times.sort((a, b) => a - b);
  }, CLICKS);
  const [p50, p99] = [took[CLICKS / 2], took[Math.floor(CLICKS * 0.99)]];
  console.log(`${'filter to redraw in the browser, p99'.padEnd(44)} ${p99.toFixed(2).padStart(9)} ${'≤ 8 ms'.padStart(9)}  ms; p50 ${p50.toFixed(2)} ms, ${CLICKS} clicks`);
  await browser.close();
} finally {
  server.kill('SIGTERM');
  await new Promise((next) => server.once('exit', next));
  rmSync(data, { recursive: true, force: true });
}
