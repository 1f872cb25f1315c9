// Search over any page, and keys that go somewhere. Loaded at the first key that means something (the shell of pages waits for it),
// and asks the server for what it shows: `/search` is the same as a page.
const cookie = 'scrip_shortcuts';
const year = 31536000;
const patience = 1500;

const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
};

const isOff = () => document.cookie.split('; ').includes(`${cookie}=off`);
const isField = (target) => target.closest?.('input,textarea,select,[contenteditable]');

/** What a text may mean, as the server says. */
const ask = async (text, signal) => {
  const response = await fetch(`/search.json?q=${encodeURIComponent(text)}`, { signal });
  if (response.redirected) throw new Error('Sign in again: this session is over.');
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.detail);
  return answer.items;
};

let style;
const styled = () => {
  style ??= new Promise((done) => {
    const link = make('link', { rel: 'stylesheet', href: '/palette.css' });
    link.addEventListener('load', done);
    link.addEventListener('error', done);
    document.head.append(link);
  });
  return style;
};

let pages;
const allPages = () => (pages ??= ask('').catch(() => ((pages = undefined), [])));

/** A dialog that a click beside it closes. */
const dialog = (label) => {
  const made = make('dialog', { class: 'palette', 'aria-label': label });
  made.addEventListener('click', (event) => event.target === made && made.close());
  document.body.append(made);
  return made;
};

class Palette {
  constructor() {
    this.input = make('input', {
      type: 'text', role: 'combobox', 'aria-label': 'Search', 'aria-expanded': 'false', 'aria-controls': 'palette-list',
      'aria-autocomplete': 'list', autocomplete: 'off', spellcheck: 'false', maxlength: '256',
      placeholder: 'Page, id, name or event number',
    });
    this.list = make('ul', { id: 'palette-list', role: 'listbox', 'aria-label': 'Results' });
    this.told = make('p', { class: 'palette-told', role: 'status' });
    this.dialog = dialog('Search');
    this.dialog.append(this.input, this.list, this.told);
    this.input.addEventListener('input', () => this.look());
    this.input.addEventListener('keydown', (event) => this.steer(event));
    this.list.addEventListener('click', (event) => this.go(event.target.closest('[role=option]')));
    // The field keeps the focus.
    this.list.addEventListener('pointerdown', (event) => event.preventDefault());
  }

  async open() {
    await styled();
    if (this.dialog.open) return;
    this.input.value = '';
    this.show([]);
    this.dialog.showModal();
    await this.look();
  }

  async look() {
    this.asked?.abort();
    const asked = (this.asked = new AbortController());
    const text = this.input.value.trim();
    try {
      const hits = await ask(text, asked.signal);
      if (asked.signal.aborted) return;
      this.show(hits);
      this.told.textContent = hits.length === 0 ? 'Nothing begins with this.' : '';
    } catch (error) {
      if (asked.signal.aborted) return;
      this.show([]);
      this.told.textContent = error instanceof TypeError ? 'The server does not answer. Try again.' : error.message;
    }
  }

  show(hits) {
    const option = (hit, index) => {
      const name = make('span', { class: 'palette-name' }, hit.title);
      const made = make('li', { id: `palette-${index}`, role: 'option', 'aria-selected': 'false', 'data-href': hit.href }, name);
      if (hit.detail) made.append(make('code', {}, hit.detail));
      made.append(make('small', {}, hit.key ? `${hit.kind} · g ${hit.key}` : hit.kind));
      return made;
    };
    this.list.replaceChildren(...hits.map(option));
    this.input.setAttribute('aria-expanded', String(hits.length > 0));
    this.choose(0);
  }

  choose(index) {
    const options = [...this.list.children];
    for (const [place, option] of options.entries()) option.setAttribute('aria-selected', String(place === index));
    this.chosen = index;
    const chosen = options[index];
    if (chosen) this.input.setAttribute('aria-activedescendant', chosen.id);
    else this.input.removeAttribute('aria-activedescendant');
    chosen?.scrollIntoView({ block: 'nearest' });
  }

  steer(event) {
    const count = this.list.children.length;
    const to = { ArrowDown: this.chosen + 1, ArrowUp: this.chosen - 1 + count, PageDown: count - 1, PageUp: 0 }[event.key];
    if (to !== undefined && count > 0) {
      event.preventDefault();
      this.choose(to % count);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      this.go(this.list.children[this.chosen], event.ctrlKey || event.metaKey);
    }
  }

  go(option, beside = false) {
    if (!option) return;
    if (beside) window.open(option.dataset.href, '_blank', 'noopener');
    else location.assign(option.dataset.href);
    this.dialog.close();
  }
}

let palette;
const search = () => (palette ??= new Palette()).open();

let sheet;
const help = async () => {
  await styled();
  if (!sheet) {
    sheet = dialog('Keyboard shortcuts');
    const row = ([keys, what]) => make('div', {}, make('dt', {}, ...keys.map((key) => make('kbd', {}, key))), make('dd', {}, what));
    const goes = (await allPages()).filter((page) => page.key).map((page) => [['g', page.key], page.title]);
    const apple = /mac|iphone|ipad/i.test(navigator.platform);
    const own = [[[apple ? '⌘' : 'Ctrl', 'K'], 'Search'], [['/'], 'Search'], [['?'], 'These shortcuts']];
    const tick = make('input', { type: 'checkbox' });
    tick.checked = !isOff();
    tick.addEventListener('change', () => {
      document.cookie = `${cookie}=${tick.checked ? 'on' : 'off'}; path=/; max-age=${year}; samesite=lax`;
    });
    const close = make('button', { type: 'button', class: 'button' }, 'Close');
    close.addEventListener('click', () => sheet.close());
    sheet.append(
      make('h2', {}, 'Keyboard shortcuts'),
      make('dl', {}, ...[...own, ...goes].map(row)),
      make('label', {}, tick, ` Single keys do this. ${apple ? '⌘' : 'Ctrl'} K does in any case.`),
      make('p', {}, close),
    );
  }
  if (!sheet.open) sheet.showModal();
};

let going = 0;
const act = async (event) => {
  const key = (event.key ?? '').toLowerCase();
  if ((event.ctrlKey || event.metaKey) && !event.altKey && key === 'k') {
    event.preventDefault();
    return search();
  }
  // Already seen by whoever waits for the first key, or for nobody here.
  if (event.ctrlKey || event.metaKey || event.altKey || isOff() || isField(event.target)) return;
  if (document.querySelector('dialog[open]') || key.length !== 1) return;
  if (going && event.timeStamp - going < patience) {
    going = 0;
    const page = (await allPages()).find((known) => known.key === key);
    if (page) location.assign(page.href);
    return;
  }
  going = key === 'g' ? event.timeStamp : 0;
  if (key === '/') {
    event.preventDefault();
    return search();
  }
  if (key === '?') return help();
};

/** Takes over, beginning with what was pressed meanwhile. */
export const start = (pressed) => {
  // Without an org there is nothing to find.
  if (!document.querySelector('.nav')) return;
  addEventListener('keydown', act);
  for (const event of pressed) act(event);
};
