// A study at a glance: its episodes, and the figures of its report.

import { get } from "./api.js";
import { byId, card, h, say } from "./dom.js";
import { plain, visible } from "./text.js";

const LONG_AGO_S = 900;
const REFRESH_MS = 2000;
// A study of thousands of episodes takes the server a while to look through: it spends no more than a tenth of its time.
const REST = 10;
const COLUMNS = [
  ["status", (row) => h("span", { class: "pill", "data-status": state(row) }, words(row))],
  ["task", (row) => visible(row.task ?? "")],
  ["method", (row) => visible(row.method ?? "")],
  ["agents", (row) => row.agents ?? ""],
  ["model", (row) => visible(row.llm ?? "")],
  ["seed", (row) => row.seed ?? ""],
  ["steps", (row) => row.steps ?? ""],
  ["mean return", (row) => (row.mean_return === undefined ? "" : Number(row.mean_return.toFixed(2)))],
  ["messages", (row) => row.messages ?? ""],
  ["took", (row) => (row.wall_s === undefined ? "" : `${row.wall_s.toFixed(1)} s`)],
];

const state = (row) => (row.status === "completed" && row.success ? "solved" : row.status);

function words(row) {
  if (row.status === "completed") return row.success ? "solved" : "not solved";
  if (row.status !== "unfinished") return row.status;
  return row.quiet_s < LONG_AGO_S ? "going on" : "no end";
}

export function showStudy(study) {
  let shown = "";
  const show = (now) => {
    const seen = JSON.stringify([now.figures, now.episodes.map((row) => ({ ...row, quiet_s: words(row) }))]);
    if (seen === shown) return; // what somebody reads or selects is left alone
    shown = seen;
    const link = document.activeElement?.getAttribute("href");
    draw(now);
    if (link) byId("main").querySelector(`a[href="${CSS.escape(link)}"]`)?.focus();
  };
  const follow = async () => {
    const asked = performance.now();
    try {
      if (!document.hidden) show(await get("/api"));
    } catch {
      return say("The viewer's server is gone; what was loaded stays.");
    }
    setTimeout(follow, Math.max(REFRESH_MS, REST * (performance.now() - asked)));
  };
  show(study);
  setTimeout(follow, REFRESH_MS);
}

function draw(study) {
  byId("title").textContent = plain(study.name);
  document.title = plain(study.name);
  const done = study.episodes.filter((row) => row.status === "completed");
  const solved = done.filter((row) => row.success);
  const varied = Object.entries(study.plan.vary ?? {}).map(([name, values]) => `${name}: ${values.join(", ")}`);
  const rows = study.episodes.map((row) => {
    const link = h("a", { href: `/episode/${encodeURIComponent(row.name)}` }, visible(row.name));
    const error = row.error ? h("small", { class: "bad" }, visible(row.error)) : null;
    return h("tr", {}, h("th", { scope: "row" }, link, error), ...COLUMNS.map(([, cell]) => h("td", {}, cell(row))));
  });
  const head = h("tr", {}, h("th", { scope: "col" }, "episode"), ...COLUMNS.map(([name]) => h("th", { scope: "col" }, name)));
  const table = h("table", {}, h("thead", {}, head), h("tbody", {}, ...rows));
  const figures = study.figures.map((name) => {
    const title = name.replace(/\.png$/, "").replaceAll("_", " ");
    const picture = h("img", { src: `/api/figures/${encodeURIComponent(name)}`, alt: `Figure of the report: ${title}`, loading: "lazy" });
    return h("figure", {}, picture, h("figcaption", {}, plain(title)));
  });
  byId("main").className = "study";
  byId("main").replaceChildren(
    card(
      "Episodes",
      h("p", {}, `${study.episodes.length} begun, ${done.length} completed, ${solved.length} solved. ${plain(varied.join(" · "))}`),
      h("div", { class: "wide", tabindex: 0, role: "region", "aria-label": "Table of episodes" }, table),
    ),
    ...(figures.length ? [card("Report", h("div", { class: "report" }, ...figures))] : []),
  );
  say(study.episodes.length ? "" : "No episode has begun yet.");
}
