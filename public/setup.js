// The first start, where a script runs: the browser's time zone, buttons that copy, and the wait for the first event.
// All of it works without: the zone can be typed, the text marked, and the page asks again by itself.
const zone = document.querySelector("input[data-browser-zone]");
const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && [...document.querySelectorAll("#zones option")].some((option) => option.value === here)) zone.value = here;

for (const button of document.querySelectorAll("button[data-copies]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent);
    button.textContent = "Copied";
  });
}

const waiting = document.querySelector("[data-waits-at]");
if (waiting) {
  const source = new EventSource(waiting.dataset.waitsAt);
  source.addEventListener("received", ({ data }) => {
    source.close();
    waiting.textContent = "Received. Opening the chart…";
    location.assign(data);
  });
}
