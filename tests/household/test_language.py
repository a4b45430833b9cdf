"""The text convention, line by line. These strings are an interface: models and parsers depend on each space."""

from __future__ import annotations

import re

import pytest
from housemates.env.household.body import Body, Briefing, Mate
from housemates.env.household.language import (
    clean_message,
    goal_text,
    letters,
    message_forms,
    option_text,
    preamble,
    progress_text,
    prompt,
)
from housemates.env.household.tasks import Goal
from housemates.env.world import PLAN_TOKEN
from hypothesis import given
from hypothesis import strategies as st

CLASSES = {
    1: "character",
    2: "character",
    3: "character",
    11: "kitchen",
    12: "livingroom",
    13: "bedroom",
    14: "bathroom",
    20: "coffeetable",
    21: "fridge",
    22: "microwave",
    23: "cabinet",
    24: "dishwasher",
    30: "apple",
    31: "wine",
    32: "wine",
    33: "plate",
}
ROOMS = (12, 11, 13, 14)


def brief(relation: str = "ON", target: int = 20, needs: tuple[tuple[str, int], ...] = ()) -> Briefing:
    goal = Goal("test", relation, target, CLASSES[target], needs or (("apple", 1), ("wine", 2), ("plate", 1)))
    return Briefing(goal, ROOMS, {n: f"<{name}> ({n})" for n, name in CLASSES.items()}, CLASSES)


def body(**changes: object) -> Body:
    fresh = Body(
        number=2,
        room=13,
        unchecked=dict.fromkeys(ROOMS) | {13: []},
        ungrabbed=dict.fromkeys(ROOMS) | {13: []},
        target_rooms=(12, 11, 14),
        mates={1: Mate()},
    )
    for name, value in changes.items():
        setattr(fresh, name, value)
    return fresh


@pytest.mark.parametrize(
    ("relation", "target", "needs", "text"),
    [
        ("ON", 20, (("apple", 1), ("wine", 2)), "Find and put 1 apple, 2 wines onto the <coffeetable> (20)."),
        ("INSIDE", 24, (("plate", 2),), "Find and put 2 plates into the <dishwasher> (24)."),
    ],
)
def test_goal(relation: str, target: int, needs: tuple[tuple[str, int], ...], text: str) -> None:
    assert goal_text(brief(relation, target, needs)) == text


def test_progress_at_the_start() -> None:
    assert progress_text(body(unchecked=dict.fromkeys(ROOMS) | {13: [23]}), brief(), False) == (
        "This is step 0. I'm holding nothing. I'm in the bedroom, where I found an unchecked container <cabinet> (23). "
        "I don't know where Agent_1 is. The livingroom is unexplored. The kitchen is unexplored. "
        "The bathroom is unexplored. "
    )


def test_progress_with_something_of_everything() -> None:
    known = body(
        steps=5,
        room=11,
        holding=(30,),
        unchecked={12: None, 11: [21, 22], 13: [], 14: None},
        ungrabbed={12: None, 11: [31], 13: [], 14: None},
        target_rooms=(12, 14),
        mates={1: Mate(11, (32,), True), 3: Mate(13, (30, 33), False)},
    )
    assert progress_text(known, brief(), False) == (
        "This is step 5. I'm holding <apple> (30). "
        "I'm in the kitchen, where I found <wine> (31), and unchecked containers <fridge> (21), <microwave> (22). "
        "I also see Agent_1 here in the kitchen, she is holding <wine> (32). "
        "Last time I saw Agent_3 was in the bedroom, she was holding <apple> (30) and <plate> (33). "
        "The livingroom is unexplored. I found nothing in the bedroom. The bathroom is unexplored. "
    )


@pytest.mark.parametrize(
    ("alone", "relation", "target", "text"),
    [
        (False, "ON", 20, "We've already found and put <apple> (30), <wine> (31) onto the <coffeetable> (20). "),
        (True, "INSIDE", 24, "I've already found and put <apple> (30), <wine> (31) into the <dishwasher> (24). "),
    ],
)
def test_progress_names_what_is_done(alone: bool, relation: str, target: int, text: str) -> None:
    done = body(satisfied=(30, 31))
    assert progress_text(done, brief(relation, target), alone).startswith(
        f"This is step 0. {text}I'm holding nothing. "
    )


def test_a_teammate_who_has_left_is_no_longer_seen_here() -> None:
    left = body(mates={1: Mate(13, (), False)})
    assert "Last time I saw Agent_1 was in the bedroom, she was holding nothing. " in progress_text(
        left, brief(), False
    )


def test_both_hands_full() -> None:
    assert "I'm holding <apple> (30) and <wine> (31). " in progress_text(body(holding=(30, 31)), brief(), False)


