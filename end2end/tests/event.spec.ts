import { findings, overflow } from '../axe';
import { expect, hydrated, signIn, test } from '../journey';
import { type Org, grant, newOrg, report, signInAs } from '../orgs';

const equal = 'Computed again in your browser: what it cost, and why, is equal.';
let org: Org;

test.beforeEach(async () => {
  org = newOrg();
  grant(org, '10');
  await report(org, 'call-1', { subject: 'user/ada', time: new Date(Date.now() - 60_000).toISOString() });
  await report(org, 'call-2');
});

test('an event tells what was said, what it cost, who paid, and is checked in the browser', async ({ page }) => {
  await signInAs(page, org.member, '/');
  await hydrated(page);
  await page.locator('.table a[href="/events/event_1"]').click();
  await expect(page.getByRole('heading', { name: 'event_1', exact: true })).toBeVisible();
  await expect(page.getByText(/^Checked in your browser: this event is in entry_3, hash [0-9a-f]{12}…$/)).toBeVisible();
  await expect(page.getByText(equal)).toBeVisible();
  await expect(page.locator('.event-total')).toHaveText('$0.700000');
  await expect(page.locator('.charge').last()).toContainText('Input tokensai_data1,000,000');
  await expect(page.locator('.charge').last()).toContainText('input_tokens: 0.6 per 1000000 (line 1 of version 1)');
  await expect(page.locator('.charge').last()).toContainText('Carriednothing');
  await expect(page.locator('.charge').last()).toContainText(/1000000 × 0\.6 ÷ 1000000 = 0\.600000/);
  await expect(page.locator('.charge').last()).toContainText('grant_1 $0.600000');
  await expect(page.locator('.facts').first()).toContainText('ada');
  // Also when the server has rendered it.
  await page.goto('/events/event_2');
  await expect(page.getByText(/^Checked in your browser: this event is in entry_4/)).toBeVisible();
  await expect(page.getByText(equal)).toBeVisible();
});

test('a formula is broken down by time, data and compute', async ({ page }) => {
  const engine = newOrg('UTC', 'ai-engine');
  await report(engine, 'run-1', { type: 'training', data: { quantity: 120, bytes: 52_428_800, compute_units: 3.5 } });
  await signInAs(page, engine.member, '/events/event_1');
  await expect(page.getByText(equal)).toBeVisible();
  const rows = page.getByRole('table').locator('tr');
  await expect(rows).toHaveText([
    'PartArithmeticCredits', 'Base0.5 for each event0.5', 'Processing time120 s × 0.022.4', 'Data volume52.4288 MB × 0.0010.0524288',
    'Compute3.5 compute units × 0.250.875', 'Charged3.827428',
  ]);
  await expect(page.locator('.charge')).toContainText('nothing → 4/5 of a micro-credit');
  await page.setViewportSize({ width: 360, height: 740 });
  expect(await overflow(page)).toBe(0);
});

// What the page is told comes as rows: the fields of `Evidence`, in their order, and in each those of its own type.
type Row = unknown[];
const row = (of: Row, field: number) => of[field] as Row;
const tell = (of: Row, field: number, truth: unknown, lie: unknown) => {
  expect(of[field]).toEqual(truth);
  of[field] = lie;
};
const [EVENT, CHARGES, ENTRY, PREVIOUS, HEAD] = [1, 3, 5, 6, 7];
const lies: [string, (evidence: Row) => void][] = [
  ['a charge', (e) => tell(row(row(e, CHARGES), 1), 2, '0.600000', '0.500000')],
  ['a quantity', (e) => tell(row(row(row(e, EVENT), 4), 1), 1, '1000000', '900000')],
  ['the user', (e) => tell(row(e, EVENT), 10, 'ada', 'eve')],
  ['a posting', (e) => row(row(e, ENTRY), 9).forEach((p) => (p as Row)[0] === 'grant' && tell(p as Row, 1, 1, 2))],
  ['the hash before', (e) => tell(row(e, PREVIOUS), 0, expect.any(Number), (Number(row(e, PREVIOUS)[0]) + 1) % 256)],
  ['the end of the chain', (e) => tell(row(e, HEAD), 0, expect.any(Number), 2)],
];
for (const [what, lie] of lies) {
  test(`the browser notices a changed answer: ${what}`, async ({ page }) => {
    await signInAs(page, org.member, '/');
    await hydrated(page);
    await page.route('**/api/fn/event*', async (route) => {
      const answer = await route.fetch();
      const text = await answer.text();
      const report = JSON.parse(text) as Row;
      lie(row(report, 0));
      expect(JSON.stringify(report)).not.toBe(text);
      await route.fulfill({ response: answer, body: JSON.stringify(report) });
    });
    await page.locator('.table a[href="/events/event_1"]').click();
    await expect(page.getByText(/^This does not fit/)).toBeVisible();
    await expect(page.getByText(/^Checked in your browser/)).toHaveCount(0);
  });
}

