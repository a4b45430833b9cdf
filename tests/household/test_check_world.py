"""`check_world` passes a correct world, and each check fails the world that breaks just its rule."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgpack
import pytest
from housemates.env.household import TASKS, HouseholdWorld
from housemates.env.testing import CHECKS, check_world
from housemates.env.world import (
    EVERYONE,
    PLAN_TOKEN,
    Message,
    Observation,
    Outcome,
    StepResult,
    World,
    WorldError,
    format_message,
    is_message,
    parse_message,
)

from .chores import CHORES, Household

NAMES = ("Ann", "Bob")


class Corridor(World):
    """A correct little world: all walk to the end of a corridor of 12 tiles; who is there is done."""

    length = 12
    names: tuple[str, ...] = ("Ann", "Bob")

    def __init__(self) -> None:
        self.places: dict[str, int] | None = None
        self.heard = dict.fromkeys(self.names, "")
        self.seed = 0

    @property
    def agents(self) -> Sequence[str]:
        return self.names

    def observe(self) -> dict[str, Observation]:
        assert self.places is not None
        return {name: self.observe_one(name, self.places[name]) for name in self.names}

    def observe_one(self, name: str, place: int) -> Observation:
        forms = [format_message(other, n, "text") for n, other in enumerate(self.names, 1) if other != name]
        forms += [format_message(EVERYONE, 0, "text")] if len(forms) > 1 else []
        choices = ("[left]", "[right]", *forms)
        text = f"Plan: {PLAN_TOKEN}\nI am at {place} of {self.length}. Heard: {self.heard[name]}\n{choices}"
        return Observation(text=text, choices=choices, key=f"{place} {self.heard[name]}", info={"place": place})

    def reset(self, seed: int) -> dict[str, Observation]:
        self.seed = seed
        self.places = {name: (seed + index) % 3 for index, name in enumerate(self.names)}
        self.heard = dict.fromkeys(self.names, "")
        return self.observe()

    def over(self) -> bool:
        return self.places is not None and all(place >= self.length for place in self.places.values())

    def step(self, actions: Mapping[str, str | None]) -> StepResult:
        if self.places is None or self.over():
            raise WorldError("reset first")
        before, outcomes, messages = sum(self.places.values()), {}, []
        for name in self.names:
            outcomes[name] = self.act(name, actions.get(name), messages)
        gained = float(sum(self.places.values()) - before)
        return StepResult(
            observations=self.observe(),
            rewards=dict.fromkeys(self.names, gained),
            outcomes=outcomes,
            messages=tuple(messages),
            done=self.over(),
            success=self.over(),
        )

    def act(self, name: str, action: Any, messages: list[Message]) -> Outcome:
        assert self.places is not None
        if action is None:
            return Outcome(ok=True)
        if action in ("[left]", "[right]"):
            # The stride depends on the place, so that an honest world needs its whole state in a snapshot.
            stride = 1 if action == "[left]" else 1 + self.places[name] % 2
            self.places[name] += stride
            return Outcome(ok=True)
        parsed = parse_message(action) if isinstance(action, str) and is_message(action) else None
        receivers = self.receivers(name, parsed.name) if parsed and parsed.text else []
        if parsed is None or not receivers:
            return Outcome(ok=False, detail="no such action")
        messages.append(Message(sender=name, receiver=parsed.name, text=self.clean(parsed.text)))
        for receiver in receivers:
            self.heard[receiver] = messages[-1].text
        return Outcome(ok=True)

    def receivers(self, name: str, receiver: str) -> list[str]:
        others = [other for other in self.names if other != name]
        return others if receiver == EVERYONE and len(others) > 1 else [other for other in others if other == receiver]

    def clean(self, text: str) -> str:
        return " ".join(text.replace(PLAN_TOKEN, "").split())

    def snapshot(self) -> bytes:
        if self.places is None:
            raise WorldError("reset first")
        return msgpack.packb([self.seed, list(self.places.values()), list(self.heard.values())])

    def restore(self, snapshot: bytes) -> dict[str, Observation]:
        try:
            self.seed, places, heard = msgpack.unpackb(snapshot)
        except (ValueError, TypeError, msgpack.UnpackException) as error:
            raise WorldError("no snapshot") from error
        self.places = dict(zip(self.names, places, strict=True))
        self.heard = dict(zip(self.names, heard, strict=True))
        return self.observe()


def with_observation(**changes: Any) -> type[Corridor]:
    """A corridor whose observations are wrong in one way."""

    class Broken(Corridor):
        def observe_one(self, name: str, place: int) -> Observation:
            seen = super().observe_one(name, place)
            return replace(seen, **{k: v(seen) if callable(v) else v for k, v in changes.items()})

    return Broken


def with_result(**changes: Any) -> type[Corridor]:
    """A corridor whose step results are wrong in one way."""

    class Broken(Corridor):
        def step(self, actions: Mapping[str, str | None]) -> StepResult:
            result = super().step(actions)
            return replace(result, **{k: v(result) if callable(v) else v for k, v in changes.items()})

    return Broken


class Trio(Corridor):
    """Three people in the corridor: everybody can write to each of the others, or to everyone."""

    names = ("Ann", "Bob", "Cy")


class WhispersToOne(Trio):
    """What is meant for everyone reaches only the first of them."""

    def receivers(self, name: str, receiver: str) -> list[str]:
        return super().receivers(name, receiver)[:1]


class Gossips(Trio):
    """What is meant for one reaches everyone."""

    def receivers(self, name: str, receiver: str) -> list[str]:
        return super().receivers(name, EVERYONE)


class NoAgents(Corridor):
    agents = ()  # type: ignore[assignment]


class SameNames(Corridor):
    agents = ("Ann", "Ann")  # type: ignore[assignment]


class NumberedAgents(Corridor):
    agents = (1, 2)  # type: ignore[assignment]


class Reordering(Corridor):
    @property
    def agents(self) -> Sequence[str]:
        return NAMES[:: 1 if self.places is None else -1]


class ForgetsBob(Corridor):
    def observe(self) -> dict[str, Observation]:
        seen = super().observe()
        del seen["Bob"]
        return seen


class LosesMessages(Corridor):
    def act(self, name: str, action: Any, messages: list[Message]) -> Outcome:
        return super().act(name, action, [])


class Misdelivers(Corridor):
    def act(self, name: str, action: Any, messages: list[Message]) -> Outcome:
        count = len(messages)
        outcome = super().act(name, action, messages)
        if len(messages) > count:
            messages[-1] = replace(messages[-1], receiver=name)
        return outcome


class SwapsSenders(Corridor):
    def step(self, actions: Mapping[str, str | None]) -> StepResult:
        result = super().step(actions)
        return replace(result, messages=result.messages[::-1])


class PassesPlanToken(Corridor):
    def clean(self, text: str) -> str:
        return " ".join(text.split())


class PassesLines(Corridor):
    def clean(self, text: str) -> str:
        return text.replace(PLAN_TOKEN, "")


class PassesOddLineEnds(Corridor):
    def clean(self, text: str) -> str:
        return text.replace(PLAN_TOKEN, "").replace("\r", "").replace("\n", " ")


class ShowsRawText(Corridor):
    """Delivers one line, but shows the receiver all of them."""

    def act(self, name: str, action: Any, messages: list[Message]) -> Outcome:
        outcome = super().act(name, action, messages)
        if isinstance(action, str) and is_message(action) and outcome.ok:
            self.heard[messages[-1].receiver] = action.replace(PLAN_TOKEN, "")
        return outcome


class CallsItFailed(Corridor):
    def act(self, name: str, action: Any, messages: list[Message]) -> Outcome:
        outcome = super().act(name, action, messages)
        return replace(outcome, ok=outcome.ok and not messages)


class CountsWorlds(Corridor):
    """Two worlds with one seed start differently."""

    made = itertools.count()

    def __init__(self) -> None:
        super().__init__()
        self.offset = next(self.made) % 2

    def reset(self, seed: int) -> dict[str, Observation]:
        return super().reset(seed + self.offset)


class CountsResets(Corridor):
    """The same world starts differently the second time."""

    resets = 0

    def reset(self, seed: int) -> dict[str, Observation]:
        self.resets += 1
        return super().reset(seed + (self.resets > 1))


class Drifts(Corridor):
    """Two worlds with one seed go different ways."""

    made = itertools.count()

    def __init__(self) -> None:
        super().__init__()
        self.offset = next(self.made) % 2

    def step(self, actions: Mapping[str, str | None]) -> StepResult:
        result = super().step(actions)
        return replace(result, rewards={name: reward + self.offset for name, reward in result.rewards.items()})


class SnapshotText(Corridor):
    def snapshot(self) -> bytes:
        return super().snapshot().decode("latin-1")  # type: ignore[return-value]


class SnapshotMoves(Corridor):
    def snapshot(self) -> bytes:
        taken = super().snapshot()
        assert self.places is not None
        self.places["Ann"] += 1
        return taken


class SnapshotForgets(Corridor):
    def restore(self, snapshot: bytes) -> dict[str, Observation]:
        super().restore(snapshot)
        self.heard = dict.fromkeys(NAMES, "")
        self.places = {"Ann": 0, "Bob": 0}
        return self.observe()


class SnapshotHalf(Corridor):
    """Restores what is seen now, but not what decides what comes next."""

    extra = 0

    def step(self, actions: Mapping[str, str | None]) -> StepResult:
        self.extra += 1
        result = super().step(actions)
        return replace(result, rewards={name: float(self.extra) for name in NAMES})

    def reset(self, seed: int) -> dict[str, Observation]:
        self.extra = 0
        return super().reset(seed)


class SnapshotLeansOnReset(Corridor):
    """Keeps what the seed decides out of the snapshot, so that only a world reset with that seed goes on rightly."""

    pay = 0.0

    def reset(self, seed: int) -> dict[str, Observation]:
        self.pay = 1.0 + seed
        return super().reset(seed)

    def step(self, actions: Mapping[str, str | None]) -> StepResult:
        return replace(super().step(actions), rewards=dict.fromkeys(NAMES, self.pay))


class SnapshotTrusts(Corridor):
    def restore(self, snapshot: bytes) -> dict[str, Observation]:
        self.seed, places, heard = msgpack.unpackb(snapshot)
        self.places = dict(zip(self.names, places, strict=True))
        self.heard = dict(zip(self.names, heard, strict=True))
        return self.observe()


class RaisesOnBad(Corridor):
    def act(self, name: str, action: Any, messages: list[Message]) -> Outcome:
        outcome = super().act(name, action, messages)
        if not outcome.ok:
            raise ValueError(action)
        return outcome


class AcceptsBad(Corridor):
    def act(self, name: str, action: Any, messages: list[Message]) -> Outcome:
        return replace(super().act(name, action, messages), ok=True)


class PunishesBad(Corridor):
    def act(self, name: str, action: Any, messages: list[Message]) -> Outcome:
        outcome = super().act(name, action, messages)
        if not outcome.ok and self.places is not None:
            self.places[name] -= 1
        return outcome


class ForbidsRest(Corridor):
    def act(self, name: str, action: Any, messages: list[Message]) -> Outcome:
        return Outcome(ok=False) if action is None else super().act(name, action, messages)


class StartsByItself(Corridor):
    def step(self, actions: Mapping[str, str | None]) -> StepResult:
        if self.places is None:
            self.reset(0)
        return super().step(actions)


class StepsWithoutWorldError(Corridor):
    def step(self, actions: Mapping[str, str | None]) -> StepResult:
        if self.places is None:
            raise RuntimeError("reset first")
        return super().step(actions)


class SnapshotsNothing(Corridor):
    def snapshot(self) -> bytes:
        return b"" if self.places is None else super().snapshot()


class NeverEnds(Corridor):
    def step(self, actions: Mapping[str, str | None]) -> StepResult:
        if self.over():
            return StepResult(
                observations=self.observe(),
                rewards=dict.fromkeys(NAMES, 0.0),
                outcomes=dict.fromkeys(NAMES, Outcome(ok=True)),
                done=True,
            )
        return super().step(actions)


class ClosesOnce(Corridor):
    closed = False

    def close(self) -> None:
        if self.closed:
            raise RuntimeError("already closed")
        self.closed = True


BROKEN: list[tuple[str, Callable[[], World], str]] = [
    ("check_agents", NoAgents, "at least one agent"),
    ("check_agents", SameNames, "unique"),
    ("check_agents", NumberedAgents, "strings"),
    ("check_agents", Reordering, "agents changed"),
    ("check_observations", ForgetsBob, "observations for"),
    ("check_observations", with_observation(text="no place for the plan"), "0 times, not once"),
    ("check_observations", with_observation(text=lambda o: o.text * 2), "2 times, not once"),
    ("check_observations", with_observation(choices=lambda o: list(o.choices)), "tuple"),
    ("check_observations", with_observation(choices=("[left]", "[left]")), "repeat"),
    ("check_observations", with_observation(choices=("[left]", 5)), "non-empty strings"),
    ("check_observations", with_observation(choices=("[left]", "")), "non-empty strings"),
    ("check_observations", with_observation(key=7), "key is a string"),
    ("check_observations", with_observation(reflex="[fly]"), "none of the choices"),
    ("check_observations", with_observation(info={"where": {1, 2}}), "JSON types"),
    ("check_observations", with_observation(info={"where": (1, 2)}), "survive JSON"),
    ("check_steps", with_result(rewards={"Ann": 0.0}), "rewards are for"),
    ("check_steps", with_result(outcomes={"Ann": Outcome(ok=True)}), "outcomes are for"),
    ("check_steps", with_result(rewards=dict.fromkeys(NAMES, 1)), "not a float"),
    ("check_steps", with_result(rewards=dict.fromkeys(NAMES, float("nan"))), "not finite"),
    ("check_steps", with_result(outcomes=dict.fromkeys(NAMES, "fine")), "outcome of Ann"),
    ("check_steps", with_result(done=1), "bools"),
    ("check_steps", with_result(done=False, success=True), "ends the episode"),
    ("check_messages", LosesMessages, "messages came from"),
    ("check_messages", SwapsSenders, "in this order"),
    ("check_messages", Misdelivers, "wrong agent"),
    ("check_messages", PassesPlanToken, "plan token"),
    ("check_messages", PassesLines, "one line"),
    ("check_messages", PassesOddLineEnds, "one line"),
    ("check_messages", ShowsRawText, "lines of its own"),
    ("check_messages", CallsItFailed, "not ok"),
    ("check_messages", WhispersToOne, "Cy cannot read the message that Ann sent"),
    ("check_messages", Gossips, "Cy reads the message that Ann sent"),
    ("check_messages", with_observation(key=lambda o: o.key.split(" ")[0]), "key is the same"),
    ("check_observations", with_observation(choices=("[send_message] whoever",)), "no form of a message"),
    ("check_determinism", CountsWorlds, "start differently"),
    ("check_determinism", CountsResets, "reset with the same seed starts differently"),
    ("check_determinism", Drifts, "rewards of compared step 0"),
    ("check_snapshots", SnapshotText, "is bytes"),
    ("check_snapshots", SnapshotMoves, "of one moment differ"),
    ("check_snapshots", SnapshotForgets, "restore returned other observations"),
    ("check_snapshots", SnapshotHalf, "a restored world"),
    ("check_snapshots", SnapshotLeansOnReset, "a restored world"),
    ("check_snapshots", SnapshotTrusts, "not a WorldError"),
    ("check_bad_actions", RaisesOnBad, "should be an outcome"),
    ("check_bad_actions", AcceptsBad, "is ok"),
    ("check_bad_actions", PunishesBad, "changed something"),
    ("check_bad_actions", ForbidsRest, "did nothing"),
    ("check_order", StartsByItself, "step before reset did not raise"),
    ("check_order", StepsWithoutWorldError, "not a WorldError"),
    ("check_order", SnapshotsNothing, "snapshot before reset"),
    ("check_order", NeverEnds, "step after the end"),
    ("check_order", ClosesOnce, "closing a world twice"),
]


def test_a_correct_world_passes() -> None:
    check_world(Corridor)
    check_world(Corridor, seed=5, steps=3)
    check_world(Trio)


PAIRS = list(zip(TASKS, itertools.cycle([1, 2, 5]), strict=False))


@pytest.mark.parametrize(("task", "agents"), PAIRS)
def test_the_household_passes(task: str, agents: int) -> None:
    check_world(lambda: HouseholdWorld(task, agents), seed=agents)


@pytest.mark.slow
@pytest.mark.parametrize(("task", "agents"), [p for p in itertools.product(TASKS, [1, 2, 5]) if p not in PAIRS])
def test_the_household_passes_with_every_task_for_every_team(task: str, agents: int) -> None:
    check_world(lambda: HouseholdWorld(task, agents), seed=agents)


@pytest.mark.parametrize("chores", CHORES)
def test_the_household_passes_whatever_there_is_to_do(chores: str) -> None:
    check_world(lambda: Household(chores, 3))


@pytest.mark.parametrize(("check", "broken", "complaint"), BROKEN)
def test_a_broken_world_is_found_out_with_a_clear_message(
    check: str, broken: Callable[[], World], complaint: str
) -> None:
    the_check = next(function for function in CHECKS if function.__name__ == check)
    with pytest.raises(AssertionError, match=complaint):
        the_check(broken, 0, 30)
    with pytest.raises(AssertionError):
        check_world(broken)


def test_every_check_has_a_world_that_fails_it() -> None:
    assert {function.__name__ for function in CHECKS} == {name for name, _, _ in BROKEN}
