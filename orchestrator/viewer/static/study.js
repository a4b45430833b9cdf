// A study at a glance: its episodes, and the figures of its report.

import { byId, card, h, say } from "./dom.js";
import { plain, visible } from "./text.js";

const LONG_AGO_S = 900;
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
  if (!study.episodes.length) say("No episode has begun yet.");
}
