"""Request by request: exactly which keys, statuses and words the server answers with."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from housemates.env.virtualhome.actions import Simulation
from housemates.env.virtualhome.server import application, application_of
from housemates.env.virtualhome.wire import BODY_LIMIT_BYTES, Request

Client = TestClient[web.Request, web.Application]


@pytest.fixture
async def client(simulation: Simulation) -> AsyncIterator[Client]:
    async with TestClient(TestServer(application(simulation))) as running:
        yield running


async def call(client: Client, action: str, *texts: Any, numbers: list[int] | None = None) -> dict[str, Any]:
    """One request; every text that is not one is JSON-encoded, as clients do it."""
    body: dict[str, Any] = {"id": "17", "action": action}
    if texts:
        body["stringParams"] = [text if isinstance(text, str) else json.dumps(text) for text in texts]
    if numbers is not None:
        body["intParams"] = numbers
    async with client.post("/", json=body) as response:
        assert response.status == 200
        assert response.content_type == "application/json"
        answer: dict[str, Any] = await response.json()
    assert list(answer) == ["id", "success", "message", "value", "message_list"]
    assert answer.pop("id") == "17"
    return answer


def said(success: bool, message: str | None, value: int = 0, message_list: list[str] | None = None) -> dict[str, Any]:
    return {"success": success, "message": message, "value": value, "message_list": message_list}


async def graph_of(client: Client) -> dict[str, Any]:
    return json.loads((await call(client, "environment_graph"))["message"])


def first(graph: dict[str, Any], name: str) -> int:
    return next(node["id"] for node in graph["nodes"] if node["class_name"] == name)


def edges_of(graph: dict[str, Any], source: int) -> set[tuple[str, int]]:
    return {(e["relation_type"], e["to_id"]) for e in graph["edges"] if e["from_id"] == source}


# -- transport --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/any/path?at=all"])
async def test_any_path_is_answered(client: Client, path: str) -> None:
    async with client.post(path, data=b'{"id": "1", "action": "idle"}') as response:
        assert await response.json() == {"id": "1", **said(True, "")}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
async def test_other_methods_are_not_implemented(client: Client, method: str) -> None:
    async with client.request(method, "/") as response:
        assert response.status == 501


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"", 400, "Request body is null or empty"),
        (b"  \n", 400, "Request body is null or empty"),
        (b'{"id": "1", "action": "idle"', 400, "Invalid request format (Invalid JSON: EOF while parsing"),
        (b"[1, 2]", 400, "Invalid request format ("),
        (b"\xff\xfe", 400, "Invalid request format (Invalid JSON"),
        (b'{"action": ["idle"]}', 400, "Invalid request format (action: "),
        (b'{"action": "camera_data", "intParams": ["one"]}', 400, "Invalid request format (intParams.0: "),
        (b"[" * 100_000, 400, "Invalid request format (Invalid JSON: recursion limit"),
    ],
)
async def test_what_is_no_request_is_refused(client: Client, body: bytes, status: int, message: str) -> None:
    async with client.post("/", data=body) as response:
        assert response.status == status
        answer = await response.json()
    assert answer.pop("message").startswith(message)
    assert answer == {"id": "", "success": False, "value": 0, "message_list": None}


async def test_a_body_that_is_too_large_is_refused(client: Client) -> None:
    async with client.post("/", data=b" " * (BODY_LIMIT_BYTES + 1)) as response:
        assert response.status == 413
        assert (await response.json())["success"] is False


async def test_nulls_and_numbers_are_read_generously(client: Client) -> None:
    body = {"id": 17.5, "action": "idle", "intParams": None, "stringParams": None, "more": {"of": "it"}}
    async with client.post("/", json=body) as response:
        assert (await response.json())["id"] == "17.5"


async def test_an_exception_becomes_status_500(client: Client, simulation: Simulation) -> None:
    def fail(request: Request) -> Any:
        raise RuntimeError("boom")

    simulation.answer = fail  # type: ignore[method-assign]
    async with client.post("/", data=b'{"id": "1", "action": "process"}') as response:
        assert response.status == 500
        assert await response.json() == {"id": "1", **said(False, "Unknown error (RuntimeError('boom'))")}


async def test_idle_is_answered_while_something_long_goes_on(simulation: Simulation) -> None:
    entered, finish = asyncio.Event(), asyncio.Event()

    async def slowly(request: Request) -> web.Response:
        if request.action != "idle":
            entered.set()
            await finish.wait()
        return web.json_response({"success": True})

    async with TestClient(TestServer(application_of(slowly))) as client:
        long = asyncio.create_task(client.post("/", data=b'{"action": "render_script"}').__aenter__())
        await entered.wait()
        async with client.post("/", data=b'{"action": "idle"}') as response:
            assert response.status == 200
        assert not long.done()
        finish.set()
        (await long).release()


async def test_requests_that_come_at_once_are_answered_one_after_the_other(
    client: Client, simulation: Simulation
) -> None:
    inside: list[int] = []
    original = simulation.answer

    def watched(request: Request) -> Any:
        inside.append(len(inside))
        answer = original(request)
        assert inside.pop() == 0
        return answer

    simulation.answer = watched  # type: ignore[method-assign]
    answers = await asyncio.gather(*(call(client, "reset", numbers=[number % 3]) for number in range(12)))
    assert all(answer["success"] for answer in answers)


# -- actions ----------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["check_script", "IDLE", ""])
async def test_an_unknown_action_is_a_logical_failure(client: Client, action: str) -> None:
    assert await call(client, action) == said(False, f"Unknown action {action}")


@pytest.mark.parametrize("action", ["idle", "clear", "environment", "fast_reset", "clear_procedural", "process"])
async def test_what_has_nothing_to_say_says_an_empty_text(client: Client, action: str) -> None:
    assert await call(client, action) == said(True, "")


@pytest.mark.parametrize("action", ["set_time", "activate_physics"])
async def test_what_means_nothing_here_is_acknowledged_with_null(client: Client, action: str) -> None:
    assert await call(client, action, {"hours": 3}) == said(True, None)


@pytest.mark.parametrize("action", ["reset", "environment", "fast_reset", "clear"])
async def test_an_apartment_that_is_not_there_is_refused(client: Client, action: str) -> None:
    assert await call(client, action, numbers=[50]) == said(False, "Invalid scene index")
    assert await call(client, action, numbers=[-1]) == said(False, "Invalid scene index")


async def test_the_old_reset_answers_with_the_graph(client: Client) -> None:
    answer = await call(client, "reset", numbers=[2])
    assert answer["message"] == (await call(client, "environment_graph"))["message"]


@pytest.mark.parametrize(
    ("wanted", "success"),
    [
        ({"mode": "fix_room", "initial_room": "bathroom"}, True),
        ({"mode": "fix_room", "initial_room": "cellar"}, False),
        ({"mode": "fix_position", "character_position": {"x": 3, "y": 0, "z": 3}}, True),
        ({"mode": "fix_position", "character_position": {"x": 99, "y": 0, "z": 3}}, False),
        ({"mode": "random"}, True),
        ({"mode": "somehow"}, False),
        ({"mode": "random", "character_resource": "Chars/Nobody"}, False),
        ({}, True),
    ],
)
async def test_a_character_is_added_or_not(client: Client, wanted: dict[str, Any], success: bool) -> None:
    assert await call(client, "add_character", wanted) == said(success, None)
    graph = await graph_of(client)
    assert (graph["nodes"][0]["id"] == 1) is success
    assert (graph["nodes"][0]["class_name"] == "character") is success


async def test_an_unknown_model_is_replaced_by_the_first_character_and_random_ones_stand_with_it(
    client: Client,
) -> None:
    await call(client, "add_character", {"mode": "random", "character_resource": "Chars/Female4_red"})
    assert (await call(client, "add_character", {"mode": "random", "character_resource": "Chars/X"}))["success"]
    one, two = (await graph_of(client))["nodes"][:2]
    assert two["prefab_name"] == one["prefab_name"] == "Female4_red"
    assert two["obj_transform"] == one["obj_transform"]


async def test_there_are_at_most_ten_characters(client: Client) -> None:
    added = [(await call(client, "add_character", {}))["success"] for _ in range(11)]
    assert added == [True] * 10 + [False]


async def test_bad_parameters_are_named(client: Client) -> None:
    answer = await call(client, "add_character", {"character_position": {"x": "NaN"}})
    assert answer["success"] is False
    assert answer["message"].startswith("Error deserializing params: character_position.x: ")
    assert (await call(client, "move_character"))["message"].startswith("Error deserializing params: char_index: ")


# -- scripts ----------------------------------------------------------------------------------


async def test_several_lines_are_several_steps_and_who_fails_stops(client: Client) -> None:
    for room in ("kitchen", "bedroom"):
        await call(client, "add_character", {"mode": "fix_room", "initial_room": room})
    graph = await graph_of(client)
    fridge, bed = first(graph, "fridge"), first(graph, "bed")
    lines = [f"<char0> [walktowards] <fridge> ({fridge})|<char1> [walktowards] <bed> ({bed})"] * 8
    lines += [f"<char0> [open] <fridge> ({fridge})|<char1> [open] <bed> ({bed})"]
    lines += [f"<char0> [close] <fridge> ({fridge})|<char1> [sit] <bed> ({bed})"]
    answer = await call(client, "render_script", {}, *lines)
    assert answer["success"] is False
    reports = json.loads(answer["message"])
    assert reports["0"] == {"message": "Success"}
    assert reports["1"] == {
        "message": "ScriptExcutor 1: EXECUTION_GENERAL: Script is impossible to execute\n\n",
    }
    graph = await graph_of(client)
    assert ("SITTING", bed) not in edges_of(graph, 2)  # the failure came first


async def test_while_recording_one_success_is_enough(client: Client) -> None:
    await call(client, "add_character", {})
    await call(client, "add_character", {})
    line = "<char0> [standup]|<char1> [grab] <nothing> (99999)"
    assert (await call(client, "render_script", {"recording": False}, line))["success"] is False
    assert (await call(client, "render_script", {"recording": True}, line))["success"] is True


async def test_a_skipped_execution_is_tried_but_changes_nothing(client: Client) -> None:
    await call(client, "add_character", {"mode": "fix_room", "initial_room": "kitchen"})
    before = await graph_of(client)
    line = f"<char0> [walktowards] <bed> ({first(before, 'bed')})"
    assert (await call(client, "render_script", {"skip_execution": True}, line))["success"] is True
    assert (await call(client, "render_script", {"skip_execution": True}, "<char0> [grab] <x> (1)"))["success"] is False
    assert await graph_of(client) == before


async def test_nothing_is_executed_when_a_later_line_cannot_be_read(client: Client) -> None:
    await call(client, "add_character", {})
    before = await graph_of(client)
    line = f"<char0> [walktowards] <bed> ({first(before, 'bed')})"
    answer = await call(client, "render_script", {}, line, "<char0> [fly]")
    assert answer == said(False, "Error parsing script: Requested value 'FLY' was not found.")
    assert await graph_of(client) == before


async def test_a_script_of_no_lines_or_skipped_ones_succeeds(client: Client) -> None:
    await call(client, "add_character", {})
    for lines in ([], ["", " <char0> [fly]"]):
        answer = await call(client, "render_script", {}, *lines)
        assert answer == said(True, '{"0": {"message": "Success"}}')


async def test_a_script_that_is_too_long_is_refused(client: Client) -> None:
    await call(client, "add_character", {})
    answer = await call(client, "render_script", {}, "<char0> [standup]" + " " * 10_000)
    assert answer["message"] == "Error parsing script: line 0 is longer than 10000 characters"
    answer = await call(client, "render_script", {}, *["<"] * 10_001)
    assert answer["message"] == "Error parsing script: more than 10000 lines"


# -- cameras ----------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["camera_data", "observation"])
async def test_a_camera_that_is_not_there(client: Client, action: str) -> None:
    assert await call(client, action, numbers=[99]) == said(False, "Invalid parameters")


async def test_failed_pictures_come_with_an_empty_list(client: Client) -> None:
    for numbers, params in (([99], {}), ([0], {"mode": "depth"}), ([0], {"mode": "x"}), ([0], {"image_width": 0})):
        answer = await call(client, "camera_image", params, numbers=numbers)
        assert answer["success"] is False
        assert answer["message_list"] == []
    many = await call(client, "camera_image", {"image_width": 2048, "image_height": 2048}, numbers=[0] * 3)
    assert many == said(False, "Invalid parameters", message_list=[])


async def test_a_cameras_matrices_map_its_corners_to_the_corners_of_the_picture(client: Client) -> None:
    (room,) = json.loads((await call(client, "camera_data", numbers=[0]))["message"])
    kitchen = (await graph_of(client))["nodes"][0]["bounding_box"]
    projection = [room["projection_matrix"][4 * row : 4 * row + 4] for row in range(4)]
    to_camera = [room["world_to_camera_matrix"][4 * row : 4 * row + 4] for row in range(4)]

    def project(x: float, y: float, z: float) -> list[float]:
        seen = [sum(a * b for a, b in zip(row, (x, y, z, 1.0), strict=True)) for row in to_camera]
        return [sum(a * b for a, b in zip(row, seen, strict=True)) for row in projection]

    (x, y, z), (width, _, depth) = kitchen["center"], kitchen["size"]
    assert project(x, y, z)[:2] == pytest.approx([0.0, 0.0])
    east, north = project(x + width / 2, y, z + depth / 2)[:2]
    assert 0.5 < max(east, north) < 1.0
    assert -1.0 < project(x, 0.0, z)[2] < 1.0
    assert room["name"].startswith("kitchen")


async def test_instance_colours_are_all_different(client: Client) -> None:
    colours = json.loads((await call(client, "instance_colors"))["message"])
    assert len({tuple(colour) for colour in colours.values()}) == len(colours) == len((await graph_of(client))["nodes"])
