"""Messages get lost, late and twice, and processes forget: no turn is taken twice, or from the wrong state.

Without Ray, so that hundreds of such histories can be tried: T7, and the short form of T2.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from housemates.actors.agent import AgentSpec
from housemates.actors.host import AgentHost, _Seat
from housemates.actors.model.chat import Endpoint
from housemates.actors.turn import Answer, Ask, Failure, Turn
from housemates.env.codec import unpack
from housemates.env.host import MAX_OBSERVATION_CHARS, WorldHost
from housemates.env.world import Observation, Outcome, StepResult, World, WorldError
from housemates.orchestrator.cluster.letterbox import Exchange, Letterbox, ProcessLost
from hypothesis import given, settings
from hypothesis import strategies as st

from .conftest import LONG
from .episodes import Played, play
from .table import Tell

pytestmark = pytest.mark.chaos
AGENTS = ["Agent_1", "Agent_2", "Agent_3"]
STEPS = 12


class Counter(World):
    """Adds up what the agents say, in order; another order, or a step too many, is another text."""

    def __init__(self, flood: str = "") -> None:
        self._sum = 0
        self._flood = flood

    @property
    def agents(self) -> Sequence[str]:
        return AGENTS

    def reset(self, seed: int) -> dict[str, Observation]:
        self._sum = seed
        return self._see()

    def step(self, actions: Mapping[str, str | None]) -> StepResult:
        for action in actions.values():
            self._sum = (31 * self._sum + int(action or 0)) % 1_000_003
        ok = {agent: Outcome(ok=True) for agent in AGENTS}
        return StepResult(observations=self._see(), rewards=dict.fromkeys(AGENTS, 1.0), outcomes=ok)

    def _see(self) -> dict[str, Observation]:
        text = f"{self._sum} $PLAN$"
        flood = {self._flood: "x" * 10**7}
        return {agent: Observation(text=text + flood.get(agent, ""), choices=(), key=text) for agent in AGENTS}

    def snapshot(self) -> bytes:
        raise NotImplementedError

    def restore(self, snapshot: bytes) -> dict[str, Observation]:
        raise NotImplementedError


class Remembering:
    """An agent whose every action depends on all observations it ever saw."""

    calls: tuple[()] = ()

    def __init__(self, spec: AgentSpec, taken: list[tuple[str, int, int]]) -> None:
        self.spec, self._taken, self._memory, self._turns = spec, taken, 0, 0

    async def turn(self, step: int, observation: Observation, feedback: str, deadline_s: float) -> Turn:
        await asyncio.sleep(0)
        self._memory = (17 * self._memory + int(observation.text.split()[0])) % 1_000_003
        await asyncio.sleep(0)
        self._taken.append((self.spec.name, step, self._turns))
        self._turns += 1
        return Turn(action=str(self._memory), how="exact")

    finish = turn

    def state(self) -> dict[str, Any]:
        return {"memory": self._memory, "turns": self._turns}

    def load(self, state: Mapping[str, Any]) -> None:
        self._memory, self._turns = state["memory"], state["turns"]


class LossyRuntime:
    """A wire between the barrier and real hosts that loses, repeats and delays messages; `restart` empties a host."""

    def __init__(self, rng: random.Random | None, restarts: bool = True) -> None:
        self._rng = rng
        self._restarts = restarts
        self.taken: list[tuple[str, int, int]] = []
        self._world = WorldHost(Counter, {})
        self._calls = 0
        self._hosts = {agent: self._host(agent) for agent in AGENTS}
        self._strays: list[asyncio.Task[Any]] = []

    def _host(self, *agents: str) -> AgentHost:
        def make(name: str) -> Any:
            return Remembering(AgentSpec(name=name), self.taken)

        host = AgentHost([], Endpoint(base_url="http://127.0.0.1:9/v1", model="none"))
        host._make = make  # type: ignore[method-assign]
        for agent in agents:
            host._specs[agent] = AgentSpec(name=agent)
            host._missing[agent] = {}
            host._seats[agent] = _Seat(make(agent), 0, asyncio.Lock())
        return host

    def _chance(self, share: float) -> bool:
        return self._rng is not None and self._rng.random() < share

    async def start(self) -> None: ...

    async def turn(self, ask: Ask) -> Answer:
        for _ in range(100):  # as `processes.sent`: again, until an answer gets through
            if self._restarts and self._chance(0.05):
                self._hosts[ask.agent] = self._host(ask.agent)
                if self._chance(0.5):
                    return self._lost(ask)
            if self._chance(0.2):  # the message is overtaken by others
                self._strays.append(asyncio.ensure_future(self._later(ask)))
            if self._chance(0.2):
                continue
            serving = asyncio.ensure_future(self._hosts[ask.agent].turn(ask))  # the host's own task, as in a process
            await asyncio.wait([serving])
            if not serving.cancelled() and not self._chance(0.2):
                return serving.result()
        raise AssertionError("the dice are loaded")

    async def _later(self, ask: Ask) -> None:
        host = self._hosts[ask.agent]
        for _ in range(self._rng.randrange(40) if self._rng else 0):
            await asyncio.sleep(0)
        await host.turn(ask)

    def _lost(self, ask: Ask) -> Answer:
        failure = Failure(kind="lost", message="gone")
        return Answer(agent=ask.agent, step=ask.step, attempt=ask.attempt, failure=failure)

    async def reset(self, seed: int) -> dict[str, Observation]:
        return await self._of_world("reset", seed)

    async def step(self, actions: Mapping[str, str | None]) -> StepResult:
        return await self._of_world("step", actions)

    async def repeat(self, joint_actions: Any) -> dict[str, Observation]:
        return await self._of_world("repeat", joint_actions)

    async def renew_world(self) -> None: ...

    async def _of_world(self, method: str, *arguments: Any) -> Any:
        self._calls += 1
        for _ in range(100):
            if self._chance(0.2):
                continue
            result = self._world.once(self._calls, method, *arguments)
            if not self._chance(0.2):
                return result
        raise AssertionError("the dice are loaded")

    async def close(self) -> None:
        await asyncio.gather(*self._strays, return_exceptions=True)


class LossyLetters(LossyRuntime):
    """The same for agents that share a process: whole letters get lost, late and twice."""

    def __init__(self, rng: random.Random | None, restarts: bool = True) -> None:
        super().__init__(rng, restarts)
        self._shared = self._host(*AGENTS)
        self._letterbox = Letterbox(self._reach)
        self.letters = 0

    async def turn(self, ask: Ask) -> Answer:
        return await self._letterbox.turn(ask)

    def _reach(self) -> Exchange:
        host = self._shared
        self.letters += 1

        async def exchange(letter: bytes) -> bytes:
            for _ in range(100):
                if self._restarts and self._chance(0.05) and host is self._shared:
                    self._shared = self._host(*AGENTS)
                if host is not self._shared:
                    raise ProcessLost("gone")
                if self._chance(0.2):
                    self._strays.append(asyncio.ensure_future(self._later_letter(host, letter)))
                if self._chance(0.2):
                    continue
                answers = await host.turns(letter)
                if not self._chance(0.2):
                    return answers
            raise AssertionError("the dice are loaded")

        return exchange

    async def _later_letter(self, host: AgentHost, letter: bytes) -> None:
        for _ in range(self._rng.randrange(40) if self._rng else 0):
            await asyncio.sleep(0)
        await host.turns(letter)


RUNTIMES = st.sampled_from([LossyRuntime, LossyLetters])
HISTORIES = settings(max_examples=1000 if LONG else 100, deadline=None)


def played(runtime: LossyRuntime) -> Played:
    return asyncio.run(play(runtime, AGENTS, seed=7, steps=STEPS))


UNDISTURBED = played(LossyRuntime(None)).digest


def test_whatever_is_lost_late_or_twice_every_turn_is_taken_once(record_property: Tell) -> None:
    @HISTORIES
    @given(RUNTIMES, st.integers(0, 2**32))
    def history(kind: type[LossyRuntime], seed: int) -> None:
        runtime = kind(random.Random(seed), restarts=False)
        assert played(runtime).digest == UNDISTURBED
        assert len(runtime.taken) == len(set(runtime.taken)) == len(AGENTS) * (STEPS + 1)

    history()
    tell_histories(record_property)


def test_no_turn_is_accepted_from_a_state_that_is_not_the_committed_one(record_property: Tell) -> None:
    @HISTORIES
    @given(RUNTIMES, st.integers(0, 2**32))
    def history(kind: type[LossyRuntime], seed: int) -> None:
        result = played(kind(random.Random(seed)))
        for agent in AGENTS:
            turns = 0
            for record in result.records[1:]:
                part = record["agents"][agent]
                if part["turn"] is not None:
                    turns += 1
                    assert unpack(part["state"])["turns"] == turns, "one turn on from the committed state"
        if all(verdict == "ok" for agent in AGENTS for verdict in result.verdicts(agent)):
            assert result.digest == UNDISTURBED

    history()
    tell_histories(record_property)


def tell_histories(record_property: Tell) -> None:
    for name in ("injections", "survived"):
        record_property(name, HISTORIES.max_examples)
    record_property("figure", f"{HISTORIES.max_examples} histories of lost, late and repeated messages")


def test_agents_that_share_a_process_get_one_letter_a_step() -> None:
    runtime = LossyLetters(None)
    assert played(runtime).digest == UNDISTURBED
    assert runtime.letters == STEPS + 1


def test_a_host_without_its_ledger_would_take_turns_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    async def forgetful(self: AgentHost, ask: Ask) -> Answer:
        return await self._serve(self._seats[ask.agent], ask)

    monkeypatch.setattr(AgentHost, "turn", forgetful)
    runtime = LossyRuntime(random.Random(1), restarts=False)
    played(runtime)
    assert len(runtime.taken) > len(AGENTS) * (STEPS + 1), "the dice can show it"


def test_a_world_that_does_something_twice_is_not_asked_twice() -> None:
    host = WorldHost(Counter, {})
    host.once(1, "reset", 7)
    first = host.once(2, "step", {"Agent_1": "5"})
    assert host.once(2, "step", {"Agent_1": "5"}) == first
    with pytest.raises(WorldError, match=r"Counter: call 1 \(reset\) cannot be repeated"):
        host.once(1, "reset", 7)


@pytest.mark.parametrize("method", ["reset", "step"])
def test_an_enormous_observation_is_refused_where_it_comes_from_by_name(method: str) -> None:
    host = WorldHost(Counter, {"flood": "Agent_3"})
    with pytest.raises(WorldError, match=f"Counter: the observation of Agent_3 has 100000.. .*{MAX_OBSERVATION_CHARS}"):
        getattr(host, method)(7 if method == "reset" else {})
