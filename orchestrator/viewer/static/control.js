// Working a run that goes on: pause, one step, go on, stop. Only with the token.

import { hasToken, post } from "./api.js";
import { byId, h, say } from "./dom.js";
import { plain } from "./text.js";

export class Control {
  #api;
  #waiting = h("span", { class: "waiting" });
  #pause = h("button", {}, "Pause");
  #step = h("button", {}, "One step");
  #stop = h("button", { class: "danger" }, "Stop");
  #paused = false;

  constructor(api) {
    this.#api = api;
    this.#pause.addEventListener("click", () => this.#do(this.#paused ? "resume" : "pause"));
    this.#step.addEventListener("click", () => this.#do("step"));
    this.#stop.addEventListener("click", () => {
      if (confirm("End the run? It can be gone on with later: housemates resume")) this.#do("stop");
    });
    const buttons = hasToken() ? [this.#pause, this.#step, this.#stop] : [];
    byId("control").replaceChildren(this.#waiting, ...buttons);
  }

  show(state) {
    byId("control").hidden = !state || state.over;
    if (!state) return;
    this.#paused = state.paused;
    this.#pause.textContent = state.paused ? "Go on" : "Pause";
    const more = state.waiting_more ? ` and ${state.waiting_more} more` : "";
    this.#waiting.textContent = state.held
      ? "paused before the next step"
      : state.waiting.length
        ? `${state.paused ? "pausing after" : "thinking:"} ${plain(state.waiting.join(", "))}${more}`
        : "";
  }

  async #do(what) {
    try {
      this.show(await post(`${this.#api}/control?do=${what}`));
    } catch (error) {
      say(error.message);
    }
  }
}
