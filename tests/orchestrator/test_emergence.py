"""The measures of emergence, on episodes small enough to count by hand, and on a real one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from housemates.orchestrator.config import make_config
from housemates.orchestrator.emergence import WINDOW_STEPS, measure, normalised_information
from housemates.orchestrator.journal.log import FILE_NAME, read_journal
from housemates.orchestrator.run import run
from hypothesis import given
from hypothesis import strategies as st

ANN, BOB = "Agent_1", "Agent_2"
Part = str | dict[str, Any] | None
"""What an agent does in a step: an action, or a dict with `action` and what else is to be said of it."""


def episode(*steps: tuple[dict[str, Part], list[tuple[str, str, str]]], agents: tuple[str, ...] = (ANN, BOB)) -> Any:
    """Journal records of an episode: per step what each agent does, and the messages (sender, receiver, text)."""
    records: list[Any] = [{"kind": "begin", "agents": list(agents)}]
    for number, (parts, messages) in enumerate(steps):
        told = {agent: as_dict(parts.get(agent)) for agent in agents}
        records.append(
            {
                "kind": "step",
                "step": number,
                "agents": {
                    agent: {
                        "verdict": part.get("verdict", "ok"),
                        "reward": part.get("reward", 0.0),
                        "turn": {
                            "action": part["action"],
                            "how": part.get("how", "exact"),
                            "plan": part.get("plan", ""),
                        },
                    }
                    for agent, part in told.items()
                },
                "result": {
                    "observations": {
                        agent: {"info": {"executed": part.get("executed"), "room": part.get("room")}}
                        for agent, part in told.items()
                    },
                    "messages": [{"sender": s, "receiver": r, "text": t} for s, r, t in messages],
                },
            }
        )
    return records


def as_dict(part: Part) -> dict[str, Any]:
    return part if isinstance(part, dict) else {"action": part}


def put(thing: str, **more: Any) -> dict[str, Any]:
    return {
        "action": "[goput] <dishwasher> (50)",
        "executed": f"[putin] {thing} <dishwasher> (50)",
        "reward": 2.0,
    } | more


def test_a_delivery_is_a_put_in_a_step_that_was_rewarded() -> None:
    told = episode(
        ({ANN: put("<plate> (1)"), BOB: {"action": "[gograb] <plate> (2)", "reward": 2.0}}, []),
        ({ANN: put("<plate> (2)"), BOB: put("<plate> (3)")}, []),
        ({ANN: put("<mug> (4)", reward=0.0), BOB: put("<plate> (5)", verdict="invalid")}, []),
    )
    assert measure(told).deliveries == {ANN: 2, BOB: 1}


def test_deliveries_are_balanced_when_all_deliver_alike() -> None:
    alike = episode(({ANN: put("<plate> (1)"), BOB: put("<plate> (2)")}, []))
    lonely = episode(({ANN: put("<plate> (1)")}, []))
    assert measure(alike).delivery_balance == 1.0
    assert measure(lonely).delivery_balance == 0.0
    assert measure(episode(({}, []))).delivery_balance is None


def test_specialisation_is_one_when_nobody_shares_an_activity_and_zero_when_all_do_the_same_mix() -> None:
    apart = episode(*[({ANN: "[gocheck] <fridge> (3)", BOB: "[goput] <dishwasher> (50)"}, [])] * 3)
    alike = episode(*[({ANN: verb, BOB: verb}, []) for verb in ("[gocheck] <fridge> (3)", "[goput] <table> (4)")] * 3)
    assert measure(apart).specialisation == 1.0
    assert measure(alike).specialisation == 0.0


def test_specialisation_by_chance_is_what_exchanged_agents_show() -> None:
    verbs = ["[gocheck] <fridge> (3)", "[goput] <table> (4)", "[gograb] <plate> (5)"]
    told = episode(*[({ANN: verbs[i % 3], BOB: verbs[(i * i) % 3]}, []) for i in range(6)])
    measured = measure(told)
    assert measured.specialisation_chance is not None
    assert 0.0 < measured.specialisation_chance < 0.5
    assert measure(told) == measured, "the shuffles are the same every time"


def test_territory_is_one_when_everybody_stays_in_a_room_of_their_own() -> None:
    told = episode(*[({ANN: {"action": None, "room": "kitchen"}, BOB: {"action": None, "room": "bedroom"}}, [])] * 2)
    assert measure(told).territory == 1.0


def test_two_after_the_same_thing_are_one_duplicate() -> None:
    told = episode(
        ({ANN: "[gocheck] <fridge> (3)", BOB: "[gocheck] <fridge> (3)"}, []),
        ({ANN: "[gocheck] <fridge> (3)", BOB: "[gograb] <plate> (5)"}, []),
        ({ANN: "[goput] <table> (4)", BOB: "[goput] <table> (4)"}, []),
    )
    assert measure(told).duplicated_effort == 1 / 4, "putting to one place is no duplicate"


def test_coverage_overlaps_as_far_as_rooms_and_opened_things_are_the_same() -> None:
    told = episode(
        (
            {
                ANN: {"action": "[gocheck] <fridge> (3)", "executed": "[open] <fridge> (3)", "room": "kitchen"},
                BOB: {"action": "[gocheck] <stove> (4)", "executed": "[open] <stove> (4)", "room": "kitchen"},
            },
            [],
        )
    )
    assert measure(told).coverage_overlap == 1 / 3


def test_idle_is_who_does_nothing() -> None:
    assert measure(episode(({ANN: None, BOB: "[goexplore] <kitchen> (1)"}, []))).idle_share == 0.5


def test_a_message_to_several_counts_once() -> None:
    cleo = "Agent_3"
    told = episode(({}, [(ANN, BOB, "hello"), (ANN, cleo, "hello")]), ({}, []), agents=(ANN, BOB, cleo))
    assert measure(told).message_rate == 1 / 6


def test_a_reply_comes_back_within_the_window() -> None:
    quiet: list[Any] = [({}, [])] * (WINDOW_STEPS - 1)
    in_time = episode(({}, [(ANN, BOB, "Where?")]), *quiet, ({}, [(BOB, ANN, "Kitchen.")]))
    too_late = episode(({}, [(ANN, BOB, "Where?")]), *quiet, ({}, []), ({}, [(BOB, ANN, "Kitchen.")]))
    assert measure(in_time).reply_rate == 1 / 2, "the reply itself has none"
    assert measure(too_late).reply_rate == 0.0


@pytest.mark.parametrize("text", ["Take (5), please", "bring the plates!", "<plate> (5) is in the bedroom"])
def test_a_message_is_acted_on_when_the_receiver_newly_chooses_what_it_mentions(text: str) -> None:
    told = episode(
        ({BOB: "[gocheck] <fridge> (3)"}, [(ANN, BOB, text)]),
        ({BOB: "[gocheck] <fridge> (3)"}, []),
        ({BOB: "[gograb] <plate> (5)"}, []),
    )
    assert (measure(told).acted_on, measure(told).acted_on_before) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("during", "later"),
    [
        ("[gograb] <plate> (5)", {"action": "[gograb] <plate> (5)"}),  # was doing it already
        ("[gocheck] <fridge> (3)", {"action": "[gograb] <plate> (5)", "how": "sticky"}),  # no new decision
        ("[gocheck] <fridge> (3)", {"action": "[gograb] <mug> (6)"}),  # something else
    ],
)
def test_a_message_is_not_acted_on_otherwise(during: str, later: dict[str, Any]) -> None:
    told = episode(
        ({BOB: during}, [(ANN, BOB, "Take the plate (5)")]), ({BOB: later}, []), ({BOB: "[gograb] <plate> (9)"}, [])
    )
    told[-1]["agents"][BOB]["turn"]["action"] = None
    assert measure(told).acted_on == 0.0


def test_what_the_receiver_did_before_a_message_is_told_apart() -> None:
    told = episode(
        ({BOB: "[gograb] <plate> (5)"}, []),
        ({BOB: "[gocheck] <fridge> (3)"}, [(ANN, BOB, "Take the plate (5)")]),
        ({BOB: "[gocheck] <fridge> (3)"}, []),
    )
    assert (measure(told).acted_on, measure(told).acted_on_before) == (0.0, 1.0)


def test_messages_that_mention_nothing_cannot_be_acted_on() -> None:
    told = episode(({BOB: "[gograb] <plate> (5)"}, [(ANN, BOB, "Good morning, Agent_2!")]))
    assert measure(told).acted_on is None
    assert measure(told).leadership is None


def test_leadership_is_one_when_only_one_is_followed() -> None:
    told = episode(
        ({ANN: "[gocheck] <stove> (4)", BOB: "[gocheck] <fridge> (3)"}, [(ANN, BOB, "(5)!"), (BOB, ANN, "(6)!")]),
        ({ANN: "[gocheck] <stove> (4)", BOB: "[gograb] <plate> (5)"}, []),
    )
    assert measure(told).leadership == 1.0
    told[2]["agents"][ANN]["turn"]["action"] = "[gograb] <mug> (6)"
    assert measure(told).leadership == 0.0


def test_plans_are_counted_once_each_and_by_whole_names() -> None:
    told = episode(
        ({ANN: {"action": None, "plan": "Help Agent_2."}, BOB: {"action": None, "plan": "Ask Agent_10."}}, []),
        ({ANN: {"action": None, "plan": "Help Agent_2."}, BOB: {"action": None, "plan": "I, Agent_2, wait."}}, []),
    )
    assert measure(told).plan_mentions == 1 / 3


def test_an_episode_of_one_has_no_division_of_labour() -> None:
    alone = measure(episode(({ANN: "[goexplore] <kitchen> (1)"}, []), agents=(ANN,)))
    assert alone.specialisation is alone.duplicated_effort is alone.coverage_overlap is alone.message_rate is None
    assert alone.idle_share == 0.0


def test_an_episode_that_was_broken_off_before_the_first_step_has_no_measures() -> None:
    assert measure(episode()).idle_share is None


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz")), max_size=60))
def test_normalised_information_is_a_share(pairs: list[tuple[str, str]]) -> None:
    value = normalised_information(pairs)
    assert value is None or 0.0 <= value <= 1.0 + 1e-9


def test_a_real_episode_has_all_measures_but_those_of_messages(tmp_path: Path) -> None:
    config = make_config(llm="scripted", runtime="inline", agents=3, seed=2)
    result = run(config, tmp_path / "run")
    measured = measure(read_journal(result.folder / FILE_NAME))
    assert sum(measured.deliveries.values()) >= 3
    assert measured.specialisation is not None
    assert measured.specialisation_chance is not None
    assert measured.territory is not None
    assert measured.message_rate == 0.0
    assert measured.reply_rate is measured.acted_on is None
