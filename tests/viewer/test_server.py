"""The server: what it answers, and to whom it does not."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from housemates.orchestrator.errors import StartError
from housemates.orchestrator.journal.log import FILE_NAME, MAGIC
from housemates.orchestrator.pause import Gate
from housemates.orchestrator.viewer.control import Control
from housemates.orchestrator.viewer.server import MAX_LISTENERS, Viewer

from . import journals

Ask = Callable[..., Awaitable[tuple[int, Any]]]


@asynccontextmanager
async def viewed(folder: Path, **how: Any) -> AsyncIterator[tuple[Ask, str]]:
    """A viewer of a folder: asks it for a path, and gives the status with the JSON, or the text if it is none."""
    viewer = Viewer(folder, **how)
    address = (await viewer.start()).partition("#")[0].rstrip("/")
    async with aiohttp.ClientSession() as session:

        async def ask(path: str, method: str = "GET", **more: Any) -> tuple[int, Any]:
            async with session.request(method, address + path, **more) as response:
                text = await response.text()
                return response.status, json.loads(text) if response.content_type == "application/json" else text

        try:
            yield ask, address
        finally:
            await viewer.close()


async def surveyed(ask: Ask, run: str = "run") -> dict[str, Any]:
    """The track of a run, when all of it has been read."""
    while True:
        _, track = await ask(f"/api/runs/{run}/track")
        if track["complete"]:
            return track


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example:{port}", ""])
async def test_a_request_under_another_name_is_refused(tmp_path: Path, host: str) -> None:
    journals.long_run(tmp_path, 1, 1)
    async with viewed(tmp_path) as (ask, address):
        port = address.rpartition(":")[2]
        status, text = await ask("/api/runs/run", headers={"Host": host.format(port=port)})
        assert status == 403 and "Agent_1" not in text


@pytest.mark.parametrize("path", ["/", "/static/main.js", "/api/runs/run", "/api/runs/none"])
async def test_every_answer_forbids_what_is_not_ours(tmp_path: Path, path: str) -> None:
    journals.long_run(tmp_path, 1, 1)
    async with viewed(tmp_path) as (_, address), aiohttp.request("GET", address + path) as response:
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "script-src 'self'" in policy and "unsafe" not in policy
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/static/..%2fserver.py", "/static/%2e%2e/server.py", "/static/server.py", "/etc"])
async def test_only_the_files_of_the_page_are_served(tmp_path: Path, path: str) -> None:
    journals.long_run(tmp_path, 1, 1)
    async with viewed(tmp_path) as (ask, _):
        status, _ = await ask(path)
        assert status == 404


async def test_the_page_asks_for_nothing_from_elsewhere_and_writes_no_markup() -> None:
    static = Path(journals.__file__).parents[2] / "orchestrator" / "viewer" / "static"
    for path in static.iterdir():
        text = path.read_text().replace("http://www.w3.org/2000/svg", "")
        assert "://" not in text, path
        assert not any(word in text for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write")), (
            path
        )
    assert "<script>" not in (static / "index.html").read_text()


async def test_control_needs_the_token(tmp_path: Path) -> None:
    journals.write(tmp_path, journals.begin(1), journals.step(0, 1))
    control = Control(Gate())
    async with viewed(tmp_path, control=control) as (ask, _):
        for headers in ({}, {"X-Housemates-Token": ""}, {"X-Housemates-Token": control.token + "x"}):
            assert (await ask("/api/runs/run/control?do=pause", "POST", headers=headers))[0] == 403
        assert not control.gate.paused
        right = {"X-Housemates-Token": control.token}
        assert (await ask("/api/runs/run/control?do=pause", "POST", headers=right))[1]["paused"]
        assert control.gate.paused
        assert (await ask("/api/runs/run/control?do=explode", "POST", headers=right))[0] == 400


async def test_a_recorded_run_cannot_be_controlled(tmp_path: Path) -> None:
    journals.long_run(tmp_path, 1, 1)
    async with viewed(tmp_path) as (ask, _):
        status, _ = await ask("/api/runs/run/control?do=stop", "POST", headers={"X-Housemates-Token": ""})
        assert status == 403


async def test_a_run_that_is_over_cannot_be_controlled(tmp_path: Path) -> None:
    journals.long_run(tmp_path, 1, 1)
    control = Control(Gate(), over=True)
    async with viewed(tmp_path, control=control) as (ask, _):
        right = {"X-Housemates-Token": control.token}
        assert (await ask("/api/runs/run/control?do=stop", "POST", headers=right))[0] == 400


@pytest.mark.parametrize(
    "path",
    [
        "/api/runs/run/steps/99",
        "/api/runs/run/steps/0/agents/Nobody",
        "/api/runs/run/steps/0/text?agent=Agent_1&field=state",
        "/api/runs/run/steps/0/text?field=message:7",
        "/api/runs/run/steps/0/text?field=message:x",
        "/api/runs/other",
        "/api/figures/..%2fjournal.msgpack",
    ],
)
async def test_what_there_is_not_is_not_found(tmp_path: Path, path: str) -> None:
    journals.long_run(tmp_path, 1, 1)
    async with viewed(tmp_path) as (ask, _):
        assert (await ask(path))[0] == 404


@pytest.mark.parametrize("step", ["-1", "1e3", "٣", "9" * 40])
async def test_a_step_is_a_number(tmp_path: Path, step: str) -> None:
    journals.long_run(tmp_path, 1, 1)
    async with viewed(tmp_path) as (ask, _):
        assert (await ask(f"/api/runs/run/steps/{step}"))[0] == 400


async def test_a_damaged_step_is_named_and_the_others_are_answered(tmp_path: Path) -> None:
    journals.long_run(tmp_path, 3, 1)
    path = tmp_path / FILE_NAME
    data = bytearray(path.read_bytes())
    data[-200 - len(data) // 3] ^= 255
    path.write_bytes(bytes(data))
    async with viewed(tmp_path) as (ask, _):
        answers = [await ask(f"/api/runs/run/steps/{step}") for step in range(3)]
        assert sorted(status for status, _ in answers) == [200, 200, 422]
        assert any("damaged at byte" in text for status, text in answers if status == 422)
        await surveyed(ask)
        assert "damaged at byte" in (await ask("/api/runs/run"))[1]["fault"]


async def test_a_record_of_another_make_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    strange = journals.step(1, 1)
    del strange["agents"]["Agent_1"]["verdict"]
    journals.write(tmp_path, journals.begin(1), journals.step(0, 1), strange, journals.step(2, 1))
    async with viewed(tmp_path) as (ask, _):
        assert len((await surveyed(ask))["rows"]) == 3
        assert (
            "record 2 is not as this version writes them (KeyError('verdict'))"
            in ((await ask("/api/runs/run"))[1]["fault"])
        )
        assert (await ask("/api/runs/run/steps/2"))[0] == 200


async def test_the_track_tells_where_something_happened(tmp_path: Path) -> None:
    failed = {"Agent_1": {"update": journals.lesson("rejected", "no")}}
    journals.write(
        tmp_path,
        journals.begin(2),
        journals.step(0, 2, said="hello"),
        journals.step(1, 2),
        journals.step(2, 2, failed),
    )
    async with viewed(tmp_path) as (ask, _):
        rows = (await surveyed(ask))["rows"]
        assert [row[2] for row in rows] == [1, 0, 0]  # messages
        assert [row[4] for row in rows] == [0, 2, 0]  # plans accepted
        assert [row[5] for row in rows] == [0, 0, 1]  # plans rejected


async def test_a_step_that_was_broken_off_and_done_again_is_told_once(tmp_path: Path) -> None:
    broken = {**journals.step(1, 1), "kind": "abandoned", "result": None}
    resumed = {"kind": "resumed", "step": 1, "version": "0"}
    first = [journals.begin(1), journals.step(0, 1), broken, journals.END]
    journals.write(tmp_path, *first, resumed, journals.step(1, 1), journals.END)
    async with viewed(tmp_path) as (ask, _):
        assert len((await surveyed(ask))["rows"]) == 2
        assert [c["step"] for c in (await ask("/api/runs/run/plans?until=9&agent=Agent_1"))[1]["changes"]] == [1]


async def test_a_study_tells_of_every_episode_also_of_broken_ones(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text("[vary]\nseed = [1, 2, 3]\n")
    episodes = tmp_path / "episodes"
    journals.long_run(episodes / "a", 2, 1)
    (episodes / "a" / "summary.json").write_text('{"status": "completed"')
    (episodes / "b").mkdir()
    (episodes / "b" / FILE_NAME).write_bytes(MAGIC)
    (episodes / "b" / "run.toml").write_text('task = "read_book"\n')
    async with viewed(tmp_path, study=True) as (ask, _):
        about = (await ask("/api"))[1]
        assert [row["name"] for row in about["episodes"]] == ["a", "b"]
        assert "summary.json" in about["episodes"][0]["error"] or "run.toml" in about["episodes"][0]["error"]
        assert about["episodes"][1]["task"] == "read_book"
        assert (await ask("/api/runs/a"))[1]["steps"] == 2
        assert (await ask("/api/runs/b"))[0] == 422
        assert (await ask("/api/runs/..%2fepisodes%2fa"))[0] == 404


async def test_the_figures_of_a_report_are_shown(tmp_path: Path) -> None:
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "actions.png").write_bytes(b"png")
    (tmp_path / "report" / "secret.txt").write_text("no")
    async with viewed(tmp_path, study=True) as (ask, _):
        assert (await ask("/api"))[1]["figures"] == ["actions.png"]
        assert (await ask("/api/figures/actions.png"))[0] == 200
        assert (await ask("/api/figures/secret.txt"))[0] == 404


async def test_so_many_pages_may_listen_and_no_more(tmp_path: Path) -> None:
    journals.long_run(tmp_path, 1, 1)
    async with (
        viewed(tmp_path) as (ask, address),
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as all_,
    ):
        streams = [await all_.get(address + "/api/runs/run/events") for _ in range(MAX_LISTENERS)]
        assert (await streams[-1].content.readline()).startswith(b"data: ")
        assert (await ask("/api/runs/run/events"))[0] == 503
        for stream in streams:
            stream.close()


async def test_a_port_that_is_taken_is_told_in_one_line(tmp_path: Path) -> None:
    async with viewed(tmp_path, study=True) as (_, address):
        with pytest.raises(StartError, match="cannot serve the page on port"):
            await Viewer(tmp_path, study=True).start(int(address.rpartition(":")[2]))


async def test_a_step_tells_what_everybodys_time_went_into_and_the_worlds(tmp_path: Path) -> None:
    step = journals.step(0, 2) | {"step_s": 2.5, "turns_s": 2.0, "world_s": 0.25, "journal_s": 0.125}
    step["agents"]["Agent_1"]["times"] = {"act_s": 1.0, "agent_s": 0.25, "transport_s": 0.25, "barrier_s": 0.5}
    step["agents"]["Agent_2"]["times"] = {"learn_s": 1.0, "optimizer_s": 1.0}
    journals.write(tmp_path, journals.begin(2), step)
    async with viewed(tmp_path) as (ask, _):
        _, answer = await ask("/api/runs/run/steps/0")
    assert [row["spans"] for row in answer["rows"]] == [
        {"acting": 1.0, "other": 0.5, "waiting": 0.5},
        {"learning": 1.0, "optimizer": 1.0},
    ]
    assert (answer["turns_s"], answer["world_s"]) == (2.0, 0.25)


async def test_an_older_journal_tells_how_long_the_models_took(tmp_path: Path) -> None:
    journals.long_run(tmp_path, 1, 1)
    async with viewed(tmp_path) as (ask, _):
        _, answer = await ask("/api/runs/run/steps/0")
    assert answer["rows"][0]["spans"] == {"acting": 0.5}
    assert (answer["turns_s"], answer["world_s"]) == (0.5, None)


@pytest.mark.parametrize(("own", "expected"), [({}, "Ask Agent_1."), ({"organization": "Be led."}, "Be led.")])
async def test_the_prompt_has_the_line_about_the_organization(tmp_path: Path, own: Any, expected: str) -> None:
    config = {"organization": "Ask\nAgent_1.", "agent": [{"name": "Agent_2", **own}]}
    journals.write(tmp_path, journals.begin(2, **config), journals.step(0, 2))
    async with viewed(tmp_path) as (ask, _):
        _, answer = await ask("/api/runs/run/steps/0/agents/Agent_2")
    assert f"Organization instructions: {expected}\n" in answer["texts"]["prompt"]["text"]
    assert "Organization" not in answer["texts"]["observation"]["text"]
