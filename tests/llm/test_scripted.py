"""The scripted model's answers to prompts in the household's text convention."""

from __future__ import annotations

import json
from typing import Any

import pytest
from housemates.actors.model.scripted import reply

ACTIONS = [
    "[goexplore] <livingroom> (20)",
    "[goexplore] <bathroom> (40)",
    "[gocheck] <fridge> (12)",
    "[gocheck] <microwave> (13)",
    "[gograb] <wine> (51)",
]
PUT = "[goput] <coffeetable> (21)"
FORM = "[send_message] <Agent_1> (1): <message>"
EVERYWHERE = (
    "The livingroom is unexplored. I found an unchecked container <cabinet> (31) in the bedroom. "
    "The bathroom is unexplored. "
)
HERE = "I'm in the kitchen, where I found <wine> (51), and unchecked containers <fridge> (12), <microwave> (13). "


def prompt(
    actions: list[str],
    *,
    agent: int = 2,
    teammates: str = "Agent_1",
    plan: str = "",
    holding: str = "nothing",
    here: str = HERE,
    others: str = "I don't know where Agent_1 is. ",
    rest: str = EVERYWHERE,
    dialogue: str = "",
    history: str = "[goexplore] <bedroom> (30)",
    goal: str = "Find and put 1 apple, 2 wines, 1 pudding onto the <coffeetable> (21).",
) -> str:
    lines = "".join(f"{chr(65 + i)}. {action}\n" for i, action in enumerate(actions))
    return (
        f"I'm Agent_{agent}. I'm in a hurry to finish the housework with my friends {teammates} together. Given our "
        "shared goal, help me.\n"
        f"Goal: {goal}\n"
        f"Plan: {plan}\n"
        f"Progress: This is step 5. I'm holding {holding}. {here}{others}{rest}\n"
        f"Dialogue history:\n{dialogue}\n"
        f"Previous actions: {history}\n"
        f"Available actions:\n{lines}\n"
        'Response format:\n{"thoughts" : "thoughts content", \n'
        '"action" : "choose one action from the available actions above"}\n'
    )


def act(text: str) -> str:
    answer: dict[str, str] = json.loads(reply([{"role": "system", "content": "s"}, {"role": "user", "content": text}]))
    assert set(answer) == {"thoughts", "action"}
    return answer["action"]


def test_a_needed_thing_in_sight_is_grabbed() -> None:
    assert act(prompt(ACTIONS)) == "[gograb] <wine> (51)"


def test_full_hands_are_emptied() -> None:
    assert act(prompt([*ACTIONS[:2], PUT], holding="<apple> (50) and <wine> (52)")) == PUT


def test_what_others_hold_is_not_looked_for() -> None:
    others = "I also see Agent_1 here in the kitchen, she is holding <wine> (52) and <wine> (53). "
    assert act(prompt(ACTIONS, others=others)) == "[gocheck] <fridge> (12)"


def test_what_is_already_placed_counts() -> None:
    here = "We've already found and put <wine> (52), <wine> (53) onto the <coffeetable> (21). " + HERE
    assert act(prompt(ACTIONS, here=here)).startswith("[gocheck]")


def test_agents_in_one_room_share_the_containers() -> None:
    here = "I'm in the kitchen, where I found unchecked containers <fridge> (12), <microwave> (13). "
    chosen = {
        act(prompt(ACTIONS[:4], agent=me, here=here, others=f"I also see Agent_{other} here in the kitchen, "
                   "she is holding nothing. "))
        for me, other in ((1, 2), (2, 1))
    }  # fmt: skip
    assert chosen == {"[gocheck] <fridge> (12)", "[gocheck] <microwave> (13)"}


def test_agents_spread_over_unexplored_rooms() -> None:
    here = "I'm in the kitchen, where I found nothing. "
    chosen = {act(prompt(ACTIONS[:2], agent=me, here=here)) for me in (1, 2)}
    assert len(chosen) == 2


