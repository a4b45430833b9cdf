// Dark or light: as the system has it, until the button is pressed.

import { byId } from "./dom.js";

const KEY = "housemates-theme";
const system = matchMedia("(prefers-color-scheme: dark)");
export const themeChanges = new EventTarget();

export function theme() {
  return localStorage.getItem(KEY) ?? (system.matches ? "dark" : "light");
}

function apply() {
  document.documentElement.dataset.theme = theme();
  themeChanges.dispatchEvent(new Event("change"));
}

export function beginTheme() {
  apply();
  system.addEventListener("change", apply);
  byId("theme").addEventListener("click", () => {
    localStorage.setItem(KEY, theme() === "dark" ? "light" : "dark");
    apply();
  });
}
