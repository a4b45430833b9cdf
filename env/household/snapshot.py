"""A running episode as bytes, and back.

A snapshot holds what cannot be built again from the seed: the things that may have moved, and everybody's
memory. It is sealed with a checksum, so that damage is noticed before anything is made of it.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from ..codec import pack, unpack
from ..world import WorldError
from .episode import Episode
from .person.body import Body
from .scene.graph import Box, SceneGraph
from .stage import Setting, Stage

_KIND = "household/2"
_CHANGING = ("INSIDE", "ON", "HOLDS_RH", "HOLDS_LH", "SITTING")
"""The relations that actions change."""


def save(episode: Episode, setting: Setting) -> bytes:
    """The whole state of an episode."""
    graph = episode.graph
    things: list[Any] = []
    for number in sorted(episode.simulator.touched):
        node = graph.nodes[number]
        edges = [(name, _in_order(graph, number, name)) for name in _CHANGING]
        things.append((number, node.states, node.box, node.rotation, [edge for edge in edges if edge[1]]))
    state = pack(
        {
            **_belongs_to(setting),
            "seed": str(episode.stage.seed),  # msgpack has no integers beyond 64 bits
            "home": episode.stage.fingerprint,
            "steps": episode.simulator.steps,
            "things": things,
            "teams": [
                (team.done, team.progress, [body.to_dict() for body in team.bodies.values()]) for team in episode.teams
            ],
            "executed": list(episode.executed.values()),
        }
    )
    return pack({"kind": _KIND, "checksum": zlib.crc32(state), "state": state})


def load(snapshot: bytes, setting: Setting) -> Episode:
    """The episode a snapshot was taken of.

    Raises:
        WorldError: the bytes are no snapshot, are damaged, or belong to another sort of world.
    """
    state = _open(snapshot)
    for key, value in _belongs_to(setting).items():
        if state.get(key) != value:
            raise WorldError(f"the snapshot has {key} {state.get(key)!r}, this world has {value!r}")
    try:
        stage = Stage(setting, int(state["seed"]))
        if stage.fingerprint != state["home"]:
            raise WorldError("the snapshot was taken in another version of the apartment")
        _load_scene(stage.graph, state["things"])
        episode = Episode(stage, setting.simulator)
        episode.simulator.steps = int(state["steps"])
        episode.simulator.touched.update(thing[0] for thing in state["things"])
        _load_teams(episode, state)
    except WorldError:
        raise
    except Exception as error:  # whatever does not fit together
        raise WorldError(f"the snapshot is damaged ({error!r})") from None
    return episode


def _in_order(graph: SceneGraph, number: int, relation: str) -> list[int]:
    """What a node points to; what it is directly inside or on comes last, for of several the last one counts."""
    last = {"INSIDE": graph.parent(number), "ON": graph.support(number)}.get(relation)
    return sorted(graph.targets(number, relation), key=lambda target: target == last)


def _belongs_to(setting: Setting) -> dict[str, Any]:
    return {"task": setting.task, "agents": len(setting.numbers), "apartment": setting.home}


def _open(snapshot: bytes) -> Mapping[str, Any]:
    """Break the seal."""
    try:
        sealed: Any = unpack(snapshot)
        kind = sealed["kind"]
        if kind == _KIND and zlib.crc32(sealed["state"]) != sealed["checksum"]:
            raise ValueError("the checksum is wrong")
        state: Any = unpack(sealed["state"]) if kind == _KIND else None
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise WorldError(f"this is no snapshot of a household, or a damaged one ({error!r})") from None
    if kind != _KIND:
        raise WorldError(f"this is no snapshot of a household of kind {_KIND!r}, but {kind!r}")
    if not isinstance(state, dict):
        raise WorldError(f"the snapshot is damaged (its state is {type(state).__name__}, not a dict)")
    return state


def _load_scene(graph: SceneGraph, things: Sequence[Any]) -> None:
    for number, states, box, rotation, _ in things:
        node = graph.nodes[number]
        node.states = tuple(states)
        node.box = Box(tuple(box[0]), tuple(box[1])) if box else None
        node.rotation = tuple(rotation)
        for relation in _CHANGING:
            graph.unlink(number, relation)
    for number, *_, edges in things:
        for relation, targets in edges:
            for target in targets:
                graph.link(number, relation, graph.nodes[target].id)
    graph.validate()


def _load_teams(episode: Episode, state: Mapping[str, Any]) -> None:
    for team, (done, progress, bodies) in zip(episode.teams, state["teams"], strict=True):
        loaded = [Body.from_dict(data, team.briefing) for data in bodies]
        if [body.number for body in loaded] != list(team.bodies):
            raise ValueError("bodies do not match the agents")
        team.bodies = {body.number: body for body in loaded}
        team.done, team.progress = bool(done), tuple(progress)
        if len(team.progress) != len(team.briefing.goal.wants):
            raise ValueError("progress does not match the goal")
    episode.executed = dict(zip(episode.executed, state["executed"], strict=True))
