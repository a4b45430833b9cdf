"""The text convention, line by line. These strings are an interface: models and parsers depend on each space."""

from __future__ import annotations

import pytest
from housemates.env.household.person.body import Mate
from housemates.env.household.person.language import option_text, preamble, progress_text, prompt, step_text
from housemates.env.household.tasks.goals import WantKind
from housemates.env.wording import letters

from .words import body, brief, hold, into, on, place, sit, switch_on, take


def test_progress_at_the_start() -> None:
    briefing = brief()
    start = body(briefing, unchecked=dict.fromkeys(briefing.rooms) | {13: [23]})
    assert step_text(0) + progress_text(start, briefing) == (
        "This is step 0. I'm holding nothing. I'm in the bedroom, where I found an unchecked container <cabinet> (23). "
        "I don't know where Agent_1 is. The livingroom is unexplored. The kitchen is unexplored. "
        "The bathroom is unexplored. "
    )


def test_progress_with_something_of_everything() -> None:
    briefing = brief(members=(1, 2, 3))
    known = body(
        briefing,
        room=11,
        holding=(30,),
        unchecked={12: None, 11: [21, 22], 13: [], 14: None},
        ungrabbed={12: None, 11: {31: (1,)}, 13: {}, 14: None},
        target_rooms={20: (12, 14)},
        mates={1: Mate(11, (32,), 0, True), 3: Mate(13, (30, 33), 0, False)},
    )
    assert progress_text(known, briefing) == (
        "I'm holding <apple> (30). "
        "I'm in the kitchen, where I found <wine> (31), and unchecked containers <fridge> (21), <microwave> (22). "
        "I also see Agent_1 here in the kitchen, she is holding <wine> (32). "
        "Last time I saw Agent_3 was in the bedroom, she was holding <apple> (30) and <plate> (33). "
        "The livingroom is unexplored. I found nothing in the bedroom. The bathroom is unexplored. "
    )


def test_what_is_done_comes_first() -> None:
    briefing = brief()
    done = body(briefing, known={0: (30,), 1: (31,)})
    assert progress_text(done, briefing).startswith(
        "We've already found and put <apple> (30), <wine> (31) onto the <coffeetable> (20). I'm holding nothing. "
    )


def test_alone_nobody_else_is_mentioned() -> None:
    briefing = brief(members=(2,))
    assert progress_text(body(briefing, known={0: (30,)}), briefing) == (
        "I've already found and put <apple> (30) onto the <coffeetable> (20). I'm holding nothing. "
        "I'm in the bedroom, where I found nothing. "
        "The livingroom is unexplored. The kitchen is unexplored. The bathroom is unexplored. "
    )


def test_a_teammate_who_has_left_is_no_longer_seen_here() -> None:
    briefing = brief()
    left = body(briefing, mates={1: Mate(13, (), 0, False)})
    assert "Last time I saw Agent_1 was in the bedroom, she was holding nothing. " in progress_text(left, briefing)


def test_both_hands_full() -> None:
    briefing = brief()
    assert "I'm holding <apple> (30) and <wine> (31). " in progress_text(body(briefing, holding=(30, 31)), briefing)


def test_who_sits_where() -> None:
    briefing = brief(sit(26, 2), members=(1, 2, 3))
    seated = body(briefing, holding=(36,), seat=26, mates={1: Mate(13, (30,), 26, True), 3: Mate(12, (), 26, False)})
    assert progress_text(seated, briefing).startswith(
        "I'm holding <remotecontrol> (36). I'm sitting on the <sofa> (26). I'm in the bedroom, where I found nothing. "
        "I also see Agent_1 here in the bedroom, she is holding <apple> (30), sitting on the <sofa> (26). "
        "Last time I saw Agent_3 was in the livingroom, she was holding nothing, sitting on the <sofa> (26). "
    )


