"""What the scripted model understands of a prompt: the household's text convention, read back."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

_THING = r"<([^<>\n]+)> \((\d+)\)"
_ROOM = r"\w+(?: \(\d+\))?"  # a room's id is written only where two rooms have one name
_ACTION = re.compile(rf"^[A-Z]{{1,3}}\. (\[(\w+)\] {_THING}.*)$", re.M)
_BLOCK = "Available actions:"
_CHOICE = re.compile(r"^[A-Z]{1,3}\. (.+)$", re.M)
_ME = re.compile(r"I'm ([A-Za-z]\w*?)_?(\d+)\.")
_NEED = re.compile(r"(\d+) ([a-z]\w*)")
_BRING = re.compile(rf"([^.<>]*?) (?:onto|into) the ({_THING})")
_TAKE = re.compile(rf"([^.<>]*?) (?:off|out of) the {_THING}")
_HOLD = re.compile(r"\bHold ([^.<>]*)\.")
_PLACED = re.compile(r"(?:We|I)'ve already found and put (.*?)\. ")
_TAKEN = re.compile(r"(?:We|I)'ve already taken (.*?)\. ")
_PUT = re.compile(rf"(.*?) (?:onto|into) the {_THING}(?:, and |, |$)")
_HOLDING = re.compile(r"I'm holding (.*?)\. ")
_HERE = re.compile(rf"I'm in the ({_ROOM}), where I found ([^.]*)\. ")
_THERE = re.compile(rf"(?<!where )I found ([^.]*) in the ({_ROOM})\. ")
_PRESENT = re.compile(rf"I also see (\S+) here in the {_ROOM}, \w+ (?:is|are) holding (.*?)\. ")
_ELSEWHERE = re.compile(rf"Last time I saw (\S+) was in the ({_ROOM}), \w+ (?:was|were) holding (.*?)\. ")
_UNEXPLORED = re.compile(rf"The ({_ROOM}) is unexplored\. ")
_ORDER = re.compile(r"search order:([^.\n]*)", re.I)
_MESSAGE = re.compile(r"^(?!You )(\S+) send_message to (?:You|everyone): (.*)$", re.M)
_CLAIM = re.compile(rf"I take ((?:{_THING}[, ]*)+)")
_TIP = re.compile(rf"I found .*? in the ({_ROOM})")


@dataclass(frozen=True, slots=True)
class Action:
    """One available action. `room` is where the prompt says its object is, or empty."""

    text: str
    verb: str
    name: str
    id: str
    room: str

    def __str__(self) -> str:
        return f"<{self.name}> ({self.id})"


@dataclass(slots=True)
class Scene:
    """A prompt, understood.

    Attributes:
        number: which agent I am, from 1.
        room: where I am.
        rooms: all rooms in the order the prompt names them, the same for every agent.
        unexplored: rooms I have not been in.
        holding: ids of what I hold.
        missing: how many of each kind nobody has found yet, as far as I know.
        targets: where things go.
        present: teammates in my room: number to how much they hold.
        seen_in: teammates: name to where I saw them last.
        claimed: ids teammates said they would take.
        preferred: rooms the plan or a teammate's message names, best first.
        history: my previous actions.
        has_spoken: whether I have already sent a message.
    """

    number: int = 1
    room: str = ""
    rooms: list[str] = field(default_factory=list)
    unexplored: list[str] = field(default_factory=list)
    holding: list[str] = field(default_factory=list)
    missing: dict[str, int] = field(default_factory=dict)
    targets: list[str] = field(default_factory=list)
    present: dict[int, int] = field(default_factory=dict)
    seen_in: dict[str, str] = field(default_factory=dict)
    claimed: set[str] = field(default_factory=set)
    preferred: list[str] = field(default_factory=list)
    history: list[str] = field(default_factory=list)
    has_spoken: bool = False
    actions: list[Action] = field(default_factory=list)

    def of(self, verb: str) -> list[Action]:
        """The available actions with this verb, in the order of the prompt."""
        return [a for a in self.actions if a.verb == verb]


def read_scene(text: str) -> Scene:
    """Understand the last observation in a prompt; what it does not say keeps its default."""
    # In a learning prompt the newest observation comes last; and nothing anybody says can forge a line.
    goal = text.rfind("\nGoal: ")
    text = text[text.rfind("\n", 0, max(goal, 0)) + 1 :]
    scene = Scene()
    if me := _ME.search(text):
        scene.number = int(me[2])
    progress = _line(text, "Progress:") + " "
    scene.history = re.split(r", (?=\[)", _line(text, "Previous actions:"))
    where = _read_places(scene, progress)
    for full, verb, name, number in _ACTION.findall(_choice_block(text)):
        room = _room_name(name, number, scene) if verb == "goexplore" else where.get(number, "")
        scene.actions.append(Action(full.rstrip(), verb, name, number, room))
    _read_goal(scene, _line(text, "Goal:"), progress)
    scene.rooms = sorted({a.room for a in scene.of("goexplore")} | set(scene.rooms), key=_canonical)
    _read_talk(scene, text)
    return scene


def read_choices(text: str) -> list[str]:
    """The available actions of a prompt, whatever they look like."""
    return [choice.rstrip() for choice in _CHOICE.findall(_choice_block(text))]


def _choice_block(text: str) -> str:
    """The last list of actions. It ends before the response format."""
    _, _, block = text.rpartition(_BLOCK)
    return block.split("Response format", 1)[0] if _BLOCK in text else ""


def _read_places(scene: Scene, progress: str) -> dict[str, str]:
    """Fill in rooms and people; returns the room of every id the progress mentions."""
    where: dict[str, str] = {}
    if held := _HOLDING.search(progress):
        scene.holding = _ids(held[1])
    if here := _HERE.search(progress):
        room = str(here[1])
        scene.room = room
        where.update(dict.fromkeys(_ids(here[2]), room))
    for found in _THERE.finditer(progress):
        where.update(dict.fromkeys(_ids(found[1]), str(found[2])))
        scene.rooms.append(str(found[2]))
    scene.unexplored = _UNEXPLORED.findall(progress)
    scene.rooms += [*scene.unexplored, *([scene.room] if scene.room else [])]
    for name, held_text in _PRESENT.findall(progress):
        scene.seen_in[name] = scene.room
        if digits := re.search(r"\d+$", name):
            scene.present[int(digits[0])] = len(_held(held_text))
    for name, room, _ in _ELSEWHERE.findall(progress):
        scene.seen_in[name] = room
    return where


def _read_goal(scene: Scene, goal: str, progress: str) -> None:
    """Fill in where things go, and what is still to be found, taken away or held."""
    bring = _BRING.findall(goal)
    scene.targets = [target for _, target, _, _ in bring]
    needs: Counter[str] = Counter()
    for things in [*(things for things, *_ in bring), *_HOLD.findall(goal)]:
        needs.update(_count(things))
    # Things that lie, or are held, where nobody has to look for them any more.
    accounted: dict[str, str] = {}
    for placed in _PLACED.findall(progress):
        for things, _, _ in _PUT.findall(placed):
            accounted.update(_held(things))
    hands = [m[1] for m in _HOLDING.finditer(progress)]
    hands += [m[1] for m in _PRESENT.findall(progress)] + [m[2] for m in _ELSEWHERE.findall(progress)]
    for held in hands:
        accounted.update(_held(held))
    missing = needs - Counter(accounted.values())
    for things, _, _ in _TAKE.findall(goal):
        missing += _count(things)
    for taken in _TAKEN.findall(progress):
        missing -= _count(taken)
    scene.missing = dict(missing)


def _count(things: str) -> Counter[str]:
    """`2 apples, 1 wine` as numbers."""
    counts: Counter[str] = Counter()
    for count, kind in _NEED.findall(things):
        # More than one of a kind is written with one s more than its name.
        counts[kind[:-1] if int(count) > 1 and kind.endswith("s") else kind] += int(count)
    return counts


def _read_talk(scene: Scene, text: str) -> None:
    """Fill in what the plan and the messages of the others say."""
    plan = _between(text, "\nPlan:", "\nProgress:")
    dialogue = _between(text, "\nDialogue history:", "\nPrevious actions:")
    named: list[str] = []
    for rooms in _ORDER.findall(plan):
        named += re.findall(_ROOM, rooms)
    mine = rf"(?:\bI take|\b\w+?_?{scene.number} takes?) the ({_ROOM})"
    named = re.findall(mine, plan) + named
    for _, message in _MESSAGE.findall(dialogue):
        named += _TIP.findall(message)
        for claim in _CLAIM.findall(message):
            scene.claimed.update(_ids(claim[0]))
    scene.preferred = list(dict.fromkeys(room for room in named if room in scene.rooms))
    spoken = re.search(r"^You send_message to ", dialogue, re.M) is not None
    scene.has_spoken = spoken or any(entry.startswith("[send_message]") for entry in scene.history)


_ROOM_ORDER: Mapping[str, int] = {"livingroom": 0, "kitchen": 1, "bedroom": 2, "bathroom": 3}


def _canonical(room: str) -> tuple[int, str]:
    return _ROOM_ORDER.get(room.split(" ")[0], len(_ROOM_ORDER)), room


def _room_name(name: str, number: str, scene: Scene) -> str:
    """What the sentences call the room of an action."""
    full = f"{name} ({number})"
    return full if full in scene.rooms else name


def _line(text: str, head: str) -> str:
    """What follows the last line beginning with `head`."""
    at = text.rfind("\n" + head)
    if at < 0:
        return ""
    return text[at + 1 + len(head) :].split("\n", 1)[0].strip()


def _between(text: str, head: str, tail: str) -> str:
    _, found, rest = text.partition(head)
    return rest.partition(tail)[0] if found else ""


def _held(text: str) -> dict[str, str]:
    """The things somebody holds, by id; not the seat they sit on."""
    things = text.partition(", sitting on ")[0]
    return {number: name for name, number in re.findall(_THING, things)}


def _ids(text: str) -> list[str]:
    return [number for _, number in re.findall(_THING, text)]
