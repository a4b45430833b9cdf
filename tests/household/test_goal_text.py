"""The goal and what is done of it, sentence by sentence, to the space."""

from __future__ import annotations

import pytest
from housemates.env.household.person.body import Mate
from housemates.env.household.person.goal_text import done_text, goal_text
from housemates.env.household.tasks.goals import Want, WantKind

from .words import body, brief, hold, into, on, place, sit, switch_on, take

OFF, OUT = WantKind.OFF, WantKind.OUT


@pytest.mark.parametrize(
    ("wants", "text"),
    [
        (place(on, 20, apple=1, wine=2), "Find and put 1 apple, 2 wines onto the <coffeetable> (20)."),
        (place(into, 24, plate=2), "Find and put 2 plates into the <dishwasher> (24)."),
        (
            [*place(on, 20, apple=2), *place(into, 21, wine=1, mug=2)],
            "Find and put 2 apples onto the <coffeetable> (20), and 1 wine, 2 mugs into the <fridge> (21).",
        ),
        (
            [*place(on, 20, apple=2), *place(into, 21, wine=1), *place(on, 27, plate=1)],
            "Find and put 2 apples onto the <coffeetable> (20), 1 wine into the <fridge> (21), and 1 plate onto the "
            "<kitchentable> (27).",
        ),
        (
            [*place(on, 20, apple=2), *place(into, 21, wine=1), *place(on, 20, plate=1)],
            "Find and put 2 apples, 1 plate onto the <coffeetable> (20), and 1 wine into the <fridge> (21).",
        ),
        (take(OFF, 27, plate=2, mug=1), "Take 2 plates, 1 mug off the <kitchentable> (27)."),
        (take(OUT, 24, plate=2), "Take 2 plates out of the <dishwasher> (24)."),
        (
            [*take(OUT, 24, plate=2), *take(OFF, 27, mug=1)],
            "Take 2 plates out of the <dishwasher> (24), and 1 mug off the <kitchentable> (27).",
        ),
        (switch_on(25), "Switch on the <tv> (25)."),
        (hold(remotecontrol=1), "Hold 1 remotecontrol."),
        (sit(26), "Sit on the <sofa> (26)."),
        (sit(26, 2), "Sit 2 people on the <sofa> (26)."),
        (
            [*hold(remotecontrol=1), *switch_on(25), *sit(26)],
            "Hold 1 remotecontrol. Switch on the <tv> (25). Sit on the <sofa> (26).",
        ),
        (
            [*take(OFF, 27, plate=2), *place(into, 24, plate=2), *take(OFF, 20, mug=1)],
            "Take 2 plates off the <kitchentable> (27), and 1 mug off the <coffeetable> (20). "
            "Find and put 2 plates into the <dishwasher> (24).",
        ),
    ],
)
def test_goal(wants: list[Want], text: str) -> None:
    assert goal_text(brief(wants)) == text


@pytest.mark.parametrize(
    ("wants", "known", "text"),
    [
        (place(on, 20, apple=1), {}, ""),
        (
            place(on, 20, wine=1, apple=1),
            {0: (31,), 1: (30,)},
            "We've already found and put <apple> (30), <wine> (31) onto the <coffeetable> (20). ",
        ),
        (
            [*place(on, 20, apple=1, wine=1), *place(into, 21, wine=1)],
            {0: (30,), 1: (31,), 2: (32,)},
            "We've already found and put <apple> (30), <wine> (31) onto the <coffeetable> (20), and <wine> (32) into "
            "the <fridge> (21). ",
        ),
        (
            [*place(on, 20, apple=1), *place(into, 21, wine=1)],
            {1: (32,)},
            "We've already found and put <wine> (32) into the <fridge> (21). ",
        ),
        (take(OFF, 27, plate=2), {0: (33, 34)}, ""),
        (take(OFF, 27, plate=2), {0: (33,)}, "We've already taken 1 plate off the <kitchentable> (27). "),
        (
            [*take(OFF, 27, plate=2, mug=1), *take(OUT, 24, wine=1)],
            {0: (), 1: (35,), 2: ()},
            "We've already taken 2 plates off the <kitchentable> (27), and 1 wine out of the <dishwasher> (24). ",
        ),
        (switch_on(25), {0: ()}, ""),
        (switch_on(25), {0: (25,)}, "We've already switched on the <tv> (25). "),
        (sit(26), {0: (1,)}, ""),
        (
            [*switch_on(25), *place(on, 20, apple=1)],
            {0: (25,), 1: (30,)},
            "We've already switched on the <tv> (25). "
            "We've already found and put <apple> (30) onto the <coffeetable> (20). ",
        ),
    ],
)
def test_what_is_done(wants: list[Want], known: dict[int, tuple[int, ...]], text: str) -> None:
    briefing = brief(wants)
    assert done_text(body(briefing, known=known), briefing, False) == text


def test_alone_it_is_i_who_did_it() -> None:
    briefing = brief(place(into, 24, plate=1), members=(2,))
    text = "I've already found and put <plate> (33) into the <dishwasher> (24). "
    assert done_text(body(briefing, known={0: (33,)}), briefing, True) == text


def test_what_a_teammate_was_seen_to_hold_counts_as_held() -> None:
    briefing = brief(hold(remotecontrol=1))
    assert body(briefing).open_wants == {0}
    assert body(briefing, mates={1: Mate(11, (36,), 0, False)}).open_wants == frozenset()
