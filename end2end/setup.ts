// Starts one server for all journeys: a sample org, an empty one, and one for clients. It ends with the test run.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

// Another build is quicker to come by while a page is being written.
const scrip = process.env.E2E_SCRIP ?? resolve(__dirname, '../target/release/scrip');
const password = 'correct horse battery staple';

async function freePort(): Promise<number> {
  return new Promise((found, failed) => {
    const probe = createServer();
    probe.on('error', failed);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => (address && typeof address === 'object' ? found(address.port) : failed(new Error('no port'))));
    });
  });
}

async function ready(origin: string): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt += 1) {
    const answer = await fetch(`${origin}/readyz`).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((next) => setTimeout(next, 20));
  }
  throw new Error(`no server at ${origin}`);
}

export default async function setup(): Promise<() => Promise<void>> {
  const data = mkdtempSync(join(tmpdir(), 'scrip-e2e-'));
  const run = (args: string[], input?: string) =>
    execFileSync(scrip, [...args, '--data', data], { input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'inherit'] }).trim();

  const sample = run(['sample', '--events', '8000', '--seed', '7']);
  for (const name of ['Empty', 'Clients', 'Traces']) {
    run(['org', 'create', name, '--preset', 'token-billing', '--zone', 'UTC']);
    run(['user', 'create', `${name.toLowerCase()}@example.com`, '--org', name, '--password-stdin'], `${password}\n`);
  }
  // Two that know interactions, for journeys with a script and without.
  for (const name of ['Ward', 'Clinic']) {
    run(['org', 'create', name, '--preset', 'clinical-api', '--zone', 'UTC']);
    run(['user', 'create', `${name.toLowerCase()}@example.com`, '--org', name, '--password-stdin'], `${password}\n`);
  }
  // Two whose operators give and adjust, one with a script and one without.
  for (const name of ['Desk', 'Till']) {
    run(['org', 'create', name, '--preset', 'token-billing', '--zone', 'Europe/Berlin']);
    run(['user', 'create', `${name.toLowerCase()}@example.com`, '--org', name, '--operator', '--password-stdin'], `${password}\n`);
  }
  run(['grant', '--org', 'Traces', '--amount', '100', '--kind', 'purchase']);
  run(['grant', '--org', 'Clients', '--amount', '10', '--kind', 'purchase']);

  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const env = { ...process.env, SCRIP_PAYMENT_PROVIDERS: 'sandbox,bank_transfer' };
  const server = spawn(scrip, ['serve', '--data', data, '--listen', `127.0.0.1:${port}`], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  await ready(origin);

  Object.assign(process.env, {
    E2E_ORIGIN: origin,
    E2E_DATA: data,
    E2E_BINARY: scrip,
    E2E_PASSWORD: password,
    E2E_SAMPLE: sample,
  });

  return async () => {
    const ended = new Promise((next) => server.once('exit', next));
    server.kill('SIGTERM');
    await ended;
    rmSync(data, { recursive: true, force: true });
  };
}