const tales: [string, (text: string) => string, RegExp][] = [
  ['other arithmetic', (text) => text.replace('1000000 × 0.6', '1000000 × 0.5'), /says “1000000 × 0\.5 ÷ .*computes “1000000 × 0\.6 ÷ /],
  ['another price', (text) => text.replace('"input_tokens: 0.6 per', '"input_tokens: 0.5 per'), /says “\$0\.600000”, your browser computes “\$0\.500000”/],
  ['another carry', (text) => text.replace('"\\"nothing"', '"\\"nothing → 1/2 of a micro-credit"'), /computes “nothing”/],
  ['less that was paid', (text) => text.replace('["grant_1","0.600000"]', '["grant_1","0.500000"]'), /says “\$0\.500000”, your browser computes “\$0\.600000”/],
];
for (const [what, tale, difference] of tales) {
  test(`the browser notices a changed explanation: ${what}`, async ({ page }) => {
    await signInAs(page, org.member, '/');
    await hydrated(page);
    await page.route('**/api/fn/event*', async (route) => {
      const answer = await route.fetch();
      const text = await answer.text();
      expect(tale(text)).not.toBe(text);
      await route.fulfill({ response: answer, body: tale(text) });
    });
    await page.locator('.table a[href="/events/event_1"]').click();
    const verdict = page.getByText(/^The explanation does not fit: /);
    await expect(verdict).toHaveText(difference);
    await expect(page.getByText(equal)).toHaveCount(0);
    // What it cost is in the ledger all the same.
    await expect(page.getByText(/^Checked in your browser/)).toBeVisible();
  });
}

test('an event that does not exist is not found', async ({ page }) => {
  await signInAs(page, org.member, '/');
  for (const id of ['event_99', 'event_0', 'nonsense', 'event_99999999999999999999']) {
    const answer = await page.goto(`/events/${id}`);
    expect(answer?.status()).toBe(404);
    await expect(page.getByRole('heading', { name: 'There is no such page' })).toBeVisible();
  }
});

test('voiding is previewed, then booked: chart and balance follow', async ({ page }) => {
  await signInAs(page, org.operator, '/events/event_1');
  await hydrated(page);
  const form = page.getByRole('form', { name: 'Take it back' });
  await form.getByLabel('Why it is taken back').fill('Reported twice');
  await form.getByRole('button', { name: 'Preview' }).click();
  const preview = page.getByRole('group', { name: 'Preview' });
  await expect(preview).toContainText('nothing is booked yet');
  await expect(preview.getByRole('row', { name: /^Available/ })).toContainText('$8.600000$9.300000+$0.700000');
  await expect(preview.getByRole('row', { name: /Input tokens/ })).toContainText('−0.600000');
  // Nothing was booked by looking.
  const other = await page.context().newPage();
  await other.goto('/ledger');
  await expect(other.locator('.entry')).toHaveCount(4);
  await preview.getByRole('button', { name: 'Book: take it back' }).click();
  await expect(page).toHaveURL(/\/events\/event_1\?booked$/);
  await expect(page.locator('.note.warn')).toContainText('Booked. Taken back by entry_5');
  await expect(page.locator('.note.warn')).toContainText('Reported twice');
  await hydrated(page);
  // What was booked stays booked: the event's own proof holds.
  await expect(page.getByText(/^Checked in your browser: this event is in entry_3/)).toBeVisible();
  await page.goto('/');
  await expect(page.locator('.balance .stat-figure')).toContainText('$9.300000');
  await page.goto('/analytics');
  await expect(page.locator('dl.summary dd').first()).toHaveText('$0.700000');
  await page.goto('/ledger?kind=void');
  await expect(page.locator('.entry')).toContainText('event_1');
  await other.close();
});

