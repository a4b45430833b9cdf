"""Script lines are read as VirtualHome reads them, with its messages."""

from __future__ import annotations

import pytest
from housemates.env.household.engine.engine import VERBS, Primitive
from housemates.env.virtualhome.script import ScriptError, parse_line, write_line

from .test_remote import home


def test_each_character_finds_its_own_part() -> None:
    line = "<char0> [walktowards] <kitchen> (11)|<char1> [putback] <apple> (381) <coffeetable> (268)"
    assert parse_line(line, 0, 2) == {0: Primitive("walktowards", 11), 1: Primitive("putback", 381, 268)}


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("<char0> [GRAB] <apple> (5)", Primitive("grab", 5)),
        ("<char0>[grab]<apple>(5)", Primitive("grab", 5)),
        ("<char0> [grab] <coffee pot> (5)", Primitive("grab", 5)),
        ("<char0> [standup]", Primitive("standup")),
        ("<char0> [walktowards] <kitchen> (11):3:", Primitive("walktowards", 11)),
        ("<char0> [putback] <apple> (5) <table> (6) pos:1,0.5,2 rot:0,90,0", Primitive("putback", 5, 6)),
        ("<char0> [put] <apple> (5) <table> (6)", Primitive("put", 5, 6)),
        ("<char0> [grab] <apple> (5) <table> (6)", Primitive("grab", 5)),
    ],
)
def test_ways_of_writing_an_action(part: str, expected: Primitive) -> None:
    read = parse_line(part, 0, 1)[0]
    assert (read.verb, read.target, read.dest) == (expected.verb, expected.target, expected.dest)


@pytest.mark.parametrize("line", ["", " <char0> [standup]", "[standup]", "char0 [standup]"])
def test_a_line_that_begins_otherwise_is_skipped_silently(line: str) -> None:
    assert parse_line(line, 0, 1) == {}


def test_of_two_parts_for_one_character_the_first_counts() -> None:
    assert parse_line("<char0> [standup]|<char0> [fly] <x> (1)", 0, 1) == {0: Primitive("standup")}


def test_parts_for_people_who_are_not_there_are_passed_over() -> None:
    assert parse_line("<char7> [fly]|<char0> [standup]", 0, 1) == {0: Primitive("standup")}


def test_a_part_without_a_character_stops_only_those_who_read_past_it() -> None:
    line = "<char0> [standup]|[grab] <apple> (5)"
    assert parse_line(line, 0, 1) == {0: Primitive("standup")}
    with pytest.raises(ScriptError, match=r"Can not parse character for the line containing \[grab\] <apple> \(5\)"):
        parse_line(line, 0, 2)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("<char0> walk", "Can not parse action for the line containing <char0> walk"),
        ("<char0> [fly] <moon> (1)", "Requested value 'FLY' was not found."),
        ("<char0> [walkto] <sofa> (1)", "Unsuported action: WALKTO, line: 3"),
        ("<char0> [putback] <apple> (5)", "No second argument for [PUTBACK]"),
        ("<char0> [grab] <bell-pepper> (5)", "No first argument for [GRAB]"),
    ],
)
def test_what_cannot_be_read_is_named_in_virtualhomes_words(part: str, message: str) -> None:
    with pytest.raises(ScriptError) as caught:
        parse_line(part, 3, 1)
    assert str(caught.value) == message


def test_what_is_written_is_read_as_the_same() -> None:
    graph = home(1)
    actions = {
        number: Primitive(verb, *sorted(graph.nodes)[20 : 20 + objects])
        for number, (verb, objects) in enumerate(VERBS.items())
    }
    assert parse_line(write_line(actions, graph), 0, len(VERBS)) == actions
