// The keyboard: it works wherever the focus is, but in fields and on buttons, where keys have their own meaning.

import { byId } from "./dom.js";

export function listenToKeys(place, timeline) {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || byId("help").open) return;
    const target = event.target;
    if (target.matches("input:not([type=range]), select, textarea")) return;
    if (event.key === " " && target.closest("button, summary, a")) return;
    const far = event.shiftKey ? 10 : 1;
    const actions = {
      " ": () => timeline.toggle(),
      ArrowRight: () => place.goto(place.step + far),
      ArrowLeft: () => place.goto(place.step - far),
      Home: () => place.goto(0),
      End: () => place.goto(place.last),
      ArrowUp: () => place.neighbour(-1),
      ArrowDown: () => place.neighbour(1),
      "?": () => byId("help").showModal(),
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
}
