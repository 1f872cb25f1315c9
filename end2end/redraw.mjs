// Filter to redraw, as part of `make bench`: from the click on a credit type to the new chart in the page, in Chromium,
// against the release build with the sample of 90 days; then the same with a processor that is slowed down to a quarter.
// Three runs of each, of which the middle one counts. Beside the chart, which the budget is for, it tells what the whole
// task took: everything that the click has done before the frame.
import { line, sampled } from './sampled.mjs';

const CLICKS = 200;
const RUNS = 3;

/** Clicks through the credit types; the times until the chart has changed and until the task is done, sorted. */
async function clicks(page) {
  return page.evaluate(async (count) => {
    const tabs = () => [...document.querySelectorAll('nav[aria-label="Credit type"] a')];
    const drawing = document.querySelector('.chart-drawing');
    const channel = new MessageChannel();
    const [charts, tasks] = [[], []];
    for (let n = 0; n < count; n += 1) {
      const drawn = new Promise((seen) => {
        const observer = new MutationObserver(() => {
          observer.disconnect();
          seen(performance.now());
        });
        observer.observe(drawing, { childList: true });
      });
      // A message is heard in a task of its own, after all that this one has set off.
      const done = new Promise((next) => (channel.port2.onmessage = () => next(performance.now())));
      channel.port1.postMessage('');
      const start = performance.now();
      tabs()[(n + 1) % tabs().length].click();
      charts.push((await drawn) - start);
      tasks.push((await done) - start);
      // Nobody clicks twice in one frame; what follows a click (address, table) is over by then.
      await new Promise((next) => requestAnimationFrame(() => setTimeout(next, 50)));
    }
    const sorted = (times) => times.sort((a, b) => a - b);
    return { charts: sorted(charts), tasks: sorted(tasks) };
  }, CLICKS);
}

const at = (times, part) => times[Math.min(times.length - 1, Math.floor(times.length * part))];
const middle = (values) => values.sort((a, b) => a - b)[values.length >> 1];

async function measure(page, name, target) {
  const runs = [];
  for (let run = 0; run < RUNS; run += 1) runs.push(await clicks(page));
  const of = (what, part) => middle(runs.map((run) => at(run[what], part))).toFixed(2);
  line(name, of('charts', 0.99), target, `ms; p50 ${of('charts', 0.5)} ms; with all else of the click p50 ${of('tasks', 0.5)}, p99 ${of('tasks', 0.99)} ms; ${RUNS} × ${CLICKS} clicks`);
}

await sampled(process.argv[2], async (page) => {
  await page.waitForSelector('html[data-hydrated]');
  // The first clicks are slower: the browser compiles what they run.
  await clicks(page);
  await measure(page, 'filter to redraw in the browser, p99', '≤ 8 ms');
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Emulation.setCPUThrottlingRate', { rate: 4 });
  await measure(page, 'the same, processor slowed 4 times, p99', '≤ 16 ms');
});
