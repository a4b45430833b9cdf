"""A building: one team per flat, each with its own goal, and nobody pays for the size of the house."""

from __future__ import annotations

import re
from random import Random

import pytest
from housemates.env.household import HouseholdWorld, episode
from housemates.env.household.homes import Home
from housemates.env.household.person.sight import Focus, RoomView, look
from housemates.env.household.scene.graph import SceneGraph
from housemates.env.testing import check_world
from housemates.env.world import Observation, is_message

from .block import build_block
from .chores import CHORES, Household


class Block(HouseholdWorld):
    """Agents in a building of equal flats."""

    def __init__(self, flats: int, agents: int, task: str = "prepare_food") -> None:
        super().__init__(task, agents)
        self.flats = flats

    def build_home(self, first_id: int, rng: Random) -> Home:
        return build_block(self.flats, first_id, rng)


class BusyBlock(Household):
    """Chores in a building of two flats."""

    def build_home(self, first_id: int, rng: Random) -> Home:
        return build_block(2, first_id, rng)


def ids(seen: Observation) -> set[int]:
    return {int(number) for number in re.findall(r"> \((\d+)\)", seen.text)}


def test_neighbours_in_number_share_a_flat() -> None:
    world = Block(3, 7)
    world.reset(0)
    assert world._episode is not None
    assert [team.briefing.members for team in world._episode.teams] == [(1, 2, 3), (4, 5), (6, 7)]


def test_flats_without_people_have_no_goal() -> None:
    world = Block(5, 2)
    world.reset(0)
    assert world._episode is not None
    assert [team.briefing.members for team in world._episode.teams] == [(1,), (2,)]
    assert {team.briefing.goal.wants[0].target for team in world._episode.teams} < set(world._episode.graph.nodes)


def test_each_team_reads_and_writes_of_itself_only() -> None:
    world = Block(2, 6)
    seen = world.reset(0)
    for agent, team, others in (("Agent_2", "13", "456"), ("Agent_5", "46", "123")):
        text, choices = seen[agent].text, seen[agent].choices
        assert all(f"Agent_{number}" in text for number in team)
        assert not any(f"Agent_{number}" in text for number in others)
        forms = [choice for choice in choices if is_message(choice)]
        assert [re.findall(r"<(\w+)>", form)[0] for form in forms] == [*(f"Agent_{n}" for n in team), "everyone"]
    assert (
        seen["Agent_1"].text.split("\nGoal: ")[1].split("\n")[0]
        != seen["Agent_4"].text.split("\nGoal: ")[1].split("\n")[0]
    )


def test_whatever_they_do_they_meet_only_their_own_flat_and_the_corridor() -> None:
    world = Block(2, 4)
    seen = world.reset(1)
    running = world._episode
    assert running is not None
    rooms = {team: set(team.briefing.rooms) for team in running.teams}
    corridor = running.graph.rooms[0]
    rng = Random(0)
    for _ in range(60):
        actions = {a: o.reflex or rng.choice([c for c in o.choices if not is_message(c)]) for a, o in seen.items()}
        seen = dict(world.step(actions).observations)
        for number, agent in enumerate(world.agents, 1):
            mine = rooms[running.team_of[number]] | {corridor}
            met = ids(seen[agent]) - {0, 305} - set(range(1, 5))
            assert {running.graph.room_of(thing) for thing in met} <= mine


def test_nobody_can_write_to_another_team() -> None:
    world = Block(2, 4)
    world.reset(0)
    result = world.step({"Agent_1": "[send_message] <Agent_3> (3): hi", "Agent_2": "[send_message] <Agent_1> (1): hi"})
    assert not result.outcomes["Agent_1"].ok and "no Agent_3 in the team" in result.outcomes["Agent_1"].detail
    assert [(message.sender, message.receiver) for message in result.messages] == [("Agent_2", "Agent_1")]


def test_each_team_earns_for_itself_and_the_last_one_ends_the_episode() -> None:
    world = BusyBlock("watch tv", 2)
    seen = world.reset(0)
    earned = dict.fromkeys(world.agents, 0.0)
    done = dict.fromkeys(world.agents, -1)
    for step in range(300):
        # The second team only starts when the first one is done.
        mover = "Agent_1" if done["Agent_1"] < 0 else "Agent_2"
        verbs = ("[gograb]", "[goswitch]", "[gocheck]", "[goexplore]", "[gosit]")
        choice = next(c for verb in verbs for c in seen[mover].choices if c.startswith(verb))
        result = world.step({mover: choice})
        seen = dict(result.observations)
        for agent in world.agents:
            earned[agent] += result.rewards[agent]
            if earned[agent] == 6.0 and done[agent] < 0:
                done[agent] = step
        if result.done:
            break
        assert not result.success
    assert result.done and result.success
    assert 0 < done["Agent_1"] < done["Agent_2"] == step


def test_a_team_that_is_done_stays_done_and_has_nothing_left_to_choose() -> None:
    world = BusyBlock("watch tv", 2)
    seen = world.reset(0)
    while seen["Agent_1"].choices:
        verbs = ("[gograb]", "[goswitch]", "[gocheck]", "[goexplore]", "[gosit]")
        choice = next(c for verb in verbs for c in seen["Agent_1"].choices if c.startswith(verb))
        seen = dict(world.step({"Agent_1": choice}).observations)
    result = world.step({"Agent_1": choice})
    assert not result.outcomes["Agent_1"].ok and not result.done
    twin = BusyBlock("watch tv", 2)
    assert twin.restore(world.snapshot()) == result.observations


def test_what_one_team_holds_is_nothing_to_another() -> None:
    world = BusyBlock("watch tv", 2)
    world.reset(0)
    running = world._episode
    assert running is not None
    first, second = running.teams
    graph = running.graph
    remote = next(n for n, node in graph.nodes.items() if node.class_name == "remotecontrol")
    graph.link(1, "HOLDS_RH", remote)
    assert sum(first.count(graph)) == 1 and sum(second.count(graph)) == 0


@pytest.mark.parametrize("chores", ["everything", "clean table"])
def test_a_building_is_a_world_like_any_other(chores: str) -> None:
    assert chores in CHORES
    check_world(lambda: BusyBlock(chores, 5), steps=15)


@pytest.mark.parametrize("flats", [1, 4])
def test_each_room_with_people_is_looked_at_once_a_step(flats: int, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []

    def counted(graph: SceneGraph, room: int, focus: Focus) -> RoomView:
        looks.append(room)
        return look(graph, room, focus)

    monkeypatch.setattr(episode, "look", counted)
    Block(flats, 6 * flats).reset(0)
    assert 0 < len(looks) <= 5 * flats and len(set(looks)) == len(looks)
