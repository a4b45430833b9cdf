"""The household as a world: joint steps, messages, rewards, snapshots."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from random import Random

import pytest
from housemates.env.household import TASKS, HouseholdWorld
from housemates.env.household.engine.engine import Engine, Primitive, Result
from housemates.env.household.homes import build_home
from housemates.env.household.tasks.families import find_task
from housemates.env.world import PLAN_TOKEN, Observation, WorldError, is_message
from hypothesis import given, settings
from hypothesis import strategies as st

from .chores import CHORES, Household


def started(task: str = "read_book", agents: int = 2, seed: int = 0) -> tuple[HouseholdWorld, dict[str, Observation]]:
    world = HouseholdWorld(task, agents)
    return world, world.reset(seed)


def test_agents_are_named_in_numeric_order() -> None:
    assert list(HouseholdWorld("read_book", 11).agents) == [f"Agent_{n}" for n in range(1, 12)]


def test_a_prompt_lists_exactly_the_choices() -> None:
    _, observations = started(agents=4)
    for seen in observations.values():
        block = seen.text.split("Available actions:\n")[1].split("\n\n")[0]
        assert tuple(line.split(". ", 1)[1] for line in block.splitlines()) == seen.choices
        assert seen.text.index("Goal: ") < seen.text.index(f"\nPlan: {PLAN_TOKEN}\nProgress: ")
        assert [is_message(choice) for choice in seen.choices] == sorted(is_message(c) for c in seen.choices)


def test_an_apartment_and_a_task_can_be_given_as_names_or_things() -> None:
    assert HouseholdWorld(find_task("read_book"), 2, "0").reset(3) == HouseholdWorld("read_book", 2).reset(3)
    with pytest.raises(WorldError):
        HouseholdWorld("sleep", 2)
    with pytest.raises(WorldError, match="at least one agent"):
        HouseholdWorld("read_book", 0)


def test_actions_beyond_the_alphabet_are_numbered_on() -> None:
    _, observations = started(agents=40)
    lines = observations["Agent_40"].text.split("Available actions:\n")[1].split("\n\n")[0].splitlines()
    labels = [line.split(". ", 1)[0] for line in lines]
    assert labels[:2] == ["A", "B"] and labels[25:28] == ["Z", "AA", "AB"] and len(labels) > 40


def test_alone_there_is_nobody_to_talk_to() -> None:
    _, observations = started(agents=1)
    assert list(observations) == ["Agent_1"]
    assert not any(is_message(choice) for choice in observations["Agent_1"].choices)
    assert "Agent_2" not in observations["Agent_1"].text


def test_the_history_starts_where_one_woke_up_and_grows_by_primitives() -> None:
    world, observations = started(agents=1)
    room = observations["Agent_1"].info["room"]
    assert re.search(rf"Previous actions: \[goexplore\] <{room}> \(\d+\)\n", observations["Agent_1"].text)
    choice = next(c for c in observations["Agent_1"].choices if c.startswith("[goexplore]"))
    seen = world.step({"Agent_1": choice}).observations["Agent_1"]
    walked = choice.replace("goexplore", "walktowards")
    assert f", {walked}\n" in seen.text and seen.info["executed"] == walked


def test_walking_on_does_not_change_the_key_but_arriving_does() -> None:
    world, observations = started(agents=1)
    seen = observations["Agent_1"]
    choice = next(c for c in seen.choices if c.startswith("[goexplore]"))
    keys = [seen.key]
    while choice in seen.choices:
        seen = world.step({"Agent_1": choice}).observations["Agent_1"]
        keys.append(seen.key)
    assert len(set(keys[:-1])) == 1 and keys[-1] != keys[0]


def test_each_failure_is_a_reason_to_think_again() -> None:
    class Stubborn(Engine):
        """Nothing works here."""

        def check(self, character: int, action: Primitive) -> tuple[str, ...] | None:
            return ("no",)

    world = HouseholdWorld("read_book", 1, simulator=Stubborn)
    seen = world.reset(0)["Agent_1"]
    keys = [seen.key]
    for _ in range(3):
        result = world.step({"Agent_1": seen.choices[0]})
        seen = result.observations["Agent_1"]
        assert not result.outcomes["Agent_1"].ok
        keys.append(seen.key)
    assert len(set(keys)) == 4
    assert world.step({}).observations["Agent_1"].key == keys[-1]


def test_any_simulator_will_do() -> None:
    class Counting(Engine):
        """Counts what it is asked to do."""

        asked = 0

        def step(self, actions: Mapping[int, Primitive]) -> dict[int, Result]:
            Counting.asked += len(actions)
            return super().step(actions)

    world = HouseholdWorld("read_book", 2, simulator=Counting)
    seen = world.reset(0)
    world.step({agent: seen[agent].choices[0] for agent in world.agents})
    world.step({"Agent_2": None})
    assert Counting.asked == 2


class TestMessages:
    def test_one_message_to_everyone_is_heard_by_all_teammates_once(self) -> None:
        world, before = started(agents=3)
        form = "[send_message] <everyone> (0): "
        assert all(seen.choices[-1] == f"{form}text" for seen in before.values())
        result = world.step({"Agent_2": f"{form}I take the kitchen.", "Agent_3": f"{form}Fine."})
        assert [(m.sender, m.receiver) for m in result.messages] == [("Agent_2", "everyone"), ("Agent_3", "everyone")]
        text = result.observations["Agent_1"].text
        assert text.count("Agent_2 send_message to everyone: I take the kitchen.") == 1
        assert text.index("I take") < text.index("Fine.")
        assert "You send_message to everyone: I take the kitchen." in result.observations["Agent_2"].text
        assert result.observations["Agent_1"].key != before["Agent_1"].key

    def test_a_message_reaches_both_histories_and_only_the_receiver_thinks_again(self) -> None:
        world, before = started(agents=3)
        result = world.step({"Agent_1": "[send_message] <Agent_3> (3): I take the\nkitchen."})
        after = result.observations
        assert [(m.sender, m.receiver, m.text) for m in result.messages] == [
            ("Agent_1", "Agent_3", "I take the kitchen.")
        ]
        assert "\nYou send_message to Agent_3: I take the kitchen.\n" in after["Agent_1"].text
        assert "\nAgent_1 send_message to You: I take the kitchen.\n" in after["Agent_3"].text
        assert "I take the kitchen" not in after["Agent_2"].text
        assert after["Agent_3"].key != before["Agent_3"].key
        assert after["Agent_1"].key == before["Agent_1"].key
        assert ", [send_message] <Agent_3> (3)\n" in after["Agent_1"].text

    def test_messages_of_one_step_come_in_agent_order(self) -> None:
        world, _ = started(agents=3)
        result = world.step({f"Agent_{n}": f"[send_message] <Agent_2> (2): from {n}" for n in (3, 1)})
        assert [m.text for m in result.messages] == ["from 1", "from 3"]
        text = result.observations["Agent_2"].text
        assert text.index("from 1") < text.index("from 3")

    def test_a_sender_does_nothing_else(self) -> None:
        world, before = started()
        result = world.step({"Agent_1": "[send_message] <Agent_2> (2): hello"})
        assert result.observations["Agent_1"].info["position"] == before["Agent_1"].info["position"]
        assert result.observations["Agent_1"].info["executed"] is None

    @pytest.mark.parametrize(
        ("action", "reason"),
        [
            ("[send_message] <Agent_2> (2):   ", "no text"),
            ("[send_message] <Agent_1> (1): hi", "oneself"),
            ("[send_message] <Agent_9> (9): hi", "no Agent_9 in the team"),
            ("[send_message] hi all", "is written"),
        ],
    )
    def test_an_undeliverable_message_says_why(self, action: str, reason: str) -> None:
        world, _ = started()
        outcome = world.step({"Agent_1": action}).outcomes["Agent_1"]
        assert not outcome.ok and reason in outcome.detail

    def test_only_the_last_thirty_lines_are_kept(self) -> None:
        world, _ = started()
        for n in range(40):
            result = world.step({"Agent_1": f"[send_message] <Agent_2> (2): number {n};"})
        lines = re.findall(r"number (\d+);", result.observations["Agent_2"].text)
        assert lines == [str(n) for n in range(10, 40)]
        history = result.observations["Agent_1"].text.split("Previous actions: ")[1].split("\n")[0]
        assert len(history.split(", ")) == 20


class TestBadActions:
    @pytest.mark.parametrize("action", ["[gograb] <moon> (1)", "None", "", "A", 7])
    def test_they_are_outcomes_and_change_nothing(self, action: str) -> None:
        world, twin = started()[0], started()[0]
        result, idle = world.step({"Agent_1": action}), twin.step({})
        assert not result.outcomes["Agent_1"].ok and result.outcomes["Agent_1"].detail
        assert idle.outcomes["Agent_1"].ok
        assert result.observations == idle.observations
        assert world.snapshot() == twin.snapshot()


class TestSolving:
    def collect(self, world: HouseholdWorld, seen: Observation, number: int) -> Observation:
        """Take things until `number` are held."""
        for _ in range(200):
            if len(seen.info["holding"]) == number:
                return seen
            verbs = ("[gograb]", "[gocheck]", "[goexplore]")
            choice = next(c for verb in verbs for c in seen.choices if c.startswith(verb))
            seen = world.step({"Agent_1": choice}).observations["Agent_1"]
        raise AssertionError("found too little")

    def test_with_both_hands_full_the_body_puts_by_itself(self) -> None:
        world, observations = started(agents=1)
        seen = self.collect(world, observations["Agent_1"], 1)
        assert seen.reflex is None
        seen = self.collect(world, seen, 2)
        assert seen.reflex is not None and seen.reflex.startswith("[goput] <coffeetable>")
        assert seen.reflex in seen.choices

    def test_each_thing_put_in_place_is_worth_two_to_everybody(self) -> None:
        world, observations = started(agents=2)
        seen = self.collect(world, observations["Agent_1"], 2)
        total = 0.0
        while seen.info["holding"]:
            result = world.step({"Agent_1": seen.choices[[c.startswith("[goput]") for c in seen.choices].index(True)]})
            assert result.rewards["Agent_1"] == result.rewards["Agent_2"] in (0.0, 2.0)
            total += result.rewards["Agent_1"]
            seen = result.observations["Agent_1"]
        placed = sum(have for have, _ in seen.info["progress"].values())
        assert total == 2.0 * placed > 0
        assert "We've already found and put" in seen.text


GARBAGE = st.one_of(
    st.none(), st.text(max_size=30), st.sampled_from(["[grab] <apple> (200)", "[send_message]", "A. x"])
)


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from([*sorted(TASKS), *sorted(CHORES)]),
    st.integers(1, 4),
    st.integers(0, 50),
    st.randoms(use_true_random=False),
    st.data(),
)
def test_whatever_agents_do_the_home_stays_whole_and_the_rewards_true(task, agents, seed, rng, data) -> None:  # type: ignore[no-untyped-def]
    make = Household if task in CHORES else HouseholdWorld
    world = make(task, agents)
    observations = world.reset(seed)
    episode = world._episode
    assert episode is not None
    goal = episode.teams[0].briefing.goal
    ids, total = sorted(episode.graph.nodes), 2.0 * sum(goal.done(episode.graph))
    for _ in range(25):
        actions = {}
        for agent, seen in observations.items():
            actions[agent] = seen.reflex or rng.choice([*seen.choices, None])
        if rng.random() < 0.2:
            actions["Agent_1"] = data.draw(GARBAGE)
        result = world.step(actions)
        observations = result.observations
        total += result.rewards["Agent_1"]
        graph = episode.graph
        graph.validate()
        assert sorted(graph.nodes) == ids
        assert total == 2.0 * sum(goal.done(graph))
        assert result.done == result.success == (total == 2.0 * goal.total)
        for number, node in graph.nodes.items():
            assert node.category == "Rooms" or len(graph.targets(number, "INSIDE")) == 1
            assert graph.holder(number) is None or graph.support(number) is None
        for seen in observations.values():
            assert seen.text.count(PLAN_TOKEN) == 1
        if result.done:
            break


def test_doors_that_a_file_has_shut_stand_open_because_agents_cannot_open_them(tmp_path: Path) -> None:
    scene = build_home("1", 11, Random(0)).graph
    doors = {door for room in scene.rooms for door in scene.sources(room, "BETWEEN")}
    assert doors
    for door in doors:
        scene.nodes[door].states = ("CLOSED",)
    path = tmp_path / "shut.json"
    path.write_text(json.dumps(scene.to_dict()))
    world = HouseholdWorld("read_book", 1, str(path))
    seen = world.reset(0)["Agent_1"]
    while explore := [choice for choice in seen.choices if choice.startswith("[goexplore]")]:
        for _ in range(40):
            if explore[0] in seen.choices:
                seen = world.step({"Agent_1": explore[0]}).observations["Agent_1"]
        assert explore[0] not in seen.choices
    assert all("OPEN" in world.scene().nodes[door].states for door in doors)
