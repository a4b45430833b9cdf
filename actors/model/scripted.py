"""The scripted model: a deterministic housemate in place of a language model.

It reads nothing but the prompt, and answers both kinds of prompt an agent sends: which
action to take next, and what plan to follow from now on. Good enough to finish the
tasks, simple enough to be followed by eye.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from zlib import crc32

from .scripted_reading import Action, Scene, read_choices, read_scene

_PLAN_CAP = 600
_STUCK_DEED = 3  # the same deed this often in a row does not work
_VARIABLE = re.compile(r"#Variables\s*\n\(\w+\)\s*(\w+)=")
_KNOWN = tuple(f"[{verb}]" for verb in ("gocheck", "goexplore", "gograb", "goput", "gosit", "goswitch", "send_message"))
"""How the household's actions begin."""
_LISTED = 4  # things named in a plan or a message; more would only make the next prompts longer


def reply(messages: Sequence[Mapping[str, str]]) -> str:
    """The model's answer to a chat, as JSON text."""
    text = "\n".join(m["content"] for m in messages if m["role"] != "assistant")
    variable = _VARIABLE.search(text)
    if variable is not None and "#Feedback" in text:
        return json.dumps(learn(text, variable[1]))
    return json.dumps(act(text))


def act(text: str) -> dict[str, str]:
    """Thoughts and the next action, for a prompt that ends with the available actions."""
    scene = read_scene(text)
    action, why = _decide(scene)
    if action == "None":
        strange = [choice for choice in read_choices(text) if not choice.startswith(_KNOWN)]
        if strange:  # another world than the household
            action, why = strange[crc32(text.encode()) % len(strange)], "I know no rules for this world, so I draw."
    return {"thoughts": why, "action": action}


def learn(text: str, variable: str) -> dict[str, object]:
    """A new value for the plan, for the prompt of the optimizer."""
    outputs = text.rfind("#Outputs")
    scene = read_scene(text[outputs if outputs >= 0 else 0 :])
    plan = make_plan(scene)
    reasoning = "The plan follows from what the last observation says is known, unknown and taken."
    return {"reasoning": reasoning, "answer": "", "suggestion": {variable: plan}}


def make_plan(scene: Scene) -> str:
    """What to do from here on; the same scene always gives the same words."""
    parts = []
    rooms = sorted(scene.unexplored, key=_room_order(scene))
    if rooms:
        parts.append(f"Search order: {', '.join(rooms)}.")
    wanted = [f"{a} in the {a.room}" for a in scene.of("gograb") if _needed(scene, a) and a.room]
    if wanted:
        parts.append(f"Take first: {', '.join(wanted[:_LISTED])}.")
    closed = [f"{a} in the {a.room}" for a in scene.of("gocheck") if a.room]
    if closed:
        parts.append(f"Then check: {', '.join(closed[:_LISTED])}.")
    elsewhere = [f"{name} has the {room}" for name, room in sorted(scene.seen_in.items()) if room != scene.room]
    if elsewhere:
        parts.append(f"Leave to the others: {', '.join(elsewhere[:_LISTED])}.")
    if scene.targets:
        parts.append(f"Bring everything to {' and '.join(scene.targets)}, two things at a time.")
    return " ".join(parts)[:_PLAN_CAP] or "Go on as before."


