// One agent in one step: what it saw, was asked, answered, did, and what it had learned.

import { colourClass, time } from "./agents.js";
import { get, latest, query } from "./api.js";
import { h } from "./dom.js";
import { PlanHistory } from "./plans.js";
import { block, visible } from "./text.js";

const LEARNED = {
  accepted: "The plan was rewritten before it acted.",
  unchanged: "It reflected on the plan and left it as it was.",
  rejected: "A new plan was proposed and rejected:",
};

export class AgentPanel {
  #place;
  #api;
  #ask;
  #history;
  #name = h("h2", { id: "mind-title" });
  #facts = h("div", { class: "facts" });
  #decision = h("div", { class: "decision" });
  #sections = {};

  constructor(place, api) {
    this.#place = place;
    this.#api = api;
    this.#ask = latest((signal, step, agent) => get(`${api}/steps/${step}/agents/${encodeURIComponent(agent)}`, signal));
    this.#history = new PlanHistory(place, api);
    this.element = h(
      "section",
      { class: "card panel", "aria-labelledby": "mind-title" },
      h("div", { class: "heading" }, this.#name),
      this.#facts,
      this.#decision,
      this.#section("thoughts", "Thoughts", true),
      this.#section("plan", "Plan", true),
      this.#history.element,
      this.#section("reply", "Reply of the model", false),
      this.#section("prompt", "Prompt", false),
      this.#section("observation", "Observation", false),
      this.#section("calls", "Model calls", false),
    );
  }

  #section(name, title, open) {
    const body = h("div", { class: "body" });
    this.#sections[name] = { body, note: h("small") };
    return h("details", { open }, h("summary", {}, title, " ", this.#sections[name].note), body);
  }

  async show() {
    const { step, agent, agents } = this.#place;
    if (agent === null) return;
    let answer;
    try {
      answer = await this.#ask(step, agent);
    } catch (error) {
      this.#decision.replaceChildren(h("p", { class: "bad" }, visible(error.message)));
      return;
    }
    if (!answer) return;
    const number = agents.indexOf(agent) + 1;
    this.#name.replaceChildren(h("span", { class: colourClass(number) }, String(number)), " ", visible(agent));
    this.#showFacts(answer);
    this.#showDecision(answer);
    const more = (field) => (start) =>
      get(`${this.#api}/steps/${step}/text?${query({ agent, field, start })}`);
    const nothing = answer.asked ? "none" : "no model was asked in this step";
    for (const field of ["thoughts", "plan", "reply", "prompt", "observation"]) {
      const text = answer.texts[field];
      this.#sections[field].body.replaceChildren(block(text, more(field), field === "plan" ? "no plan yet" : nothing));
      this.#sections[field].note.textContent = text.length ? `${text.length.toLocaleString("en")} characters` : "";
    }
    this.#sections.thoughts.note.textContent = "";
    if (!answer.asked) this.#sections.prompt.note.textContent = "what it would have been asked with";
    this.#showCalls(answer.calls);
    await this.#history.show();
  }

  reread() {
    return this.#history.show();
  }

  #showFacts(answer) {
    const facts = [["return", `${Number(answer.total.toFixed(2))}`]];
    if (answer.room) facts.push(["room", answer.room]);
    facts.push(["holds", answer.holding.length ? answer.holding.join(", ") : "nothing"]);
    for (const [name, pair] of Object.entries(answer.progress)) facts.push([name, Array.isArray(pair) ? pair.join(" of ") : String(pair)]);
    this.#facts.replaceChildren(...facts.map(([name, value]) => h("span", {}, h("small", {}, visible(name)), " ", h("b", {}, visible(value)))));
  }

  #showDecision(answer) {
    const { step, agent } = this.#place;
    const more = (field) => (start) => get(`${this.#api}/steps/${step}/text?${query({ agent, field, start })}`);
    const parts = [answer.acted ? block(answer.texts.action, more("action")) : h("p", { class: "text" }, "does nothing")];
    if (answer.how_words) parts.push(h("p", { class: "how" }, h("span", { class: "tag" }, answer.how), " ", answer.how_words));
    if (answer.verdict !== "ok") parts.push(h("p", { class: "tag bad" }, answer.verdict));
    if (answer.texts.detail.length) parts.push(h("div", { class: "outcome" }, h("small", {}, "What came of it"), block(answer.texts.detail, more("detail"))));
    if (answer.texts.error.length) parts.push(h("div", { class: "outcome bad" }, h("small", {}, "Error"), block(answer.texts.error, more("error"))));
    if (answer.update) {
      const words = LEARNED[answer.update.verdict] ?? answer.update.verdict;
      parts.push(h("p", { class: `learned plan-${answer.update.verdict}` }, words, " ", visible(answer.update.reason)));
    }
    this.#decision.replaceChildren(...parts);
  }

  #showCalls(calls) {
    this.#sections.calls.note.textContent = calls.length ? String(calls.length) : "";
    if (!calls.length) return this.#sections.calls.body.replaceChildren(h("p", { class: "empty" }, "none"));
    const cells = (tag, values) => h("tr", {}, ...values.map((value) => h(tag, {}, visible(String(value)))));
    const rows = calls.map((call) =>
      cells("td", [
        call.purpose === "act" ? "to act" : "to learn",
        time(call.seconds),
        time((call.queued_s ?? 0) + (call.waited_s ?? 0)),
        call.attempts,
        call.prompt_tokens,
        call.completion_tokens,
        call.error ?? (call.lost ? "lost with its turn" : ""),
      ]),
    );
    const head = cells("th", ["for", "took", "waited", "attempts", "tokens in", "tokens out", "error"]);
    this.#sections.calls.body.replaceChildren(h("div", { class: "wide", tabindex: 0 }, h("table", {}, h("thead", {}, head), h("tbody", {}, ...rows))));
  }
}
