// Goes on with a list where it ends: asks for the page that its "next" link leads to and puts its rows below. What is far above is let
// go and asked for again on the way back up, so that a list of a million rows takes no more memory than a short one. Without this
// script the same links lead from page to page.
const most = 400;
const panel = document.querySelector('[data-endless]');
const body = panel?.querySelector('tbody');
const status = panel?.querySelector('[data-endless-status]');

const pageOf = (root) => {
  const link = (way) => root.querySelector(`.pager a[rel~="${way}"]`)?.getAttribute('href') ?? null;
  return { rows: [...root.querySelectorAll('tbody > tr')], back: link('prev'), on: link('next') };
};

const pages = panel ? [pageOf(panel)] : [];
const count = () => pages.reduce((sum, page) => sum + page.rows.length, 0);
let busy = false;
// Asked for in vain: not again until somebody scrolls.
let failed = false;
let moved = false;

const ask = async (href) => {
  const response = await fetch(href, { headers: { accept: 'text/html' } });
  if (!response.ok || response.redirected) throw new Error('no page');
  const found = new DOMParser().parseFromString(await response.text(), 'text/html').querySelector('[data-endless]');
  return pageOf(found);
};

const drop = (page) => {
  const before = body.getBoundingClientRect().height;
  page.rows.forEach((row) => row.remove());
  return before - body.getBoundingClientRect().height;
};

// The links below lead on from what is there now.
const relink = () => {
  const set = (way, href) => {
    const link = panel.querySelector(`.pager a[rel~="${way}"]`);
    if (link) {
      link.hidden = !href;
      if (href) link.setAttribute('href', href);
    }
  };
  set('prev', pages[0].back);
  set('next', pages.at(-1).on);
};

const goOn = async () => {
  const page = await ask(pages.at(-1).on);
  page.rows = page.rows.map((row) => document.adoptNode(row));
  body.append(...page.rows);
  pages.push(page);
  while (pages.length > 2 && count() > most) scrollBy({ top: -drop(pages.shift()), behavior: 'instant' });
  return page;
};

const goBack = async () => {
  const page = await ask(pages[0].back);
  page.rows = page.rows.map((row) => document.adoptNode(row));
  const before = body.getBoundingClientRect().height;
  body.prepend(...page.rows);
  scrollBy({ top: body.getBoundingClientRect().height - before, behavior: 'instant' });
  pages.unshift(page);
  while (pages.length > 2 && count() > most) drop(pages.pop());
  return page;
};

const look = async () => {
  if (busy || failed || !body) return;
  const { top, bottom } = body.getBoundingClientRect();
  const below = pages.at(-1).on && bottom < innerHeight + 800;
  // The first page that somebody opened is not the newest there is: above it nothing is fetched before they go up.
  const above = pages[0].back && top > -800 && moved;
  if (!below && !above) return;
  busy = true;
  try {
    const page = below ? await goOn() : await goBack();
    relink();
    if (status) status.textContent = `${page.rows.length} more rows`;
  } catch {
    failed = true;
  } finally {
    busy = false;
  }
  if (!failed) requestAnimationFrame(look);
};

if (body) {
  document.documentElement.style.overflowAnchor = 'none';
  addEventListener('scroll', () => {
    failed = false;
    moved = true;
    look();
  }, { passive: true });
  addEventListener('resize', look);
}
