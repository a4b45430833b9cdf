// The page of one run.

import { AgentList } from "./agents.js";
import { get, latest } from "./api.js";
import { Control } from "./control.js";
import { Conversation } from "./conversation.js";
import { byId, h, say } from "./dom.js";
import { listenToKeys } from "./keys.js";
import { HouseMap } from "./map.js";
import { AgentPanel } from "./panel.js";
import { Place } from "./place.js";
import { Summary } from "./summary.js";
import { plain } from "./text.js";
import { Timeline } from "./timeline.js";

export async function showRun(name, ofStudy) {
  const api = `/api/runs/${encodeURIComponent(name)}`;
  const head = await get(api);
  const place = new Place();
  const parts = {
    noteOf: "",
    timeline: new Timeline(place, api),
    map: new HouseMap(place, api),
    agents: new AgentList(place),
    conversation: new Conversation(place, api),
    summary: new Summary(head),
    panel: new AgentPanel(place, api),
  };
  const title = head.name;
  const { world, task, agents, method, seed } = head.config;
  const named = world || (typeof task === "object" ? task.name : task); // a task file stands in the settings in full
  const what = task === undefined ? head.model : `${named} · ${agents} ${method} agents · ${head.model} · seed ${seed}`;
  byId("title").replaceChildren(plain(title), h("small", {}, ` ${plain(what)}`));
  byId("main").className = "run";
  byId("main").replaceChildren(
    parts.timeline.element,
    h("div", { class: "world" }, parts.map.element, parts.agents.element, parts.conversation.element),
    h("div", { class: "mind" }, parts.panel.element, parts.summary.element),
  );
  if (ofStudy) byId("top").querySelector(".brand").append(h("span", { class: "back" }, " ‹ study"));

  const step = latest((signal, number) => get(`${api}/steps/${number}`, signal));
  let fault = "";
  const show = async () => {
    document.title = `${plain(title)} · step ${place.step}`;
    if (!place.steps) return;
    const others = [parts.map.show(), parts.conversation.show(), parts.panel.show()];
    try {
      const answer = await step(place.step);
      if (answer) parts.agents.show(answer);
      fault = "";
    } catch (error) {
      fault = error.message;
    }
    say(fault || parts.noteOf);
    await Promise.all(others);
  };
  parts.timeline.settled = () => shown;
  let shown = Promise.resolve();
  place.addEventListener("moved", () => (shown = show().catch((error) => say(error.message))));

  // What was found out about the whole run since: who spoke when, and whose plan changed.
  const reread = (more) => more && Promise.all([parts.conversation.show(), parts.panel.reread()]);

  const follow = (progress) => {
    parts.noteOf = notes(progress);
    if (!fault) say(parts.noteOf);
    showStatus(progress, head.control !== null);
    parts.timeline.lastKind = progress.last_kind;
    parts.control?.show(progress.control);
    if (progress.steps !== place.steps) place.grow(progress.steps);
    Promise.all([parts.timeline.load().then(reread), parts.summary.load(api, progress)]).catch((error) => say(error.message));
  };
  place.begin(head.steps, head.agents);
  if (head.control) parts.control = new Control(api); // after the token was taken from the address
  follow(head);
  listenToKeys(place, parts.timeline);
  if (head.status === "unfinished") listen(`${api}/events`, follow);
}

function listen(path, follow) {
  const source = new EventSource(path);
  source.addEventListener("message", (event) => {
    const progress = JSON.parse(event.data);
    follow(progress);
    if (progress.status !== "unfinished" && (!progress.control || progress.control.over)) source.close();
  });
  source.addEventListener("error", () => say("The viewer's server is gone; what was loaded stays."));
}

function notes(progress) {
  if (progress.fault) return `${plain(progress.fault)} What comes before the damage is shown.`;
  if (progress.torn_bytes && progress.status === "unfinished")
    return `The last record is not whole (${progress.torn_bytes} bytes): it is being written, or the run was killed.`;
  if (progress.error) return plain(progress.error);
  return progress.steps ? "" : "The run has begun; no step is done yet.";
}

function showStatus(progress, ours) {
  const pill = byId("status");
  const words = {
    completed: progress.success ? "solved" : "not solved",
    interrupted: "interrupted",
    failed: "failed",
    unfinished: ours ? "going on" : "no end yet",
  };
  pill.hidden = false;
  pill.textContent = progress.control?.held ? "paused" : (words[progress.status] ?? progress.status);
  pill.dataset.status = progress.status === "completed" && progress.success ? "solved" : progress.status;
}
