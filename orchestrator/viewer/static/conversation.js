// What the agents said to each other, up to the step that is shown.

import { colourClass } from "./agents.js";
import { get, latest, query } from "./api.js";
import { h } from "./dom.js";
import { block, visible } from "./text.js";

export class Conversation {
  #place;
  #api;
  #ask;
  #only = h("input", { type: "checkbox", id: "only" });
  #shown = new Map(); // the messages in the thread, by step and number
  #thread = h("div", { class: "thread", tabindex: 0, role: "region", "aria-label": "Messages" });

  constructor(place, api) {
    this.#place = place;
    this.#api = api;
    this.#ask = latest((signal, parameters) => get(`${api}/messages?${query(parameters)}`, signal));
    const choice = h("label", { class: "choice" }, this.#only, " of the chosen agent only");
    this.element = h(
      "section",
      { class: "card conversation", "aria-labelledby": "conversation-title" },
      h("div", { class: "heading" }, h("h2", { id: "conversation-title" }, "Conversation"), choice),
      this.#thread,
    );
    this.#only.addEventListener("change", () => this.show());
  }

  async show() {
    const { step, agent } = this.#place;
    const answer = await this.#ask({ until: step, agent: this.#only.checked ? agent : null });
    if (!answer) return;
    const before = this.#shown;
    this.#shown = new Map();
    const parts = answer.messages.map((message) => {
      const key = `${message.step} ${message.number}`;
      const element = before.get(key) ?? this.#message(message); // what somebody is reading stays as it is
      element.classList.toggle("now", message.step === step);
      this.#shown.set(key, element);
      return element;
    });
    const changed = before.size !== this.#shown.size || [...this.#shown.keys()].some((key) => !before.has(key));
    if (answer.earlier) parts.unshift(h("p", { class: "empty" }, `${answer.earlier} earlier messages: go back to see them`));
    if (!parts.length) parts.push(h("p", { class: "empty" }, answer.complete ? "Nobody has said anything yet." : "The journal is still being read."));
    if (!changed && parts.length === this.#thread.children.length && this.#shown.size) return;
    this.#thread.replaceChildren(...parts);
    this.#thread.scrollTop = this.#thread.scrollHeight;
  }

  #message(message) {
    const number = this.#place.agents.indexOf(message.sender) + 1;
    const more = (start) =>
      get(`${this.#api}/steps/${message.step}/text?${query({ field: `message:${message.number}`, start })}`);
    return h(
      "div",
      { class: "message" },
      h(
        "p",
        {},
        h("span", { class: colourClass(number) }, String(number)),
        " ",
        h("b", {}, visible(message.sender)),
        " → ",
        visible(message.receiver),
        " ",
        h("a", { href: `#${new URLSearchParams({ step: message.step, agent: this.#place.agent })}` }, `step ${message.step}`),
      ),
      block(message.text, more),
    );
  }
}
