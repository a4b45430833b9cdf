"""Where the time of a run went, added up from its records."""

from __future__ import annotations

from typing import Any

import pytest
from housemates.orchestrator.timing import STEP_PARTS, TimeTally


def step(times: dict[str, dict[str, float]], turns_s: float, world_s: float = 0.5, driver_s: float = 0.25) -> Any:
    parts = {agent: {"times": spent} for agent, spent in times.items()}
    step_s = turns_s + world_s + driver_s
    return {
        "kind": "step",
        "agents": parts,
        "turns_s": turns_s,
        "world_s": world_s,
        "journal_s": 0.125,
        "step_s": step_s,
    }


def tallied(*records: Any) -> TimeTally:
    tally = TimeTally()
    for record in records:
        tally.add(record)
    return tally


def test_the_time_of_a_step_is_that_of_the_agent_it_waited_for() -> None:
    quick = {"act_s": 1.0, "barrier_s": 5.0}
    slow = {"learn_s": 3.0, "act_s": 2.0, "optimizer_s": 1.0}
    tally = tallied(step({"quick": quick, "slow": slow}, turns_s=6.0))
    spent = {name: seconds for name, seconds in tally.steps.items() if seconds}
    assert spent == {
        "learn_s": 3.0,
        "act_s": 2.0,
        "optimizer_s": 1.0,
        "world_s": 0.5,
        "journal_s": 0.125,
        "driver_s": 0.25,
    }
    assert tally.seconds == 6.875
    assert tally.efficiency == pytest.approx(5.0 / 6.875)
    assert tally.summary()["agents"]["barrier_s"] == 5.0, "everybody's time has the waiting in it"


def test_stragglers_are_those_that_others_waited_for_and_how_long() -> None:
    even = {"a": {"act_s": 1.0, "barrier_s": 0.004}, "b": {"act_s": 1.004}}
    late = {"a": {"act_s": 4.0}, "b": {"act_s": 1.0, "barrier_s": 3.0}, "c": {"act_s": 2.0, "barrier_s": 2.0}}
    later = {"a": {"act_s": 1.0, "barrier_s": 8.0}, "b": {"act_s": 9.0}}
    tally = tallied(step(even, 1.004), step(late, 4.0), step(late, 4.0), step(later, 9.0))
    assert tally.summary()["stragglers"] == [{"agent": "b", "steps": 1, "s": 8.0}, {"agent": "a", "steps": 2, "s": 4.0}]


def test_somebody_alone_keeps_nobody_waiting() -> None:
    assert tallied(step({"a": {"act_s": 9.0}}, 9.0)).summary()["stragglers"] == []


def test_records_of_older_journals_do_not_count() -> None:
    old = {"kind": "step", "step_s": 5.0, "agents": {"a": {"verdict": "ok"}}}
    assert tallied(old).summary() == {}
    both = tallied(old, step({"a": {"act_s": 1.0}}, 1.0))
    assert both.count == 1


def test_a_step_in_which_nobody_is_left_is_the_drivers() -> None:
    tally = tallied(step({"a": {}}, turns_s=0.0))
    assert {name for name, seconds in tally.steps.items() if seconds} == {"world_s", "journal_s", "driver_s"}
    assert set(tally.steps) == set(STEP_PARTS)
