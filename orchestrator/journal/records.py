"""What a record of a journal must look like to be read: a journal may come from anywhere, and may hold anything.

Only what readers use is named, and only as far as they rely on it; further fields pass. `orchestrator.journal.log` says
what the records are.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError


class _Shape(BaseModel):
    model_config = ConfigDict(strict=True)


class _NamedTask(_Shape):
    name: str


class _AgentTable(_Shape):
    name: str


class _Config(_Shape):
    world: str = ""
    apartment: str = ""
    agent: list[_AgentTable] | tuple[_AgentTable, ...] = ()
    task: str | _NamedTask
    agents: int
    method: str
    seed: int


class _Observation(_Shape):
    text: str
    info: dict[str, Any]


class _Message(_Shape):
    sender: str
    receiver: str
    text: str


class _Result(_Shape):
    observations: dict[str, _Observation]
    messages: list[_Message]
    done: bool
    success: bool


class _Call(_Shape):
    purpose: str
    error: str | None
    prompt_tokens: int
    completion_tokens: int


class _Update(_Shape):
    verdict: str
    reason: str
    repaired: bool


class _Turn(_Shape):
    action: str | None
    how: str
    plan: str
    thoughts: str
    repaired: bool
    update: _Update | None
    calls: list[_Call]
    error: str | None


_Seconds = Annotated[float, Field(ge=0, le=1e9)]


class _Part(_Shape):
    verdict: str
    detail: str
    reward: float
    total: float
    turn: _Turn | None
    lost_calls: list[_Call]
    state: bytes | None
    times: dict[str, _Seconds] = {}  # older journals have none


class _Begin(_Shape):
    kind: Literal["begin"]
    config: _Config
    model: str
    version: str
    agents: Annotated[list[str], Field(min_length=1)]
    observations: dict[str, _Observation]


class _Resumed(_Shape):
    kind: Literal["resumed"]
    step: int


class _Placed(_Shape):
    kind: Literal["placed"]
    machines: dict[str, list[str]]


class _Turns(_Shape):
    step: int
    agents: dict[str, _Part]
    step_s: _Seconds
    turns_s: _Seconds | None = None
    world_s: _Seconds = 0.0
    journal_s: _Seconds = 0.0


class _Step(_Turns):
    kind: Literal["step"]
    result: _Result


class _Lesson(_Turns):
    kind: Literal["lesson", "abandoned"]
    result: None = None


class _End(_Shape):
    kind: Literal["end"]
    status: str
    success: bool
    error: str
    wall_s: float


_Record = Annotated[_Begin | _Resumed | _Placed | _Step | _Lesson | _End, Field(discriminator="kind")]


@cache
def _reader() -> TypeAdapter[Any]:
    """Made when the first journal is read: `--help` does without."""
    return TypeAdapter(_Record)


def record_fault(record: Mapping[str, Any], agents: list[str] | None) -> str:
    """What is wrong with a record, in one line; "" if nothing is.

    Args:
        record: as it was unpacked.
        agents: those of the run, None for its first record. A step has a part for each.
    """
    try:
        _reader().validate_python(record)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(map(str, first['loc']))[:200]}: {first['msg'][:200]}".removeprefix(": ")
    if agents is None:
        return (
            "" if record["observations"].keys() == set(record["agents"]) else "observations of others than its agents"
        )
    if record["kind"] == "begin":
        return "the run begins a second time"
    parts = [record["agents"]] if "agents" in record else []
    parts += [record["result"]["observations"]] if record["kind"] == "step" else []
    return "" if all(part.keys() == set(agents) for part in parts) else "parts of others than its agents"
