"""The driver of the barrier, over a runtime that does what the test wants."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from housemates.actors.turn import Answer, Ask, Call, Failure, Turn
from housemates.env.world import Observation, Outcome, StepResult, WorldError
from housemates.orchestrator import episode as module
from housemates.orchestrator.barrier import Barrier
from housemates.orchestrator.episode import Episode
from housemates.orchestrator.errors import WorldLost
from housemates.orchestrator.protocol import End

AGENTS = ["Agent_1", "Agent_2"]


class PlayedRuntime:
    """Answers every turn at once, except the agents in `silent`; the world can be made to fail."""

    def __init__(self, silent: str = "", world_error: Exception | None = None, losses: int = 0) -> None:
        self.losses = losses
        self.early_losses = 0
        self.repeated: list[Mapping[str, str | None]] = []
        self.silent = silent
        self.world_error = world_error
        self.cancelled: list[str] = []
        self.asked: list[Ask] = []

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    async def reset(self, seed: int) -> dict[str, Observation]:
        if self.early_losses:
            self.early_losses -= 1
            raise WorldLost("gone")
        return {agent: Observation(text=f"seed {seed}", choices=(), key="k") for agent in AGENTS}

    async def turn(self, ask: Ask) -> Answer:
        self.asked.append(ask)
        if ask.agent == self.silent:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                self.cancelled.append(ask.agent)
                raise
        return Answer(agent=ask.agent, step=ask.step, attempt=ask.attempt, turn=Turn(action="[a]", how="exact"))

    async def step(self, actions: Mapping[str, str | None]) -> StepResult:
        if self.world_error:
            raise self.world_error
        if self.losses:
            self.losses -= 1
            raise WorldLost("gone")
        return StepResult(
            observations=await self.reset(0),
            rewards=dict.fromkeys(AGENTS, 1.0),
            outcomes=dict.fromkeys(AGENTS, Outcome(ok=True)),
        )

    async def renew_world(self) -> None:
        self.repeated = []

    async def repeat(self, joint_actions: Sequence[Mapping[str, str | None]]) -> dict[str, Observation]:
        self.repeated += joint_actions
        return await self.reset(0)


def episode(runtime: PlayedRuntime, horizon: int = 2, deadline_s: float = 60.0) -> tuple[Episode, list[Any]]:
    records: list[Any] = []
    return Episode(Barrier(AGENTS, horizon, deadline_s), runtime, 7, records.append), records


async def test_an_episode_is_recorded_from_the_first_observation_to_the_last_lesson() -> None:
    played, records = episode(PlayedRuntime())
    assert await played.run({"kind": "begin"}) == End(success=False)
    assert [r["kind"] for r in records] == ["begin", "step", "step", "lesson"]
    assert records[0]["observations"]["Agent_1"]["text"] == "seed 7"
    assert all(r["step_s"] >= 0 for r in records[1:])


async def test_an_agent_that_never_answers_costs_the_deadline_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GRACE_S", 0.05)
    runtime = PlayedRuntime(silent="Agent_2")
    played, records = episode(runtime, horizon=2, deadline_s=0.1)
    async with asyncio.timeout(10):
        assert await played.run({"kind": "begin"}) == End(success=False)
    assert [r["agents"]["Agent_2"]["verdict"] for r in records[1:]] == ["late", "late", "late"]
    assert [r["agents"]["Agent_1"]["verdict"] for r in records[1:]] == ["ok", "ok", "ok"]
    assert runtime.cancelled == ["Agent_2"] * 3, "nobody is left thinking when the episode is over"
    assert [a.restore for a in runtime.asked if a.agent == "Agent_2"] == [False, True, True]


async def test_what_a_host_says_at_the_deadline_itself_is_heard_with_the_calls_that_were_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "GRACE_S", 60.0)

    class Hosted(PlayedRuntime):
        async def turn(self, ask: Ask) -> Answer:
            if ask.agent != "Agent_2":
                return await super().turn(ask)
            await asyncio.sleep(ask.deadline_s)
            call = Call(purpose="learn", seconds=0.01, prompt_tokens=7)
            failure = Failure(kind="late", message="its own words", calls=(call,))
            return Answer(agent=ask.agent, step=ask.step, attempt=ask.attempt, failure=failure)

    played, records = episode(Hosted(), horizon=1, deadline_s=0.05)
    async with asyncio.timeout(30):
        await played.run({"kind": "begin"})
    part = records[1]["agents"]["Agent_2"]
    assert (part["verdict"], part["detail"]) == ("late", "its own words")
    assert [call["prompt_tokens"] for call in part["lost_calls"]] == [7]


async def test_an_agent_that_is_asked_again_in_a_step_has_what_is_left_of_its_time() -> None:
    class Forgetful(PlayedRuntime):
        async def turn(self, ask: Ask) -> Answer:
            answer = await super().turn(ask)
            if (ask.agent, ask.attempt) == ("Agent_2", 1):
                await asyncio.sleep(0.05)
                lost = Failure(kind="lost", message="gone")
                return Answer(agent=ask.agent, step=ask.step, attempt=ask.attempt, failure=lost)
            return answer

    runtime = Forgetful()
    played, _ = episode(runtime, horizon=1, deadline_s=60.0)
    await played.run({"kind": "begin"})
    first, again, *_ = [ask.deadline_s for ask in runtime.asked if ask.agent == "Agent_2"]
    assert first == 60.0
    assert 0 < again <= 60.0 - 0.05


async def test_a_world_that_fails_ends_the_episode_with_its_own_error() -> None:
    played, records = episode(PlayedRuntime(world_error=WorldError("the roof came down")))
    async with asyncio.timeout(10):
        with pytest.raises(WorldError, match="the roof came down"):
            await played.run({"kind": "begin"})
    assert [r["kind"] for r in records] == ["begin", "abandoned"]


async def test_a_lost_world_is_made_again_from_what_is_committed() -> None:
    runtime = PlayedRuntime(losses=2)
    done: list[Mapping[str, str | None]] = [{"Agent_1": "[a]", "Agent_2": None}] * 450
    records: list[Any] = []
    played = Episode(Barrier(AGENTS, 1, 60.0), runtime, 7, records.append, lambda: done)
    assert await played.run({"kind": "begin"}) == End(success=False)
    assert runtime.repeated == done, "all of it, in order, however many messages it takes"
    assert [r["kind"] for r in records] == ["begin", "step", "lesson"], "the step itself is committed once"


async def test_a_world_that_is_lost_before_the_first_step_is_made_again() -> None:
    runtime = PlayedRuntime()
    runtime.early_losses = 3
    played, records = episode(runtime, horizon=1)
    assert await played.run({"kind": "begin"}) == End(success=False)
    assert [r["kind"] for r in records] == ["begin", "step", "lesson"]


async def test_a_world_that_is_lost_again_and_again_ends_the_episode() -> None:
    played, records = episode(PlayedRuntime(losses=99))
    with pytest.raises(WorldLost, match="gone"):
        await played.run({"kind": "begin"})
    assert [r["kind"] for r in records] == ["begin", "abandoned"]


async def test_an_episode_that_is_cancelled_tells_what_was_done_and_leaves_nobody_thinking() -> None:
    runtime = PlayedRuntime(silent="Agent_1")
    played, records = episode(runtime)
    task = asyncio.ensure_future(played.run({"kind": "begin"}))
    while played.waiting_for != ["Agent_1"]:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert records[-1]["kind"] == "abandoned"
    assert records[-1]["agents"]["Agent_2"]["turn"]["action"] == "[a]"
    assert runtime.cancelled == ["Agent_1"]