@pytest.mark.parametrize(
    ("things", "containers", "target_rooms", "text"),
    [
        ({}, [], (12, 11), "I found nothing in the kitchen. "),
        ({31: (1,)}, [], (12, 11), "I found <wine> (31) in the kitchen. "),
        ({31: (1,), 33: (2,)}, [], (11,), "I found <coffeetable> (20), <wine> (31), <plate> (33) in the kitchen. "),
        ({}, [21], (12, 11), "I found an unchecked container <fridge> (21) in the kitchen. "),
        (
            {},
            [21, 22],
            (11,),
            "I found <coffeetable> (20), and unchecked containers <fridge> (21), <microwave> (22) in ",
        ),
        (None, None, (11,), "I found <coffeetable> (20) in the kitchen. "),
        (None, None, (12, 11), "The kitchen is unexplored. "),
    ],
)
def test_what_was_found_in_another_room(
    things: dict[int, tuple[int, ...]] | None, containers: list[int] | None, target_rooms: tuple[int, ...], text: str
) -> None:
    briefing = brief()
    known = body(briefing, target_rooms={20: target_rooms})
    known.ungrabbed[11], known.unchecked[11] = things, containers
    assert text in progress_text(known, briefing)


def test_the_targets_of_a_room_are_listed_first_in_goal_order() -> None:
    briefing = brief([*sit(26), *place(on, 20, apple=1), *switch_on(25), *place(into, 21, wine=1)])
    known = body(briefing, target_rooms={26: (13,), 20: (13,), 25: (11, 12), 21: (14,)}, ungrabbed={13: {30: (1,)}})
    known.ungrabbed |= {12: None, 11: None, 14: None}
    text = progress_text(known, briefing)
    assert "I'm in the bedroom, where I found <sofa> (26), <coffeetable> (20), <apple> (30). " in text
    assert "I found <fridge> (21) in the bathroom. " in text


def test_things_of_which_there_are_enough_are_not_listed() -> None:
    briefing = brief()
    known = body(briefing, known={0: (30,)})
    known.ungrabbed[13] = {30: (0,), 31: (1,)}
    assert "where I found <wine> (31). " in progress_text(known, briefing)


def test_things_to_take_away_or_to_hold_are_listed_while_they_are_of_use() -> None:
    briefing = brief([*take(WantKind.OFF, 27, plate=2), *hold(book=1)])
    known = body(briefing, known={0: (33, 34)})
    known.ungrabbed[13] = {33: (0,), 34: (0,), 37: (1,)}
    assert "where I found <plate> (33), <plate> (34), <book> (37). " in progress_text(known, briefing)
    known.holding, known.known[0] = (37,), ()
    known.judge(briefing)
    assert "where I found nothing. " in progress_text(known, briefing)


class TestRooms:
    def test_two_of_one_class_are_told_apart_and_single_ones_are_not_numbered(self) -> None:
        briefing = brief(rooms=(12, 13, 40))
        text = progress_text(body(briefing, mates={1: Mate(40, (), 0, False)}), briefing)
        assert text == (
            "I'm holding nothing. I'm in the bedroom (13), where I found nothing. "
            "Last time I saw Agent_1 was in the bedroom (40), she was holding nothing. "
            "The livingroom is unexplored. The bedroom (40) is unexplored. "
        )

    def test_any_class_will_do(self) -> None:
        briefing = brief(rooms=(13, 12, 41))
        assert progress_text(body(briefing), briefing).endswith("The home_office is unexplored. ")

    def test_a_room_that_is_not_the_team_s_has_its_class_for_a_name(self) -> None:
        briefing = brief(rooms=(13,))
        lost = body(briefing, room=11)
        lost.unchecked[11], lost.ungrabbed[11] = [], {}
        assert "I'm in the kitchen, where I found nothing. " in progress_text(lost, briefing)


def test_the_whole_prompt_to_the_space() -> None:
    heard = body(brief(), dialogue=["You send_message to Agent_1: hi", "Agent_1 send_message to You: hello"])
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
    text = prompt("I.", "G.", "P. ", body(brief(), history=["[goexplore] <bedroom> (13)"]), (), [], True)
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
