// What the server shows, a run or a study, decides what the page is.

import { get } from "./api.js";
import { byId, say } from "./dom.js";
import { showRun } from "./run.js";
import { showStudy } from "./study.js";
import { beginTheme } from "./theme.js";

async function main() {
  beginTheme();
  byId("help-button").addEventListener("click", () => byId("help").showModal());
  const episode = location.pathname.match(/^\/episode\/(.+)$/);
  if (episode) return showRun(decodeURIComponent(episode[1]), true);
  const about = await get("/api");
  return about.kind === "study" ? showStudy(about) : showRun(about.run, false);
}

main().catch((error) => {
  byId("title").textContent = "Nothing to show";
  say(error.message);
});
