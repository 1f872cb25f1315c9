// The journey of a first start, the same with and without JavaScript: from the printed link to the first event on a chart.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, type Page } from '@playwright/test';
import { findings, overflow } from './axe';

/** A server of its own over an empty folder, and the link that it printed. */
export class EmptyServer {
  private constructor(private readonly child: ChildProcess, private readonly data: string, readonly link: string) {}

  static async start(): Promise<EmptyServer> {
    const data = mkdtempSync(join(tmpdir(), 'scrip-first-'));
    const child = spawn(process.env.E2E_BINARY ?? '', ['serve', '--data', data, '--listen', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'inherit'] });
    for await (const line of createInterface({ input: child.stdout })) {
      const link = /First start: open (\S+)/.exec(line)?.[1];
      if (link !== undefined) return new EmptyServer(child, data, link);
    }
    throw new Error('the server printed no link');
  }

  get origin(): string {
    return new URL(this.link).origin;
  }

  async end(): Promise<void> {
    const ended = new Promise((next) => this.child.once('exit', next));
    this.child.kill('SIGTERM');
    await ended;
    rmSync(this.data, { recursive: true, force: true });
  }
}

/** Nothing serious by axe, and no wider than the window, also where it is narrow. */
async function sound(page: Page, scripts: boolean): Promise<void> {
  if (!scripts) return;
  expect(await findings(page), page.url()).toEqual([]);
  const size = page.viewportSize();
  await page.setViewportSize({ width: 360, height: 800 });
  expect(await overflow(page), page.url()).toBeLessThanOrEqual(0);
  if (size) await page.setViewportSize(size);
}

/** From the link to the chart. */
export async function firstStart(page: Page, server: EmptyServer, scripts: boolean): Promise<void> {
  const step = async (title: string) => {
    await expect(page.getByRole('heading', { level: 1 })).toHaveText(title);
    await expect(page.locator('[aria-current=step]')).toHaveText(title);
    await sound(page, scripts);
  };
  const go = (name: string) => page.getByRole('button', { name }).click();
  await page.goto(server.origin);
  await expect(page.getByRole('main')).toContainText('Open the link that scrip serve printed');
  await sound(page, scripts);

  await page.goto(server.link);
  await step('Your account');
  await page.getByLabel('Email').fill('bob@example.com');
  await page.getByLabel('Password', { exact: true }).fill('short');
  await page.getByLabel('Password again').fill('short');
  await go('Make my account');
  await expect(page.getByRole('alert')).toContainText('at least 10 characters');
  await expect(page.getByLabel('Email')).toHaveValue('bob@example.com');
  await page.getByLabel('Password', { exact: true }).fill('four quiet green kettles');
  await page.getByLabel('Password again').fill('four quiet green kettles');
  await go('Make my account');

  await step('Name and words');
  await page.getByLabel('Product name').fill('Tollbooth');
  await page.getByLabel('Support contact').fill('help@tollbooth.example');
  await go('Continue');

  await step('Your organization');
  const here = await page.evaluate(() => Intl.DateTimeFormat().resolvedOptions().timeZone).catch(() => 'UTC');
  await expect(page.getByLabel('Time zone')).toHaveValue(scripts ? here : 'UTC');
  await page.getByLabel('Name', { exact: true }).fill('Bob & Sons');
  await page.getByLabel('Time zone').fill('Asia/Kathmandu');
  await page.getByLabel('Currency').fill('EUR');
  await go('Continue');

  await step('A preset');
  await page.getByRole('link', { name: 'Back' }).click();
  await expect(page.getByLabel('Name', { exact: true })).toHaveValue('Bob & Sons');
  await expect(page.getByLabel('Time zone')).toHaveValue('Asia/Kathmandu');
  await go('Continue');
  await page.getByRole('radio', { name: /AI engine/ }).check();
  await page.getByRole('checkbox', { name: /sample data/ }).check();
  await go('Continue');

  await step('The first API key');
  await expect(page.locator('.facts')).toContainText('AI engine');
  await go('Make organization and key');
  const key = await page.locator('#key').innerText();
  const curl = await page.locator('#curl').innerText();
  await expect(page.getByRole('button', { name: 'Copy the key' })).toBeVisible({ visible: scripts });
  await sound(page, scripts);
  const event = /-d '(.*)'$/s.exec(curl)?.[1] ?? '';
  await page.getByRole('link', { name: /Continue/ }).click();
  await step('The first event');
  await expect(page.getByRole('status')).toContainText('Waiting for your first event');
  const answer = await fetch(`${server.origin}/api/v1/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: event,
  });
  expect(await answer.json()).toMatchObject({ accepted: 1 });
  await expect(page).toHaveURL(/\/analytics\?from=(\d{4}-\d\d-\d\d)&to=\1$/, { timeout: 15_000 });
  await expect(page).toHaveTitle('Analytics · Tollbooth');
  await expect(page.getByRole('main')).toContainText('Asia/Kathmandu');
  await expect(page.getByRole('main')).toContainText('Model training');
  expect((await page.request.get(server.link)).status()).toBe(404);
}