test('sending the same booking twice books once', async ({ page }) => {
  await signInAs(page, org.operator, '/events/event_1?correct=void&reason=Twice');
  const booking = page.locator('form.booking');
  const fields = Object.fromEntries(await booking.locator('input').evaluateAll((inputs) => inputs.map((i) => [(i as HTMLInputElement).name, (i as HTMLInputElement).value])));
  expect(fields.key).toMatch(/^[0-9a-f]{32}$/);
  for (let i = 0; i < 2; i += 1) {
    const answer = await page.request.post('/events/event_1', { form: fields, maxRedirects: 0 });
    expect([answer.status(), answer.headers().location]).toEqual([303, '/events/event_1?booked']);
  }
  const csv = await (await page.request.get('/exports/ledger.csv?kind=void')).text();
  expect(new Set(csv.split('\r\n').filter((line) => line.includes(',void,')).map((line) => line.split(',')[0])).size).toBe(1);
  // A key of its own, but the event is taken back already: the page says so.
  const again = await page.request.post('/events/event_1', { form: { ...fields, key: 'other' } });
  expect(await again.text()).toContain('It was taken back already');
});

test('an event is replaced by another, and both name each other', async ({ page }) => {
  await signInAs(page, org.operator, '/events/event_1');
  await hydrated(page);
  await page.getByText('Replace it by another event').click();
  const form = page.getByRole('form', { name: 'Replace it' });
  await form.getByLabel('Why it is replaced').fill('Ten times too many');
  await expect(form.getByLabel('New id at the source')).toHaveValue('call-1-corrected');
  await form.getByLabel('Quantity of input_tokens').fill('100,000');
  await form.getByRole('button', { name: 'Preview' }).click();
  const preview = page.getByRole('group', { name: 'Preview' });
  await expect(preview.getByRole('row', { name: /^Available/ })).toContainText('+$0.540000');
  await preview.getByRole('button', { name: 'Book the replacement' }).click();
  await expect(page.getByText('event_3 stands in its place.')).toBeVisible();
  await page.getByRole('link', { name: 'event_3' }).click();
  await expect(page.getByText('It stands in the place of event_1')).toBeVisible();
});

test('what cannot be booked says why', async ({ page }) => {
  await signInAs(page, org.operator, '/events/event_1?correct=void&reason=');
  await expect(page.getByRole('alert')).toContainText('a correction needs a reason');
  await page.goto('/events/event_1?correct=replace&reason=x&id=call-2&quantity.input_tokens=5');
  await expect(page.getByRole('alert')).toContainText('This cannot be done');
});

test('whoever is no operator is told so, and refused', async ({ page }) => {
  await signInAs(page, org.member, '/events/event_1?correct=void&reason=x');
  await expect(page.getByText('Only operators may correct events')).toBeVisible();
  await expect(page.getByRole('form')).toHaveCount(0);
  await expect(page.getByRole('group', { name: 'Preview' })).toHaveCount(0);
  const answer = await page.request.post('/events/event_1', { form: { correct: 'void', reason: 'x', key: 'k' } });
  expect(answer.status()).toBe(403);
  expect((await answer.json()).code).toBe('not_operator');
});

test('an event that came after its cycle was closed says so', async ({ page }) => {
  const time = new Date(Date.now() - 40 * 86_400_000);
  await report(org, 'late', { time: time.toISOString() });
  await signInAs(page, org.member, '/events/event_3');
  await expect(page.getByText(/^Happened in \w+ \d{4}, booked in \w+ \d{4}: that cycle was closed\.$/)).toBeVisible();
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`axe finds nothing serious on an event's page, ${colorScheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await signInAs(page, org.operator, '/events/event_1?correct=void&reason=x');
    await hydrated(page);
    await expect(page.getByText(/^Checked in your browser/)).toBeVisible();
    expect(await findings(page)).toEqual([]);
  });
}

test('an event does not overflow at 360 px', async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await signInAs(page, org.operator, '/events/event_1?correct=replace&reason=x&id=new');
  await hydrated(page);
  expect(await overflow(page)).toBe(0);
  await signIn(page, 'sample', '/events/event_8000');
  await hydrated(page);
  await expect(page.getByText(/^Checked in your browser/)).toBeVisible();
  expect(await overflow(page)).toBe(0);
});
