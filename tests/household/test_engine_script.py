"""Primitive actions as text."""

from __future__ import annotations

import pytest
from housemates.env.household.engine.engine import VERBS, Primitive, parse_primitive
from hypothesis import given
from hypothesis import strategies as st

from .home import Home

HOME = Home()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[standup]", Primitive("standup")),
        ("[GRAB] <apple> (381)", Primitive("grab", 381)),
        ("  [lookat_short] <tv> (7) ", Primitive("lookat_short", 7)),
        ("[PutIn]<water glass>(381)<fridge>(104)", Primitive("putin", 381, 104)),
        ("[walktowards] <kitchen> (11):3:", Primitive("walktowards", 11, metres=3)),
        ("[putback] <apple> (1) <table> (2) pos:1.5,-2", Primitive("putback", 1, 2, pos=(1.5, -2.0))),
        ("[putback] <apple> (1) <table> (2) pos:1,0.9,3", Primitive("putback", 1, 2, pos=(1.0, 3.0))),
        (
            "[putback] <apple> (1) <table> (2) pos:1,0.9,3 rot:0,90,0",
            Primitive("putback", 1, 2, pos=(1.0, 3.0), rot=(0.0, 90.0, 0.0)),
        ),
        ("[putback] <apple> (1) <table> (2) rot:0,-45.5,0", Primitive("putback", 1, 2, rot=(0.0, -45.5, 0.0))),
    ],
)
def test_actions_are_read(text: str, expected: Primitive) -> None:
    assert parse_primitive(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "grab <apple> (381)",
        "[grab] <apple>",
        "[grab] <apple> (x)",
        "[grab] <app-le> (3)",
        "[grab] <apple> (3) and more",
        "[a] <b> (1) <c> (2) <d> (3)",
        "[grab] <apple> (-3)",
        "[putback] <a> (1) <b> (2) pos:1",
        "[putback] <a> (1) <b> (2) pos:1,2,3,4",
        "[putback] <a> (1) <b> (2) pos:nan,inf",
        "[putback] <a> (1) <b> (2) pos:1e999,0",
        "[grab] <apple> (" + "9" * 300 + ")",
        "[walktowards] <a> (1):" + "9" * 300 + ":",
        "<char0> [grab] <apple> (3)",
    ],
)
def test_what_is_not_of_that_form_is_none(text: str) -> None:
    assert parse_primitive(text) is None


@given(st.text(alphabet="[]<>() :,.-posrtaw1é\n\x00", max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    primitive = parse_primitive(text)
    assert primitive is None or primitive.verb == primitive.verb.lower()


@pytest.mark.parametrize("piece", [" ", "<a b", "[a]", "<a> (1)", "pos:", "1,", "(" * 3])
def test_hostile_text_of_any_length_is_refused_at_once(piece: str) -> None:
    """A catastrophic pattern would take minutes here."""
    for text in (piece * 100_000, "[put] <a" + piece * 60 + "!", "[put] <a> (1)" + piece * 60 + "!"):
        assert parse_primitive(text) is None


@given(
    verb=st.sampled_from(sorted(VERBS)),
    pos=st.none() | st.tuples(*[st.integers(-4000, 4000).map(lambda n: n / 64)] * 2),
    rot=st.none() | st.tuples(*[st.integers(-360, 360).map(float)] * 3),
    metres=st.none() | st.integers(0, 999),
)
def test_what_is_written_is_read_back(
    verb: str, pos: tuple[float, float] | None, rot: tuple[float, float, float] | None, metres: int | None
) -> None:
    graph = HOME.graph
    primitive = Primitive(verb, HOME.one("fridge"), HOME.one("stove"), metres, pos, rot)
    assert parse_primitive(primitive.text(graph)) == primitive


def test_unknown_objects_are_written_too() -> None:
    assert Primitive("grab", 9999).text(HOME.graph) == "[grab] <unknown> (9999)"
