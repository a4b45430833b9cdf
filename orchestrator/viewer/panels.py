"""Records of the journal as what the page shows of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...actors.organization import organized
from ...env.world import PLAN_TOKEN
from .texts import clip, label

HOW = {
    "exact": "the reply names one of the available actions word for word",
    "letter": "the reply gives the letter of an available action",
    "similar": "the reply names the object of an available action with another verb; the most similar one was taken",
    "message": "the reply is a message to a teammate",
    "none": "the reply says that there is nothing to do",
    "random": "the reply matched no available action; one was drawn at random",
    "sticky": "nothing relevant changed, so the last action is gone on with; no model was asked",
    "reflex": "the body does this by itself; no model was asked",
    "error": "the model gave no usable answer",
    "late": "the model did not answer in time",
}
"""How a reply became an action, in words."""

SPANS = {
    "learn_s": "learning",
    "optimizer_s": "optimizer",
    "act_s": "acting",
    "queued_s": "queueing",
    "agent_s": "other",
    "transport_s": "other",
    "lost_s": "other",
    "barrier_s": "waiting",
}
"""The parts of an agent's time (`orchestrator.timing`) as the page shows them, in this order."""

NOTHING: Mapping[str, Any] = {"text": "", "choices": (), "info": {}}


def step_row(agent: str, part: Mapping[str, Any], observation: Mapping[str, Any] | None) -> dict[str, Any]:
    """One agent in the list of a step; `observation` is the one after the step."""
    turn = part["turn"] or {}
    info = (observation or NOTHING)["info"]
    update = turn.get("update")
    return {
        "agent": agent,
        "action": label(turn.get("action")),
        "how": turn.get("how"),
        "verdict": part["verdict"],
        "detail": label(part["detail"]),
        "reward": part["reward"],
        "total": part["total"],
        "room": room(info),
        "update": update["verdict"] if update else None,
        "spans": spans(part),
    }


def spans(part: Mapping[str, Any]) -> dict[str, float]:
    """What an agent's time until the barrier closed went into, in seconds; what it never did is left out.

    Older journals tell only the calls.
    """
    found = dict.fromkeys(SPANS.values(), 0.0)
    if "times" in part:
        for name, seconds in part["times"].items():
            found[SPANS.get(name, "other")] += seconds
    else:
        for call in (part["turn"] or {"calls": ()})["calls"]:
            found[SPANS.get(f"{call['purpose']}_s", "other")] += call["seconds"]
    return {name: seconds for name, seconds in found.items() if seconds > 0}


def agent_texts(part: Mapping[str, Any], observation: Mapping[str, Any], own: Mapping[str, str]) -> dict[str, str]:
    """Every long text of an agent's step by name; `observation` is what it decided on, `own` are its settings."""
    turn = part["turn"] or {}
    plan = turn.get("plan", "")
    update = turn.get("update") or {}
    return {
        "observation": observation["text"],
        "prompt": prompt(observation["text"], plan, own),
        "reply": turn.get("reply", ""),
        "thoughts": turn.get("thoughts", ""),
        "plan": plan,
        "action": turn.get("action") or "",
        "detail": part["detail"],
        "error": turn.get("error") or "",
        "proposal": update.get("reply", ""),
    }


def agent_panel(
    part: Mapping[str, Any], observation: Mapping[str, Any], after: Mapping[str, Any] | None, own: Mapping[str, str]
) -> dict[str, Any]:
    """Everything of one agent in one step but its texts' ends: what it saw, was asked, answered, did and got."""
    turn = part["turn"] or {}
    update = turn.get("update")
    after = after or NOTHING
    return {
        "texts": {name: clip(text) for name, text in agent_texts(part, observation, own).items()},
        "asked": any(call["purpose"] == "act" for call in turn.get("calls", ())),
        "acted": turn.get("action") is not None,
        "how": turn.get("how"),
        "how_words": HOW.get(turn.get("how", ""), ""),
        "choices": len(observation["choices"]),
        "verdict": part["verdict"],
        "reward": part["reward"],
        "total": part["total"],
        "room": room(after["info"]),
        "holding": [label(name) for name in held(after)],
        "progress": progress(after["info"]),
        "update": update and {"verdict": update["verdict"], "reason": label(update["reason"])},
        "calls": [{**call, "lost": False} for call in turn.get("calls", ())]
        + [{**call, "lost": True} for call in part["lost_calls"]],
    }


def prompt(text: str, plan: str, own: Mapping[str, str]) -> str:
    """What the model was asked with: the organization's line, the plan in its place or its line cut."""
    text = organized(text, own["organization"])
    if own["method"] == "react":
        return "\n".join(line for line in text.split("\n") if PLAN_TOKEN not in line)
    return text.replace(PLAN_TOKEN, plan)


def room(info: Mapping[str, Any]) -> str | None:
    """Where an agent is, if its world says so. Other worlds than the household may mean anything by their facts."""
    return label(str(info.get("room", "")))


def progress(info: Mapping[str, Any]) -> dict[str | None, Any]:
    """How many of each kind of thing are done, and how many are wanted."""
    kinds = info.get("progress")
    pairs = kinds.items() if isinstance(kinds, Mapping) else ()
    return {label(str(name)): pair for name, pair in pairs if isinstance(pair, list | tuple) and len(pair) == 2}


def held(observation: Mapping[str, Any]) -> list[str]:
    """What an agent holds, by the names its observation has for them."""
    names: list[str] = []
    numbers = observation["info"].get("holding", ())
    for number in numbers if isinstance(numbers, list | tuple) else ():
        found = re.search(rf"<([^<>]+)> \({re.escape(str(number))}\)", observation["text"])
        names.append(f"{found[1]} ({number})" if found else str(number))
    return names
