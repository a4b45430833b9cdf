"""Script lines: what all characters are to do in one step.

    <char0> [walktowards] <kitchen> (11)|<char1> [putback] <apple> (381) <coffeetable> (268)

Read the way VirtualHome reads them, with its messages: every character looks for its own part from
the left, so a part that cannot be read stops those who read past it and nobody else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..household.engine import Primitive, parse_primitive
from ..household.graph import SceneGraph

VERBS: Mapping[str, int] = {
    **dict.fromkeys(["walkforward", "turnleft", "turnright", "standup", "sleep", "wakeup", "special"], 0),
    **dict.fromkeys(["walk", "run", "goto", "walktowards", "find", "grab", "open", "close", "putobjback"], 1),
    **dict.fromkeys(["switchon", "switchoff", "sit", "lie", "drink", "eat", "read", "touch", "watch", "greet"], 1),
    **dict.fromkeys(["lookat", "lookat_short", "lookat_medium", "lookat_long", "turnto", "pointat", "talk", "text"], 1),
    **dict.fromkeys(["wipe", "wash", "rinse", "scrub", "type", "push", "pull", "move", "squeeze", "cut"], 1),
    **dict.fromkeys(["plugin", "plugout", "drop", "release", "puton", "putoff", "flush"], 1),
    **dict.fromkeys(["put", "putback", "putin", "pour"], 2),
}
"""Every verb of VirtualHome's simulators and the number of objects it needs. What it does is the engine's business."""

_CONTAINERS_ONLY = frozenset(["dishwasher", "fridge", "cabinet"])
"""What is put back onto these goes in."""

_SHOWN = 200
_CHARACTER = re.compile(r"<char([0-9]{1,9})>")
_ACTION = re.compile(r"\[(\w{1,100})\]")
_OBJECT = re.compile(r"<([\w ]+)> ?\(([0-9]{1,9})\)")


class ScriptError(ValueError):
    """A line that cannot be read; the message is VirtualHome's reason."""


def parse_line(line: str, number: int, characters: int) -> dict[int, Primitive]:
    """What the characters 0 to `characters` - 1 are to do in one line of a script.

    A line that does not begin with `<` is skipped silently: nobody does anything. Of two parts for one
    character the first counts; parts for characters that are not there are passed over.

    Args:
        line: the line.
        number: of the line in its script, from 0, for messages.
        characters: how many characters there are.

    Raises:
        ScriptError: a part that some character has to read cannot be read.
    """
    if not line.startswith("<"):
        return {}
    parts = line.split("|")
    found: dict[int, Primitive] = {}
    for part in parts:
        match = _CHARACTER.search(part)
        if match is None:
            # Whoever has not found its part by now reads on, and stumbles here.
            if len(found) < characters:
                raise ScriptError(f"Can not parse character for the line containing {part[:_SHOWN]}")
            return found
        who = int(match[1])
        if who < characters and who not in found:
            found[who] = _parse_action(part, number)
    return found


def _parse_action(part: str, number: int) -> Primitive:
    match = _ACTION.search(part)
    if match is None:
        raise ScriptError(f"Can not parse action for the line containing {part[:_SHOWN]}")
    verb = match[1].lower()
    if verb == "walkto":
        raise ScriptError(f"Unsuported action: WALKTO, line: {number}")
    if verb not in VERBS:
        raise ScriptError(f"Requested value '{match[1].upper()}' was not found.")
    objects = [(name, int(digits)) for name, digits in _OBJECT.findall(part, match.end())]
    if len(objects) < VERBS[verb]:
        which = "second" if objects else "first"
        raise ScriptError(f"No {which} argument for [{verb.upper()}]")
    names, numbers = [name for name, _ in objects], [number for _, number in objects]
    # What the engine's own reader makes of it has everything the engine understands; VirtualHome reads more.
    action = parse_primitive(part[match.start() :]) or Primitive(verb, *numbers[:2])
    return replace(action, verb=_renamed(verb, names), dest=action.dest if VERBS[verb] > 1 else 0)


def _renamed(verb: str, names: Sequence[str]) -> str:
    if verb in ("put", "putback"):
        return "putin" if names[1] in _CONTAINERS_ONLY else "putback"
    if verb == "flush" and names[0] == "toilet":
        return "switchon"
    return verb


def write_line(actions: Mapping[int, Primitive], graph: SceneGraph) -> str:
    """One step as a script line; `actions` by character index, names and ids as `graph` has them."""
    return "|".join(f"<char{index}> {actions[index].text(graph)}" for index in sorted(actions))
