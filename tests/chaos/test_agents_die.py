"""Processes of agents are killed, hang, or die for ever, on a real Ray: T1, T5, T6, T15."""

from __future__ import annotations

import statistics
from pathlib import Path

import pytest
from housemates.actors import actor as actor_module
from housemates.actors.model.chat import Endpoint
from housemates.orchestrator.barrier import MAX_ATTEMPTS
from housemates.orchestrator.member import MAX_RESTARTS

from .conftest import LONG
from .episodes import Played, play_household
from .faults import Fault, FaultyActor, Point, marks
from .table import Tell

pytestmark = [pytest.mark.chaos, pytest.mark.ray, pytest.mark.slow]
SHORT_STEPS = 12
HIT = 4
"""The step in which something happens."""
DEADLINE_S = 20.0
CLOSED_S = DEADLINE_S + 0.5
"""When a step with a stalled agent must be over: the gate of T5."""


@pytest.fixture(scope="module")
def undisturbed(endpoint: Endpoint) -> Played:
    return play_household(endpoint, runtime="inline", steps=SHORT_STEPS)


def step_s(played: Played, step: int) -> float:
    return float(played.steps()[step]["step_s"])


@pytest.mark.usefixtures("ray_here")
@pytest.mark.parametrize("point", ["before", "call", "update", "after"])
def test_an_agent_killed_in_its_turn_takes_the_turn_again_and_nothing_else_changes(
    point: Point,
    tmp_path: Path,
    endpoint: Endpoint,
    undisturbed: Played,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Tell,
) -> None:
    fault = Fault("Agent_2", point, None if point == "update" else HIT)
    taken: list[float] = []
    for number in range(20 if LONG else 1):
        folder = tmp_path / str(number)
        folder.mkdir()
        monkeypatch.setattr(actor_module, "AgentActor", FaultyActor(folder, fault))
        played = play_household(endpoint, runtime="ray", steps=SHORT_STEPS)
        assert marks(folder, f"struck-Agent_2-{point}-{fault.step}") == 1, "it was killed"
        assert played.digest == undisturbed.digest
        usual = statistics.median(step_s(played, step) for step in range(SHORT_STEPS))
        taken.append(max(step_s(played, step) for step in range(1, SHORT_STEPS)) - usual)
    record_property("injections", len(taken))
    record_property("survived", len(taken))
    record_property("figure", f"{point}: {statistics.median(taken):.1f} s, at most {max(taken):.1f} s")


def late_once(point: Point, endpoint: Endpoint, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[float, str]:
    """How long the step took in which an agent stalled or hung, and what it says of that."""
    monkeypatch.setattr(actor_module, "AgentActor", FaultyActor(folder, Fault("Agent_2", point, HIT)))
    played = play_household(endpoint, runtime="ray", steps=SHORT_STEPS, step_deadline_s=DEADLINE_S)
    verdicts = played.verdicts("Agent_2")
    assert [step for step, verdict in enumerate(verdicts) if verdict == "late"] == [HIT]
    assert "late" not in played.verdicts("Agent_1")
    assert marks(folder, f"taken-Agent_2-{HIT}") == 0, "and its turn is never taken afterwards"
    return step_s(played, HIT), played.steps()[HIT]["agents"]["Agent_2"]["detail"]


@pytest.mark.usefixtures("ray_here")
def test_an_agent_that_stalls_costs_the_deadline_once(
    tmp_path: Path, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, record_property: Tell
) -> None:
    took, detail = late_once("stall", endpoint, tmp_path, monkeypatch)
    record_property("figure", f"waiting: {took:.2f} s with a deadline of {DEADLINE_S:g} s")
    assert f"{DEADLINE_S:g} s" in detail
    assert took <= CLOSED_S


@pytest.mark.usefixtures("ray_here")
def test_an_agent_that_holds_its_process_up_costs_the_deadline_once(
    tmp_path: Path, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, record_property: Tell
) -> None:
    took, detail = late_once("hang", endpoint, tmp_path, monkeypatch)
    record_property("figure", f"holding the process up: {took:.2f} s")
    assert detail == f"no answer within {DEADLINE_S:g} s"
    assert took <= CLOSED_S


@pytest.mark.usefixtures("ray_here")
@pytest.mark.parametrize("agents_per_actor", [1, 3])
def test_an_agent_that_always_dies_is_quarantined_and_its_housemates_go_on(
    agents_per_actor: int,
    tmp_path: Path,
    endpoint: Endpoint,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Tell,
) -> None:
    fault = Fault("Agent_2", "before", None, times=1000)
    monkeypatch.setattr(actor_module, "AgentActor", FaultyActor(tmp_path, fault))
    played = play_household(endpoint, runtime="ray", steps=6, agents_per_actor=agents_per_actor)
    assert played.end.error == ""
    assert played.verdicts("Agent_2") == ["failed", *["quarantined"] * 5]
    assert {*played.verdicts("Agent_1"), *played.verdicts("Agent_3")} <= {"ok", "invalid"}
    assert played.tally.quarantined == {"Agent_2": 1}
    deaths = marks(tmp_path, "struck-Agent_2-before-None")
    assert deaths == MAX_RESTARTS + 1
    record_property("injections", deaths)
    record_property("survived", deaths)
    record_property("figure", f"{deaths} deaths, {deaths - 1} restarts")


@pytest.mark.usefixtures("ray_here")
def test_an_observation_that_kills_its_reader_is_passed_over_and_kept(
    tmp_path: Path, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, record_property: Tell
) -> None:
    fault = Fault("Agent_2", "before", HIT, times=1000)
    monkeypatch.setattr(actor_module, "AgentActor", FaultyActor(tmp_path, fault))
    played = play_household(endpoint, runtime="ray", steps=SHORT_STEPS)
    deaths = marks(tmp_path, f"struck-Agent_2-before-{HIT}")
    assert deaths == MAX_ATTEMPTS
    record_property("injections", deaths)
    record_property("survived", deaths)
    assert [step for step, verdict in enumerate(played.verdicts("Agent_2")) if verdict == "failed"] == [HIT]
    (found,) = played.set_aside
    assert (found.agent, found.step) == ("Agent_2", HIT)
    assert found.observation.text == played.steps()[HIT - 1]["result"]["observations"]["Agent_2"]["text"]
