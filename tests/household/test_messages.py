"""Messages: who can be written to, and what of the words arrives."""

from __future__ import annotations

import re

import pytest
from housemates.env.household.person.body import Body
from housemates.env.household.person.messages import deliver
from housemates.env.messages import clean_message, message_forms, read_message
from housemates.env.world import PLAN_TOKEN, Message
from hypothesis import given
from hypothesis import strategies as st

TEAM = {"Agent_1": 1, "Agent_2": 2, "Agent_3": 3}


def body(number: int) -> Body:
    return Body(number=number, room=12, unchecked={}, ungrabbed={}, target_rooms={}, known=[], mates={})


def test_with_two_teammates_one_can_write_to_each_or_to_everyone() -> None:
    assert message_forms(2, TEAM) == (
        "[send_message] <Agent_1> (1): text",
        "[send_message] <Agent_3> (3): text",
        "[send_message] <everyone> (0): text",
    )


def test_with_one_teammate_everyone_is_the_same_and_alone_there_is_nobody() -> None:
    assert message_forms(2, {"Agent_1": 1, "Agent_2": 2}) == ("[send_message] <Agent_1> (1): text",)
    assert message_forms(2, {"Agent_2": 2}) == ()
    to_all = "[send_message] <everyone> (0): hi"
    assert read_message(to_all, 1, {"Agent_1": 1, "Agent_2": 2}) == Message(
        sender="Agent_1", receiver="everyone", text="hi"
    )
    assert isinstance(read_message(to_all, 1, {"Agent_1": 1}), str)


def test_a_message_to_everyone_reaches_all_but_its_sender() -> None:
    message = read_message("[send_message] <everyone> (0): the plates are here", 2, TEAM)
    assert message == Message(sender="Agent_2", receiver="everyone", text="the plates are here")
    bodies = {number: body(number) for number in TEAM.values()}
    deliver(message, TEAM, bodies)
    assert bodies[2].dialogue == ["You send_message to everyone: the plates are here"]
    assert bodies[2].history == ["[send_message] <everyone> (0)"] and bodies[2].heard == 0
    for number in (1, 3):
        assert bodies[number].dialogue == ["Agent_2 send_message to everyone: the plates are here"]
        assert bodies[number].heard == 1 and bodies[number].history == []


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        ("[send_message] <Agent_1> (1): hi", "oneself"),
        ("[send_message] <Agent_4> (4): hi", "there is no Agent_4 in the team"),
        ("[send_message] <Agent_2> (3): hi", "Agent_2 is not number 3"),
        ("[send_message] <everyone> (1): hi", "everyone is not number 1"),
        ("[send_message] <Agent_2> (2): text", "has no text"),
        ("[send_message] <Agent_2> (2): \u200b", "has no text"),
        ("[send_message] hi all", "is written"),
    ],
)
def test_what_cannot_be_sent_says_why(action: str, reason: str) -> None:
    refusal = read_message(action, 1, TEAM)
    assert isinstance(refusal, str) and reason in refusal


class TestWords:
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
            ("Pl\u200ban: rest", "Plan - rest"),
            ("\uff27oal\uff1a rest", "Goal - rest"),
            ("\u0420l\u0430n\ua789 rest", "\u0420l\u0430n - rest"),
            ("\uff04PLAN\uff04", "(plan)"),
            ("A\u2024 \uff3bgograb\uff3d", "A [gograb]"),
            ("\u0410. \u3010gograb\u3011", "\u0410 \u3010gograb\u3011"),
            (
                "\u041f\u043b\u0430\u043d: \u043a\u0443\u0445\u043d\u044f",
                "\u041f\u043b\u0430\u043d: \u043a\u0443\u0445\u043d\u044f",
            ),
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
                st.sampled_from(["\u200b", "\uff1a", "\ufe0f", "\u0301", "\uff04", "\ufdfa", "A\u200d.", "["]),
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
