// Where one is in a run: the step and the agent. It stands in the address, so that it can be passed on.

import { takeToken } from "./api.js";

export class Place extends EventTarget {
  step = 0;
  agent = null;
  steps = 0;
  agents = [];

  constructor() {
    super();
    addEventListener("hashchange", () => this.#fromAddress());
  }

  begin(steps, agents) {
    this.steps = steps;
    this.agents = agents;
    this.agent = agents[0] ?? null;
    this.#fromAddress();
  }

  get last() {
    return Math.max(0, this.steps - 1);
  }

  goto(step) {
    const to = Math.min(Math.max(0, Math.round(step)), this.last);
    if (to === this.step) return;
    this.step = to;
    this.#changed();
  }

  select(agent) {
    if (agent === this.agent || !this.agents.includes(agent)) return;
    this.agent = agent;
    this.#changed();
  }

  neighbour(offset) {
    const to = this.agents.indexOf(this.agent) + offset;
    this.select(this.agents[Math.min(Math.max(0, to), this.agents.length - 1)]);
  }

  grow(steps) {
    const following = this.step >= this.last;
    this.steps = steps;
    if (this.step > this.last) this.step = this.last;
    this.dispatchEvent(new Event("grown"));
    if (following) this.goto(this.last);
  }

  #fromAddress() {
    const parameters = new URLSearchParams(location.hash.slice(1));
    takeToken(parameters);
    const step = Number.parseInt(parameters.get("step") ?? "", 10);
    if (Number.isFinite(step)) this.step = Math.min(Math.max(0, step), this.last);
    const agent = parameters.get("agent");
    if (this.agents.includes(agent)) this.agent = agent;
    this.#changed();
  }

  #changed() {
    const parameters = new URLSearchParams({ step: this.step });
    if (this.agent !== null) parameters.set("agent", this.agent);
    history.replaceState(null, "", `#${parameters}`);
    this.dispatchEvent(new Event("moved"));
  }
}
