// The agents of a step: what each did, and how long each thought. Only the rows in sight are made: there may be thousands.

import { h } from "./dom.js";
import { plain, visible } from "./text.js";

const ROW = 46; // pixels, as in the style sheet
const SPARE = 6; // rows made beyond those in sight
const ODD = { random: "drawn at random", sticky: "goes on", reflex: "reflex", similar: "similar", error: "no answer", late: "late" };

const SPANS = ["learning", "optimizer", "acting", "queueing", "other", "waiting"]; // as the server has them

export const colourClass = (number) => `person person-${(number - 1) % 7}`;
export const time = (seconds) => (seconds >= 0.995 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds * 1000)} ms`);

export class AgentList {
  #place;
  #step = null;
  #shown = [];
  #filter = h("input", { type: "search", placeholder: "Find an agent, a room, an action", "aria-label": "Find" });
  #rows = h("div", { class: "rows" });
  #list = h("div", { class: "list", role: "listbox", tabindex: 0, "aria-label": "Agents" }, this.#rows);
  #times = h("p", { class: "times" });

  constructor(place) {
    this.#place = place;
    const head = h("h2", { id: "agents-title" }, "Agents");
    this.element = h(
      "section",
      { class: "card agents", "aria-labelledby": "agents-title" },
      h("div", { class: "heading" }, head, this.#filter),
      this.#list,
      this.#times,
    );
    this.#filter.addEventListener("input", () => this.#sift());
    this.#list.addEventListener("scroll", () => this.#draw());
    this.#list.addEventListener("click", (event) => {
      const row = event.target.closest("[data-agent]");
      if (row) place.select(row.dataset.agent);
    });
    place.addEventListener("moved", () => this.#reveal());
    new ResizeObserver(() => this.#draw()).observe(this.#list);
  }

  show(step) {
    this.#step = step;
    this.#filter.hidden = step.rows.length <= 8;
    step.rows.forEach((row, n) => (row.number = n + 1));
    const seen = SPANS.filter((name) => step.rows.some((row) => row.spans[name]));
    if (step.world_s !== null) seen.push("world");
    this.#times.replaceChildren(
      ...seen.map((name) => h("span", { class: `key span-${name}` }, name)),
      h("span", {}, `The step took ${time(step.step_s)}${this.#parts(step)}.`),
    );
    this.#sift();
  }

  // What the step's time went into: the turns, of which the last one counts, and the world's step.
  #parts(step) {
    const busy = (row) => Object.entries(row.spans).reduce((sum, [name, seconds]) => (name === "waiting" ? sum : sum + seconds), 0);
    const longest = Math.max(...step.rows.map(busy));
    if (step.world_s === null) return longest > 0 ? `, ${time(longest)} of it for a model` : "; no model was asked";
    const last = step.rows.find((row) => busy(row) === longest);
    return `: ${time(step.turns_s)} for the turns, of which ${plain(last.agent)}’s was the longest, ${time(step.world_s)} for the world`;
  }

  #sift() {
    const wanted = this.#filter.hidden ? "" : this.#filter.value.toLowerCase();
    this.#shown = this.#step.rows.filter(
      (row) => !wanted || `${row.agent} ${row.room} ${row.action ?? ""} ${row.verdict}`.toLowerCase().includes(wanted),
    );
    this.#rows.style.height = `${this.#shown.length * ROW}px`;
    this.#reveal();
  }

  // Bring the agent that is looked at into sight.
  #reveal() {
    const at = this.#shown.findIndex((row) => row.agent === this.#place.agent);
    if (at >= 0) {
      const top = at * ROW;
      if (top < this.#list.scrollTop) this.#list.scrollTop = top;
      const bottom = top + ROW - this.#list.clientHeight;
      if (bottom > this.#list.scrollTop) this.#list.scrollTop = bottom;
    }
    this.#draw();
  }

  #draw() {
    if (!this.#step) return;
    const from = Math.max(0, Math.floor(this.#list.scrollTop / ROW) - SPARE);
    const to = Math.ceil((this.#list.scrollTop + this.#list.clientHeight) / ROW) + SPARE;
    this.#rows.replaceChildren(...this.#shown.slice(from, to).map((row, n) => this.#row(row, from + n)));
    if (!this.#shown.length) this.#rows.append(h("div", { role: "option", class: "empty", "aria-selected": "false" }, "nobody"));
    const selected = this.#rows.querySelector("[aria-selected=true]");
    if (selected) this.#list.setAttribute("aria-activedescendant", selected.id);
    else this.#list.removeAttribute("aria-activedescendant");
  }

  #row(row, at) {
    const odd = ODD[row.how];
    const element = h(
      "div",
      {
        role: "option",
        class: "row",
        id: `agent-row-${row.number}`,
        "aria-selected": String(row.agent === this.#place.agent),
        "aria-posinset": at + 1,
        "aria-setsize": this.#shown.length,
      },
      h("span", { class: colourClass(row.number) }, String(row.number)),
      h("span", { class: "who" }, h("b", {}, visible(row.agent)), h("small", {}, visible(row.room))),
      h(
        "span",
        { class: "what" },
        h("code", {}, row.action === null ? "nothing" : visible(row.action)),
        odd ? h("small", { class: "tag" }, odd) : null,
        row.verdict === "ok" ? null : h("small", { class: "tag bad" }, `${row.verdict}: `, visible(row.detail)),
        row.update ? h("small", { class: `tag plan-${row.update}` }, `plan ${row.update}`) : null,
      ),
      this.#bar(row),
      h("span", { class: "return", title: "return" }, this.#gain(row), String(Number(row.total.toFixed(2)))),
    );
    element.style.top = `${at * ROW}px`;
    element.dataset.agent = row.agent;
    return element;
  }

  #gain(row) {
    return row.reward ? h("small", { class: "gain" }, `${row.reward > 0 ? "+" : ""}${Number(row.reward.toFixed(2))} `) : null;
  }

  #bar(row) {
    const { turns_s, world_s } = this.#step;
    const all = Math.max(1e-9, turns_s + (world_s ?? 0));
    const bar = h("span", { class: "bar" });
    const spans = SPANS.filter((name) => row.spans[name]).map((name) => [name, row.spans[name]]);
    bar.title = spans.map(([name, seconds]) => `${name} ${time(seconds)}`).join(", ") || "no model was asked";
    for (const [name, seconds] of spans) bar.append(piece(name, seconds / all));
    if (world_s) {
      bar.append(h("span", { class: "grow" }), piece("world", world_s / all));
      bar.title += `; then the world ${time(world_s)}`;
    }
    return bar;
  }
}

function piece(name, share) {
  const part = h("span", { class: `span-${name}` });
  part.style.width = `${share * 100}%`;
  return part;
}
