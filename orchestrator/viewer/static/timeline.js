// The timeline: to scrub, to play, and to see at a glance where something happened.

import { get } from "./api.js";
import { h, svg } from "./dom.js";

const WIDTH = 1000; // of the track's own coordinates, stretched to the page
const CURVE = 34;
const LANES = [
  { name: "message", column: 2 },
  { name: "plan rewritten", column: 4 },
  { name: "plan rejected", column: 5 },
  { name: "trouble", column: 3 },
];
const ICONS = {
  first: "M3 3v10M13 3 6 8l7 5z",
  back: "M11 3 4 8l7 5z",
  play: "M4 2.5 13 8l-9 5.5z",
  hold: "M5 3v10M11 3v10",
  on: "M5 3l7 5-7 5z",
  last: "M13 3v10M3 3l7 5-7 5z",
};
const SPEEDS = [1, 2, 4, 8, 16];

// Drawn here: fonts do not have these signs everywhere.
const icon = (name) => svg("svg", { viewBox: "0 0 16 16", class: "icon", "aria-hidden": "true" }, svg("path", { d: ICONS[name] }));

export class Timeline {
  #place;
  #api;
  #rows = [];
  #complete = false;
  #loading = false;
  #playing = false;
  #slider = h("input", { type: "range", min: 0, step: 1, id: "slider", "aria-label": "Step" });
  #play = h("button", { class: "play", "aria-label": "Play" }, icon("play"));
  #speed = h("select", { "aria-label": "Speed" });
  #where = h("output", { class: "where", for: "slider" });
  #cursor = svg("line", { class: "cursor", y1: 0, y2: 70 });
  #marks = svg("g");
  lastKind = "step"; // a lesson is the learning after the last step
  settled = () => Promise.resolve();

  constructor(place, api) {
    this.#place = place;
    this.#api = api;
    for (const speed of SPEEDS) this.#speed.append(h("option", { value: speed }, `${speed} steps/s`));
    this.#speed.value = 4;
    const button = (label, name, action) => h("button", { "aria-label": label, title: label, onclick: action }, icon(name));
    const track = svg("svg", { class: "track", viewBox: `0 0 ${WIDTH} 70`, preserveAspectRatio: "none" });
    track.setAttribute("aria-hidden", "true");
    track.append(this.#marks, this.#cursor);
    track.addEventListener("pointerdown", (event) => {
      const { left, width } = track.getBoundingClientRect();
      place.goto(((event.clientX - left) / width) * place.last);
    });
    this.element = h(
      "section",
      { class: "timeline", "aria-label": "Timeline" },
      h(
        "div",
        { class: "buttons" },
        button("First step", "first", () => place.goto(0)),
        button("Previous step", "back", () => place.goto(place.step - 1)),
        this.#play,
        button("Next step", "on", () => place.goto(place.step + 1)),
        button("Last step", "last", () => place.goto(place.last)),
        this.#speed,
        this.#where,
        h("span", { class: "grow" }),
        h(
          "ul",
          { class: "legend", "aria-label": "In the track" },
          h("li", { class: "lane-return" }, "return"),
          ...LANES.map((lane, n) => h("li", { class: `lane-${n}` }, lane.name)),
        ),
      ),
      track,
      this.#slider,
    );
    this.#play.addEventListener("click", () => this.toggle());
    this.#slider.addEventListener("input", () => place.goto(Number(this.#slider.value)));
    place.addEventListener("moved", () => this.#show());
    place.addEventListener("grown", () => this.#show());
  }

  toggle() {
    if (this.#playing) this.#stop();
    else this.#begin();
  }

  // Take in what the server has found out about the whole run; asked again until it has read all of it. Returns
  // whether there was anything to take in.
  async load() {
    if (this.#loading || (this.#complete && this.#rows.length === this.#place.steps)) return false;
    this.#loading = true;
    try {
      do {
        const first = Math.max(0, this.#rows.length - 1); // the last row may have been of a step that was broken off
        const track = await get(`${this.#api}/track?first=${first}`);
        this.#rows.splice(first, Infinity, ...track.rows);
        this.#complete = track.complete;
        this.#draw();
        if (!this.#complete) await new Promise((done) => setTimeout(done, 250));
      } while (!this.#complete);
    } finally {
      this.#loading = false;
    }
    return true;
  }

  #show() {
    const { step, last } = this.#place;
    this.#slider.max = last;
    this.#slider.value = step;
    const lesson = step === last && this.lastKind === "lesson";
    this.#slider.setAttribute("aria-valuetext", `step ${step} of ${last}`);
    this.#where.textContent = lesson ? "after the last step" : `step ${step} of ${last}`;
    const x = last ? (step / last) * WIDTH : 0;
    this.#cursor.setAttribute("x1", x);
    this.#cursor.setAttribute("x2", x);
  }

  #begin() {
    if (this.#place.step >= this.#place.last) this.#place.goto(0);
    this.#playing = true;
    this.#play.replaceChildren(icon("hold"));
    this.#play.setAttribute("aria-label", "Hold");
    this.#run();
  }

  #stop() {
    this.#playing = false;
    this.#play.replaceChildren(icon("play"));
    this.#play.setAttribute("aria-label", "Play");
  }

  // A step is shown in full before the next one is asked for: a slow machine plays slowly, and loses nothing.
  async #run() {
    while (this.#playing && this.#place.step < this.#place.last) {
      const pause = new Promise((done) => setTimeout(done, 1000 / Number(this.#speed.value)));
      await Promise.all([pause, this.settled()]);
      if (this.#playing) this.#place.goto(this.#place.step + 1);
    }
    this.#stop();
  }

  #draw() {
    const rows = this.#rows;
    const last = Math.max(1, this.#place.last);
    const at = (step) => ((step / last) * WIDTH).toFixed(1);
    let total = 0;
    const totals = rows.map((row) => (total += row[0]));
    const low = totals.reduce((a, b) => Math.min(a, b), 0);
    const high = totals.reduce((a, b) => Math.max(a, b), 1e-9);
    const y = (value) => (CURVE - ((value - low) / (high - low)) * (CURVE - 4)).toFixed(1);
    const curve = totals.map((value, step) => `H${at(step)}V${y(value)}`).join("");
    const parts = [
      svg("path", { class: "lane-return area", d: `M0 ${y(0)}${curve}V${CURVE}H0Z` }),
      svg("path", { class: "lane-return", d: `M0 ${y(0)}${curve}` }),
    ];
    const wide = Math.min(12, Math.max(WIDTH / (last + 1) / 2, 1.5));
    LANES.forEach((lane, n) => {
      const top = CURVE + 4 + n * 8;
      let drawn = -Infinity; // marks that would cover each other are drawn once
      let d = "";
      rows.forEach((row, step) => {
        const x = (step / last) * WIDTH;
        if (row[lane.column] && x - drawn >= 1) {
          const left = Math.min(Math.max(0, x - wide / 2), WIDTH - wide);
          d += `M${left.toFixed(1)} ${top}h${wide.toFixed(1)}v6h-${wide.toFixed(1)}z`;
          drawn = x;
        }
      });
      parts.push(svg("path", { class: `lane-${n}`, d }));
    });
    this.#marks.replaceChildren(...parts);
  }
}
