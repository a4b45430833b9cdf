"""Journals for tests and benchmarks, written by the real writer: as long, as wide and as hostile as wanted."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from housemates.orchestrator.journal.log import FILE_NAME, SCHEMA, Journal

PROMPT = "I'm {agent}. The goal is known.\nPlan: $PLAN$\nThis is step {step}. " + "There is a <cup> (7). " * 60

HOSTILE = (
    "<script>document.title = 'taken over'</script><img src=x onerror=\"document.title = 'taken over'\"> "
    "\x1b[31mred\x1b[0m \u202egnp.exe\u202c \x00\x07 &lt;b&gt; "
)
MEGABYTE = "<b>x</b>" * 131_072


def names(agents: int) -> list[str]:
    return [f"Agent_{number}" for number in range(1, agents + 1)]


def begin(agents: int, **config: Any) -> dict[str, Any]:
    settings = {"task": "custom", "agents": agents, "method": "trace", "seed": 0, "llm": "scripted", "steps": 150}
    return {
        "kind": "begin",
        "schema": SCHEMA,
        "version": "0",
        "config": settings | config,
        "model": "scripted",
        "agents": names(agents),
        "observations": {agent: observation(agent, 0) for agent in names(agents)},
    }


def observation(agent: str, step: int) -> dict[str, Any]:
    return {
        "text": PROMPT.format(agent=agent, step=step),
        "choices": ["[take] <cup> (7)", "[wait]"],
        "key": "k",
        "reflex": None,
        "info": {"room": "kitchen", "holding": [7] if step % 3 == 0 else []},
    }


def turn(agent: str, step: int, **changes: Any) -> dict[str, Any]:
    learned = step % 5 == 1
    return {
        "action": "[take] <cup> (7)",
        "how": "exact",
        "plan": f"Take the cup, then rest {step // 5} times." if step else "",
        "thoughts": f"step {step} of {agent}",
        "reply": '{"action": "A"}',
        "repaired": False,
        "update": lesson("accepted") if learned else None,
        "calls": [
            {
                "purpose": "act",
                "seconds": 0.5,
                "attempts": 1,
                "prompt_tokens": 500,
                "completion_tokens": 20,
                "error": None,
            }
        ],
        "error": None,
    } | changes


def lesson(verdict: str, reason: str = "", reply: str = "{}") -> dict[str, Any]:
    return {"verdict": verdict, "reason": reason, "reply": reply, "repaired": False, "version": 1, "diff": ""}


def step(number: int, agents: int, turns: Mapping[str, Any] | None = None, said: str = "") -> dict[str, Any]:
    """A step in which everybody does the same, but whoever is in `turns`; the first agent may say something."""
    everybody = names(agents)
    parts = {
        agent: {
            "verdict": "ok",
            "detail": "took it",
            "reward": 1.0 if number % 10 == 9 else 0.0,
            "total": float((number + 1) // 10),
            "turn": turn(agent, number, **(turns or {}).get(agent, {})),
            "lost_calls": [],
            "state": random.Random(f"{agent}/{number}").randbytes(1500),
        }
        for agent in everybody
    }
    result = {
        "observations": {agent: observation(agent, number + 1) for agent in everybody},
        "rewards": dict.fromkeys(everybody, 0.0),
        "outcomes": {agent: {"ok": True, "detail": ""} for agent in everybody},
        "messages": [{"sender": everybody[0], "receiver": everybody[-1], "text": said}] if said else [],
        "done": False,
        "success": False,
    }
    return {"kind": "step", "step": number, "agents": parts, "result": result, "step_s": 0.75}


END: dict[str, Any] = {"kind": "end", "status": "completed", "success": False, "error": "", "wall_s": 1.0}


def write(folder: Path, *records: Mapping[str, Any]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    journal = Journal(folder / FILE_NAME)
    for record in records:
        journal.append(record)
    journal.close()
    return folder


def long_run(folder: Path, steps: int, agents: int) -> Path:
    """A run of that many steps, with a message every seventh step."""
    every = (step(n, agents, said=f"hello {n}" if n % 7 == 0 else "") for n in range(steps))
    return write(folder, begin(agents), *every, END)


def hostile_run(folder: Path) -> Path:
    """Two agents, one of whom fills everything it can with hostile text; the other says a megabyte."""
    evil = dict.fromkeys(("plan", "thoughts", "reply"), HOSTILE)
    turns = {
        "Agent_1": evil | {"action": HOSTILE, "update": lesson("rejected", HOSTILE, HOSTILE)},
        "Agent_2": {"plan": MEGABYTE},
    }
    return write(
        folder,
        begin(2, note=HOSTILE),
        step(0, 2, said=HOSTILE),
        step(1, 2, turns, said=MEGABYTE),
        step(2, 2, turns, said=HOSTILE),
        END,
    )
