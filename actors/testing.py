"""Says whether an agent keeps the contract of `housemates.actors.agent`.

    from housemates.actors.testing import check_agent

    def test_my_agent() -> None:
        check_agent(MyAgent)

Each check is a function of its own in `CHECKS`. It shows fresh agents what the people of a world see, lets a stand-in
answer for their model, and raises an `AssertionError` that says what an agent did and what it should have done.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, NamedTuple

from ..env.codec import pack, unpack
from ..env.household.household import HouseholdWorld
from ..env.world import MESSAGE_PLACEHOLDER, Observation, World, is_message, parse_message
from .agent import Agent, AgentSpec
from .host import MAX_STATE_BYTES
from .model.chat import ChatError, ChatModel, Endpoint, ErrorKind, Reply
from .model.scripted import reply as scripted_reply
from .turn import Call, Turn

Factory = Callable[[AgentSpec, ChatModel, ChatModel], Agent]

DEADLINE_S = 0.2
"""What a turn is given whose model never answers."""

PATIENCE_S = 10.0
"""How long an agent may take to end after its deadline, or after it was cancelled: long, for slow machines."""

GROWTH = 1.25
GROWTH_BYTES = 512
"""By how much a state may grow while the same is seen again and again: by this share, and so many bytes."""

REPEATED_TURNS = 20
MOST_STEPS = 40
"""How many steps a world may take for each that is shown: there may be long walks between two thoughts."""

_ODD_REPLIES = ("", "no idea", "{", "[]", "null", '{"action": 7}', '{"action": "[fly] <moon> (1)", "thoughts": []}')
_FAILURES: tuple[ErrorKind, ...] = ("transient", "timeout", "refused")
_ENDS: tuple[ErrorKind, ...] = ("fatal", "budget")


def check_agent(
    factory: Factory,
    world: Callable[[], World] | None = None,
    *,
    spec: AgentSpec | None = None,
    seed: int = 0,
    steps: int = 6,
) -> None:
    """Run all checks. They need an event loop of their own: call it from a plain function.

    Args:
        factory: makes an agent of a spec, the model it acts with, and the one it learns with; usually the class.
        world: makes the world whose observations it is shown; by default a household. At least one agent lives there;
            with a second one it is also checked that they do not mix.
        spec: what the agents are made of, for those that need a plan or other settings.
        seed: of the world, and of what is done in it.
        steps: how many steps are shown, at most.

    Raises:
        AssertionError: the agent breaks the contract; the message says where.
    """
    stage = Stage.of(factory, world or _household, spec or AgentSpec(name=""), seed, steps)
    for check in CHECKS:
        run_check(check, stage)


def run_check(check: Callable[[Stage], Coroutine[Any, Any, None]], stage: Stage) -> None:
    """Run one check in an event loop of its own, without waiting for an agent that cannot be ended.

    Raises:
        AssertionError: as `check_agent`.
    """
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(_ignore)  # what such an agent leaves behind; the check has said so
    try:
        loop.run_until_complete(check(stage))
    finally:
        loop.close()


class StandIn(ChatModel):
    """Answers in place of a model, without any network, by the scripted model's rules or as it is told to.

    Attributes:
        asked: how many calls have begun.
        answer: the reply to everything, if it is not to be a sensible one.
        failure: every call fails like this.
        silent_from: calls from this one on (counted from 1) are never answered.
        silence: set as soon as such a call waits.
    """

    def __init__(
        self, *, answer: str | None = None, failure: ErrorKind | None = None, silent_from: float = math.inf
    ) -> None:
        super().__init__(Endpoint(base_url="http://stand-in.invalid/v1", model="stand-in"))
        self.asked = 0
        self.answer = answer
        self.failure: ErrorKind | None = failure
        self.silent_from = silent_from
        self.silence = asyncio.Event()

    async def complete(
        self, messages: list[dict[str, str]], *, deadline_s: float | None = None, **_request: Any
    ) -> Reply:
        self.asked += 1
        await asyncio.sleep(0)  # others get their turn, as with a real model
        if self.asked >= self.silent_from:
            self.silence.set()
            await asyncio.sleep(deadline_s if deadline_s is not None and deadline_s < math.inf else 3600)
            raise ChatError("the stand-in did not answer in time", kind="timeout")
        if self.failure is not None:
            raise ChatError("the stand-in was told to fail", kind=self.failure)
        text = scripted_reply(messages) if self.answer is None else self.answer
        return Reply(text=text, prompt_tokens=1, completion_tokens=1, seconds=0.0, attempts=1, finish_reason="stop")


class Shown(NamedTuple):
    """What one agent is asked with in one step."""

    observation: Observation
    feedback: str


@dataclass(frozen=True)
class Stage:
    """What the checks have: how to make agents, and what they are shown."""

    factory: Factory
    specs: Sequence[AgentSpec]
    shown: Mapping[str, Sequence[Shown]] = field(repr=False)

    @classmethod
    def of(cls, factory: Factory, make: Callable[[], World], spec: AgentSpec, seed: int, steps: int) -> Stage:
        """Let a world go on with actions drawn at random, and keep what its first two agents see.

        Of steps in which an agent need not think again (its key stays the same) only the first is shown, with one more.
        """
        world, rng = make(), Random(f"{seed}/check_agent")
        try:
            names = list(world.agents)[:2]
            seen, total = world.reset(seed), dict.fromkeys(names, 0.0)
            shown: dict[str, list[Shown]] = {name: [Shown(seen[name], "")] for name in names}
            for _ in range(MOST_STEPS * steps):
                choices = {name: [c for c in o.choices if not is_message(c)] for name, o in seen.items()}
                result = world.step({name: rng.choice(offered) for name, offered in choices.items() if offered})
                seen = result.observations
                for name, tape in shown.items():
                    total[name] += result.rewards[name]
                    if len(tape) < steps and (len(tape) == 1 or seen[name].key != tape[-1].observation.key):
                        tape.append(Shown(seen[name], f"Task Return: {total[name]}"))
                if result.done or all(len(tape) == steps for tape in shown.values()):
                    break
        finally:
            world.close()
        specs = [replace(spec, name=name, seed=seed, instruction=world.instruction) for name in names]
        return cls(factory, specs, shown)

    def agent(self, model: StandIn, which: int = 0) -> Agent:
        """A new agent that asks this model."""
        agent = self.factory(self.specs[which], model, model)
        _require(isinstance(agent, Agent), f"{type(agent).__name__} is no Agent")
        return agent

    def tape(self, which: int = 0) -> Sequence[Shown]:
        """What an agent is shown, step by step."""
        return self.shown[self.specs[which].name]


async def check_turns(stage: Stage) -> None:
    """Every turn has a sensible action and reports each model call; the last one, which only learns, has none."""
    model = StandIn()
    agent = stage.agent(model)
    _require(agent.spec == stage.specs[0], "an agent keeps the spec it was made of")
    for step, shown in enumerate(stage.tape()):
        asked = model.asked
        turn = await agent.turn(step, *shown)
        _check_turn(turn, shown.observation, f"turn {step}")
        _check_calls(agent, turn, model.asked - asked, f"turn {step}")
    asked = model.asked
    turn = await agent.finish(len(stage.tape()), *stage.tape()[-1])
    _require(turn.action is None, f"finish has no action, not {turn.action!r}")
    _check_calls(agent, turn, model.asked - asked, "finish")


async def check_fresh(stage: Stage) -> None:
    """An agent that never acted can be asked for its last lesson: its episode may have been over before it began."""
    turn = await _answered("finish of a fresh agent", stage.agent(StandIn()).finish(0, *stage.tape()[0]))
    _require(turn.action is None, f"finish of a fresh agent has no action, not {turn.action!r}")


async def check_replies(stage: Stage) -> None:
    """Whatever a model replies, a turn ends with an action that was offered, or with none."""
    for answer in _ODD_REPLIES:
        agent = stage.agent(StandIn(answer=answer))
        for step, shown in enumerate(stage.tape()[:3]):
            turn = await _answered(f"a turn with the reply {answer!r}", agent.turn(step, *shown))
            _check_turn(turn, shown.observation, f"turn {step} with the reply {answer!r}")


async def check_failures(stage: Stage) -> None:
    """A call that merely failed is reported in the turn; one that can never work ends it with its ChatError."""
    for kind in _FAILURES:
        model = StandIn(failure=kind)
        agent = stage.agent(model)
        for step, shown in enumerate(stage.tape()[:2]):
            turn = await _answered(f"a turn with a call that failed ({kind})", agent.turn(step, *shown))
            _check_turn(turn, shown.observation, f"turn {step} with a call that failed ({kind})")
    for kind in _ENDS:
        model = StandIn(failure=kind)
        try:
            await stage.agent(model).turn(0, *stage.tape()[0])
        except ChatError as error:
            _require(error.kind == kind, f"a {kind} ChatError became one of kind {error.kind}")
        except Exception as error:
            raise AssertionError(f"a {kind} ChatError became {error!r}; it has to be raised as it is") from error
        else:
            _require(model.asked == 0, f"a turn went on after a {kind} ChatError; it has to be raised")


async def check_state(stage: Stage) -> None:
    """A state is bounded msgpack, taking it changes nothing, and what was taken does not change with the agent."""
    agent = stage.agent(StandIn())
    for step, shown in enumerate(stage.tape()):
        taken = agent.state()
        before = _packed(taken, f"before turn {step}")
        _require(_packed(agent.state(), f"before turn {step}") == before, f"two states before turn {step} differ")
        await agent.turn(step, *shown)
        _require(pack(taken) == before, f"a state that was taken before turn {step} has changed with it")


async def check_resuming(stage: Stage) -> None:
    """A fresh agent that is given a state goes on just as the one that it was taken from, and so does a used one."""
    agent, used = stage.agent(StandIn()), stage.agent(StandIn())
    await _play(stage, used, 0)
    for step, shown in enumerate(stage.tape()):
        state = pack(agent.state())
        fresh = stage.agent(StandIn())
        turn = await agent.turn(step, *shown)
        for other, which in ((fresh, "a fresh agent"), (used, "a used agent")):
            other.load(unpack(state))
            _require(pack(other.state()) == state, f"{which} that loaded a state has another one (before turn {step})")
            _require_same(turn, await other.turn(step, *shown), f"turn {step} of {which} that loaded the state")
            _require(pack(other.state()) == pack(agent.state()), f"after turn {step}, {which} has another state")


async def check_determinism(stage: Stage) -> None:
    """Two agents of one spec, shown the same by the same model, do the same."""
    one, two = stage.agent(StandIn()), stage.agent(StandIn())
    for step, shown in enumerate(stage.tape()):
        first, second = await one.turn(step, *shown), await two.turn(step, *shown)
        _require_same(first, second, f"turn {step} of an agent of the same spec")


async def check_cancelling(stage: Stage) -> None:
    """A turn can be cancelled while a model is thinking; with the state from before it is as if it had never been."""
    for step in range(min(2, len(stage.tape()))):
        model, undisturbed = StandIn(), StandIn()
        agent, other = stage.agent(model), stage.agent(undisturbed)
        for earlier, shown in enumerate(stage.tape()[:step]):
            await agent.turn(earlier, *shown)
            await other.turn(earlier, *shown)
        before, shown = pack(agent.state()), stage.tape()[step]
        begun = undisturbed.asked
        expected = await other.turn(step, *shown)
        for call in range(1, undisturbed.asked - begun + 1):
            model.silent_from, model.silence = model.asked + call, asyncio.Event()
            turn = asyncio.ensure_future(agent.turn(step, *shown))
            waiting = asyncio.ensure_future(model.silence.wait())
            await asyncio.wait({turn, waiting}, timeout=PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            turn.cancel()
            await asyncio.wait({turn}, timeout=PATIENCE_S)
            _require(turn.cancelled(), f"turn {step} went on although it was cancelled in call {call} of its model")
            model.silent_from = math.inf
            agent.load(unpack(before))
            _require(pack(agent.state()) == before, f"the state before turn {step} was loaded after a cancelled turn")
        again = await agent.turn(step, *shown)
        _require_same(expected, again, f"turn {step} of an agent that loaded its state after it was cancelled")


async def check_deadline(stage: Stage) -> None:
    """With a model that never answers, a turn ends in time by itself, or ends as soon as it is cancelled."""
    agent, shown = stage.agent(StandIn(silent_from=1)), stage.tape()[0]
    turn = asyncio.ensure_future(agent.turn(0, *shown, DEADLINE_S))
    await asyncio.wait({turn}, timeout=2 * DEADLINE_S)
    if not turn.done():
        turn.cancel()
        await asyncio.wait({turn}, timeout=PATIENCE_S)
    _require(turn.done(), "a turn goes on after its deadline, and cannot be cancelled")
    if not turn.cancelled():
        _check_turn(await _answered("a turn whose model did not answer", turn), shown.observation, "a turn out of time")


async def check_neighbours(stage: Stage) -> None:
    """Two agents in one process, whose turns overlap, do what each does alone."""
    if len(stage.specs) < 2:
        return
    alone = [await _play(stage, stage.agent(StandIn(), which), which) for which in (0, 1)]
    pair = [stage.agent(StandIn(), which) for which in (0, 1)]
    together = await asyncio.gather(*(_play(stage, agent, which) for which, agent in enumerate(pair)))
    for which, spec in enumerate(stage.specs):
        for step, (one, other) in enumerate(zip(alone[which], together[which], strict=True)):
            _require_same(one, other, f"turn {step} of {spec.name} beside another agent")


async def check_bounds(stage: Stage) -> None:
    """The state of an agent that sees the same again and again does not grow for ever."""
    agent, tape = stage.agent(StandIn()), stage.tape()
    sizes: list[int] = []
    for step in range(4 * REPEATED_TURNS):
        await agent.turn(step, *tape[step % len(tape)])
        sizes.append(len(pack(agent.state())))
    early, late = max(sizes[: 2 * REPEATED_TURNS]), max(sizes)
    grown = f"its state grew from {early} to {late} bytes in {2 * REPEATED_TURNS} turns in which it saw nothing new"
    _require(late <= GROWTH * early + GROWTH_BYTES, grown)


CHECKS: tuple[Callable[[Stage], Coroutine[Any, Any, None]], ...] = (
    check_turns,
    check_fresh,
    check_replies,
    check_failures,
    check_state,
    check_resuming,
    check_determinism,
    check_cancelling,
    check_deadline,
    check_neighbours,
    check_bounds,
)


def _household() -> World:
    return HouseholdWorld("put_dishwasher", agents=2)


def _ignore(_loop: asyncio.AbstractEventLoop, _what: dict[str, Any]) -> None:
    pass


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise AssertionError(message)


async def _play(stage: Stage, agent: Agent, which: int) -> list[Turn]:
    return [await agent.turn(step, *shown) for step, shown in enumerate(stage.tape(which))]


async def _answered(what: str, turn: Awaitable[Turn]) -> Turn:
    try:
        return await turn
    except Exception as error:
        raise AssertionError(f"{what} raised {error!r}; it has to be told in the turn") from error


def _check_turn(turn: object, seen: Observation, where: str) -> None:
    _require(isinstance(turn, Turn), f"{where} is a {type(turn).__name__}, not a Turn")
    assert isinstance(turn, Turn)
    _packed(turn.to_dict(), where)
    action = turn.action
    if action is None:
        return
    _require(isinstance(action, str), f"{where}: an action is a text or None, not {action!r}")
    if not is_message(action):
        _require(action in seen.choices, f"{where}: the action {action!r} was not offered")
        return
    said = parse_message(action)
    forms = [parse_message(choice) for choice in seen.choices if is_message(choice)]
    filled = said is not None and said.text not in ("", MESSAGE_PLACEHOLDER)
    _require(filled, f"{where}: {action!r} is no message with a text")
    offered = any(form and said and form[:2] == said[:2] for form in forms)
    _require(offered, f"{where}: {action!r} is to somebody whom one cannot write to")


def _check_calls(agent: Agent, turn: Turn, asked: int, where: str) -> None:
    _require(len(turn.calls) == asked, f"{where} reports {len(turn.calls)} model calls, but made {asked}")
    _require(all(isinstance(call, Call) for call in turn.calls), f"{where}: its calls are {turn.calls!r}")
    _require(list(agent.calls) == list(turn.calls), f"{where}: the agent's calls are not those of its last turn")


def _packed(data: object, where: str) -> bytes:
    try:
        packed = pack(data)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise AssertionError(f"{where}: not made of msgpack types ({error})") from error
    _require(len(packed) <= MAX_STATE_BYTES, f"{where}: {len(packed)} bytes, more than {MAX_STATE_BYTES}")
    return packed


def _require_same(one: Turn, other: Turn, what: str) -> None:
    """How long calls took is no part of a turn; everything else is."""
    purposes = [[call.purpose for call in turn.calls] for turn in (one, other)]
    _require(purposes[0] == purposes[1], f"{what} made other model calls: {purposes[1]}, not {purposes[0]}")
    for name in ("action", "how", "plan", "thoughts", "reply", "update", "error"):
        was, now = getattr(one, name), getattr(other, name)
        _require(was == now, f"{what} is another one: its {name} is {now!r}, not {was!r}")
