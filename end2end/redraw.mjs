// Filter to redraw, as part of `make bench`: from the click on a credit type until the frame is made in which chart, total and
// legend are right, in Chromium, against the build with the sample of 90 days; then the same with a processor that is slowed
// down to a quarter. Three runs of each, of which the middle one counts.
//
// What counts is the time in which the browser's main thread is busy: scripts, style, layout, paint, and handing the frame
// over. Waiting for the screen's next refresh is left out, which depends on when somebody clicks and on nothing of ours. Beside
// it stands what of that was the processor's time: all that is comparable where a machine does other things too. That the
// frame is right is looked at in it, before it is laid out.
import { line, sampled } from './sampled.mjs';

const CLICKS = 200;
const RUNS = 3;
const TASK = 'ThreadControllerImpl::RunTask';
const FRAME = 'ProxyMain::BeginMainFrame';

/** Clicks through the credit types. */
async function click(page) {
  const wrong = await page.evaluate(async (count) => {
    const text = (selector, within = document) => within.querySelector(selector)?.textContent;
    const wrong = [];
    for (let n = 0; n < count; n += 1) {
      const tabs = document.querySelectorAll('nav[aria-label="Credit type"] a');
      const tab = tabs[(n + 1) % tabs.length];
      const figure = text('.tab-figure', tab);
      performance.mark('filter');
      tab.click();
      await new Promise((next) => requestAnimationFrame(next));
      const shown = [text('dl.summary dd'), text('.chart desc').slice(0, figure.length)];
      if (tab !== tabs[0]) shown.push(text('.legend .legend-figure'));
      if (shown.some((told) => told !== figure)) wrong.push([figure, ...shown].join(' / '));
      // Nobody clicks twice in one frame; what follows a click (address, table) is over by then.
      await new Promise((next) => setTimeout(next, 80));
    }
    return wrong;
  }, CLICKS);
  if (wrong.length > 0) throw new Error(`a frame was not right: ${wrong[0]}`);
}

/** Milliseconds of work from each click to its frame: by the clock, and of the processor. */
async function clicks(page) {
  const browser = page.context().browser();
  await browser.startTracing(page, { categories: ['toplevel', 'cc', 'blink.user_timing'] });
  await click(page);
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
  const marks = traceEvents.filter((e) => e.name === 'filter' && e.cat.includes('user_timing'));
  const ours = traceEvents.filter((e) => e.ph === 'X' && e.pid === marks[0].pid && e.tid === marks[0].tid);
  const named = (name) => ours.filter((e) => e.name === name).sort((a, b) => a.ts - b.ts);
  const [tasks, frames] = [named(TASK), named(FRAME)];
  return marks.flatMap(({ ts, tts }) => {
    const frame = frames.find((f) => f.ts > ts);
    if (!frame) return [];
    const end = frame.ts + frame.dur;
    const within = tasks.filter((t) => t.ts + t.dur > ts && t.ts < end);
    // A task that runs within another one is part of it.
    const outer = within.filter((t) => !within.some((o) => o !== t && o.ts <= t.ts && o.ts + o.dur >= t.ts + t.dur));
    const sum = (took) => outer.reduce((sum, t) => sum + took(t), 0) / 1_000;
    const busy = sum((t) => Math.min(t.ts + t.dur, end) - Math.max(t.ts, ts));
    const processor = sum((t) => t.tdur - (t.ts < ts ? tts - t.tts : 0));
    return [{ busy, processor }];
  });
}

const at = (times, part) => times.sort((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * part))];
const middle = (values) => values.sort((a, b) => a - b)[values.length >> 1];

async function measure(page, name, target) {
  const runs = [];
  for (let run = 0; run < RUNS; run += 1) runs.push(await clicks(page));
  const of = (what, part) => middle(runs.map((run) => at(run.map((click) => click[what]), part))).toFixed(2);
  const told = (what) => `p50 ${of(what, 0.5)}, p90 ${of(what, 0.9)}, p99 ${of(what, 0.99)}`;
  line(name, of('busy', 0.99), target, `ms; ${told('busy')}; of the processor ${told('processor')}; ${RUNS} × ${runs[0].length} clicks`);
}

await sampled(process.argv[2], async (page) => {
  await page.waitForSelector('html[data-hydrated]');
  // The first clicks are slower: the browser compiles what they run.
  await click(page);
  await measure(page, 'filter to redraw in the browser, p99', '≤ 8 ms');
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Emulation.setCPUThrottlingRate', { rate: 4 });
  await measure(page, 'the same, processor slowed 4 times, p99', '≤ 16 ms');
});
