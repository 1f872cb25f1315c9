// One journey from a limit to whoever hears of it: the bell, a mail that aiosmtpd receives, and a webhook that the library of Standard
// Webhooks verifies. Nothing of it needs the WebAssembly, so it is kept from arriving.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';
import { findings } from '../axe';
import { expect, test } from '../journey';
import { signInAs } from '../orgs';

interface Hook { headers: IncomingHttpHeaders; body: string }
interface Mail { to: string[]; headers: Record<string, string>; parts: Record<string, string> }

/** Receives webhooks, and answers as `answer` says. */
async function receiver() {
  const hooks: Hook[] = [];
  const answer = { status: 200, text: 'thanks, taken' };
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (piece) => (body += piece));
    request.on('end', () => {
      hooks.push({ headers: request.headers, body });
      response.writeHead(answer.status).end(answer.text);
    });
  });
  await new Promise<void>((listens) => server.listen(0, '127.0.0.1', listens));
  return { hooks, answer, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, close: () => server.close() };
}

async function mailServer() {
  const mails: Mail[] = [];
  const python = spawn(process.env.E2E_PYTHON ?? 'python3', [join(__dirname, '../mails.py')], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface(python.stdout);
  const port = await new Promise<string>((found) => lines.once('line', found));
  lines.on('line', (line) => mails.push(JSON.parse(line)));
  return { mails, port, close: () => python.stdin.end() };
}

async function begin() {
  const data = mkdtempSync(join(tmpdir(), 'scrip-webhooks-'));
  const binary = process.env.E2E_BINARY ?? '';
  const run = (...args: string[]) => execFileSync(binary, [...args, '--data', data], { encoding: 'utf8' }).trim();
  run('org', 'create', 'Acme', '--preset', 'token-billing');
  run('grant', '--org', 'Acme', '--amount', '100');
  const [email, password] = run('user', 'create', 'owner@example.com', '--org', 'Acme').split('\t');
  const key = /scrip_\S+/.exec(run('key', 'create', '--org', 'Acme', '--name', 'journey'))?.[0] ?? '';
  const [hooked, mailed] = [await receiver(), await mailServer()];
  const env = {
    ...process.env, SCRIP_WEBHOOK_ALLOW: '127.0.0.1', SCRIP_SMTP_URL: `smtp://127.0.0.1:${mailed.port}`, SCRIP_MAIL_FROM: 'Scrip <scrip@example.com>',
  };
  const server = spawn(binary, ['serve', '--data', data, '--listen', '127.0.0.1:0'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const origin = await new Promise<string>((found) => {
    server.stdout.on('data', (piece) => {
      const listens = /listens on (http:\S+)/.exec(String(piece));
      if (listens) found(listens[1]);
    });
  });
  const spend = async (id: string, credits: number) => {
    const event = { id, source: 'api', type: 'images', data: { quantity: credits * 10_000 } };
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const answer = await fetch(`${origin}/api/v1/events`, { method: 'POST', headers, body: JSON.stringify(event) });
    expect(answer.status).toBe(200);
  };
  const end = async () => {
    const ended = new Promise((next) => server.once('exit', next));
    server.kill('SIGTERM');
    await ended;
    hooked.close();
    mailed.close();
    rmSync(data, { recursive: true, force: true });
  };
  return { origin, spend, end, hooked, mailed, person: { email, password } };
}

test('a balance that falls to its limit rings the bell, is mailed, and comes signed to a webhook', async ({ browser }) => {
  test.setTimeout(90_000);
  const { origin, spend, end, hooked, mailed, person } = await begin();
  const context = await browser.newContext({ baseURL: origin });
  try {
    const page = await context.newPage();
    await page.route('**/*.wasm', (route) => route.abort());
    await signInAs(page, person, '/settings/organization');
    await page.getByLabel(/low-balance limit/i).fill('50');
    await page.getByRole('button', { name: 'Save' }).first().click();

    // An address that must not be sent to is refused, and what was typed stays.
    await page.goto('/settings/webhooks');
    await page.getByLabel('Address').fill('https://169.254.169.254/latest');
    await page.getByRole('button', { name: 'Add webhook' }).click();
    await expect(page.getByRole('alert')).toContainText('not on the public internet');
    await expect(page.getByLabel('Address')).toHaveValue('https://169.254.169.254/latest');
    await page.getByLabel('Address').fill(hooked.url);
    await page.getByLabel('Name, if you like').fill('Ours');
    await page.getByRole('button', { name: 'Add webhook' }).click();
    await expect(page.getByRole('heading', { name: 'Ours' })).toBeVisible();
    expect(await findings(page)).toEqual([]);
    await page.getByText('Show the secret').click();
    const secret = (await page.getByLabel('The secret').innerText()).trim();

    // The test button shows what the receiver answered, also where it does not take it.
    hooked.answer.status = 500;
    await page.getByRole('button', { name: 'Send a test' }).click();
    await expect(page.getByText('answered 500')).toBeVisible();
    hooked.answer.status = 200;
    await page.getByRole('button', { name: 'Send again' }).click();
    await expect(page.getByText('thanks, taken').first()).toBeVisible();
    await expect(page.locator('.facts .status')).toHaveText('Delivered');
    // What is shown is what came, byte for byte, with the headers that it came with.
    const [came] = hooked.hooks.slice(-1);
    expect(await page.getByLabel('Body as it is sent').textContent()).toBe(came.body);
    for (const name of ['content-type', 'webhook-id', 'webhook-timestamp']) {
      await expect(page.locator('#request').getByText(String(came.headers[name]), { exact: true })).toBeVisible();
    }
    await expect(page.locator('main')).not.toContainText(String(came.headers['webhook-signature']));
    expect(await findings(page)).toEqual([]);

    // The bell follows without the page being asked for again.
    const bell = page.locator('[data-bell]');
    await expect(bell.locator('b')).toHaveText('');
    await spend('1', 60);
    await expect(bell.locator('b')).toHaveText('1', { timeout: 15_000 });
    await expect.poll(() => mailed.mails.length, { timeout: 20_000 }).toBe(1);
    const mail = mailed.mails[0];
    expect(mail.to).toEqual([person.email]);
    expect(mail.headers.subject).toBe('Low balance: $40 left (Acme)');
    expect(mail.headers['list-unsubscribe-post']).toBe('List-Unsubscribe=One-Click');
    expect(mail.parts['text/plain']).toContain('The balance fell to the limit of $50.');
    expect(mail.parts['text/html']).toContain('Low balance: $40 left');

    const low = () => hooked.hooks.filter((hook) => hook.body.includes('"balance.low"'));
    await expect.poll(() => low().length, { timeout: 15_000 }).toBe(1);
    const verified = new Webhook(secret).verify(low()[0].body, low()[0].headers as Record<string, string>) as { type: string; data: { available: string } };
    expect([verified.type, verified.data.available]).toEqual(['balance.low', '40.000000']);
    expect(() => new Webhook(secret).verify(low()[0].body.replace('40.', '41.'), low()[0].headers as Record<string, string>)).toThrow(WebhookVerificationError);
    const [test, again] = hooked.hooks.filter((hook) => hook.body.includes('"endpoint.test"'));
    expect(test.headers['webhook-id']).toBe(again.headers['webhook-id']);

    // After a rotation both secrets verify what is sent.
    await page.goto('/settings/webhooks/endpoint_1');
    await page.getByText('Rotate the secret').click();
    await page.getByRole('button', { name: 'Rotate now' }).click();
    await page.getByText('Show the secret').click();
    const next = (await page.getByLabel('The secret').innerText()).trim();
    await page.getByRole('button', { name: 'Send a test' }).click();
    await expect(page.getByText('Sent, and taken.')).toBeVisible();
    const signed = hooked.hooks[hooked.hooks.length - 1];
    for (const one of [secret, next]) new Webhook(one).verify(signed.body, signed.headers as Record<string, string>);
    expect(next).not.toBe(secret);

    await page.goto('/notifications');
    await page.getByRole('button', { name: 'Mark all as read' }).click();
    await expect(page.locator('[data-bell] b')).toHaveText('');
    await expect(page.getByRole('link', { name: 'Low balance: $40 left' })).toBeVisible();

    // The link in the mail ends mails, for whoever has it.
    const link = new URL(/<(.*)>/.exec(mail.headers['list-unsubscribe'])![1]);
    const stranger = await (await browser.newContext({ baseURL: origin })).newPage();
    await stranger.goto(`${link.pathname}${link.search}`);
    await stranger.getByRole('button', { name: 'No more of these mails' }).click();
    await expect(stranger.getByRole('status')).toContainText('No more of these mails come');
    await page.goto('/settings/notifications');
    await expect(page.getByLabel(/^Never/)).toBeChecked();
  } finally {
    await context.close();
    await end();
  }
});
