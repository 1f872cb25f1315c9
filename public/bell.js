// Keeps the bell up to date: the server says by an event that somebody was told something, or has read it in another tab. Without it the
// count is as it was when the page was loaded.
let news;

const show = (seen) => {
  const bell = document.querySelector('[data-bell]');
  if (!bell) return;
  const unread = Number(seen.split('_')[1]) || 0;
  const text = unread > 99 ? '99+' : String(unread || '');
  bell.dataset.bell = seen;
  bell.querySelector('b').textContent = text;
  bell.setAttribute('aria-label', text ? `Notifications, ${text} unread` : 'Notifications');
};

// Only the tab that is looked at listens, as in live.js.
const attend = () => {
  news?.close();
  const bell = document.querySelector('[data-bell]');
  if (document.hidden || !bell) return;
  news = new EventSource(`/live?seen=${bell.dataset.bell}`);
  news.addEventListener('moved', (event) => show(event.data));
};

attend();
document.addEventListener('visibilitychange', attend);
addEventListener('pagehide', () => news?.close());
addEventListener('pageshow', (event) => event.persisted && attend());
