"""From a model's reply to one of the offered actions."""

from __future__ import annotations

import json
import random
import re

import pytest
from housemates.actors.agent import ReplyLimits
from housemates.actors.reply import (
    MAX_REPAIRED_CHARS,
    MAX_REPLY_CHARS,
    action_schema,
    read_action,
    read_json,
)
from hypothesis import given
from hypothesis import strategies as st

CHOICES = (
    "[goexplore] <livingroom> (267)",
    "[gocheck] <fridge> (12)",
    "[gograb] <apple> (2)",
    "[gograb] <apple> (21)",
    "[goput] <dishwasher> (30)",
    "[send_message] <Agent_2> (2): text",
)


def read(reply: str, choices: tuple[str, ...] = CHOICES) -> tuple[str | None, str]:
    decision = read_action(reply, choices, random.Random(0))
    return decision.action, decision.how


def said(action: object) -> str:
    return json.dumps({"thoughts": "t", "action": action})


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (said("[gocheck] <fridge> (12)"), (CHOICES[1], "exact")),
        (said("B. [gocheck] <fridge> (12)"), (CHOICES[1], "exact")),
        (said("B"), (CHOICES[1], "letter")),
        (said("b."), (CHOICES[1], "letter")),
        (said("(B)"), (CHOICES[1], "letter")),
        (said("Option B"), (CHOICES[1], "letter")),
        (said("[grab] <apple> (21)"), (CHOICES[3], "similar")),
        (said("I will [walk] <livingroom> (267) now"), (CHOICES[0], "similar")),
        (said("go and look at the <fridge> (12)"), (CHOICES[1], "similar")),
        (said("None"), (None, "none")),
        (said("none."), (None, "none")),
        (said(None), (None, "none")),
        (
            said("[send_message] <Agent_2> (2): I take the fridge"),
            ("[send_message] <Agent_2> (2): I take the fridge", "message"),
        ),
        ("```json\n" + said("[gocheck] <fridge> (12)") + "\n```", (CHOICES[1], "exact")),
        ("Sure! " + said("A") + " Hope it helps.", (CHOICES[0], "letter")),
        ("[gograb] <apple> (2)", (CHOICES[2], "exact")),
        ('{"thoughts": "two\nlines", "action": "A"}', (CHOICES[0], "letter")),
    ],
)
def test_a_reply_is_matched(reply: str, expected: tuple[str | None, str]) -> None:
    assert read(reply) == expected


@pytest.mark.parametrize(
    "reply",
    [
        "{'thoughts': 'single quotes', 'action': 'B'}",
        '{"thoughts": "a trailing comma", "action": "B",}',
        '{"thoughts": "no end", "action": "B"',
        '{"thoughts": "cut in the text", "action": "[gocheck] <fridge> (12)',
        '{thoughts: "bare names", action: "B"}',
        '{"thoughts": "no comma" "action": "B"}',
        '```json\n{"thoughts": "fence and no end", "action": "B"',
        '{"thoughts": "prose after it", "action": "B",} I hope this helps.',
    ],
)
def test_a_reply_that_is_nearly_json_is_repaired_and_says_so(reply: str) -> None:
    decision = read_action(reply, CHOICES, random.Random(0))
    assert (decision.action, decision.repaired) == (CHOICES[1], True)
    assert decision.how in ("letter", "exact")


@pytest.mark.parametrize("reply", [said("B"), "B", "I like {curly} braces: [gocheck] <fridge> (12)"])
def test_what_is_json_or_prose_is_not_repaired(reply: str) -> None:
    decision = read_action(reply, CHOICES, random.Random(0))
    assert (decision.action, decision.repaired) == (CHOICES[1], False)


@pytest.mark.parametrize("unit", ["[", "{", '{"a":', "{'", "(}#", '"action": {', "\\"])
def test_a_hostile_reply_is_no_answer_and_no_error(unit: str) -> None:
    for length in (MAX_REPAIRED_CHARS - 20, MAX_REPAIRED_CHARS + 20, MAX_REPLY_CHARS + 20):
        text = ('{"action": ' + unit * length)[:length]
        assert read_action(text, CHOICES, random.Random(0)).how == "random"


