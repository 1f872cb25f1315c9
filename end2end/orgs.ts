// Orgs of a journey's own, so that what it books is nobody else's surprise.
import type { Page } from '@playwright/test';
import { keyOf, origin, scrip } from './journey';

export interface Org {
  name: string;
  operator: Person;
  member: Person;
  key: string;
}

export interface Person {
  email: string;
  password: string;
}

let made = 0;

/** A new org with an operator, somebody who is none, and a key for everything. */
export function newOrg(zone = 'Europe/Vienna', preset = 'token-billing'): Org {
  made += 1;
  const tag = `${Date.now().toString(36)}${process.pid}${made}`;
  const name = `Org ${tag}`;
  scrip('org', 'create', name, '--preset', preset, '--zone', zone);
  return { name, operator: person(name, `op-${tag}`, '--operator'), member: person(name, `member-${tag}`), key: keyOf(name) };
}

function person(org: string, name: string, ...flags: string[]): Person {
  const [email, password] = scrip('user', 'create', `${name}@example.com`, '--org', org, ...flags).split('\t');
  return { email, password };
}

export function grant(org: Org, amount: string, ...flags: string[]): void {
  scrip('grant', '--org', org.name, '--amount', amount, ...flags);
}

/** Reports an event; each call is a commit and so an entry of its own. */
export async function report(org: Org, id: string, more: object = {}): Promise<void> {
  const event = { id, source: 'api', type: 'ai_text', data: { quantities: { input_tokens: 1_000_000, completion_tokens: 100_000 }, project: 'chat' }, ...more };
  const answer = await fetch(`${origin}/api/v1/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${org.key}`, 'content-type': 'application/json' },
    body: JSON.stringify(event),
  });
  if (!answer.ok) throw new Error(await answer.text());
}

export async function signInAs(page: Page, { email, password }: Person, next: string): Promise<void> {
  await page.goto(`/sign-in?next=${encodeURIComponent(next)}`);
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL((url) => url.pathname !== '/sign-in');
}

/** An amount as the pages write it, in micro-credits. */
export function micros(text: string): bigint {
  return BigInt(text.replaceAll(',', '').replaceAll('−', '-').replace('+', '').replace('$', '').replace('.', ''));
}
