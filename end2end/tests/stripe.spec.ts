// The door for Stripe's messages, with messages that Stripe's own library signs: what it signs is believed, nothing else is.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Stripe from 'stripe';
import { expect, test } from '../journey';
import { signInAs } from '../orgs';

const secret = 'whsec_of_a_journey';

/** As much of Stripe as a purchase asks for: a session that somebody pays on its page. */
function account(): Promise<{ server: Server; url: string }> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (piece) => (body += piece));
    request.on('end', () => {
      const fields = new URLSearchParams(body);
      const { port } = server.address() as AddressInfo;
      if (request.url?.startsWith('/pay/')) return response.end('<h1>Stripe plays here</h1>');
      const session = {
        id: 'cs_test_1', mode: 'payment', status: 'open', payment_status: 'unpaid', payment_intent: null,
        client_reference_id: fields.get('client_reference_id'), url: `http://127.0.0.1:${port}/pay/cs_test_1`,
      };
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(session));
    });
  });
  return new Promise((found) => {
    server.listen(0, '127.0.0.1', () => found({ server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }));
  });
}

async function begin(): Promise<{ origin: string; end: () => Promise<void>; person: { email: string; password: string } }> {
  const data = mkdtempSync(join(tmpdir(), 'scrip-stripe-'));
  const binary = process.env.E2E_BINARY ?? '';
  const run = (...args: string[]) => execFileSync(binary, [...args, '--data', data], { encoding: 'utf8' }).trim();
  run('org', 'create', 'Acme', '--preset', 'token-billing');
  const [email, password] = run('user', 'create', 'buyer@example.com', '--org', 'Acme').split('\t');
  const stripe = await account();
  const env = {
    ...process.env, SCRIP_PAYMENT_PROVIDERS: 'stripe', SCRIP_STRIPE_URL: stripe.url,
    SCRIP_STRIPE_SECRET_KEY: 'sk_test_of_a_journey', SCRIP_STRIPE_WEBHOOK_SECRET: secret,
  };
  const server = spawn(binary, ['serve', '--data', data, '--listen', '127.0.0.1:0'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const origin = await new Promise<string>((found) => {
    server.stdout.on('data', (piece) => {
      const listens = /listens on (http:\S+)/.exec(String(piece));
      if (listens) found(listens[1]);
    });
  });
  const end = async () => {
    const ended = new Promise((next) => server.once('exit', next));
    server.kill('SIGTERM');
    await ended;
    stripe.server.close();
    rmSync(data, { recursive: true, force: true });
  };
  return { origin, end, person: { email, password } };
}

test('a message that Stripe’s library signs gives the credits once, and no other does', async ({ browser }) => {
  const { origin, end, person } = await begin();
  const context = await browser.newContext({ baseURL: origin });
  try {
    const page = await context.newPage();
    await signInAs(page, person, '/billing/purchase?package=package_1');
    await page.getByRole('button', { name: 'Buy for 99.00 EUR' }).click();
    await expect(page.getByRole('link', { name: 'Go on to pay' })).toHaveAttribute('href', /\/pay\/cs_test_1$/);
    const intent = {
      id: 'pi_1', object: 'payment_intent', status: 'succeeded', amount_received: 9_900, currency: 'eur',
      metadata: { scrip_payment: 'org_1/payment_1' },
    };
    const payload = JSON.stringify({ id: 'evt_1', object: 'event', type: 'payment_intent.succeeded', data: { object: intent } });
    const send = async (signature: string, body = payload) => {
      const answer = await fetch(`${origin}/webhooks/stripe`, { method: 'POST', headers: { 'stripe-signature': signature }, body });
      return answer.status;
    };
    const sign = (options: object = {}) => Stripe.webhooks.generateTestHeaderString({ payload, secret, ...options });
    expect(await send(sign({ secret: 'whsec_of_somebody_else' }))).toBe(400);
    expect(await send(sign({ timestamp: Math.floor(Date.now() / 1000) - 3_600 }))).toBe(400);
    expect(await send(sign(), payload.replace('9900', '9901'))).toBe(400);
    expect(await send('')).toBe(400);
    await expect(page.getByRole('heading', { name: 'Not paid yet' })).toBeVisible();
    expect(await send(sign())).toBe(200);
    expect(await send(sign())).toBe(200);
    await expect(page.getByRole('heading', { name: 'Paid', exact: true })).toBeVisible({ timeout: 15_000 });
    await expect(page.locator('[data-balance]')).toContainText('$100');
  } finally {
    await context.close();
    await end();
  }
});
