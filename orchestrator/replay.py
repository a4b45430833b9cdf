"""Reading a run again, from its journal alone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from .journal.digest import TrajectoryDigest
from .journal.log import FILE_NAME, SCHEMA, JournalError, read_journal
from .journal.records import record_fault
from .own_world import task_name
from .printing import one_line, printable

_CONTROL = re.compile("[\x7f-\x9f]")
"""What JSON leaves as it is and a terminal may obey."""

HEADINGS = {"step": "step {step}", "lesson": "after the last step", "abandoned": "broken off in step {step}"}


def records(run: Path) -> Iterator[dict[str, Any]]:
    """The records of the run in a folder.

    Raises:
        JournalError: there is no run, or its journal is damaged.
    """
    path = run / FILE_NAME
    if not path.is_file():
        raise JournalError(f"{run} holds no run (no {FILE_NAME} there)")
    journal = read_journal(path)
    head = next(journal, None)
    if head is None:
        raise JournalError(f"{run} holds no run: its journal ends before the first step")
    if head.get("kind") != "begin" or head.get("schema") != SCHEMA:
        raise JournalError(f"{path} is of another format than this version reads (schema {SCHEMA})")
    agents: list[str] | None = None
    for number, record in enumerate(chain([head], journal)):
        fault = record_fault(record, agents)
        if fault:
            raise JournalError(f"{path}: record {number} is not what this version writes: {one_line(fault, 300)}")
        agents = agents or record["agents"]
        yield record


def digest(run: Path) -> str:
    """The trajectory digest of what is in the journal."""
    running = TrajectoryDigest()
    for record in records(run):
        running.add(record)
    return running.hexdigest()


def json_lines(run: Path) -> Iterator[str]:
    """One JSON object per committed step; the packed states of the agents are left out."""
    for record in records(run):
        if record["kind"] in HEADINGS:
            for part in record["agents"].values():
                del part["state"]
            try:
                line = json.dumps(record, ensure_ascii=False)
            except (TypeError, ValueError, RecursionError) as error:  # bytes, or depth, where no reader of ours looks
                raise JournalError(f"{run}: a record that is no JSON: {error}") from None
            yield _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", line)


def story(run: Path) -> Iterator[str]:
    """The episode as printable lines: what each agent planned, did and said, and what came of it."""
    yield from map(printable, _told(run))


def _told(run: Path) -> Iterator[str]:
    plans: dict[str, str] = {}
    for record in records(run):
        if record["kind"] == "begin":
            config = record["config"]
            who = f"{config['agents']} {config['method']} agents"
            yield f"{who}, task {task_name(config)}, model {record['model']}, seed {config['seed']}"
        elif record["kind"] == "resumed":
            yield f"resumed at step {record['step']}"
        elif record["kind"] == "placed":
            yield from (f"on {machine}: {', '.join(names)}" for machine, names in record["machines"].items())
        elif record["kind"] == "end":
            solved = "solved" if record["success"] else "not solved"
            yield f"{record['status']}, {solved}" + (f": {one_line(record['error'], 500)}" if record["error"] else "")
        else:
            yield HEADINGS[record["kind"]].format(step=record["step"])
            for agent, part in record["agents"].items():
                yield from _agent_lines(agent, part, plans)
            for message in (record["result"] or {"messages": ()})["messages"]:
                yield f"  {message['sender']} → {message['receiver']}: {one_line(message['text'], 500)}"


def _agent_lines(agent: str, part: Mapping[str, Any], plans: dict[str, str]) -> Iterator[str]:
    turn = part["turn"]
    if turn:
        update = turn["update"]
        if update and update["verdict"] == "rejected":
            yield f"  {agent} plan update rejected: {update['reason']}"
        if turn["plan"] != plans.get(agent, ""):
            plans[agent] = turn["plan"]
            yield f"  {agent} plan: {one_line(turn['plan'], 2000)}"
        if turn["thoughts"]:
            yield f"  {agent} thinks: {one_line(turn['thoughts'], 1000)}"
        if turn["action"] is not None:
            yield f"  {agent} {one_line(turn['action'], 500)} ({turn['how']}) → {one_line(part['detail'], 200)}"
    if part["verdict"] != "ok":
        yield f"  {agent} {part['verdict']}: {one_line(part['detail'], 500)}"
    if part["reward"]:
        yield f"  {agent} reward {part['reward']:g}, return {part['total']:g}"
