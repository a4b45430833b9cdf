"""Whatever comes in, something goes out: no crash, no hang, no half-changed scene."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from housemates.env.household.engine.engine import VERBS
from housemates.env.virtualhome.actions import Simulation
from housemates.env.virtualhome.script import ScriptError, parse_line
from housemates.env.virtualhome.wire import Request, Response, WireGraph, read
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ..chaos.table import Tell

SHORT, LONG = 200, 100_000
"""Inputs of one test in every run, and with `-m slow`."""

THOROUGH = settings(max_examples=LONG, deadline=None, suppress_health_check=list(HealthCheck), database=None)
QUICK = settings(THOROUGH, max_examples=SHORT, derandomize=True)

numbers = st.one_of(st.integers(-3, 60), st.integers(), st.floats(), st.just(10**30))
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, st.text(max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)),
    max_leaves=8,
)

names = st.sampled_from(["kitchen", "apple", "fridge", "coffee table", "Ünïcode", "bell-pepper", ""])
pieces = st.one_of(
    st.sampled_from(["<char0>", "<char1>", "<char99999999999>", "<charx>", "|", " ", "<", ">", "(", ")", ":3:", "\n"]),
    st.sampled_from([*VERBS, "fly", "walkto", ""]).map(lambda verb: f"[{verb}]"),
    st.builds(lambda name, number: f"<{name}> ({number})", names, st.integers(-1, 10**12)),
    st.sampled_from(["pos:1,2,3", "rot:0,90,0", "pos:nan,,", "\ud800", "\0", "٣"]),
    st.text(max_size=6),
)
lines = st.lists(pieces, max_size=12).map(" ".join)

ACTIONS = sorted(Simulation()._actions)
CHANGING = frozenset(["expand_scene", "add_character", "move_character", "render_script"])
structures = st.one_of(
    values,
    st.fixed_dictionaries(
        {},
        optional={
            "mode": st.sampled_from(["random", "fix_room", "fix_position", "normal", "seg_inst", "depth", "?"]),
            "initial_room": names,
            "character_position": st.fixed_dictionaries({"x": numbers, "y": numbers, "z": numbers}),
            "position": st.fixed_dictionaries({"x": numbers, "y": numbers, "z": numbers}),
            "char_index": numbers,
            "field_view": numbers,
            "camera_name": names,
            "image_width": st.integers(-1, 40),
            "image_height": st.integers(-1, 40),
            "recording": st.booleans(),
            "skip_execution": st.booleans(),
            "random_seed": numbers,
            "transfer_transform": st.booleans(),
        },
    ),
)
nodes = st.fixed_dictionaries(
    {"id": st.integers(-1, 40), "class_name": names},
    optional={
        "category": st.sampled_from(["Rooms", "Characters", "Furniture"]),
        "states": st.lists(st.sampled_from(["OPEN", "CLOSED", "ON", "FLYING"]), max_size=3),
        "properties": st.lists(st.sampled_from(["GRABBABLE", "SURFACES", "CONTAINERS", "X"]), max_size=3),
        "bounding_box": st.fixed_dictionaries(
            {"center": st.lists(numbers, min_size=3, max_size=3), "size": st.lists(numbers, min_size=2, max_size=3)}
        ),
    },
)
edges = st.fixed_dictionaries(
    {
        "from_id": st.integers(-1, 40),
        "to_id": st.integers(-1, 40),
        "relation_type": st.sampled_from(
            ["INSIDE", "ON", "HOLDS_RH", "HOLDS_LH", "SITTING", "CLOSE", "BETWEEN", "UNDER"]
        ),
    }
)
graphs = st.fixed_dictionaries({"nodes": st.lists(nodes, max_size=12), "edges": st.lists(edges, max_size=16)})

requests = st.builds(
    Request,
    id=st.text(max_size=5),
    action=st.one_of(st.sampled_from(ACTIONS), st.text(max_size=10)),
    int_params=st.lists(st.one_of(st.integers(-2, 30), st.integers()), max_size=3),
    string_params=st.one_of(
        st.lists(st.one_of(structures.map(json.dumps), lines, st.text(max_size=30)), max_size=4),
        st.tuples(structures.map(json.dumps), graphs.map(json.dumps)).map(list),
        st.tuples(structures.map(json.dumps), lines, lines).map(list),
    ),
)


def check_body(body: bytes) -> None:
    try:
        request = read(Request, body)
    except ValueError as error:
        assert "\n" not in str(error)
        return
    assert len(request.id) <= len(body)


def check_line(line: str, characters: int) -> None:
    try:
        actions = parse_line(line, 0, characters)
    except ScriptError as error:
        assert len(str(error)) < 400
        return
    assert set(actions) <= set(range(characters))
    assert all(action.verb in VERBS for action in actions.values())
    assert line.startswith("<") or not actions


def check_request(simulation: Simulation, request: Request) -> None:
    before = simulation.scene.graph_text() if request.action == "render_script" else ""
    response = simulation.answer(request)
    written = read(Response, response.to_json().encode()) if not _surrogates(response) else response
    assert written.success in (True, False)
    if response.message is not None and response.message.startswith("Error parsing"):
        assert simulation.scene.graph_text() == before
    if request.action in CHANGING:
        simulation.scene.graph.validate()
        read(WireGraph, simulation.scene.graph_text())  # finite numbers only


def _surrogates(response: Response) -> bool:
    return re.search("[\ud800-\udfff]", f"{response.id}{response.message}") is not None


mutations = st.one_of(
    st.binary(max_size=200),
    values.map(json.dumps).map(str.encode),
    st.builds(
        lambda request, at, put: (
            (text := json.dumps(request.to_dict()).encode())[: at % len(text)] + put + text[at % len(text) :]
        ),
        requests,
        st.integers(0, 10**4),
        st.binary(max_size=4),
    ),
)


@QUICK
@given(mutations)
def test_any_body_is_read_or_refused(body: bytes) -> None:
    check_body(body)


@QUICK
@given(lines, st.integers(0, 4))
def test_any_line_is_read_or_refused(line: str, characters: int) -> None:
    check_line(line, characters)


def test_any_request_is_answered() -> None:
    simulation = Simulation()

    @QUICK
    @given(requests)
    def run(request: Request) -> None:
        check_request(simulation, request)

    run()


@pytest.mark.slow
def test_a_hundred_thousand_bodies(record_property: Tell) -> None:
    THOROUGH(given(mutations)(check_body))()
    tell(record_property)


@pytest.mark.slow
def test_a_hundred_thousand_lines(record_property: Tell) -> None:
    THOROUGH(given(lines, st.integers(0, 4))(check_line))()
    tell(record_property)


@pytest.mark.slow
def test_a_hundred_thousand_requests(record_property: Tell) -> None:
    simulation = Simulation()

    def run(request: Request) -> Any:
        check_request(simulation, request)

    THOROUGH(given(requests)(run))()
    tell(record_property)


def tell(record_property: Tell) -> None:
    for name in ("injections", "survived"):
        record_property(name, LONG)
