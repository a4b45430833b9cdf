"""Where the time of a step went, by a clock that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from housemates.actors.turn import Answer, Ask, Call, Failure, Turn
from housemates.env.world import Observation
from housemates.orchestrator.config import make_config
from housemates.orchestrator.protocol import AgentRecord, StepRecord
from housemates.orchestrator.replay import json_lines, records
from housemates.orchestrator.run import run
from housemates.orchestrator.step_clock import StepClock

SEEN = Observation(text="", choices=(), key="k")


class Scene:
    """A step clock, and what the driver would tell it."""

    def __init__(self) -> None:
        self.now = 100.0
        self.clock = StepClock(lambda: self.now)
        self.clock.begin()
        self.turns: dict[str, Turn | None] = {}
        self.written: list[Mapping[str, Any]] = []

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def ask(self, agent: str, attempt: int = 1) -> None:
        self.turns.setdefault(agent, None)
        self.clock.asked(Ask(agent=agent, step=3, attempt=attempt, version=0, observation=SEEN, feedback=""))

    def answer(self, agent: str, turn: Turn | None, seconds: float, attempt: int = 1) -> None:
        self.turns[agent] = turn
        failure = None if turn else Failure(kind="error", message="")
        answer = Answer(agent=agent, step=3, attempt=attempt, turn=turn, failure=failure, seconds=seconds)
        self.clock.answered(answer)

    def commit(self, writing_s: float = 0.0) -> Mapping[str, Any]:
        parts = {
            agent: AgentRecord(verdict="ok", detail="", reward=0, total=0, turn=turn, lost_calls=(), state=None)
            for agent, turn in self.turns.items()
        }

        def write(record: Mapping[str, Any]) -> None:
            self.written.append(record)
            self.wait(writing_s)

        self.clock.commit(StepRecord(kind="step", step=3, agents=parts, result=None), write)
        return self.written[-1]


def thought(**times: Any) -> Turn:
    return Turn(action="[a]", how="exact", **times)


def test_the_parts_of_an_agents_time_add_up_to_the_turns() -> None:
    scene = Scene()
    scene.ask("a")
    scene.ask("b")
    scene.wait(4.0)
    learn = Call(purpose="learn", seconds=1.0, queued_s=0.25)
    act = Call(purpose="act", seconds=1.5, waited_s=0.5)
    scene.answer("a", thought(calls=(learn, act), learning_s=1.75), seconds=3.5)
    scene.wait(2.0)
    scene.answer("b", thought(), seconds=5.0)
    scene.clock.closed()
    scene.wait(0.125)
    scene.clock.stepped()
    record = scene.commit()
    assert record["agents"]["a"]["times"] == {
        "learn_s": 1.0,
        "act_s": 1.0,  # the other half second it waited to ask again
        "queued_s": 0.75,
        "optimizer_s": 0.5,  # the lesson without its call
        "agent_s": 0.25,
        "transport_s": 0.5,
        "barrier_s": 2.0,
    }
    assert record["agents"]["b"]["times"] == {"agent_s": 5.0, "transport_s": 1.0}
    assert (record["turns_s"], record["world_s"], record["step_s"]) == (6.0, 0.125, 6.125)
    assert sum(record["agents"]["a"]["times"].values()) == record["turns_s"]


def test_a_turn_that_did_not_count_is_lost_time() -> None:
    scene = Scene()
    scene.ask("failed")
    scene.ask("silent")
    scene.ask("died")
    scene.wait(1.0)
    scene.ask("died", attempt=2)
    scene.wait(1.0)
    scene.answer("failed", None, seconds=1.5)
    scene.answer("died", thought(), seconds=0.75, attempt=1)  # late: another attempt is running
    scene.answer("died", thought(), seconds=0.75, attempt=2)
    scene.wait(3.0)
    scene.clock.closed()
    parts = scene.commit()["agents"]
    assert parts["failed"]["times"] == {"lost_s": 2.0, "barrier_s": 3.0}
    assert parts["silent"]["times"] == {"lost_s": 5.0}
    assert parts["died"]["times"] == {"lost_s": 1.0, "agent_s": 0.75, "transport_s": 0.25, "barrier_s": 3.0}


def test_what_writing_took_is_told_by_the_next_record() -> None:
    scene = Scene()
    assert scene.commit(writing_s=0.5)["journal_s"] == 0.0
    scene.wait(1.0)
    record = scene.commit()
    assert (record["journal_s"], record["step_s"]) == (0.5, 1.0), "and is no part of either step"


def test_whoever_was_not_asked_has_no_times() -> None:
    scene = Scene()
    scene.turns["quarantined"] = None
    assert scene.commit()["agents"]["quarantined"]["times"] == {}


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "timed"
    run(make_config(llm="scripted", runtime="inline", agents=2, steps=4, task="read_book"), folder)
    return folder


def test_a_real_run_accounts_for_every_turn(played: Path) -> None:
    steps = [record for record in records(played) if record["kind"] in ("step", "lesson")]
    assert len(steps) > 2
    for record in steps:
        assert record["turns_s"] + record["world_s"] <= record["step_s"] + 0.001
        for part in record["agents"].values():
            assert sum(part["times"].values()) == pytest.approx(record["turns_s"], abs=0.02)
    thinking = [part["times"] for record in steps for part in record["agents"].values() if part["turn"]["calls"]]
    assert all({"act_s", "learn_s"} & set(times) for times in thinking)
    assert any("optimizer_s" in times for times in thinking)


def test_replay_tells_the_times(played: Path) -> None:
    assert all('"times"' in line and '"world_s"' in line for line in json_lines(played))


async def test_waiting_between_attempts_is_not_the_models_time() -> None:
    from housemates.actors.model.chat import ChatModel, Endpoint
    from housemates.actors.model.scripted_server import MODEL, scripted_server

    with scripted_server(0.0, faults="rate=2,retry-after=1") as server:
        chat = ChatModel(Endpoint(base_url=server.url, model=MODEL))
        try:
            asked = [chat.complete([{"role": "user", "content": str(n)}], schema=None, max_tokens=9) for n in range(6)]
            replies = await asyncio.gather(*asked)
        finally:
            await chat.close()
    repeated = [reply for reply in replies if reply.attempts > 1]
    assert repeated
    assert all(0 < reply.waited_s <= reply.seconds for reply in repeated)
    assert all(reply.waited_s == 0 for reply in replies if reply.attempts == 1)
