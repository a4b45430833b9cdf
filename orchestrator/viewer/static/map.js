// The map: the household after the step, drawn by the server. Worlds without a map have none.

import { latest, query } from "./api.js";
import { h } from "./dom.js";
import { plain } from "./text.js";
import { theme, themeChanges } from "./theme.js";

const PATIENCE_MS = 150; // between looks at a scene that is still being brought to the step

export class HouseMap {
  #place;
  #ask;
  #picture = h("img", { alt: "", hidden: true });
  #note = h("p", { class: "empty" });
  #all = h("input", { type: "checkbox", id: "all-seen", checked: true });
  #larger = h("button", { class: "small", "aria-pressed": "false" }, "Larger");
  #none = false;

  constructor(place, api) {
    this.#place = place;
    this.#ask = latest(async (signal, step, parameters) => {
      const response = await fetch(`${api}/steps/${step}/map?${query(parameters)}`, { signal });
      const { headers } = response;
      if (response.status === 204) return { missing: headers.get("X-Scene-Note") };
      if (!response.ok) return { missing: await response.text() };
      return {
        picture: await response.blob(),
        behind: Number(headers.get("X-Scene-Behind")),
        note: headers.get("X-Scene-Note"),
      };
    });
    this.element = h(
      "section",
      { class: "card map", "aria-labelledby": "map-title" },
      h(
        "div",
        { class: "heading" },
        h("h2", { id: "map-title" }, "Household"),
        h("label", { class: "choice" }, this.#all, " all rooms, not only what the chosen agent sees"),
        this.#larger,
      ),
      this.#picture,
      this.#note,
    );
    this.#all.addEventListener("change", () => this.show());
    this.#larger.addEventListener("click", () => {
      this.#larger.setAttribute("aria-pressed", String(this.element.classList.toggle("large")));
    });
    themeChanges.addEventListener("change", () => this.show());
  }

  async show() {
    if (this.#none || !this.#place.steps) return;
    const { step, agent } = this.#place;
    for (;;) {
      const drawn = await this.#ask(step, { theme: theme(), agent: this.#all.checked ? null : agent });
      if (!drawn) return;
      if (drawn.missing !== undefined) return this.#giveUp(drawn.missing);
      await this.#put(drawn.picture, step);
      const wait = drawn.behind > 0 && !drawn.note;
      this.#note.textContent = drawn.note || (wait ? `Things are still shown as they were ${drawn.behind} steps before.` : "");
      if (!wait || this.#place.step !== step) return;
      await new Promise((done) => setTimeout(done, PATIENCE_MS));
      if (this.#place.step !== step) return;
    }
  }

  async #put(picture, step) {
    const old = this.#picture.src;
    const next = URL.createObjectURL(picture);
    this.#picture.src = next;
    this.#picture.alt = `Floor plan after step ${step}, with everybody where they are`;
    this.#picture.hidden = false;
    await this.#picture.decode().catch(() => {}); // taken back by the next picture
    if (old) URL.revokeObjectURL(old);
  }

  // Without a map the page is a text timeline.
  #giveUp(why) {
    this.#none = !this.#picture.src;
    if (this.#none) this.element.hidden = true;
    this.#note.textContent = plain(why);
  }
}