@pytest.mark.parametrize(
    "plan", ["Search order: bathroom, livingroom.", "I take the bathroom.", "Agent_1 takes the bathroom."]
)
def test_the_plan_changes_the_order_of_rooms(plan: str) -> None:
    here = "I'm in the kitchen, where I found nothing. "
    assert act(prompt(ACTIONS[:2], agent=1, here=here)) == ACTIONS[0]
    assert act(prompt(ACTIONS[:2], agent=1, here=here, plan=plan)) == ACTIONS[1]


def test_when_all_is_found_the_rest_is_delivered() -> None:
    here = (
        "We've already found and put <wine> (52), <wine> (53), <apple> (50) onto the <coffeetable> (21). "
        "I'm in the kitchen, where I found unchecked containers <fridge> (12). "
    )
    assert act(prompt([ACTIONS[2], PUT], here=here, holding="<pudding> (60)")) == PUT
    assert act(prompt([ACTIONS[2]], here=here.replace("<apple> (50)", "<apple> (50), <pudding> (60)"))) == "None"


def test_more_than_one_can_carry_is_told_to_an_absent_teammate_once() -> None:
    here = "I'm in the kitchen, where I found <wine> (51), <wine> (52), <apple> (50). "
    grabs = ["[gograb] <wine> (51)", "[gograb] <wine> (52)", "[gograb] <apple> (50)", FORM]
    said = act(prompt(grabs, here=here))
    assert said.startswith("[send_message] <Agent_1> (1): I found <apple> (50) in the kitchen.")
    assert "\n" not in said
    after = act(prompt(grabs, here=here, dialogue=f"You send_message to Agent_1: {said}"))
    assert after.startswith("[gograb]")


def test_what_a_teammate_claims_is_left_to_it_and_its_tip_is_followed() -> None:
    dialogue = "Agent_1 send_message to You: I found <apple> (70) in the bathroom. I take <wine> (51)."
    assert act(prompt(ACTIONS, dialogue=dialogue)) == "[gocheck] <fridge> (12)"
    here = "I'm in the kitchen, where I found nothing. "
    assert act(prompt(ACTIONS[:2], agent=1, here=here, dialogue=dialogue)) == ACTIONS[1]


def test_a_deed_that_keeps_failing_is_given_up() -> None:
    history = ", ".join(["[open] <fridge> (12)"] * 3)
    here = "I'm in the kitchen, where I found unchecked containers <fridge> (12), <microwave> (13). "
    assert act(prompt(ACTIONS[:4], here=here, history=history)) == "[gocheck] <microwave> (13)"


def test_actions_beyond_z_are_read() -> None:
    lines = "AA. [gograb] <wine> (51)\n"
    text = prompt([]).replace("Available actions:\n", f"Available actions:\n{lines}")
    assert act(text) == "[gograb] <wine> (51)"