def _decide(scene: Scene) -> tuple[str, str]:
    # Where I am before elsewhere, else in the order of the prompt.
    puts = sorted(scene.of("goput"), key=lambda a: a.room != scene.room)
    if puts and len(scene.holding) >= 2:
        return _best(scene, puts), "Both hands are full, so I put down what I hold."
    grabs = [a for a in scene.of("gograb") if _needed(scene, a)]
    here = [a for a in grabs if a.room == scene.room]
    message = _message(scene, here, grabs)
    if message is not None:
        return message, "The others should know what I found."
    mine = _share(scene, here)
    if mine:
        return _best(scene, mine), "I see something we need."
    switches = scene.of("goswitch")
    if switches and switches[0].room == scene.room:
        return _best(scene, switches), "What has to be switched on is right here."
    if puts and not scene.missing:
        return _best(scene, puts), "Everything else is in other hands, so I deliver what I hold."
    checks = scene.of("gocheck")
    closed = [a for a in checks if a.room == scene.room]
    # With fewer closed containers than people here, the last of us go on to the next room.
    mine = _share(scene, closed) if scene.missing else []
    if mine:
        return _best(scene, mine), "There are unchecked containers in this room."
    if puts and puts[0].room == scene.room:
        return _best(scene, puts), "The place to put things is right here."
    order = _room_order(scene)
    known = sorted((a for a in grabs if a.room != scene.room), key=lambda a: order(a.room))
    if known:
        return _best(scene, known), "I remember where something we need is."
    if scene.missing:
        for options, why in (
            (scene.of("goexplore"), "That room is unexplored."),
            ([a for a in checks if a.room != scene.room], "Containers in another room are still unchecked."),
            (closed, "Only the containers here are left."),
        ):
            if options:
                return _best(scene, sorted(options, key=lambda a: order(a.room))), why
    for options, why in (
        (puts, "Nothing is left to find, so I put down what I hold."),
        (here if scene.missing else [], "I take what is left."),
        (switches, "All that I can bring is brought, so I switch on what should be on."),
        (scene.of("gosit"), "Everything else is done, so I sit down."),
    ):
        if options:
            return _best(scene, options), why
    return "None", "There is nothing left for me to do."


def _needed(scene: Scene, action: Action) -> bool:
    """Whether one more of this kind is missing, and nobody has said that it is theirs."""
    return scene.missing.get(action.name, 0) > 0 and action.id not in scene.claimed


def _share(scene: Scene, actions: list[Action]) -> list[Action]:
    """My part of what can be done in this room: everyone here starts with another one.

    What is begun goes on. Whoever has come back here takes what is left: it was left to somebody who does not want it.
    """
    legs = [entry for entry, _ in groupby(scene.history)]
    came_back = len(legs) > 2 and legs[-1] == legs[-3]
    if came_back or any(legs and f"({action.id})" in legs[-1] for action in actions):
        return actions
    helpers = sorted({scene.number, *(n for n, held in scene.present.items() if held < 2)})
    rank = helpers.index(scene.number)
    if rank >= len(actions):
        return []
    return actions[rank:] + actions[:rank]


def _best(scene: Scene, actions: list[Action]) -> str:
    """The first action that is not known to fail; one that is already under way goes before the others."""
    last = scene.history[-1] if scene.history else ""
    repeats = 0
    for entry in reversed(scene.history):
        if entry != last:
            break
        repeats += 1
    stuck = repeats >= _STUCK_DEED and not last.startswith("[walk")  # walks may be long; the world ends vain ones

    def towards(action: Action) -> bool:
        return f"({action.id})" in last

    if stuck:
        actions = [a for a in actions if not towards(a)] or actions
        return actions[0].text
    return next((a.text for a in actions if towards(a)), actions[0].text)


def _room_order(scene: Scene) -> Callable[[str], tuple[int, int, int]]:
    """Sorts rooms: those the plan names first, then those where nobody is, beginning at another one for each agent."""
    rooms = scene.rooms
    named = {room: rank for rank, room in reversed(list(enumerate(scene.preferred)))}
    taken = {room for room in scene.seen_in.values() if room != scene.room}

    def key(room: str) -> tuple[int, int, int]:
        turn = (rooms.index(room) - scene.number + 1) % len(rooms) if room in rooms else len(rooms)
        return named.get(room, len(named)), int(room in taken), turn

    return key


def _message(scene: Scene, here: list[Action], known: list[Action]) -> str | None:
    """Once in an episode, when I know of more than I can carry: tell a teammate who is not here."""
    free = 2 - len(scene.holding)
    if scene.has_spoken or not here or len(known) <= free:
        return None
    absent = [a for a in scene.of("send_message") if int(a.id) > 0 and int(a.id) not in scene.present]
    if not absent:
        return None
    receiver = absent[scene.number % len(absent)]
    mine = here[:free]
    rest = [a for a in known if a not in mine][:_LISTED]
    room = rest[0].room or scene.room
    found = ", ".join(str(a) for a in rest if a.room == rest[0].room)
    text = f"I found {found} in the {room}. I take {', '.join(map(str, mine))}."
    return f"[send_message] {receiver}: {text}"
