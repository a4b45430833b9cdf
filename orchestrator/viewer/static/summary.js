// The figures of the run.

import { get } from "./api.js";
import { card, h } from "./dom.js";
import { visible } from "./text.js";

const number = (value) => value.toLocaleString("en", { maximumFractionDigits: 2 });

export class Summary {
  #figures = h("dl", { class: "figures" });
  #asked = "";

  constructor(head) {
    const settings = Object.entries(head.config).map(([name, value]) => [name, typeof value === "object" ? JSON.stringify(value) : String(value)]);
    this.element = card(
      "Run",
      this.#figures,
      h("details", {}, h("summary", {}, "Settings"), h("div", { class: "body" }, figures([["version", head.version], ...settings]))),
    );
  }

  async load(api, progress) {
    const state = `${progress.steps} ${progress.status}`;
    if (state === this.#asked) return;
    this.#asked = state;
    let summary = await get(`${api}/summary`);
    for (let delay = 200; !summary?.complete; delay = Math.min(2 * delay, 2000)) {
      if (this.#asked !== state) return;
      if (summary) this.#show(summary);
      await new Promise((done) => setTimeout(done, delay));
      summary = await get(`${api}/summary`);
    }
    this.#show(summary);
  }

  #show(summary) {
    const { llm, optimizer } = summary;
    const returns = Object.values(summary.returns);
    const mean = returns.reduce((a, b) => a + b, 0) / Math.max(1, returns.length);
    const rejected = Object.entries(optimizer.rejected);
    const verdicts = Object.entries(summary.verdicts).filter(([name]) => name !== "ok");
    const rows = [
      ["task", summary.task],
      ["agents", `${summary.agents} ${summary.method}, ${summary.model}, seed ${summary.seed}`],
      ["steps", number(summary.steps)],
      ["mean return", number(mean)],
      ["actions", number(summary.actions)],
      ["messages", number(summary.messages)],
      ["model calls", `${number(llm.calls)} (${number(llm.act_calls)} to act, ${number(llm.learn_calls)} to learn)`],
      ["saved by repeating", number(llm.sticky_saved)],
      ["failed calls", number(llm.failures)],
      ["tokens", `${number(llm.prompt_tokens)} in, ${number(llm.completion_tokens)} out`],
      ["plans", `${number(optimizer.accepted)} rewritten, ${number(optimizer.unchanged)} unchanged`],
      ["plans rejected", rejected.length ? rejected.map(([why, times]) => `${times} ${why}`).join(", ") : "0"],
      ["replies that matched nothing", number(summary.fallbacks)],
    ];
    if (verdicts.length) rows.push(["trouble", verdicts.map(([name, times]) => `${times} ${name}`).join(", ")]);
    if (summary.wall_s) rows.push(["took", `${number(summary.wall_s)} s`]);
    if (summary.times?.steps) rows.push(...timeRows(summary.times));
    this.#figures.replaceChildren(...figures(rows).childNodes);
    if (!summary.complete) this.#figures.append(h("dt", {}, "so far"), h("dd", {}, "the journal is still being read"));
  }
}

const WORDS = { act_s: "acting", learn_s: "learning", queued_s: "queueing", optimizer_s: "optimizer", transport_s: "transport", world_s: "world", journal_s: "journal" };

// Where the steps' time went, the largest parts first, and whom they waited for.
function timeRows({ steps, stragglers }) {
  const all = Object.values(steps).reduce((a, b) => a + b, 0);
  if (!all) return [];
  const parts = Object.entries(steps).map(([name, seconds]) => [WORDS[name] ?? "other", (100 * seconds) / all]);
  const large = parts.filter(([name, share]) => share >= 1 && name !== "other").sort((a, b) => b[1] - a[1]);
  const rest = 100 - large.reduce((sum, [, share]) => sum + share, 0);
  const words = large.map(([name, share]) => `${name} ${Math.round(share)} %`);
  const rows = [["time of the steps", [...words, `the rest ${Math.round(Math.max(0, rest))} %`].join(", ")]];
  if (stragglers.length) rows.push(["waited for", stragglers.slice(0, 3).map((one) => `${one.agent} (${one.steps} steps, ${number(one.s)} s)`).join(", ")]);
  return rows;
}

function figures(rows) {
  return h("dl", { class: "figures" }, ...rows.flatMap(([name, value]) => [h("dt", {}, visible(name)), h("dd", {}, visible(String(value)))]));
}
