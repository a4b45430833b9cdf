"""A recorded run is played back to the same trajectory, without any model."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tomllib
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from housemates.actors.agent import AgentSpec
from housemates.actors.cassette import MAGIC, CassetteWriter, read_cassette
from housemates.actors.host import AgentHost
from housemates.actors.model.chat import Endpoint
from housemates.actors.turn import Ask
from housemates.env.world import Observation
from housemates.orchestrator.config import RunConfig, make_config
from housemates.orchestrator.errors import ConfigError, StartError
from housemates.orchestrator.journal.log import read_journal
from housemates.orchestrator.run import run
from housemates.orchestrator.taping import Taping

from .thread_server import ThreadServer

KEY = "sk-SENTINEL-0123456789abcdef"
CAPRICES = ("act", "act", "act", "nonsense", "nearly", "nothing", "refused")


def caprice(body: dict[str, Any], rng: random.Random) -> str | None:
    """What a moody model answers; None to refuse."""
    mood = rng.choice(CAPRICES)
    if mood == "nonsense":
        return f"zz {rng.random()}"
    if mood in ("nothing", "refused"):
        return "" if mood == "nothing" else None
    if "#Feedback" in str(body["messages"]):
        text = json.dumps({"reasoning": "r", "suggestion": {"plan0": f"plan {rng.random()}"}})
    else:
        text = json.dumps({"thoughts": "t", "action": rng.choice("ABCD")})
    return text[:-2] if mood == "nearly" else text


class MoodyServer(ThreadServer):
    """A model whose replies nobody can foresee."""

    def __init__(self) -> None:
        self.requests = 0
        self._rng = random.Random()  # unseeded, which is the point
        super().__init__(self._answer)

    async def _answer(self, request: web.Request) -> web.Response:
        self.requests += 1
        text = caprice(await request.json(), self._rng)
        if text is None:
            return web.json_response({"error": {"message": "not today"}}, status=400)
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
        return web.json_response({"choices": [choice], "usage": {"prompt_tokens": 7, "completion_tokens": 3}})


@pytest.fixture
def moody() -> Iterator[MoodyServer]:
    server = MoodyServer()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def scripted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A recorded run of the scripted model: its cassette and its summary."""
    folder = tmp_path_factory.mktemp("scripted")
    config = make_config(llm="scripted", runtime="inline", steps=12, seed=3)
    return folder / "c", run(config, folder / "run", record=folder / "c").summary


def replaying(cassette: Path, **values: Any) -> RunConfig:
    return make_config(**{"llm": f"replay:{cassette}", "runtime": "inline"} | values)


def figures(summary: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in summary.items() if name not in ("wall_s", "times")}