def test_a_long_reply_is_not_repaired() -> None:
    nearly = "{'action': 'B', 'thoughts': '" + "x" * MAX_REPAIRED_CHARS + "'}"
    assert not read_action(nearly, CHOICES, random.Random(0)).repaired


def test_a_message_text_may_stand_in_a_field_of_its_own() -> None:
    reply = json.dumps({"action": "[send_message] <Agent_2> (2)", "message": "hello"})
    assert read(reply) == ("[send_message] <Agent_2> (2): hello", "message")


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "I would rather sleep",
        said(""),
        said(["[gocheck] <fridge> (12)"]),
        said("[gocheck] <fridge> (13)"),
        said("Z"),
        said("[send_message] <Agent_2> (2): text"),
        said("[send_message] <Agent_2> (2): "),
        said("[send_message] <Agent_9> (9): hi"),
        said("F"),
        '{"thoughts": "half a re',
        "[1, 2]",
    ],
)
def test_a_reply_that_matches_nothing_becomes_a_seeded_random_action_and_never_a_message(reply: str) -> None:
    actions = {read_action(reply, CHOICES, random.Random(seed)).action for seed in range(50)}
    assert actions == set(CHOICES[:-1])
    assert read(reply)[1] == "random"
    assert read(reply) == read(reply)


def test_an_object_id_is_not_found_inside_a_longer_one() -> None:
    assert read(said("[gograb] <apple> (2)"), (CHOICES[3], CHOICES[2])) == (CHOICES[2], "exact")


def test_with_nothing_to_choose_the_fallback_is_to_do_nothing() -> None:
    assert read("gibberish", ()) == (None, "random")


def test_letters_go_past_z() -> None:
    many = tuple(f"[gograb] <plate> ({i})" for i in range(60))
    assert read(said("AB"), many) == (many[27], "letter")
    assert read(said("BH."), many) == (many[59], "letter")


def test_lone_surrogates_are_replaced_so_that_the_text_can_be_stored() -> None:
    decision = read_action('{"thoughts": "\\ud800", "action": "A"}', CHOICES, random.Random(0))
    decision.thoughts.encode()


@given(st.text(), st.integers(0, 5))
def test_any_text_becomes_an_offered_action_a_message_or_nothing(text: str, count: int) -> None:
    choices = CHOICES[:count]
    action = read_action(text, choices, random.Random(1)).action
    assert action is None or action in choices or action.startswith("[send_message] <Agent_2> (2): ")


@given(st.dictionaries(st.text(), st.one_of(st.none(), st.text(), st.integers())))
def test_any_json_object_is_read_and_any_action_in_it_survived(data: dict[str, object]) -> None:
    assert read_json(json.dumps(data)) is not None
    read_action(json.dumps(data), CHOICES, random.Random(1))


def test_the_schema_offers_the_actions_and_none_and_filled_in_messages_only() -> None:
    schema = action_schema(CHOICES, ReplyLimits(message_chars=30))
    plain, message = schema["properties"]["action"]["anyOf"]
    assert plain["enum"] == [*CHOICES[:-1], "None"]
    assert re.fullmatch(message["pattern"], "[send_message] <Agent_2> (2): Hello, I take the fridge")
    for bad in (
        "[send_message] <Agent_2> (2): ",
        "[send_message] <Agent_2> (2): text",
        "[send_message] <Agent_3> (3): Hello",
        f"[send_message] <Agent_2> (2): {'X' * 31}",
    ):
        assert not re.fullmatch(message["pattern"], bad)


def test_who_may_not_idle_is_offered_none_only_when_nothing_is_left() -> None:
    limits = ReplyLimits(may_idle=False)
    assert action_schema(CHOICES[:2], limits)["properties"]["action"]["enum"] == [*CHOICES[:2]]
    assert action_schema((), limits)["properties"]["action"]["enum"] == ["None"]


def test_the_schema_of_a_loner_has_no_messages() -> None:
    assert action_schema(CHOICES[:1], ReplyLimits())["properties"]["action"]["enum"] == [CHOICES[0], "None"]
