"""The client adapts to dialects, names what fails, and never waits for ever."""

from __future__ import annotations

import asyncio
import json
import pickle
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from aiohttp import web
from housemates.env.household.engine.engine import Primitive
from housemates.env.virtualhome import client as client_module
from housemates.env.virtualhome.client import Deadlines, SimulatorClient, SimulatorError
from housemates.env.virtualhome.correspondence import Correspondence, read_graph
from housemates.env.virtualhome.server import application_of, reply
from housemates.env.virtualhome.wire import Request, Response, WireGraph

from .conftest import Beside
from .test_remote import home

QUICK = Deadlines(idle=0.3, scene=0.3, graph=0.3, step=0.3)


@contextmanager
def fake(answers: dict[str, Response], heard: list[Request] | None = None) -> Iterator[str]:
    """A simulator that answers as told."""

    async def answer(request: Request) -> web.Response:
        if heard is not None:
            heard.append(request)
        known = answers.get(request.action)
        return reply(known or Response(success=False, message=f"Unknown action {request.action}"))

    server = Beside(application_of(answer))
    try:
        yield server.url
    finally:
        server.stop()


@contextmanager
def raw(handle: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> Iterator[str]:
    app = web.Application()
    app.router.add_post("/", handle)
    server = Beside(app)
    try:
        yield server.url
    finally:
        server.stop()


OK = Response(success=True, message="")
AB = ("A", "B")
CRASH = "Error processing input graph: Object reference not set"


async def test_a_simulator_that_knows_reset_is_reset_with_it() -> None:
    heard: list[Request] = []
    with fake({"reset": OK}, heard) as url:
        async with SimulatorClient(url) as client:
            await client.reset(3)
    assert [(request.action, request.int_params) for request in heard] == [("reset", [3])]


async def test_one_that_does_not_is_cleared_and_given_an_environment() -> None:
    heard: list[Request] = []
    unity = {"clear": Response(success=False, message="Unknown action "), "environment": OK}
    with fake(unity, heard) as url:
        async with SimulatorClient(url) as client:
            await client.reset(3)
            await client.reset()
            assert client.dialect == "environment"
    assert [(request.action, request.int_params) for request in heard] == [
        ("reset", [3]),
        ("clear", [3]),
        ("environment", [3]),
        ("clear", []),
        ("environment", []),
    ]


async def test_an_apartment_that_is_refused_is_no_dialect() -> None:
    with fake({"reset": Response(success=False, message="Invalid scene index")}) as url:
        async with SimulatorClient(url) as client:
            with pytest.raises(SimulatorError, match=r"refused reset to apartment 99: Invalid scene index") as caught:
                await client.reset(99)
    assert caught.value.kind == "refused"


async def test_the_dialect_is_found_out_without_resetting() -> None:
    heard: list[Request] = []
    with fake({"reset": Response(success=False, message="Invalid scene index")}, heard) as url:
        async with SimulatorClient(url) as client:
            assert await client.detect_dialect() == "reset"
    assert [request.int_params for request in heard] == [[-1]]


@pytest.mark.parametrize(
    ("success", "message", "ok", "failures"),
    [
        (True, '{"0": {"message": "Success"}, "1": {"message": "Success"}}', True, {}),
        (
            False,
            '{"0": {"message": "Success"}, "1": {"message": "ScriptExcutor 1: A\\nB\\n\\n"}}',
            False,
            {1: ("A", "B")},
        ),
        # builds up to 2.2: plain text of the failures only, and success if anybody succeeded
        (True, "", True, {}),
        (True, "ScriptExcutor 1: A\nB\n\n", False, {1: AB}),
        (False, "ScriptExcutor 0: A\n\nScriptExcutor 1: B\n\n", False, {0: ("A",), 1: ("B",)}),
        (True, None, True, {}),
    ],
)
async def test_reports_of_new_and_old_builds(
    success: bool, message: str | None, ok: bool, failures: dict[int, tuple[str, ...]]
) -> None:
    with fake({"render_script": Response(success=success, message=message)}) as url:
        async with SimulatorClient(url) as client:
            report = await client.render_script(["<char0> [standup]"])
    assert (report.ok, report.failures) == (ok, failures)


@pytest.mark.parametrize(
    "message", ["No character added yet!", "Error parsing script: Requested value 'X' was not found."]
)
async def test_a_script_that_nobody_carried_out_is_refused(message: str) -> None:
    with fake({"render_script": Response(success=False, message=message)}) as url:
        async with SimulatorClient(url) as client:
            with pytest.raises(SimulatorError, match="refused the script") as caught:
                await client.render_script(["<char0> [x]"])
    assert caught.value.kind == "refused"


@pytest.mark.parametrize(
    ("success", "message", "ok", "complaints", "text"),
    [
        (True, "{}", True, {}, ""),
        (False, '{"unplaced": ["apple.1000"], "missing_prefabs": []}', False, {"unplaced": ["apple.1000"]}, ""),
        (
            False,
            "Error processing input graph: Object reference",
            False,
            {},
            "Error processing input graph: Object reference",
        ),
        (False, None, False, {}, "no reason given"),
    ],
)
async def test_what_became_of_an_expansion(
    success: bool, message: str | None, ok: bool, complaints: dict[str, Any], text: str
) -> None:
    with fake({"expand_scene": Response(success=success, message=message)}) as url:
        async with SimulatorClient(url) as client:
            expansion = await client.expand_scene(WireGraph(nodes=[], edges=[]))
    assert (expansion.ok, expansion.complaints, expansion.text) == (ok, complaints, text)


async def test_a_simulator_that_does_not_answer_is_not_waited_for() -> None:
    async def never(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(60)
        raise AssertionError

    with raw(never) as url:
        async with SimulatorClient(url, QUICK) as client:
            with pytest.raises(SimulatorError, match=r"did not answer idle within 0\.3 s") as caught:
                await client.idle()
    assert caught.value.kind == "timeout"


async def test_an_answer_that_never_ends_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 2**16)

    monkeypatch.setattr(client_module, "RESPONSE_LIMIT_BYTES", 2**20)
    with raw(endless) as url:
        async with SimulatorClient(url) as client:
            with pytest.raises(SimulatorError, match="more than 1 MiB") as caught:
                await client.idle()
    assert caught.value.kind == "broken"


@pytest.mark.parametrize("status", [408, 429, 500])
async def test_a_status_that_means_trouble_is_told_with_its_message(status: int) -> None:
    async def trouble(_: web.Request) -> web.StreamResponse:
        return reply(Response(success=False, message="Driver is null"), status)

    with raw(trouble) as url:
        async with SimulatorClient(url) as client:
            with pytest.raises(SimulatorError, match=f"status {status}: Driver is null") as caught:
                await client.idle()
    assert caught.value.kind == "broken"


async def test_a_proxy_of_the_environment_is_not_asked(served: Beside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    async with SimulatorClient(served.url) as client:
        assert await client.idle()


@pytest.mark.parametrize("url", ["127.0.0.1:8080", "https://127.0.0.1", "http://"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="http://HOST:PORT"):
        SimulatorClient(url)


async def test_every_call_has_its_typed_answer(served: Beside) -> None:
    async with SimulatorClient(served.url) as client:
        await client.reset(1)
        assert await client.camera_count() == 5
        assert await client.add_character("Chars/Male1", room="kitchen")
        assert not await client.add_character("Chars/Male1", room="cellar")
        picture = await client.camera_image(0)
        assert picture is not None and picture.startswith("iVBOR")
        assert await client.camera_image(99) is None
        graph = await client.environment_graph()
        assert graph.nodes[0].id == 1


# -- another simulator's names ----------------------------------------------------------------


def test_ids_and_spellings_of_a_simulator_are_translated_both_ways() -> None:
    graph = home(1)
    base = read_graph(home(2, people=0))
    for node in base.nodes:
        node.class_name = node.class_name.replace("kitchencabinet", "kitchencabinets")
    correspondence = Correspondence(graph, base)
    posted = correspondence.post(graph)
    known = {node.id for node in base.nodes}
    new = [node.id for node in posted.nodes if node.id not in known and node.id > 10]
    assert new and min(new) >= 1000
    assert "kitchencabinet" not in {node.class_name for node in posted.nodes}
    # The simulator gives new things ids of its own.
    given = {number: 700 + offset for offset, number in enumerate(new)}
    scene = posted.model_copy(deep=True)
    for node in scene.nodes:
        node.id = given.get(node.id, node.id)
    for edge in scene.edges:
        edge.from_id, edge.to_id = given.get(edge.from_id, edge.from_id), given.get(edge.to_id, edge.to_id)
    correspondence.align(graph, scene)
    assert correspondence.changes(graph, scene).apply(graph) == set()
    cabinet = next(n for n, node in graph.nodes.items() if node.class_name == "kitchencabinet")
    assert correspondence.line({1: Primitive("open", cabinet)}) == f"<char0> [open] <kitchencabinets> ({cabinet})"
    ours = next(number for number, theirs in zip(sorted(graph.nodes), posted.nodes, strict=True) if theirs.id == new[0])
    line = correspondence.line({1: Primitive("grab", ours)})
    assert line == f"<char0> [grab] <{graph.nodes[ours].class_name}> (700)"
    theirs = f"PROCESS SIT: Object <{graph.nodes[ours].class_name}> (700) has no"
    assert correspondence.report(graph, [theirs]) == (f"PROCESS SIT: Object {graph.nodes[ours].label} has no",)


def test_a_thing_that_the_simulator_has_not_taken_is_named() -> None:
    graph = home(1)
    base = read_graph(home(2, people=0))
    correspondence = Correspondence(graph, base)
    with pytest.raises(SimulatorError, match=r"the simulator has no <\w+> \(\d+\) in its scene"):
        correspondence.align(graph, base)


def test_a_thing_that_vanishes_is_named() -> None:
    graph = home(1)
    scene = read_graph(graph)
    correspondence = Correspondence(graph, read_graph(home(1, people=0)))
    correspondence.align(graph, scene)
    del scene.nodes[20]
    with pytest.raises(SimulatorError, match="has vanished"):
        correspondence.changes(graph, scene)


def test_a_request_is_written_as_the_public_client_writes_it() -> None:
    request = Request(id="1", action="idle")
    assert json.dumps(request.to_dict()) == '{"id": "1", "action": "idle"}'


def test_an_error_is_the_same_after_it_has_crossed_processes() -> None:
    error = pickle.loads(pickle.dumps(SimulatorError("refused", "it says no")))  # noqa: S301 - our own bytes
    assert (type(error), error.kind, str(error)) == (SimulatorError, "refused", "it says no")
