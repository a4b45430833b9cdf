"""Letters: what is written is read, once where it is the same for many, and what one agent spoils is its own."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from housemates.actors.letters import Key, Letter, read_answers, read_letter, write_answers, write_letter
from housemates.actors.turn import Answer, Ask, Call, Exchange, Failure, PlanUpdate, Turn
from housemates.env.household.household import HouseholdWorld

CALLS = (Call(purpose="act", seconds=1.5, attempts=2), Call(purpose="learn", seconds=0.5, error="timeout"))


def asks(agents: int) -> list[Ask]:
    seen = HouseholdWorld("put_dishwasher", agents).reset(0)
    return [
        Ask(
            agent=agent,
            step=3,
            attempt=2,
            version=2,
            observation=observation,
            feedback="ok",
            restore=True,
            state=b"\0s",
        )
        for agent, observation in seen.items()
    ]


def test_what_is_asked_arrives_as_it_was() -> None:
    (ask,) = asks(1)
    odd = dataclasses.replace(ask.observation, text="\n\n  a\n$PLAN$\n", choices=("", "a\nb"), info={"at": [1, None]})
    letter = Letter([*asks(3), dataclasses.replace(ask, observation=odd, state=None)], [Key("Agent_9", 3, 1)])
    read = read_letter(write_letter(letter))
    assert [dataclasses.replace(a, observation=None) for a in read.asks] == [
        dataclasses.replace(a, observation=None) for a in letter.asks
    ]
    for there, here in zip(read.asks, letter.asks, strict=True):
        seen, shown = there.observation, here.observation
        assert (seen.text, seen.choices, seen.key, seen.reflex) == (shown.text, shown.choices, shown.key, shown.reflex)
    assert read.asks[-1].observation == odd
    assert read.owed == letter.owed


def test_what_a_household_is_told_alike_travels_once() -> None:
    alone, together = len(write_letter(Letter(asks(8)[:1]))), len(write_letter(Letter(asks(8))))
    assert together < 8 * alone * 0.7


@pytest.mark.parametrize(
    "answer",
    [
        Answer(agent="a", step=1, attempt=1, turn=Turn(action=None, how="none"), state=b"state"),
        Answer(
            agent="a",
            step=1,
            attempt=1,
            turn=Turn(
                action="[x] <y> (1)",
                how="exact",
                update=PlanUpdate(verdict="accepted", version=3),
                calls=CALLS,
                exchanges=(Exchange(request={"messages": [{"role": "user"}], "schema": None}, reply="r"),),
            ),
        ),
        Answer(agent="a", step=1, attempt=1, failure=Failure(kind="late", message="too late", calls=CALLS)),
    ],
    ids=["idle", "full", "failure"],
)
def test_what_is_answered_arrives_as_it_was(answer: Answer) -> None:
    assert read_answers(write_answers([answer, answer])) == [answer, answer]


@pytest.mark.parametrize("spoilt", ["half a \ud83d pair", object()])
def test_a_turn_that_cannot_be_written_fails_alone(spoilt: Any) -> None:
    good = Answer(agent="b", step=1, attempt=1, turn=Turn(action="x", how="exact"))
    bad = dataclasses.replace(good, agent="a", turn=Turn(action=spoilt, how="exact"))
    first, second = read_answers(write_answers([bad, good]))
    assert first.failure and first.failure.kind == "error" and first.failure.message.startswith("a: its turn")
    assert second == good
