"""What travels between a VirtualHome client and a simulator, typed, with its limits.

One JSON object each way (HTTP POST). Structured arguments are JSON encoded into the strings of
`stringParams`, and most answers are JSON encoded into `message`. Missing keys get VirtualHome's
defaults, unknown keys are ignored, and numbers must be finite.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ..household.scene.node import MAX_M

DEFAULT_PORT = 8080

BODY_LIMIT_BYTES = 16 * 2**20
"""The largest request body; a graph of 350 nodes is 160 kB."""

MAX_NODES, MAX_EDGES = 5_000, 100_000
MAX_LINES, MAX_LINE_CHARACTERS = 10_000, 10_000
"""Of one script; each line is one step of all characters."""

MAX_CHARACTERS = 10
"""Ids 1 to 10 belong to characters."""

MAX_CAMERAS = 200
"""Cameras that may be added to the scene or to every character."""


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", allow_inf_nan=False, coerce_numbers_to_str=True, populate_by_name=True)


Model = TypeVar("Model", bound=BaseModel)

_Texts = Annotated[list[str], BeforeValidator(lambda given: given or [])]
_Numbers = Annotated[list[int], BeforeValidator(lambda given: given or [])]
_Text = Annotated[str, BeforeValidator(lambda given: "" if given is None else given)]
"""Like the original's reader, these take null for nothing."""


class Request(_Wire):
    """One request. `id` is echoed; `action` is case sensitive."""

    id: _Text = ""
    action: _Text = ""
    int_params: _Numbers = Field(default=[], validation_alias="intParams")
    string_params: _Texts = Field(default=[], validation_alias="stringParams")

    def to_dict(self) -> dict[str, Any]:
        """The request as the public client writes it: empty lists are left out."""
        lists = {"intParams": self.int_params, "stringParams": self.string_params}
        return {"id": self.id, "action": self.action} | {name: given for name, given in lists.items() if given}


class Response(_Wire):
    """One answer. All five keys are always written; `success` is false for logical failures, with status 200."""

    id: _Text = ""
    success: bool
    message: str | None = None
    value: int = 0
    message_list: list[str] | None = None

    def to_json(self) -> str:
        """With all five keys, in the original's order."""
        return json.dumps(
            {
                "id": self.id,
                "success": self.success,
                "message": self.message,
                "value": self.value,
                "message_list": self.message_list,
            }
        )


_Number = Annotated[float, Field(ge=-MAX_M, le=MAX_M)]
_Length = Annotated[float, Field(ge=0.0, le=MAX_M)]
Triple = tuple[_Number, _Number, _Number]


class Point(_Wire):
    """Metres or, as a rotation, degrees."""

    x: _Number = 0.0
    y: _Number = 0.0
    z: _Number = 0.0


class ExpandConfig(_Wire):
    """First string of `expand_scene`. `exact_expand`: nodes are matched by id."""

    randomize: bool = False
    random_seed: int = -1
    animate_character: bool = False
    ignore_obstacles: bool = False
    transfer_transform: bool = True
    exact_expand: bool = True


class RenderConfig(_Wire):
    """First string of `render_script`: of its many keys those that mean something without pictures."""

    find_solution: bool = False
    skip_animation: bool = True
    skip_execution: bool = False
    recording: bool = False
    image_synthesis: list[str] = []
    random_seed: int = -1


class NewCharacter(_Wire):
    """First string of `add_character`. `mode`: random, fix_position or fix_room."""

    character_resource: str = "Chars/Male1"
    mode: str = "random"
    character_position: Point = Point()
    initial_room: str = ""


class CharacterMove(_Wire):
    """First string of `move_character`."""

    char_index: int
    character_position: Point = Point()


class NewCamera(_Wire):
    """First string of the calls that add or update a camera; the name is for characters' cameras only."""

    position: Point = Point(x=0.0, y=1.0, z=0.0)
    rotation: Point = Point()
    field_view: float = Field(default=40.0, gt=0.0, lt=180.0)
    camera_name: str = Field(default="new_camera", max_length=200)


class ImageConfig(_Wire):
    """First string of `camera_image`."""

    mode: str = "normal"
    image_width: int = Field(default=640, ge=1, le=2048)
    image_height: int = Field(default=480, ge=1, le=2048)


class WireTransform(_Wire):
    """Where a node stands, how it is turned (a quaternion) and scaled."""

    position: Triple
    rotation: tuple[_Number, _Number, _Number, _Number] = (0.0, 0.0, 0.0, 1.0)
    scale: Triple = (1.0, 1.0, 1.0)


class WireBox(_Wire):
    """A node's bounding box, in metres."""

    center: Triple
    size: tuple[_Length, _Length, _Length]


class WireNode(_Wire):
    """A node as clients may post it: only `id` and `class_name` are needed."""

    id: int = Field(gt=0)
    class_name: Annotated[str, BeforeValidator(lambda given: normal_class(given) if isinstance(given, str) else given)]
    category: _Text = ""
    prefab_name: _Text = ""
    properties: _Texts = []
    states: _Texts = []
    obj_transform: WireTransform | None = None
    bounding_box: WireBox | None = None


class WireEdge(_Wire):
    """A relation between two nodes."""

    from_id: int
    to_id: int
    relation_type: str


class WireGraph(_Wire):
    """A graph as it travels, not yet checked for sense."""

    nodes: list[WireNode] = Field(max_length=MAX_NODES)
    edges: list[WireEdge] = Field(max_length=MAX_EDGES)


def normal_class(name: str) -> str:
    """A class name as simulators spell it: lower case, without spaces and underscores."""
    return name.lower().replace(" ", "").replace("_", "")


def read(model: type[Model], text: str | bytes) -> Model:
    """Read a message from its JSON.

    Raises:
        ValueError: it is no JSON or not of this form; the message is one line and says where.
    """
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{where}: {first['msg']}" if where else first["msg"]) from None
    except UnicodeEncodeError as error:  # a lone surrogate, which JSON can spell and UTF-8 cannot
        raise ValueError(f"text that is no Unicode ({error.reason})") from None


def write(model: BaseModel) -> str:
    """A nested argument as the JSON that goes into a string."""
    return json.dumps(model.model_dump(exclude_unset=True))
