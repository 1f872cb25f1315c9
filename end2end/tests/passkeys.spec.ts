// Passkeys, with a device that Chromium plays, at an address with a name: numbers have none.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, type Page } from '@playwright/test';
import { findings, overflow } from '../axe';

const scrip = process.env.E2E_BINARY ?? '';
const password = 'three blue kettles';
const email = 'ada@example.com';
let server: ChildProcess;
let data = '';
let origin = '';

const freePort = () =>
  new Promise<number>((found) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => found(typeof address === 'object' && address ? address.port : 0));
    });
  });

test.beforeAll(async () => {
  data = mkdtempSync(join(tmpdir(), 'scrip-passkeys-'));
  const port = await freePort();
  origin = `http://localhost:${port}`;
  const run = (args: string[], input?: string) => execFileSync(scrip, [...args, '--data', data], { input });
  run(['org', 'create', 'Acme', '--preset', 'token-billing', '--zone', 'UTC']);
  run(['user', 'create', email, '--org', 'Acme', '--password-stdin'], `${password}\n`);
  const args = ['serve', '--data', data, '--listen', `127.0.0.1:${port}`, '--public-url', origin];
  // A service that nobody asks before somebody clicks.
  const env = { ...process.env, SCRIP_OIDC_ISSUER: 'https://accounts.example.com', SCRIP_OIDC_CLIENT_ID: 'scrip', SCRIP_OIDC_NAME: 'Example ID' };
  server = spawn(scrip, args, { stdio: ['ignore', 'ignore', 'inherit'], env });
  await expect.poll(() => fetch(`http://127.0.0.1:${port}/readyz`).then((answer) => answer.ok, () => false)).toBe(true);
});

test.afterAll(async () => {
  const ended = new Promise((next) => server.once('exit', next));
  server.kill('SIGTERM');
  await ended;
  rmSync(data, { recursive: true, force: true });
});

async function device(page: Page): Promise<void> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('WebAuthn.enable');
  const options = {
    protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true,
    automaticPresenceSimulation: true,
  } as const;
  await devtools.send('WebAuthn.addVirtualAuthenticator', { options });
}

const signIn = (page: Page) => page.getByRole('button', { name: 'Sign in', exact: true });

test('a passkey is added, signs in, is renamed and removed', async ({ page }) => {
  const complaints: string[] = [];
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  await device(page);
  await page.goto(`${origin}/sign-in?next=/settings/security`);
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password').fill(password);
  await signIn(page).click();
  const panel = page.locator('#passkeys');
  await panel.getByLabel('Name of the new one').fill('My phone');
  await panel.getByRole('button', { name: 'Add passkey' }).click();
  await expect(page.getByRole('status')).toHaveText(/The passkey is added/);
  await expect(panel.getByRole('row', { name: /My phone/ })).toContainText('Never');
  expect(await findings(page)).toEqual([]);

  // The device has one already, and says so.
  await panel.getByRole('button', { name: 'Add passkey' }).click();
  await expect(panel.getByRole('alert')).toHaveText('This device has a passkey of your account already.');

  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  await expect(page).toHaveURL(`${origin}/sign-in`);
  await page.goto(`${origin}/sign-in?next=/analytics`);
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  await expect(page).toHaveURL(`${origin}/analytics`);

  await page.goto(`${origin}/settings/security`);
  await expect(panel.getByRole('row', { name: /My phone/ })).not.toContainText('Never');
  await panel.getByText('Rename…').click();
  await panel.getByRole('textbox', { name: 'Name', exact: true }).fill('Old phone');
  await panel.getByRole('button', { name: 'Rename My phone' }).click();
  await expect(page.getByRole('status')).toHaveText('The passkey is renamed.');
  await panel.getByText('Remove…').click();
  await panel.getByRole('button', { name: 'Remove Old phone' }).click();
  await expect(page.getByRole('status')).toHaveText(/The passkey is removed/);
  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  await expect(page.getByRole('alert')).toHaveText(/This passkey belongs to no account here any more/);
  expect(complaints).toEqual([]);
});

for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [360, 1440]) {
    test(`the sign-in page with all its ways, ${colorScheme}, ${width}`, async ({ page }) => {
      await page.setViewportSize({ width, height: 800 });
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.goto(`${origin}/sign-in`);
      await expect(page.getByRole('button', { name: 'Sign in with a passkey' })).toBeVisible();
      await expect(page.getByRole('link', { name: 'Sign in with Example ID' })).toHaveAttribute('href', /\/sign-in\/oidc\?next=/);
      expect(await findings(page)).toEqual([]);
      expect(await overflow(page)).toBeLessThanOrEqual(0);
    });
  }
}

test('without JavaScript the pages say that passkeys need it', async ({ browser }) => {
  const page = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
  await page.goto(`${origin}/sign-in`);
  await expect(page.getByText('Passkeys need JavaScript')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Sign in with a passkey' })).toBeHidden();
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password').fill(password);
  await signIn(page).click();
  await page.goto(`${origin}/settings/security`);
  await expect(page.locator('#passkeys')).toContainText('Passkeys need JavaScript');
  await expect(page.getByRole('button', { name: 'Add passkey' })).toBeHidden();
});
