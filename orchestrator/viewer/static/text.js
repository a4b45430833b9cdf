// Untrusted text: shown as it is, with what cannot be seen made visible, and cut where it is long.

import { h } from "./dom.js";

// Control characters (escape sequences of terminals are made of them), characters that turn the direction of text
// around, and characters without width. Line breaks and tabs stay.
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/gu;

const sign = (character) => `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;

// The text as nodes; every hidden character is a small sign.
export function visible(text) {
  const parts = document.createDocumentFragment();
  let last = 0;
  for (const match of text.matchAll(HIDDEN)) {
    parts.append(text.slice(last, match.index), h("span", { class: "sign" }, sign(match[0])));
    last = match.index + match[0].length;
  }
  parts.append(text.slice(last));
  return parts;
}

// The same as a string, for places that take no nodes.
export const plain = (text) => text.replaceAll(HIDDEN, sign);

const count = (number) => number.toLocaleString("en");

// A block of text of which only the beginning may be here; `more(start)` fetches what follows.
export function block(clipped, more, empty = "nothing") {
  if (!clipped.length) return h("p", { class: "empty" }, empty);
  const text = h("pre", { class: "text", tabindex: "0" }, visible(clipped.text));
  // The server counts characters as code points.
  let shown = [...clipped.text].length;
  if (shown >= clipped.length) return text;
  const button = h("button", { class: "small" });
  const label = () => (button.textContent = `Load more (${count(shown)} of ${count(clipped.length)} characters)`);
  button.addEventListener("click", async () => {
    button.disabled = true;
    const next = await more(shown);
    text.append(visible(next.text));
    shown += [...next.text].length;
    button.disabled = false;
    if (shown >= clipped.length || !next.text) button.remove();
    else label();
  });
  label();
  return h("div", {}, text, button);
}
