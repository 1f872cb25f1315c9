// What every journey shares: who signs in, and that a page which complains has failed.
import { execFileSync } from 'node:child_process';
import { type Locator, type Page, test as base } from '@playwright/test';

export { expect } from '@playwright/test';

export const origin = process.env.E2E_ORIGIN ?? '';

/** Runs `scrip` beside the server, as an operator would. */
export function scrip(...args: string[]): string {
  const binary = process.env.E2E_BINARY ?? '';
  return execFileSync(binary, [...args, '--data', process.env.E2E_DATA ?? ''], { encoding: 'utf8' }).trim();
}

/** A new API key of an org. */
export function keyOf(org: string, ...scopes: string[]): string {
  return scrip('key', 'create', '--org', org, ...scopes.flatMap((scope) => ['--scope', scope]));
}

/** Email and password: of the sample's owner as `scrip sample` printed them, or of an org that the set-up made. */
export function account(who: 'sample' | 'empty' | 'clients' | 'traces' | 'desk' | 'till' | 'ward' | 'clinic'): { email: string; password: string } {
  if (who !== 'sample') return { email: `${who}@example.com`, password: process.env.E2E_PASSWORD ?? '' };
  const printed = process.env.E2E_SAMPLE ?? '';
  const email = /\S+@\S+/.exec(printed)?.[0] ?? '';
  const password = /password:?\s+(\S+)/i.exec(printed)?.[1] ?? '';
  return { email, password };
}

/** Signs in through the form. */
export async function signIn(page: Page, who: Parameters<typeof account>[0], next = '/'): Promise<void> {
  const { email, password } = account(who);
  await page.goto(`/sign-in?next=${encodeURIComponent(next)}`);
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL((url) => url.pathname !== '/sign-in');
}

/** Resolves once the browser has taken the page over: clicks before that are links and forms, which work too. */
export async function hydrated(page: Page): Promise<void> {
  await page.waitForSelector('html[data-hydrated]');
}

/** Uses up so many credits of an org, by pictures at 0.0001 each. */
export async function use(org: string, credits: number, id: string): Promise<void> {
  const answer = await fetch(`${origin}/api/v1/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${keyOf(org)}`, 'content-type': 'application/json' },
    body: JSON.stringify({ id, source: 'api', type: 'images', data: { quantity: credits * 10_000 } }),
  });
  base.expect(await answer.json()).toMatchObject({ accepted: 1 });
}

/** The exact amount behind a shown one. */
export async function exact(amount: Locator): Promise<number> {
  const title = (await amount.getAttribute('title')) ?? '';
  return Math.round(Number(title.replaceAll(',', '').replace('$', '').replace('\u2212', '-')) * 1e6);
}

/** `test` whose pages may say nothing on the console, throw nothing, and load everything they ask for. */
export const test = base.extend<{ complaints: string[] }>({
  baseURL: origin,
  complaints: [
    async ({ page }, use, info) => {
      const complaints: string[] = [];
      page.on('console', (message) => {
        // A page that answers 404 or 422 on purpose is noted by the browser itself.
        if (message.text().includes('404') && info.title.includes('does not exist')) return;
        if (message.text().includes('422') && info.title.includes('is refused')) return;
        // Without scripts nobody uses what is loaded ahead for them.
        if (message.text().includes('was preloaded') && info.project.name === 'no-javascript') return;
        if (['error', 'warning'].includes(message.type())) complaints.push(`${message.type()}: ${message.text()}`);
      });
      page.on('pageerror', (error) => complaints.push(`thrown: ${error.message}`));
      page.on('requestfailed', (request) => {
        const reason = request.failure()?.errorText ?? '';
        // A page that is left cancels what it was loading; where scripts are off, theirs is not loaded.
        const expected = reason === 'net::ERR_ABORTED' || (info.project.name === 'no-javascript' && request.url().endsWith('.js'));
        if (!expected) complaints.push(`failed: ${request.url()} ${reason}`);
      });
      await use(complaints);
      base.expect(complaints).toEqual([]);
    },
    { auto: true },
  ],
});
