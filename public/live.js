// Keeps a page that stands still up to date: asks for it again when the server says that the ledger has moved, and puts the part
// that says so in the place of the old one. Nothing is computed here; without it the page is as it was when it was loaded.
const least = 2000;
const region = (root) => root.querySelector('[data-live]');

// Without what is for browsers without scripts: in a page that is parsed here it is no text but alive, and would load the page again.
const scripted = (part) => {
  part?.querySelectorAll('noscript').forEach((unscripted) => unscripted.remove());
  return part;
};

let asked = 0;
let waiting;
let busy = false;

// What whoever looks did to the old part: open details, scrolled regions, the focus.
const carryOver = (before, after) => {
  const parts = (root) => [...root.querySelectorAll('details, [tabindex], a, summary')];
  const [old, next] = [parts(before), parts(after)];
  const scrolled = [];
  let focus;
  // By address or name where there is one: rows may have come in between.
  const key = (part) => part.getAttribute('href') ?? part.getAttribute('aria-label') ?? part.id;
  old.forEach((part, place) => {
    const same = next.find((other) => key(part) && key(other) === key(part) && other.tagName === part.tagName) ?? next[place];
    if (!same || same.tagName !== part.tagName) return;
    if (part.open) same.open = true;
    if (part.scrollLeft || part.scrollTop) scrolled.push([same, part.scrollLeft, part.scrollTop]);
    if (part === document.activeElement) focus = same;
  });
  return () => {
    for (const [part, left, top] of scrolled) part.scrollTo({ left, top, behavior: 'instant' });
    focus?.focus({ preventScroll: true });
  };
};

const refresh = async () => {
  waiting = undefined;
  if (document.hidden) return;
  if (busy) return soon();
  busy = true;
  asked = Date.now();
  try {
    const response = await fetch(location.href, { headers: { accept: 'text/html' } });
    // Signed out meanwhile, or gone: the page stays as it is.
    if (!response.ok || response.redirected) return;
    const before = scripted(region(document));
    const after = scripted(region(new DOMParser().parseFromString(await response.text(), 'text/html')));
    if (!before || !after) return;
    const same = before.innerHTML === after.innerHTML;
    if (same) {
      before.dataset.live = after.dataset.live;
      return;
    }
    const next = document.adoptNode(after);
    const restore = carryOver(before, next);
    before.replaceWith(next);
    restore();
    const told = document.querySelector('[data-live-status]');
    if (told) told.textContent = 'Updated';
  } catch {
    // The next news asks again.
  } finally {
    busy = false;
  }
};

const soon = () => {
  waiting ??= setTimeout(refresh, Math.max(busy ? least : 0, asked + least - Date.now()));
};

// A browser has six connections for all tabs of a server: only the tab that is looked at keeps one. Whoever comes back to it hears at
// once what was missed.
let news;
const attend = () => {
  news?.close();
  if (document.hidden) return;
  news = new EventSource(`/live?seen=${region(document).dataset.live}`);
  news.addEventListener('moved', soon);
};

if (region(document)) {
  attend();
  document.addEventListener('visibilitychange', attend);
  addEventListener('pagehide', () => news?.close());
  // Out of the cache of the way back.
  addEventListener('pageshow', (event) => event.persisted && attend());
}
