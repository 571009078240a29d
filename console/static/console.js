// Charts and local times; everything else htmx does by attributes.
"use strict";
const own = document.currentScript;
const inks = () => JSON.parse(document.getElementById("inks").textContent);
const dark = matchMedia("(prefers-color-scheme: dark)");
const drawn = new Map();
let library;

function charts() {
  library ??= new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement("script"), { src: own.dataset.charts, type: "module" });
    script.onload = resolve;
    script.onerror = reject;
    document.head.append(script);
  });
  return library;
}

// A chart whose data did not change stays as it is: nothing flickers.
async function draw(spec, again) {
  const id = spec.dataset.chart, place = document.getElementById(id), text = spec.textContent;
  const known = drawn.get(id);
  if (!place || (!again && known?.text === text && known.place === place)) return;
  drawn.set(id, { text, place });
  await charts();
  const theme = dark.matches ? "dark" : "light", narrow = innerWidth < 600, config = inks()[theme];
  config.legend = { ...config.legend, orient: "top", columns: narrow ? 2 : 6, labelLimit: narrow ? 140 : 360 };
  // `ast`: expressions are interpreted, so that the page needs no right to evaluate code.
  const view = await vegaEmbed(place, JSON.parse(text), { actions: false, renderer: "svg", ast: true, config, tooltip: { theme } });
  known?.view?.finalize();
  drawn.get(id).view = view;
}

function local(time) {
  const at = new Date(time.dateTime);
  if (!isNaN(at) && time.dateTime.includes("T")) time.title = at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "long" });
}

function shown() {
  document.querySelectorAll("script.spec").forEach(spec => draw(spec, false));
  document.querySelectorAll("time").forEach(local);
}

document.addEventListener("htmx:after:swap", event => {
  const part = event.target.closest?.("section");
  part?.removeAttribute("aria-busy");
  // What is looked at for the first time is there in a moment.
  if (part?.querySelector("[data-soon]")) setTimeout(() => htmx.trigger(part, "soon"), 1500);
  shown();
});
// A page that nobody looks at asks for nothing.
document.addEventListener("htmx:before:request", event => {
  if (document.hidden) event.preventDefault();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) document.querySelectorAll("section[hx-get]").forEach(part => htmx.trigger(part, "load"));
});
dark.addEventListener("change", () => document.querySelectorAll("script.spec").forEach(spec => draw(spec, true)));
document.addEventListener("DOMContentLoaded", () => {
  shown();
  // On a phone the navigation is wider than the screen.
  document.querySelector("nav a[aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
});
