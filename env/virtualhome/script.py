"""Script lines: what all characters are to do in one step.

    <char0> [walktowards] <kitchen> (11)|<char1> [putback] <apple> (381) <coffeetable> (268)

Read the way VirtualHome reads them, with its messages: every character looks for its own part from
the left, so a part that cannot be read stops those who read past it and nobody else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from ..household.engine.engine import VERBS, Primitive, parse_primitive
from ..household.scene.graph import SceneGraph

_SHOWN = 200
_CHARACTER = re.compile(r"<char([0-9]{1,9})>")
_ACTION = re.compile(r"\[(\w{1,100})\]")
_OBJECT = re.compile(r"<[\w ]+> ?\(([0-9]{1,9})\)")


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
    objects = [int(digits) for digits in _OBJECT.findall(part, match.end())]
    if len(objects) < VERBS[verb]:
        which = "second" if objects else "first"
        raise ScriptError(f"No {which} argument for [{verb.upper()}]")
    # What the engine's own reader makes of it has everything the engine understands; VirtualHome reads more.
    target, dest = (*objects, 0, 0)[:2]
    action = parse_primitive(part[match.start() :]) or Primitive(verb, target, dest)
    return action if VERBS[verb] > 1 else replace(action, dest=0)


def write_line(actions: Mapping[int, Primitive], graph: SceneGraph) -> str:
    """One step as a script line; `actions` by character index, names and ids as `graph` has them."""
    return "|".join(f"<char{index}> {actions[index].text(graph)}" for index in sorted(actions))