@pytest.mark.parametrize(
    ("things", "containers", "target_rooms", "text"),
    [
        ([], [], (12, 11), "I found nothing in the kitchen. "),
        ([31], [], (12, 11), "I found <wine> (31) in the kitchen. "),
        ([31, 33], [], (11,), "I found <coffeetable> (20), <wine> (31), <plate> (33) in the kitchen. "),
        ([], [21], (12, 11), "I found an unchecked container <fridge> (21) in the kitchen. "),
        (
            [],
            [21, 22],
            (11,),
            "I found <coffeetable> (20), and unchecked containers <fridge> (21), <microwave> (22) in ",
        ),
        (None, None, (11,), "I found <coffeetable> (20) in the kitchen. "),
        (None, None, (12, 11), "The kitchen is unexplored. "),
    ],
)
def test_what_was_found_in_another_room(
    things: list[int] | None, containers: list[int] | None, target_rooms: tuple[int, ...], text: str
) -> None:
    known = body(target_rooms=target_rooms)
    known.ungrabbed[11], known.unchecked[11] = things, containers
    assert text in progress_text(known, brief(), False)


def test_things_of_which_there_are_enough_are_not_listed() -> None:
    known = body(satisfied=(30,))
    known.ungrabbed[13] = [30, 31]
    assert "where I found <wine> (31). " in progress_text(known, brief(), False)


def test_the_whole_prompt_to_the_space() -> None:
    heard = body(dialogue=["You send_message to Agent_1: hi", "Agent_1 send_message to You: hello"])
    heard.history = ["[goexplore] <bedroom> (13)", "[walktowards] <cabinet> (23)"]
    choices = ("[goexplore] <kitchen> (11)", "[send_message] <Agent_1> (1): text")
    assert prompt("Who I am.", "G.", "P. ", heard, choices, ["A", "B", "C"], False) == (
        "Who I am.\n"
        "Goal: G.\n"
        "Plan: $PLAN$\n"
        "Progress: P. \n"
        "Dialogue history:\n"
        "You send_message to Agent_1: hi\n"
        "Agent_1 send_message to You: hello\n"
        "Previous actions: [goexplore] <bedroom> (13), [walktowards] <cabinet> (23)\n"
        "Available actions:\n"
        "A. [goexplore] <kitchen> (11)\n"
        "B. [send_message] <Agent_1> (1): text\n"
        "\n"
        "Response format:\n"
        '{"thoughts" : "thoughts content", \n'
        '"action" : "choose one action from the available actions above"}\n'
        "Note: You must respond in the json format above. The action choice must be the same as one of the available "
        'actions. If there\'s nothing left to do, the action can be "None". If you choose [send_message], you must '
        "also generate the actual message."
    )


def test_without_dialogue_there_is_an_empty_line_and_alone_no_word_of_messages() -> None:
    text = prompt("I.", "G.", "P. ", body(history=["[goexplore] <bedroom> (13)"]), (), [], True)
    assert "Dialogue history:\n\nPrevious actions: [goexplore] <bedroom> (13)\nAvailable actions:\n\nResponse" in text
    assert text.endswith('the action can be "None".')


def test_the_preamble_is_one_line_with_all_names() -> None:
    text = preamble(2, (1, 2, 3))
    assert text.startswith("I'm Agent_2. ") and "Agent_1, Agent_3" in text and "\n" not in text
    alone = preamble(1, (1,))
    assert alone.startswith("I'm Agent_1. ") and "Agent_2" not in alone and "\n" not in alone


def test_letters_go_on_after_z() -> None:
    assert [letters(i) for i in (0, 25, 26, 27, 51, 52, 701, 702)] == ["A", "Z", "AA", "AB", "AZ", "BA", "ZZ", "AAA"]


def test_choices() -> None:
    assert option_text(("gocheck", 23), brief()) == "[gocheck] <cabinet> (23)"
    assert message_forms((1, 2)) == ("[send_message] <Agent_1> (1): text", "[send_message] <Agent_2> (2): text")


class TestMessages:
    @pytest.mark.parametrize(
        ("text", "delivered"),
        [
            ("I take <plate> (33), okay?", "I take <plate> (33), okay?"),
            ("one\n two\r\n\tthree", "one two three"),
            ("my $PLAN$ is", "my (plan) is"),
            ("$PL$PLAN$AN$", "$PL(plan)AN$"),
            ("Goal: sleep", "Goal - sleep"),
            ("available ACTIONS : A. [gograb] <x> (1)", "available ACTIONS - A [gograb] <x> (1)"),
            ("wait. [goput] <x> (1)", "wait [goput] <x> (1)"),
            ("  \n ", ""),
            ("x" * 600, "x" * 500),
        ],
    )
    def test_what_arrives(self, text: str, delivered: str) -> None:
        assert clean_message(text) == delivered

    @given(
        st.lists(
            st.one_of(
                st.text(max_size=20),
                st.sampled_from(["$PLAN$", "$PL", "AN$", "\n", "Goal:", "Plan:", "Progress :", "A. [goput]", ": "]),
            )
        ).map("".join)
    )
    def test_nothing_that_arrives_can_pass_for_a_prompt(self, text: str) -> None:
        delivered = clean_message(text)
        assert len(delivered) <= 500 and len(delivered.splitlines()) <= 1
        assert PLAN_TOKEN not in delivered
        assert not re.search(r"(goal|plan|progress|available actions|previous actions)\s*:", delivered, re.I)
        assert not re.search(r"[A-Z]\. \[", delivered)
        assert clean_message(delivered) == delivered