def test_a_recorded_run_is_played_back_to_the_same_digest_and_figures(
    scripted: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    cassette, summary = scripted
    assert figures(run(replaying(cassette), tmp_path / "again").summary) == figures(summary)


@pytest.mark.ray
def test_where_the_agents_live_does_not_matter_for_a_replay(
    scripted: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    cassette, summary = scripted
    again = run(replaying(cassette, runtime="ray"), tmp_path / "again", record=tmp_path / "copy")
    assert again.summary["digest"] == summary["digest"]
    assert read_cassette(tmp_path / "copy") == read_cassette(cassette)


@pytest.mark.parametrize("feedback", ["return", "return+verdicts"])
def test_replies_that_nobody_can_foresee_are_played_back_failures_included(
    feedback: str, moody: MoodyServer, tmp_path: Path
) -> None:
    values = {"steps": 25, "agents": 3, "feedback": feedback, "credit_steps": 2}
    config = make_config(llm="openai:moody", base_url=moody.url, runtime="inline", **values)
    recorded = run(config, tmp_path / "run", record=tmp_path / "c").summary
    llm, asked = recorded["llm"], moody.requests
    assert llm["failures"] > 0 and recorded["fallbacks"] > 0 and recorded["repaired"] > 0
    again = run(replaying(tmp_path / "c"), tmp_path / "again").summary
    assert again["digest"] == recorded["digest"]
    assert (again["llm"], again["optimizer"], again["repaired"]) == (llm, recorded["optimizer"], recorded["repaired"])
    assert moody.requests == asked, "no model is asked"


def test_no_key_and_no_address_is_on_a_cassette(
    moody: MoodyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    key = {"key_env": "OPENAI_API_KEY"}
    config = make_config(llm="openai:moody", base_url=moody.url, runtime="inline", steps=3, **key)
    run(config, tmp_path / "run", record=tmp_path / "c")
    content = zlib.decompress((tmp_path / "c").read_bytes()[len(MAGIC) :])
    assert b"moody" in content and KEY.encode() not in content and moody.url.encode() not in content


def test_the_exchanges_are_not_in_the_journal(scripted: tuple[Path, dict[str, Any]]) -> None:
    records = read_journal(scripted[0].parent / "run" / "journal.msgpack")
    turns = [part["turn"] for r in records if r["kind"] in ("step", "lesson") for part in r["agents"].values()]
    assert turns and all("exchanges" not in turn for turn in turns)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"seed": 4}, "recorded with seed 3, not 4"),
        ({"task": "read_book"}, "recorded with task 'put_dishwasher', not 'read_book'"),
        ({"learn_every": 2}, "recorded with learn-every 1, not 2"),
        ({"organization": "Agent_1 leads."}, "recorded with organization '', not 'Agent_1 leads.'"),
    ],
)
def test_a_cassette_of_another_run_is_refused(
    values: dict[str, Any], words: str, scripted: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="was recorded with") as caught:
        run(replaying(scripted[0], **values), tmp_path / "run")
    assert words in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_the_configuration_of_a_replay_does_it_again(scripted: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    run(replaying(scripted[0]), tmp_path / "one")
    values = tomllib.loads((tmp_path / "one" / "run.toml").read_text())
    assert run(make_config(**values), tmp_path / "two").summary["digest"] == scripted[1]["digest"]


def altered(cassette: Path, to: Path, *, drop_from: int = 10**9, digest: str | None = None) -> Path:
    """The same cassette without the exchanges from a step on, or with another digest."""
    whole = read_cassette(cassette)
    writer = CassetteWriter(to)
    writer.begin(whole.config)
    for agent, reel in whole.reels.items():
        for step, exchanges in reel.exchanges.items():
            for exchange in exchanges if step < drop_from else ():
                writer.exchange(agent, step, {k: getattr(exchange, k) for k in exchange.__dataclass_fields__})
    writer.close(whole.status, digest or whole.digest)
    return to


def test_a_missing_reply_ends_the_replay_and_names_the_agent_and_the_step(
    scripted: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    short = altered(scripted[0], tmp_path / "short", drop_from=4)
    with pytest.raises(
        StartError, match=r"^Agent_\d: step [4-9]: nothing to replay: no call was recorded in this step"
    ):
        run(replaying(short), tmp_path / "run")


def test_a_replay_that_goes_another_way_is_not_taken_for_the_recorded_run(
    scripted: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    other = altered(scripted[0], tmp_path / "other", digest="0" * 64)
    with pytest.raises(StartError, match="went another way"):
        run(replaying(other), tmp_path / "run")
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["status"] == "failed"


async def test_a_turn_that_did_not_count_is_not_taken_in_the_replay(tmp_path: Path) -> None:
    commits: list[Any] = []
    taping = Taping(make_config(llm="scripted"), tmp_path / "c", commits.append)
    lost = {"turn": None, "verdict": "late", "detail": "no answer within 3 s"}
    taping.record({"kind": "begin", "agents": ["Agent_1"]})
    taping.record({"kind": "step", "step": 0, "agents": {"Agent_1": lost}})
    taping.close("completed", "d")
    reel = read_cassette(tmp_path / "c").reels["Agent_1"]
    assert reel.missing == {0: True}
    host = AgentHost(
        [AgentSpec(name="Agent_1", tape=reel.packed())], Endpoint(base_url="http://replayed.invalid/v1", model="m")
    )
    seen = Observation(text="Plan: $PLAN$", choices=(), key="k")
    answer = await host.turn(Ask(agent="Agent_1", step=0, attempt=1, version=0, observation=seen, feedback=""))
    assert answer.failure and answer.failure.kind == "late"


def housemates(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "housemates.orchestrator.cli", "run", "--runtime", "inline", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=cwd)


def test_the_command_line_records_and_replays(scripted: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    done = housemates("--llm", "scripted", "--steps", "12", "--seed", "3", "--record", "c", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    done = housemates("--llm", "replay:c", cwd=tmp_path)
    assert done.returncode == 0 and scripted[1]["digest"] in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--llm", "replay:none"], 2, "cannot read the cassette none"),
        (["--llm", "replay:c", "--seed", "9"], 2, "c was recorded with seed 3, not 9"),
        (["--llm", "replay:text"], 2, "text is not a cassette"),
        (["--llm", "replay:torn"], 2, "torn has no end"),
        (["--llm", "replay:short"], 3, ": nothing to replay: no call was recorded"),
        (["--llm", "scripted", "--record", "text"], 2, "text exists already"),
        (["--llm", "scripted", "--record", "/proc/none/c"], 2, "cannot record to /proc/none/c"),
    ],
)
def test_a_mistake_gets_one_line_and_its_exit_code(
    arguments: list[str], code: int, words: str, scripted: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    (tmp_path / "text").write_text("no cassette")
    (tmp_path / "c").write_bytes(scripted[0].read_bytes())
    (tmp_path / "torn").write_bytes(scripted[0].read_bytes()[:-100])
    altered(scripted[0], tmp_path / "short", drop_from=4)
    done = housemates(*arguments, cwd=tmp_path)
    assert done.returncode == code and words in done.stderr, done.stderr
    assert done.stderr.startswith("housemates: ") and done.stderr.count("\n") == 1


def test_a_cassette_does_not_say_which_code_is_imported(tmp_path: Path) -> None:
    own = "tests.actors.own:praise"
    config = make_config(llm="scripted", runtime="inline", steps=3, feedback=own)
    digest = run(config, tmp_path / "run", record=tmp_path / "c").summary["digest"]
    with pytest.raises(ConfigError, match=r"recorded with feedback tests\.actors\.own:praise; to replay it, name it"):
        replaying(tmp_path / "c")
    assert run(replaying(tmp_path / "c", feedback=own), tmp_path / "again").summary["digest"] == digest


def test_a_run_that_never_began_leaves_no_cassette(tmp_path: Path) -> None:
    config = make_config(llm="openai:m", base_url="http://127.0.0.1:9/v1", runtime="inline")
    with pytest.raises(StartError):
        run(config, tmp_path / "run", record=tmp_path / "c")
    assert not (tmp_path / "c").exists()
