"""`check_agent` passes every agent that keeps the contract, and each check fails one that breaks its rule."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from housemates.actors import testing
from housemates.actors.agent import Agent, AgentSpec, Learning
from housemates.actors.fixed_agent import FixedPlanAgent
from housemates.actors.model.chat import ChatError, ChatModel
from housemates.actors.react_agent import ReActAgent
from housemates.actors.testing import CHECKS, Stage, check_agent, run_check
from housemates.actors.trace_agent import TraceAgent
from housemates.actors.turn import Call, Turn
from housemates.env.world import Observation

from ..orchestrator.own_worlds import Counting

SPEC = AgentSpec(name="", plan="Look around.")


class Drawing(Agent):
    """A correct agent that asks no model: it draws its actions, and counts them."""

    def __init__(self, spec: AgentSpec, chat: ChatModel, learn_chat: ChatModel | None = None) -> None:
        self.spec = spec
        self.chat = chat
        self.count = 0
        self.said: list[Call] = []

    @property
    def calls(self) -> Sequence[Call]:
        return self.said

    async def turn(self, step: int, observation: Observation, feedback: str, deadline_s: float = math.inf) -> Turn:
        self.count += 1
        actions = observation.choices[:-1]
        action = self.spec.rng(step, "draw").choice(actions) if actions else None
        return Turn(action=action, how="random", thoughts=f"action {self.count}", calls=tuple(self.said))

    async def finish(self, step: int, observation: Observation, feedback: str, deadline_s: float = math.inf) -> Turn:
        return Turn(action=None, how="none")

    def state(self) -> dict[str, Any]:
        return {"count": self.count}

    def load(self, state: Mapping[str, Any]) -> None:
        self.count = state["count"]

    async def ask(self) -> str:
        reply = await self.chat.complete([{"role": "user", "content": "?"}], schema=None, max_tokens=1)
        self.said = [Call(purpose="act", seconds=0.0)]
        return reply.text


@pytest.mark.parametrize("agent", [TraceAgent, ReActAgent, FixedPlanAgent, Drawing])
def test_a_correct_agent_passes(agent: type[Agent]) -> None:
    check_agent(agent, spec=SPEC)


def test_a_learner_passes_with_every_setting_of_learning() -> None:
    learning = Learning(optimize="plan+role", credit_steps=3, memory_size=3, learn_every=2)
    check_agent(TraceAgent, spec=replace(SPEC, learning=learning))


def test_an_agent_may_be_checked_in_another_world_and_alone() -> None:
    check_agent(TraceAgent, lambda: Counting(agents=1))


class ActsAtTheEnd(Drawing):
    async def finish(self, step: int, observation: Observation, feedback: str, deadline_s: float = math.inf) -> Turn:
        return Turn(action=observation.choices[0], how="exact")


class Mumbles(Drawing):
    async def turn(self, *asked: Any, **more: Any) -> Any:
        return "something"


class MakesThingsUp(Drawing):
    async def turn(self, *asked: Any, **more: Any) -> Turn:
        return Turn(action="[fly] <moon> (1)", how="exact")


class WritesToStrangers(Drawing):
    async def turn(self, *asked: Any, **more: Any) -> Turn:
        return Turn(action="[send_message] <Nobody> (7): hello", how="message")


class SendsForms(Drawing):
    async def turn(self, step: int, observation: Observation, *asked: Any, **more: Any) -> Turn:
        return Turn(action=observation.choices[-1], how="message")


class HidesCalls(Drawing):
    async def turn(self, *asked: Any, **more: Any) -> Turn:
        await self.ask()
        self.said = []
        return await super().turn(*asked, **more)


class IsSomebodyElse(Drawing):
    def __init__(self, spec: AgentSpec, *chats: Any) -> None:
        super().__init__(replace(spec, name="Somebody"), *chats)


class NeedsATurnFirst(Drawing):
    async def finish(self, step: int, observation: Observation, feedback: str, deadline_s: float = math.inf) -> Turn:
        return Turn(action=None, how="none", thoughts=f"{1 / self.count}")


class Parrot(Drawing):
    async def turn(self, *asked: Any, **more: Any) -> Turn:
        return Turn(action=await self.ask(), how="exact", calls=tuple(self.said))


class GivesUp(Drawing):
    """Lets every failed call end its turn."""

    async def turn(self, *asked: Any, **more: Any) -> Turn:
        await self.ask()
        return await super().turn(*asked, **more)


class NeverGivesUp(Drawing):
    """Goes on after a call that can never work."""

    async def turn(self, *asked: Any, **more: Any) -> Turn:
        try:
            await self.ask()
        except ChatError:
            self.said = []
        return await super().turn(*asked, **more)


class KeepsObjects(Drawing):
    def state(self) -> dict[str, Any]:
        return {"count": self.count, "spec": self.spec}


class KeepsTooMuch(Drawing):
    def state(self) -> dict[str, Any]:
        return {"count": self.count, "film": bytes(testing.MAX_STATE_BYTES)}


class LendsItsMemory(Drawing):
    """Its state is a list that it goes on writing into."""

    def __init__(self, *made_of: Any) -> None:
        super().__init__(*made_of)
        self.memory: list[int] = []

    async def turn(self, step: int, *asked: Any, **more: Any) -> Turn:
        self.memory.append(step)
        return await super().turn(step, *asked, **more)

    def state(self) -> dict[str, Any]:
        return {"count": self.count, "memory": self.memory}


class CountsItsStates(Drawing):
    def state(self) -> dict[str, Any]:
        self.count += 1
        return super().state()


class Forgets(Drawing):
    """What it says next depends on something that is not in its state."""

    def state(self) -> dict[str, Any]:
        return {}

    def load(self, state: Mapping[str, Any]) -> None:
        pass


class RemembersMore(Drawing):
    """A fresh one is as it should be; one that has lived keeps some of that whatever it loads."""

    lived = 0

    async def turn(self, *asked: Any, **more: Any) -> Turn:
        self.lived += 1
        return replace(await super().turn(*asked, **more), plan=f"{self.lived > self.count}")


class Moody(Drawing):
    """Depends on what has happened elsewhere in its process."""

    moods = 0

    async def turn(self, *asked: Any, **more: Any) -> Turn:
        Moody.moods += 1
        return replace(await super().turn(*asked, **more), thoughts=f"mood {Moody.moods}")


class Stubborn(Drawing):
    """Takes its turn whoever cancels it."""

    async def turn(self, *asked: Any, **more: Any) -> Turn:
        try:
            await self.ask()
        except asyncio.CancelledError:
            self.said = []
        return await super().turn(*asked, **more)


class LosesItselfWhenCancelled(Drawing):
    asked_before = False

    async def turn(self, *asked: Any, **more: Any) -> Turn:
        before, self.asked_before = self.asked_before, True
        await self.ask()
        self.asked_before = False
        return replace(await super().turn(*asked, **more), plan=f"{before}")


class Deaf(Drawing):
    """Asks again and again, and will not be cancelled."""

    async def turn(self, *asked: Any, **more: Any) -> Turn:
        for _ in range(1000):
            try:
                await self.ask()
                break
            except (ChatError, asyncio.CancelledError):
                continue
        return await super().turn(*asked, **more)


class SharesAThought(Drawing):
    """What it thinks of while its model thinks is everybody's."""

    thought = ""

    async def turn(self, *asked: Any, **more: Any) -> Turn:
        type(self).thought = self.spec.name
        await self.ask()
        return replace(await super().turn(*asked, **more), plan=self.thought)