class TestSeveralWants:
    GOAL = "Find and put 1 apple onto the <coffeetable> (21), and 2 wines into the <fridge> (12)."

    def test_what_belongs_here_is_put_down_here(self) -> None:
        puts = [PUT, "[goput] <fridge> (12)"]
        here = "I'm in the kitchen, where I found <fridge> (12). "
        held = "<apple> (50) and <wine> (51)"
        assert act(prompt(puts, goal=self.GOAL, holding=held, here=here)) == puts[1]
        here = "I'm in the livingroom, where I found <coffeetable> (21). "
        assert act(prompt(puts, goal=self.GOAL, holding=held, here=here)) == puts[0]

    def test_what_is_in_either_place_is_done(self) -> None:
        done = (
            "We've already found and put <apple> (50) onto the <coffeetable> (21), and <wine> (51), <wine> (52) into "
            "the <fridge> (12). "
        )
        assert act(prompt(ACTIONS[:2], goal=self.GOAL, here=done + HERE)) == "None"
        partly = done.replace(", <wine> (52)", "")
        assert act(prompt(ACTIONS[:2], goal=self.GOAL, here=partly + HERE)) in ACTIONS[:2]

    def test_what_is_to_be_taken_away_is_taken_until_enough_is_gone(self) -> None:
        goal = "Take 2 plates off the <kitchentable> (70)."
        here = "I'm in the kitchen, where I found <kitchentable> (70), <plate> (71). "
        options = ["[gograb] <plate> (71)", "[goput] <kitchencounter> (72)"]
        taken = "We've already taken 1 plate off the <kitchentable> (70). "
        assert act(prompt(options, goal=goal, holding="<plate> (73)", here=taken + here)) == options[0]
        taken = "We've already taken 2 plates off the <kitchentable> (70). "
        assert act(prompt(options[1:], goal=goal, holding="<plate> (73)", here=taken + here)) == options[1]

    def test_one_switches_on_in_passing_and_sits_down_last(self) -> None:
        goal = "Hold 1 remotecontrol. Switch on the <tv> (9). Sit on the <sofa> (33)."
        here = "I'm in the livingroom, where I found <tv> (9), <sofa> (33). "
        options = ["[goexplore] <bathroom> (40)", "[goswitch] <tv> (9)", "[gosit] <sofa> (33)"]
        assert act(prompt(options, goal=goal, here=here)) == options[1]
        assert act(prompt([options[0], options[2]], goal=goal, here=here)) == options[0]
        holder = "she was holding <remotecontrol> (60), sitting on the <sofa> (33). "
        others = f"Last time I saw Agent_1 was in the kitchen, {holder}"
        assert act(prompt([options[0], options[2]], goal=goal, here=here, others=others)) == options[2]

    def test_rooms_of_one_class_are_told_apart(self) -> None:
        here = "I'm in the bedroom (30), where I found nothing. "
        rest = "The bedroom (31) is unexplored. The bedroom (32) is unexplored. "
        rooms = ["[goexplore] <bedroom> (31)", "[goexplore] <bedroom> (32)"]
        plan = "Search order: bedroom (32), bedroom (31)."
        assert act(prompt(rooms, here=here, rest=rest, plan=plan)) == rooms[1]


def test_a_message_to_everyone_is_understood_like_one_to_me() -> None:
    dialogue = "Agent_1 send_message to everyone: I found <apple> (70) in the bathroom. I take <wine> (51)."
    assert act(prompt(ACTIONS, dialogue=dialogue)) == "[gocheck] <fridge> (12)"
    mine = "You send_message to everyone: I found <apple> (70) in the bathroom. I take <wine> (51)."
    assert act(prompt(ACTIONS, dialogue=mine)) == "[gograb] <wine> (51)"


@pytest.mark.parametrize("text", ["", "hello", "Available actions:\n", "I'm Agent_x.\nProgress: \n" * 100])
def test_any_text_gets_an_answer(text: str) -> None:
    assert act(text) == "None"


def learn(observation: str, variable: str = "plan0") -> dict[str, Any]:
    text = (
        "#Instruction\nchange the variables\n\n#Code\nx\n\n"
        f"#Variables\n(str) {variable}=old\n\n#Constraints\n\n#Inputs\n(str) obs0=earlier\n\n"
        f"#Others\n\n#Outputs\n(str) step0={observation}\n\n#Feedback\nTask Return: 1\n\nYour response:\n"
    )
    data: dict[str, Any] = json.loads(reply([{"role": "user", "content": text}]))
    return data


def test_learning_suggests_a_plan_from_the_observation_under_the_variables_name() -> None:
    data = learn(prompt([*ACTIONS, PUT]), "strategy7")
    assert set(data) == {"reasoning", "answer", "suggestion"}
    plan = data["suggestion"]["strategy7"]
    for word in ("livingroom", "bathroom", "<wine> (51)", "<fridge> (12)", "<coffeetable> (21)"):
        assert word in plan
    assert len(plan) <= 600


def test_the_same_observation_gives_the_same_plan_whatever_the_step_and_the_plan_are() -> None:
    first = learn(prompt(ACTIONS))["suggestion"]
    later = learn(prompt(ACTIONS, plan=first["plan0"]).replace("step 5", "step 9"))["suggestion"]
    assert first == later


def test_a_learned_plan_agrees_with_what_is_done() -> None:
    here = "I'm in the kitchen, where I found nothing. "
    plan = learn(prompt(ACTIONS[:2], here=here))["suggestion"]["plan0"]
    assert act(prompt(ACTIONS[:2], here=here, plan=plan)) == act(prompt(ACTIONS[:2], here=here))
