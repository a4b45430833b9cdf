"""Tasks of the users' own: a JSON file, checked whole before anything starts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from ...codec import parse_json
from ...world import WorldError
from ..scene.catalog import CATALOG, CONTAINER_CLASSES, ObjectClass
from .fitting import why_never
from .goals import WantKind
from .task import HIDE_IN, HIDE_ON, Ask, Chore, Hiding, Target, Task, refuse_contradictions

SUFFIX = ".json"
MAX_BYTES = 1_000_000
MAX_COUNT, MAX_WANTS, MAX_SPARE = 50, 20, 10

ClassName = Annotated[str, Field(pattern="^[a-z0-9]{1,40}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Place(_Part):
    """A target: the first of a class, the first in a room of some class, or one node of a scene read from a file."""

    class_name: ClassName | None = Field(None, alias="class", description="the target's class")
    room: ClassName | None = Field(None, description="only in a room of this class")
    id: int | None = Field(None, ge=1, description="the id of a node; only for a home read from a file")

    @model_validator(mode="after")
    def _names_one(self) -> Place:
        if (self.class_name is None) == (self.id is None):
            raise ValueError("name either a class or an id")
        if self.room is not None and self.id is not None:
            raise ValueError("an id needs no room")
        return self

    @property
    def target(self) -> Target:
        """The same as goals name it."""
        return Target(self.class_name or "", self.room or "", self.id or 0)


def _place(value: Any) -> Any:
    return {"class": value} if isinstance(value, str) else value


PlaceOrClass = Annotated[Place, BeforeValidator(_place, json_schema_input_type=ClassName | Place)]
Count = Annotated[int, Field(ge=1, le=MAX_COUNT)]


class PutWant(_Part):
    """Bring so many of a class onto (`on`) or into (`inside`) a target."""

    kind: Literal["on", "inside"]
    class_name: ClassName = Field(alias="class", description="what to bring")
    count: Count = Field(1, description="how many")
    target: PlaceOrClass = Field(description="where to: a class, or an object")


class TakeWant(_Part):
    """Take so many of a class off (`off`) or out of (`out`) a target; they are there at the start."""

    kind: Literal["off", "out"]
    class_name: ClassName = Field(alias="class", description="what to take away")
    count: Count = Field(1, description="how many")
    target: PlaceOrClass = Field(description="where from: a class, or an object")


class HoldWant(_Part):
    """Somebody holds one of a class; with a larger count, so many people do."""

    kind: Literal["hold"]
    class_name: ClassName = Field(alias="class", description="what to hold")
    count: Count = Field(1, description="how many")


class SwitchWant(_Part):
    """A target is switched on; it is off at the start."""

    kind: Literal["switch_on"]
    target: PlaceOrClass = Field(description="what: a class, or an object")


class SitWant(_Part):
    """So many people sit on a target."""

    kind: Literal["sit"]
    count: Count = Field(1, description="how many people")
    target: PlaceOrClass = Field(description="where: a class, or an object")


AnyWant = Annotated[PutWant | TakeWant | HoldWant | SwitchWant | SitWant, Field(discriminator="kind")]


class HidingPlaces(_Part):
    """Where the things may be when an episode begins."""

    on: list[ClassName] = Field(list(HIDE_ON), max_length=50, description="classes of supports")
    inside: list[ClassName] = Field(list(HIDE_IN), max_length=50, description="classes of containers")
    rooms: list[ClassName] = Field([], max_length=50, description="classes of rooms; none: all rooms")


class TaskFile(_Part):
    """A task as its file holds it."""

    name: str = Field(pattern="^[a-z][a-z0-9_-]{0,39}$", description="what run folders and tables call it")
    description: str = Field("", max_length=500, description="what it is about, for readers")
    home: str | None = Field(
        None,
        min_length=1,
        max_length=500,
        description="the home it is made for; a file is looked for beside the task's",
    )
    wants: list[AnyWant] = Field(min_length=1, max_length=MAX_WANTS, description="what is asked for, in this order")
    hide: HidingPlaces = Field(
        HidingPlaces.model_validate({}), description="where the things may be when an episode begins"
    )
    extra: Annotated[int, Field(ge=0, le=MAX_SPARE)] | None = Field(
        None, description="how many more of each class there are than needed; left out: none or one, by lot"
    )

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> TaskFile:
        """Read what `to_table` gave.

        Raises:
            WorldError: the first fault, with the field it is in.
        """
        try:
            return cls.model_validate(dict(table))
        except ValidationError as error:
            raise WorldError(_one_line("", error)) from None

    def to_table(self) -> dict[str, Any]:
        """The task as plain values, without what is left at its default."""
        return self.model_dump(by_alias=True, exclude_defaults=True)

    def to_task(self, where: str, apartment: str = "") -> Task:
        """The task that the file describes, checked for sense.

        Args:
            where: what errors call the task.
            apartment: the home that is used in place of the file's own.

        Raises:
            WorldError: a class is unknown, or a want can never be met.
        """
        home = apartment or self.home or ""
        asks = tuple(_ask(want) for want in self.wants)
        if not home.endswith(SUFFIX):  # what a scene from a file holds, only that scene can tell
            for index, ask in enumerate(asks):
                _check_ask(f"{where}: wants[{index}]", ask)
            self._check_hiding(where)
        refuse_contradictions(f"{where}: wants", ((ask.kind, ask.class_name, ask.target) for ask in asks))
        carried = {ask.class_name for ask in asks}
        for index, ask in enumerate(asks):
            if ask.target and ask.target.class_name in carried:
                raise WorldError(f"{where}: wants[{index}]: a {ask.target.class_name} cannot be target and be carried")
        hiding = Hiding(tuple(self.hide.on), tuple(self.hide.inside), tuple(self.hide.rooms))
        total = sum(ask.most for ask in asks)
        return Task(self.name, (Chore(asks, total, total, hiding, self.extra),), home or None, self.description)

    def _check_hiding(self, where: str) -> None:
        for name in self.hide.on:
            properties = _known(f"{where}: hide.on", name).properties
            if "SURFACES" not in properties or "GRABBABLE" in properties:
                raise WorldError(f"{where}: hide.on: nothing can be hidden on a {name}")
        for name in self.hide.inside:
            _known(f"{where}: hide.inside", name)
            if name not in CONTAINER_CLASSES:
                raise WorldError(f"{where}: hide.inside: agents do not look into a {name}")


def read_task_file(path: str) -> TaskFile:
    """Read a task file. A home in a file is looked for beside it.

    Raises:
        WorldError: no such file, too large, or not a task; the message names the file and the field.
    """
    file = Path(path)
    try:
        if not file.is_file():
            raise WorldError(f"{path}: there is no such task file")
        with file.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        raise WorldError(f"{path}: cannot be read ({error})") from None
    if len(content) > MAX_BYTES:
        raise WorldError(f"{path}: a task file has at most {MAX_BYTES} bytes")
    try:
        task = TaskFile.model_validate(parse_json(content))
    except ValidationError as error:
        raise WorldError(_one_line(path, error)) from None
    except ValueError as error:
        raise WorldError(f"{path}: Invalid JSON ({error})") from None
    if task.home and task.home.endswith(SUFFIX):
        return task.model_copy(update={"home": str(file.parent / task.home)})
    return task


def schema() -> str:
    """The JSON schema of task files, as text."""
    return json.dumps(TaskFile.model_json_schema(), indent=2)


def _ask(want: PutWant | TakeWant | HoldWant | SwitchWant | SitWant) -> Ask:
    class_name = "" if isinstance(want, SwitchWant | SitWant) else want.class_name
    count = 1 if isinstance(want, SwitchWant) else want.count
    target = None if isinstance(want, HoldWant) else want.target.target
    return Ask(WantKind(want.kind), class_name, target, count, count)


def _check_ask(where: str, ask: Ask) -> None:
    thing = _known(f"{where}.class", ask.class_name) if ask.class_name else None
    target = None
    if ask.target is not None:
        if ask.target.number:
            raise WorldError(f"{where}.target.id: ids are known only of a home that is read from a file")
        target = _known(f"{where}.target", ask.target.class_name)
    reason = why_never(ask.kind, thing, target, ask.most)
    if reason:
        raise WorldError(f"{where}: {reason}")


def _known(where: str, name: str) -> ObjectClass:
    found = CATALOG.get(name)
    if found is None:
        near = get_close_matches(name, sorted(CATALOG), n=3)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise WorldError(f"{where}: there is no class {name!r}{hint}")
    return found


_MESSAGES = {
    "extra_forbidden": "no such field",
    "model_type": "this is to be an object",
    "missing": "this field is missing",
    "union_tag_not_found": "the kind is missing",
    "union_tag_invalid": f"the kind is none of {', '.join(WantKind)}",
}
_TAGS = frozenset(WantKind)


def _one_line(where: str, error: ValidationError) -> str:
    """The first fault as `file: field: what is wrong`."""
    first = error.errors()[0]
    path: Iterable[int | str] = (part for i, part in enumerate(first["loc"]) if not (i == 2 and part in _TAGS))
    field = re.sub(r"\.(\[)", r"\1", ".".join(f"[{part}]" if isinstance(part, int) else part for part in path))
    message = _MESSAGES.get(first["type"], first["msg"].removeprefix("Value error, "))
    return ": ".join(part for part in (where, field[:200], message[:500]) if part)