class Hoards(LendsItsMemory):
    async def turn(self, step: int, *asked: Any, **more: Any) -> Turn:
        self.memory.extend([step] * 50)
        return await super().turn(step, *asked, **more)


BROKEN: list[tuple[str, type[Agent], str]] = [
    ("check_turns", ActsAtTheEnd, "finish has no action"),
    ("check_turns", Mumbles, "turn 0 is a str, not a Turn"),
    ("check_turns", MakesThingsUp, "the action '.fly. <moon> .1.' was not offered"),
    ("check_turns", WritesToStrangers, "is to somebody whom one cannot write to"),
    ("check_turns", SendsForms, "is no message with a text"),
    ("check_turns", HidesCalls, "turn 0 reports 0 model calls, but made 1"),
    ("check_turns", IsSomebodyElse, "keeps the spec it was made of"),
    ("check_fresh", NeedsATurnFirst, "finish of a fresh agent raised ZeroDivisionError"),
    ("check_replies", Parrot, "turn 0 with the reply '': the action '' was not offered"),
    ("check_failures", GivesUp, "a call that failed .transient. raised ChatError"),
    ("check_failures", NeverGivesUp, "a turn went on after a fatal ChatError"),
    ("check_state", KeepsObjects, "before turn 0: not made of msgpack types"),
    ("check_state", KeepsTooMuch, "more than 16777216"),
    ("check_state", LendsItsMemory, "a state that was taken before turn 0 has changed"),
    ("check_state", CountsItsStates, "two states before turn 0 differ"),
    ("check_resuming", Forgets, "of a used agent that loaded the state is another one: its thoughts"),
    ("check_resuming", RemembersMore, "its plan is 'True', not 'False'"),
    ("check_determinism", Moody, "turn 0 of an agent of the same spec is another one"),
    ("check_cancelling", Stubborn, "turn 0 went on although it was cancelled in call 1"),
    ("check_cancelling", LosesItselfWhenCancelled, "after it was cancelled is another one: its plan is 'True'"),
    ("check_deadline", Deaf, "goes on after its deadline, and cannot be cancelled"),
    ("check_neighbours", SharesAThought, "of Agent_. beside another agent is another one: its plan"),
    ("check_bounds", Hoards, "its state grew from .* bytes in 40 turns"),
]


@pytest.mark.parametrize(("check", "broken", "message"), BROKEN, ids=lambda value: getattr(value, "__name__", None))
def test_each_check_fails_an_agent_that_breaks_its_rule(
    check: str, broken: type[Agent], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(testing, "PATIENCE_S", 0.5)  # what these agents wait for never comes
    stage = Stage.of(broken, testing._household, SPEC, 0, 6)
    with pytest.raises(AssertionError, match=message):
        run_check({each.__name__: each for each in CHECKS}[check], stage)


def test_every_check_has_an_agent_that_fails_it() -> None:
    assert {check for check, _, _ in BROKEN} == {check.__name__ for check in CHECKS}
