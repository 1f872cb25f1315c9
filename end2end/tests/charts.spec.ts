// One code draws on the server and in the browser: both must give the same bytes.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, hydrated, signIn, test } from '../journey';

test('the browser draws the specimen that the server is tested with, byte for byte', async ({ page }) => {
  await signIn(page, 'sample');
  await hydrated(page);
  const script = await page.locator('link[rel=modulepreload]').first().getAttribute('href');
  const drawn = await page.evaluate(async (url) => (await import(url)).chart_specimen() as string, script!);
  // FNV-1a over the bytes, as the server's own test has it.
  const hash = Buffer.from(drawn).reduce((h, byte) => ((h ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn, 0xcbf29ce484222325n);
  const tests = readFileSync(resolve(__dirname, '../../app/src/charts/tests.rs'), 'utf8');
  const [, expected] = /assert_eq!\(format!\("\{hash:016x\}"\), "([0-9a-f]{16})"/.exec(tests)!;
  expect(hash.toString(16).padStart(16, '0')).toBe(expected);
});

/** Small numbers that look random, the same at every run. */
function* numbers(seed: number): Generator<number> {
  for (;;) {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    yield seed >> 8;
  }
}

for (const seed of [1, 2]) {
  test(`what is changed in a drawing is what is drawn at once, whatever was there before: seed ${seed}`, async ({ page }) => {
    await signIn(page, 'sample', '/analytics?compare=previous');
    await hydrated(page);
    const random = numbers(seed);
    const drawn = () => page.locator('.chart-drawing').innerHTML();
    const links = '.tabs a, .segments a, .legend a[href]';
    for (let step = 0; step < 12; step += 1) {
      const choices = page.locator(links);
      const choice = choices.nth(random.next().value % (await choices.count()));
      const href = (await choice.getAttribute('href'))!;
      await choice.click();
      await expect(page).toHaveURL(href);
      const [sent] = /<svg[^>]*class="chart[^]*?<\/svg>/.exec(await (await page.request.get(href)).text())!;
      const parsed = await page.evaluate((svg) => {
        const box = document.createElement('div');
        box.innerHTML = svg;
        return box.innerHTML;
      }, sent);
      await expect.poll(drawn, href).toBe(parsed);
    }
  });
}

test('after a filter and back the browser has drawn what the server sent', async ({ page }) => {
  await signIn(page, 'sample', '/analytics');
  const html = await (await page.request.get('/analytics')).text();
  const [sent] = /<svg[^>]*class="chart[^]*?<\/svg>/.exec(html)!;
  await hydrated(page);
  const parsed = await page.evaluate((svg) => {
    const box = document.createElement('div');
    box.innerHTML = svg;
    return box.innerHTML;
  }, sent);
  const width = await page.locator('.chart-box').evaluate((box) => box.clientWidth);
  test.skip(!sent.includes(`viewBox="0 0 ${width} `), 'the panel is not as wide here as the server draws for');
  await page.getByRole('navigation', { name: 'Credit type' }).getByRole('link').nth(1).click();
  await expect(page).toHaveURL(/type=/);
  await page.getByRole('navigation', { name: 'Credit type' }).getByRole('link').first().click();
  await expect(page).not.toHaveURL(/type=/);
  expect(await page.locator('.chart-drawing').innerHTML()).toBe(parsed);
});
