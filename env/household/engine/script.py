"""Primitive actions as VirtualHome scripts write them, and the reports on what became of them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from ..scene.graph import SceneGraph, Vec

IMPOSSIBLE = "EXECUTION_GENERAL: Script is impossible to execute"
"""The last line of every report on a failure; the only one if nothing more is to be said."""

_MAX_LENGTH = 500
"""Nothing that people or models write as one action is longer; the rest is not even looked at."""

_OBJECT = r"\s*<([\w ]{1,100})>\s*\(([0-9]{1,18})\)(?::([0-9]{1,6}):)?"
_NUMBER = r"-?[0-9]{1,9}(?:\.[0-9]{1,20})?"
_ACTION = re.compile(
    rf"\[(\w{{1,50}})\](?:{_OBJECT})?(?:{_OBJECT})?"
    rf"(?:\s*pos:({_NUMBER}(?:,{_NUMBER}){{1,2}}))?(?:\s*rot:({_NUMBER}(?:,{_NUMBER}){{2}}))?"
)


@dataclass(frozen=True, slots=True)
class Primitive:
    """One primitive action.

    Attributes:
        verb: in small letters.
        target: the id of the first object (0: none).
        dest: the id of the second object, as of putin (0: none).
        metres: how far a walktowards goes at most; None: one metre.
        pos: where on the floor plane, as (x, z) in metres, a putback has to leave the thing, and to which place
            a putin comes as near as it can; None: anywhere.
        rot: how a put turns the thing: degrees about x, y and z; None: not at all.
    """

    verb: str
    target: int = 0
    dest: int = 0
    metres: int | None = None
    pos: tuple[float, float] | None = None
    rot: Vec | None = None

    def text(self, graph: SceneGraph) -> str:
        """The action as VirtualHome scripts write it, without the character."""
        parts = [f"[{self.verb}]"]
        for number in (self.target, self.dest):
            if number:
                node = graph.nodes.get(number)
                parts.append(node.label if node else f"<unknown> ({number})")
        if self.metres is not None:
            parts[-1] += f":{self.metres}:"
        for name, values in (("pos", self.pos), ("rot", self.rot)):
            if values is not None:
                parts.append(f"{name}:{','.join(_decimal(value) for value in values)}")
        return " ".join(parts)


def _decimal(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")


def parse_primitive(text: str) -> Primitive | None:
    """Read `[verb] <name> (id):N: <name> (id) pos:x,y,z rot:x,y,z`, of which only the verb is needed.

    The ids count, the names do not. Whether there is such a verb, and with so many objects, is for the
    engine to say. None: the text is not of that form.
    """
    match = _ACTION.fullmatch(text.strip()) if len(text) <= _MAX_LENGTH else None
    if match is None:
        return None
    verb, _, target, metres, _, dest, more_metres, pos, rot = match.groups()
    place, turn = _numbers(pos), _numbers(rot)
    return Primitive(
        verb=verb.lower(),
        target=int(target or 0),
        dest=int(dest or 0),
        metres=int(metres or more_metres) if metres or more_metres else None,
        pos=(place[0], place[-1]) if place else None,
        rot=(turn[0], turn[1], turn[2]) if turn else None,
    )


def _numbers(text: str | None) -> tuple[float, ...]:
    return tuple(float(part) for part in text.split(",")) if text else ()


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one primitive; `lines` are VirtualHome's report lines when it failed."""

    ok: bool
    lines: tuple[str, ...] = ()

    def message(self, index: int) -> str:
        """The report of the character with this index (its id - 1), spelled as VirtualHome spells it."""
        return "Success" if self.ok else f"ScriptExcutor {index}: " + "".join(f"{line}\n" for line in self.lines) + "\n"


SUCCESS = Result(True)


def turned(degrees: Vec) -> tuple[float, float, float, float]:
    """The quaternion (x, y, z, w) of a turn by these degrees about z, then x, then y (Unity's order)."""
    (sx, cx), (sy, cy), (sz, cz) = ((math.sin(a), math.cos(a)) for a in (math.radians(d) / 2 for d in degrees))
    return (
        sx * cy * cz + cx * sy * sz,
        cx * sy * cz - sx * cy * sz,
        cx * cy * sz - sx * sy * cz,
        cx * cy * cz + sx * sy * sz,
    )
