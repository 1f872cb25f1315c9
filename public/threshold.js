// The threshold of an alert, moved on its chart: by the pointer or the arrow keys. The field of the form follows, and the server tells again how
// often the rule would have fired: the page is asked for with what is typed, and its panel put in the old one's place.
const WAIT_MS = 250;

const form = document.getElementById("rule");
let asking;
let timer;

function field() {
  return form?.querySelector("[data-threshold]");
}

// What the chart is drawn in is proportional to what is typed.
function ratio(track) {
  const typed = Number(field()?.value);
  const now = Number(track.dataset.now);
  return typed > 0 && now > 0 ? now / typed : 0;
}

function tell(delay = WAIT_MS) {
  clearTimeout(timer);
  timer = setTimeout(async () => {
    asking?.abort();
    asking = new AbortController();
    const address = new URL(form.action);
    address.search = new URLSearchParams(new FormData(form)).toString();
    try {
      const answer = await fetch(address, { signal: asking.signal, headers: { accept: "text/html" } });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("simulation");
      const old = document.getElementById("simulation");
      if (!fresh || !old) return;
      const held = document.activeElement?.closest("[data-track]")?.className;
      const isOpen = old.querySelector("details")?.open;
      old.replaceWith(fresh);
      if (isOpen) fresh.querySelector("details")?.setAttribute("open", "");
      fresh.setAttribute("aria-live", "polite");
      begin();
      if (held) fresh.querySelector(`.${held} .threshold-handle`)?.focus();
    } catch (error) {
      if (error.name !== "AbortError") throw error;
    }
  }, delay);
}

function written(value) {
  const whole = field().hasAttribute("data-whole");
  return whole ? String(Math.max(1, Math.round(value))) : String(Number(Math.max(0.01, value).toPrecision(3)));
}

function handle(track) {
  const per = ratio(track);
  if (!per) return;
  const { zero, high, top, left } = Object.fromEntries(Object.entries(track.dataset).map(([name, value]) => [name, Number(value)]));
  const button = document.createElement("button");
  const label = document.createElement("span");
  button.type = "button";
  button.className = "threshold-handle";
  button.setAttribute("role", "slider");
  button.setAttribute("aria-orientation", "vertical");
  button.setAttribute("aria-label", "Threshold");
  button.setAttribute("aria-valuemin", "0");
  button.setAttribute("aria-valuemax", String(top / per));
  button.style.left = `${left}px`;
  button.append(label);
  track.append(button);
  const put = (typed) => {
    button.style.top = `${zero - ((zero - high) * typed * per) / top}px`;
    label.textContent = field().value + track.dataset.unit;
    button.setAttribute("aria-valuenow", field().value);
    button.setAttribute("aria-valuetext", label.textContent);
  };
  const set = (typed) => {
    field().value = written(Math.min(typed, top / per));
    document.querySelectorAll("[data-track]").forEach((other) => other.put?.(Number(field().value)));
    tell();
  };
  track.put = put;
  put(Number(field().value));
  button.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    button.focus();
    button.setPointerCapture(event.pointerId);
    const move = ({ clientY }) => set(((zero - (clientY - track.getBoundingClientRect().top)) / (zero - high)) * (top / per));
    button.addEventListener("pointermove", move);
    button.addEventListener("pointerup", () => button.removeEventListener("pointermove", move), { once: true });
    button.addEventListener("pointercancel", () => button.removeEventListener("pointermove", move), { once: true });
  });
  button.addEventListener("keydown", (event) => {
    const step = field().hasAttribute("data-whole") ? 1 : top / per / 50;
    const by = { ArrowUp: step, ArrowRight: step, ArrowDown: -step, ArrowLeft: -step, PageUp: 5 * step, PageDown: -5 * step }[event.key];
    if (!by) return;
    event.preventDefault();
    set(Number(field().value) + by);
  });
}

function begin() {
  document.querySelectorAll("[data-track]").forEach(handle);
}

if (form) {
  begin();
  form.addEventListener("input", (event) => {
    if (event.target.matches("[name=title], [type=checkbox]")) return;
    document.querySelectorAll("[data-track]").forEach((track) => track.put?.(Number(field()?.value)));
    tell();
  });
}
