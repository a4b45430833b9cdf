// How an agent's plan came to be what it is: every change, the latest first, with what was put in and taken out.

import { get, latest, query } from "./api.js";
import { h } from "./dom.js";
import { block, visible } from "./text.js";

export class PlanHistory {
  #place;
  #ask;
  #api;
  #shown = new Map(); // the changes on the page, by step and agent
  #body = h("div", { class: "body history" });
  #note = h("small");

  constructor(place, api) {
    this.#place = place;
    this.#api = api;
    this.#ask = latest((signal, until, agent) => get(`${api}/plans?${query({ until, agent })}`, signal));
    this.element = h("details", { open: true }, h("summary", {}, "How the plan came about ", this.#note), this.#body);
    this.element.addEventListener("toggle", () => this.show());
  }

  async show() {
    if (!this.element.open || this.#place.agent === null) return;
    const { step, agent } = this.#place;
    const history = await this.#ask(step, agent);
    if (!history) return;
    const before = this.#shown;
    this.#shown = new Map();
    const changes = history.changes.map((change) => {
      const key = `${change.step} ${agent}`;
      const element = before.get(key) ?? this.#change(change, agent); // what somebody is reading stays as it is
      this.#shown.set(key, element);
      return element;
    });
    if (!changes.length) changes.push(h("p", { class: "empty" }, "it has not changed yet"));
    if (history.earlier) changes.push(h("p", { class: "empty" }, `and ${history.earlier} earlier ones: go back to see them`));
    if (!history.complete) changes.push(h("p", { class: "empty" }, "the journal is still being read"));
    const total = history.changes.length + history.earlier;
    this.#note.textContent = total ? `${total} ${total === 1 ? "lesson" : "lessons"}` : "";
    this.#body.replaceChildren(...changes);
  }

  #change(change, agent) {
    const step = h("a", { href: `#${new URLSearchParams({ step: change.step, agent })}` }, `step ${change.step}`);
    const parts = [h("p", {}, step, " ", h("span", { class: `tag plan-${change.verdict}` }, change.verdict), " ", visible(change.reason))];
    if (change.diff?.length) {
      const kinds = { "-": "del", "+": "ins" };
      const words = change.diff.map(([kind, text]) => (kinds[kind] ? h(kinds[kind], {}, visible(text)) : visible(text)));
      parts.push(h("div", { class: "text diff" }, ...words));
    }
    const more = (field) => (start) => get(`${this.#api}/steps/${change.step}/text?${query({ agent, field, start })}`);
    if (change.plan) parts.push(h("small", {}, "too long to be compared; the new plan:"), block(change.plan, more("plan")));
    if (change.proposal?.length) parts.push(h("small", {}, "what was proposed:"), block(change.proposal, more("proposal")));
    return h("div", { class: "change" }, ...parts);
  }
}
