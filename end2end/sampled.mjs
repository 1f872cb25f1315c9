// A server with the sample of 90 days and a browser that is signed in, for what is measured in `make bench`.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from '@playwright/test';

const args = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];

/** Runs `measure(page, origin)` against that binary, and ends all it has started. */
export async function sampled(binary, measure, preset = 'token-billing') {
  const data = mkdtempSync(join(tmpdir(), 'scrip-measured-'));
  const listen = `127.0.0.1:${41_000 + (process.pid % 1_000)}`;
  const printed = execFileSync(binary, ['sample', '--data', data, '--preset', preset], { encoding: 'utf8' });
  const email = /\S+@\S+/.exec(printed)[0];
  const password = /password:?\s+(\S+)/i.exec(printed)[1];
  const server = spawn(binary, ['serve', '--data', data, '--listen', listen], { stdio: 'ignore' });
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium', args });
  try {
    for (let attempt = 0; attempt < 500; attempt += 1) {
      if (await fetch(`http://${listen}/readyz`).then((answer) => answer.ok, () => false)) break;
      await new Promise((next) => setTimeout(next, 20));
    }
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    await page.goto(`http://${listen}/sign-in?next=/analytics`);
    await page.getByLabel('Email').fill(email);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.waitForURL('**/analytics*');
    await measure(page, `http://${listen}`);
  } finally {
    await browser.close();
    server.kill('SIGTERM');
    await new Promise((next) => server.once('exit', next));
    rmSync(data, { recursive: true, force: true });
  }
}

/** One line beside its target, as the rest of the bench prints them. */
export function line(name, value, target, note) {
  console.log(`${name.padEnd(44)} ${value.padStart(9)} ${target.padStart(9)}  ${note}`);
}
