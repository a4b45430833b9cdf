"""What the server does for each action of the protocol, with VirtualHome's wording."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import NoReturn, TypeVar

from pydantic import BaseModel

from ..household.engine.engine import Primitive, Result
from ..world import WorldError
from . import cameras
from .expansion import expand
from .pictures import PAINTERS
from .scene import APARTMENTS, Scene, generate_apartment
from .script import ScriptError, parse_line
from .wire import (
    MAX_LINE_CHARACTERS,
    MAX_LINES,
    CharacterMove,
    ExpandConfig,
    ImageConfig,
    NewCamera,
    NewCharacter,
    RenderConfig,
    Request,
    Response,
    WireGraph,
    read,
)

MAX_PIXELS = 2**23
"""Of all pictures of one call."""

_IMAGE_MODES = ("normal", "seg_inst", "seg_class", "depth", "flow", "albedo", "illumination", "surf_normals")
_SUCCESS = Result(True)
_Params = TypeVar("_Params", bound=BaseModel)


class _Refusal(Exception):
    """A logical failure; its text is the answer's message."""


class Simulation:
    """One scene and the actions on it. Not for several threads at once.

    Args:
        apartment: the one that is loaded at first.
    """

    def __init__(self, apartment: int = 0) -> None:
        self.scene = Scene(apartment)
        self._actions: dict[str, Callable[[Request], Response]] = {
            "idle": self._done,
            "reset": self._reset,
            "clear": self._environment,
            "environment": self._environment,
            "fast_reset": self._environment,
            "clear_procedural": self._done,
            "procedural_generation": self._generate,
            "process": self._done,
            "environment_graph": self._graph,
            "expand_scene": self._expand,
            "add_character": self._add_character,
            "move_character": self._move_character,
            "render_script": self._render,
            "camera_count": self._camera_count,
            "camera_data": self._camera_data,
            "camera_image": self._camera_image,
            "character_cameras": self._character_cameras,
            "add_camera": self._add_camera,
            "update_camera": self._update_camera,
            "add_character_camera": self._add_character_camera,
            "update_character_camera": self._update_character_camera,
            "instance_colors": self._instance_colors,
            "observation": self._observation,
            "point_cloud": self._point_cloud,
            "set_time": self._acknowledge,
            "activate_physics": self._acknowledge,
            "remove_terrain": self._done,
        }

    def answer(self, request: Request) -> Response:
        """Carry one request out. Logical failures are answers, never exceptions."""
        action = self._actions.get(request.action)
        if action is None:
            response = _failure(f"Unknown action {request.action[:200]}")
        else:
            try:
                response = action(request)
            except _Refusal as refusal:
                response = _failure(str(refusal))
        if request.action == "camera_image" and response.message_list is None:
            response.message_list = []  # the public client iterates over the list even of a failure
        response.id = request.id
        return response

    # -- the scene ----------------------------------------------------------------------------

    def _done(self, request: Request) -> Response:
        return Response(success=True, message="")

    def _acknowledge(self, request: Request) -> Response:
        """Time of day and gravity mean nothing here."""
        return Response(success=True, message=None)

    def _environment(self, request: Request) -> Response:
        index = request.int_params[0] if request.int_params else self.scene.apartment
        if not 0 <= index < APARTMENTS:
            _refuse("Invalid scene index")
        self.scene.load(index)
        return Response(success=True, message="")

    def _reset(self, request: Request) -> Response:
        """The dialect of executables up to 2.2, which answer with the graph."""
        self._environment(request)
        return self._graph(request)

    def _generate(self, request: Request) -> Response:
        self.scene.begin(generate_apartment(request.int_params[0] if request.int_params else 0))
        return Response(success=True, message="")

    def _graph(self, request: Request) -> Response:
        return Response(success=True, message=self.scene.graph_text())

    def _expand(self, request: Request) -> Response:
        scene = self.scene
        try:
            config = read(ExpandConfig, _string(request, 0) or "{}")
        except ValueError as error:
            _refuse(f"Error deserializing params: {error}")
        if not config.exact_expand:
            _refuse("Error deserializing params: exact_expand must be true, nodes are matched by id")
        try:
            posted = read(WireGraph, _string(request, 1))
            graph, complaints = expand(scene.graph, posted, config, scene.next_id)
        except (ValueError, WorldError) as error:
            _refuse(f"Error processing input graph: {error}")
        scene.replace(graph, config.random_seed if config.random_seed >= 0 else None)
        found = complaints.to_dict()
        return Response(success=not found, message=json.dumps(found))

    def _add_character(self, request: Request) -> Response:
        return Response(success=self.scene.add_character(_params(NewCharacter, request)))

    def _move_character(self, request: Request) -> Response:
        wanted = _params(CharacterMove, request)
        return Response(success=self.scene.move_character(wanted.char_index, wanted.character_position))

    # -- scripts ------------------------------------------------------------------------------

    def _render(self, request: Request) -> Response:
        config = _params(RenderConfig, request)
        characters = self.scene.graph.characters
        if not characters:
            _refuse("No character added yet!")
        steps = _parse(request.string_params[1:], len(characters))
        scene = self.scene.copy() if config.skip_execution else self.scene
        results = _run(scene, steps, config.random_seed if config.random_seed >= 0 else None)
        reports = {str(index): {"message": result.message(index)} for index, result in enumerate(results)}
        succeeded = [result.ok for result in results]
        # While recording one success is enough, says the original.
        success = any(succeeded) if config.recording else all(succeeded)
        return Response(success=success, message=json.dumps(reports))

    # -- cameras ------------------------------------------------------------------------------

    def _camera_count(self, request: Request) -> Response:
        return Response(success=True, message="", value=self.scene.rig.count(self.scene.graph))

    def _windows(self, request: Request, most: int) -> list[tuple[int, str, cameras.Window]]:
        if len(request.int_params) > most:
            _refuse("Invalid parameters")
        found: list[tuple[int, str, cameras.Window]] = []
        for index in request.int_params:
            named = self.scene.rig.window(self.scene.graph, index)
            if named is None:
                _refuse("Invalid parameters")
            found.append((index, *named))
        return found

    def _camera_data(self, request: Request) -> Response:
        windows = self._windows(request, self.scene.rig.count(self.scene.graph))
        return _json([cameras.describe(index, name, window) for index, name, window in windows])

    def _camera_image(self, request: Request) -> Response:
        config = _params(ImageConfig, request)
        width, height = config.image_width, config.image_height
        windows = self._windows(request, MAX_PIXELS // (width * height))
        if config.mode not in _IMAGE_MODES:
            _refuse("The current camera mode does not exist")
        painter = PAINTERS.get(config.mode)
        if painter is None:
            _refuse(f"The camera mode {config.mode} needs graphics; normal, seg_inst and seg_class do not")
        images = [painter(self.scene.graph, window.fitted(width / height), width, height) for _, _, window in windows]
        texts = [base64.b64encode(image).decode() for image in images]
        return Response(success=True, message="", message_list=texts)

    def _character_cameras(self, request: Request) -> Response:
        return _json(self.scene.rig.names())

    def _add_camera(self, request: Request) -> Response:
        index = self.scene.rig.add(self.scene.graph, _params(NewCamera, request))
        if index is None:
            _refuse("Error: too many cameras")
        return Response(success=True, message=f"New camera created. Id:{index}")

    def _update_camera(self, request: Request) -> Response:
        graph, rig = self.scene.graph, self.scene.rig
        index = request.int_params[0] if request.int_params else -1
        if not rig.update(graph, index, _params(NewCamera, request)):
            _refuse(f"The camera index is not valid, there are only {rig.fixed(graph)} cameras")
        return Response(success=True, message="Camera updated")

    def _add_character_camera(self, request: Request) -> Response:
        camera, rig = _params(NewCamera, request), self.scene.rig
        if self.scene.graph.characters:
            _refuse("Error: you should add these cameras before defining the characters")
        if camera.camera_name in rig.names():
            _refuse("Error: a camera with this name already exists")
        if len(rig.on_characters) >= cameras.MAX_CAMERAS:
            _refuse("Error: too many cameras")
        rig.on_characters[camera.camera_name] = camera
        return Response(success=True, message=f"New camera defined with name: {camera.camera_name}")

    def _update_character_camera(self, request: Request) -> Response:
        camera, rig = _params(NewCamera, request), self.scene.rig
        if camera.camera_name not in rig.names():
            _refuse("Error: camera does not exist.")
        if camera.camera_name in rig.on_characters:
            rig.on_characters[camera.camera_name] = camera
        return Response(success=True, message="Camera successfully updated.")

    # -- looking ------------------------------------------------------------------------------

    def _instance_colors(self, request: Request) -> Response:
        return _json({str(number): cameras.colour_fractions(number) for number in sorted(self.scene.graph.nodes)})

    def _observation(self, request: Request) -> Response:
        graph = self.scene.graph
        windows = self._windows(request, 1)
        if not windows:
            _refuse("Invalid parameters")
        return _json({str(n): graph.nodes[n].class_name for n in cameras.visible(graph, windows[0][2])})

    def _point_cloud(self, request: Request) -> Response:
        """The corners of every bounding box."""
        clouds: list[dict[str, object]] = []
        for number in sorted(self.scene.graph.nodes):
            box = self.scene.graph.nodes[number].box
            if box is not None:
                (x, y, z), (width, height, depth) = box
                corners = [
                    [x + sx * width / 2, y + sy * height / 2, z + sz * depth / 2]
                    for sx in (-1, 1)
                    for sy in (-1, 1)
                    for sz in (-1, 1)
                ]
                clouds.append({"id": number, "points": corners})
        return _json(clouds)


def _failure(message: str) -> Response:
    return Response(success=False, message=message)


def _refuse(message: str) -> NoReturn:
    raise _Refusal(message)


def _json(value: object) -> Response:
    return Response(success=True, message=json.dumps(value))


def _string(request: Request, index: int) -> str:
    return request.string_params[index] if len(request.string_params) > index else ""


def _params(model: type[_Params], request: Request) -> _Params:
    """The structured argument of a call; without one, all defaults."""
    try:
        return read(model, _string(request, 0) or "{}")
    except ValueError as error:
        _refuse(f"Error deserializing params: {error}")


def _parse(lines: list[str], characters: int) -> list[dict[int, Primitive]]:
    """A script as one dict per step, by character index. Nothing has been done yet when this refuses."""
    if len(lines) > MAX_LINES:
        _refuse(f"Error parsing script: more than {MAX_LINES} lines")
    steps: list[dict[int, Primitive]] = []
    for number, line in enumerate(lines):
        if len(line) > MAX_LINE_CHARACTERS:
            _refuse(f"Error parsing script: line {number} is longer than {MAX_LINE_CHARACTERS} characters")
        try:
            steps.append(parse_line(line, number, characters))
        except ScriptError as error:
            _refuse(f"Error parsing script: {error}")
    return steps


def _run(scene: Scene, steps: list[dict[int, Primitive]], number: int | None) -> list[Result]:
    """One result per character; whoever fails does nothing more in this script."""
    characters = scene.graph.characters
    results = [_SUCCESS] * len(characters)
    for offset, step in enumerate(steps):
        able = {characters[index]: action for index, action in step.items() if results[index].ok}
        done = scene.step(able, None if number is None else number + offset)
        for index, character in enumerate(characters):
            results[index] = done.get(character, results[index])
    return results
