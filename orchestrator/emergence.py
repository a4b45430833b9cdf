"""What emerged in an episode: who did what, who spoke to whom, and what came of it.

Every measure is a pure function of the journal's records; `docs/emergence.md` gives the definitions and
their sources. A measure is None where it is not defined (one agent, no messages, nothing delivered).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import log2
from random import Random
from typing import Any

WINDOW_STEPS = 5
"""A reply, or an action upon a message, counts if it comes within this many steps."""

SHUFFLES = 100
"""How often agents are exchanged at random to see how large a measure is by chance."""

EXCLUSIVE = ("gocheck", "gograb")
"""Verbs that only one agent need pursue on a thing; many may explore one room or put to one place."""

_ACTION = re.compile(r"\[(\w+)\](?:\s*<([^<>]+)>\s*\((\d+)\))?")
_ID = re.compile(r"\((\d+)\)")
_WORD = re.compile(r"[A-Za-z_]{3,}")


@dataclass(frozen=True, slots=True)
class Deed:
    """What one agent did in one step.

    Attributes:
        verb, name, number: of the high-level action `[verb] <name> (number)`; "" and 0 where there is none.
        idle: it did nothing.
        decided: the action was chosen in this step, by the model or a reflex, not merely gone on with.
        executed: the primitive that the body carried out, e.g. `[putin] <plate> (170) <dishwasher> (50)`.
        ok: the world carried it out.
        room: where the agent was after the step, "" if the world does not tell.
        reward: earned in the step.
    """

    verb: str
    name: str
    number: int
    idle: bool
    decided: bool
    executed: str
    ok: bool
    room: str
    reward: float


@dataclass(frozen=True, slots=True)
class Utterance:
    """One message. `receivers` are the agents who got it."""

    step: int
    sender: str
    receivers: tuple[str, ...]
    text: str


@dataclass(slots=True)
class Chronicle:
    """An episode as far as the measures need it: one deed per agent and step, the messages, the plans."""

    agents: tuple[str, ...] = ()
    steps: list[dict[str, Deed]] = field(default_factory=list[dict[str, Deed]])
    messages: list[Utterance] = field(default_factory=list[Utterance])
    plans: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Per agent the plans it had, one after the other, each once; the empty one left out."""


@dataclass(frozen=True, slots=True)
class Measures:
    """The measures of one episode; see the functions of the same names."""

    deliveries: dict[str, int]
    delivery_balance: float | None
    specialisation: float | None
    specialisation_chance: float | None
    territory: float | None
    territory_chance: float | None
    duplicated_effort: float | None
    coverage_overlap: float | None
    message_rate: float | None
    reply_rate: float | None
    acted_on: float | None
    acted_on_before: float | None
    idle_share: float | None
    plan_mentions: float | None
    leadership: float | None


def measure(records: Iterable[Mapping[str, Any]]) -> Measures:
    """All measures of the episode in a journal."""
    story = chronicle(records)
    follow_ups = _follow_ups(story)
    return Measures(
        deliveries=deliveries(story),
        delivery_balance=delivery_balance(story),
        specialisation=specialisation(story),
        specialisation_chance=by_chance(_activities(story)),
        territory=territory(story),
        territory_chance=by_chance(_places(story)),
        duplicated_effort=duplicated_effort(story),
        coverage_overlap=coverage_overlap(story),
        message_rate=message_rate(story),
        reply_rate=reply_rate(story),
        acted_on=_share(follow_up.after for follow_up in follow_ups),
        acted_on_before=_share(follow_up.before for follow_up in follow_ups),
        idle_share=idle_share(story),
        plan_mentions=plan_mentions(story),
        leadership=leadership(story),
    )


def chronicle(records: Iterable[Mapping[str, Any]]) -> Chronicle:
    """Read what the measures need out of journal records; only `begin`, `step` and `lesson` count."""
    story = Chronicle()
    for record in records:
        if record["kind"] == "begin":
            story.agents = tuple(record["agents"])
            story.plans = {agent: [] for agent in story.agents}
        elif record["kind"] in ("step", "lesson"):
            for agent, part in record["agents"].items():
                plan = (part["turn"] or {"plan": ""})["plan"]
                known = story.plans[agent]
                if plan and (not known or known[-1] != plan):
                    known.append(plan)
            if record["kind"] == "step":
                _take_in(story, record)
    return story


def _take_in(story: Chronicle, record: Mapping[str, Any]) -> None:
    step, result = len(story.steps), record["result"]
    deeds: dict[str, Deed] = {}
    for agent, part in record["agents"].items():
        turn = part["turn"] or {"action": None, "how": "none"}
        match = _ACTION.match(turn["action"] or "")
        info = result["observations"][agent]["info"]
        deeds[agent] = Deed(
            verb=match[1] if match else "",
            name=(match[2] or "") if match else "",
            number=int(match[3] or 0) if match else 0,
            idle=turn["action"] is None,
            decided=turn["how"] != "sticky",
            executed=str(info.get("executed") or ""),
            ok=part["verdict"] == "ok",
            room=str(info.get("room") or ""),
            reward=part["reward"],
        )
    story.steps.append(deeds)
    said: dict[tuple[str, str], list[str]] = {}
    for message in result["messages"]:
        said.setdefault((message["sender"], message["text"]), []).append(message["receiver"])
    story.messages += [Utterance(step, sender, tuple(to), text) for (sender, text), to in said.items()]


# -- division of labour ---------------------------------------------------------------------------


def deliveries(story: Chronicle) -> dict[str, int]:
    """How many things each agent delivered: puts that were carried out in a step in which the return rose."""
    counts = dict.fromkeys(story.agents, 0)
    for deeds in story.steps:
        for agent, deed in deeds.items():
            counts[agent] += deed.ok and deed.reward > 0 and deed.executed.startswith(("[putin]", "[putback]"))
    return counts


def delivery_balance(story: Chronicle) -> float | None:
    """Entropy of the deliveries over the agents, divided by its maximum: 1 = all alike, 0 = one did all."""
    counts = deliveries(story)
    if len(counts) < 2 or not any(counts.values()):
        return None
    return _entropy(counts.values()) / log2(len(counts))


def specialisation(story: Chronicle) -> float | None:
    """Mutual information of agent and activity (verb), divided by the entropy of activities: 0 to 1."""
    return normalised_information(_activities(story))


def territory(story: Chronicle) -> float | None:
    """Mutual information of agent and room, divided by the entropy of rooms: 0 to 1."""
    return normalised_information(_places(story))


def normalised_information(pairs: Sequence[tuple[str, Hashable]]) -> float | None:
    """I(X; Y) / H(Y) of observed pairs (x, y); None if there is one x only, or y never varies."""
    agents, kinds = Counter(x for x, _ in pairs), Counter(y for _, y in pairs)
    if len(agents) < 2 or len(kinds) < 2:
        return None
    whole = _entropy(kinds.values())
    joint = _entropy(Counter(pairs).values())
    return max(0.0, (_entropy(agents.values()) + whole - joint) / whole)


def by_chance(pairs: Sequence[tuple[str, Hashable]]) -> float | None:
    """The mean of `normalised_information` when agents are exchanged at random (the same shuffles every time)."""
    if normalised_information(pairs) is None:
        return None
    agents, kinds = [x for x, _ in pairs], [y for _, y in pairs]
    random = Random("emergence/by_chance")
    total = 0.0
    for _ in range(SHUFFLES):
        random.shuffle(agents)
        total += normalised_information(list(zip(agents, kinds, strict=True))) or 0.0
    return total / SHUFFLES


def duplicated_effort(story: Chronicle) -> float | None:
    """Of all agent-steps spent on checking or taking a thing: the share in which another one was after it, too.

    The first agent (in agent order) of those who pursue a thing in a step does not count as a duplicate.
    """
    efforts = duplicates = 0
    for deeds in story.steps:
        pursued = Counter(deed.number for deed in deeds.values() if deed.verb in EXCLUSIVE)
        efforts += pursued.total()
        duplicates += sum(count - 1 for count in pursued.values())
    return duplicates / efforts if efforts and len(story.agents) > 1 else None


def coverage_overlap(story: Chronicle) -> float | None:
    """Mean over pairs of agents of the Jaccard index of what they explored: rooms they were in, things they opened."""
    explored: dict[str, set[str]] = {agent: set() for agent in story.agents}
    for deeds in story.steps:
        for agent, deed in deeds.items():
            if deed.room:
                explored[agent].add(deed.room)
            if deed.ok and deed.executed.startswith("[open]"):
                explored[agent].add(deed.executed)
    shares = [len(a & b) / len(a | b) for a, b in combinations(explored.values(), 2) if a | b]
    return sum(shares) / len(shares) if shares else None


def idle_share(story: Chronicle) -> float | None:
    """The share of agent-steps in which an agent did nothing."""
    return _share(deed.idle for deeds in story.steps for deed in deeds.values())


# -- communication --------------------------------------------------------------------------------


def message_rate(story: Chronicle) -> float | None:
    """Messages per agent and step; a message to several counts once."""
    chances = len(story.steps) * len(story.agents)
    return len(story.messages) / chances if chances and len(story.agents) > 1 else None


def reply_rate(story: Chronicle) -> float | None:
    """The share of messages after which a receiver wrote back to the sender within `WINDOW_STEPS`."""
    return _share(
        any(
            other.sender in message.receivers
            and message.sender in other.receivers
            and 0 < other.step - message.step <= WINDOW_STEPS
            for other in story.messages
        )
        for message in story.messages
    )


@dataclass(frozen=True, slots=True)
class FollowUp:
    """Whether a receiver chose what a message mentions: in the window after it, and in the one before it."""

    sender: str
    after: bool
    before: bool


def acted_on(story: Chronicle) -> float | None:
    """Of messages that mention a thing or room: the share upon which a receiver newly chose that thing or room.

    It counts if it was decided within `WINDOW_STEPS` after the message and was not already being done when
    the message came. The same share for the window before the message (`acted_on_before`) says how much of
    it is coincidence.
    """
    return _share(follow_up.after for follow_up in _follow_ups(story))


def _follow_ups(story: Chronicle) -> list[FollowUp]:
    found: list[FollowUp] = []
    for message in story.messages:
        numbers = {int(number) for number in _ID.findall(message.text) if len(number) < 10}
        words = {word.lower() for word in _WORD.findall(message.text)}
        words |= {word.removesuffix("s") for word in words}
        if not (numbers or words & _names(story)):
            continue
        now = {agent: story.steps[message.step][agent].number for agent in message.receivers}
        window = range(1, WINDOW_STEPS + 1)
        after = any(_chose(story, now, message.step + ahead, numbers, words) for ahead in window)
        before = any(_chose(story, now, message.step - back, numbers, words) for back in window)
        found.append(FollowUp(message.sender, after, before))
    return found


def _names(story: Chronicle) -> set[str]:
    deeds = (deed for deeds in story.steps for deed in deeds.values())
    return {deed.name.lower() for deed in deeds if deed.name and deed.verb != "send_message"}


def _chose(story: Chronicle, now: Mapping[str, int], step: int, numbers: set[int], words: set[str]) -> bool:
    if not 0 <= step < len(story.steps):
        return False
    for agent, current in now.items():
        deed = story.steps[step][agent]
        chosen = deed.decided and deed.number and deed.verb != "send_message" and deed.number != current
        if chosen and (deed.number in numbers or deed.name.lower() in words):
            return True
    return False


def leadership(story: Chronicle) -> float | None:
    """How much the messages that were acted on come from one agent: 0 = from all alike, 1 = from one only.

    The Herfindahl index of their senders, scaled from its minimum 1/n to 1.
    """
    senders = Counter(follow_up.sender for follow_up in _follow_ups(story) if follow_up.after)
    n = len(story.agents)
    if n < 2 or not senders:
        return None
    index = sum((count / senders.total()) ** 2 for count in senders.values())
    return (index - 1 / n) / (1 - 1 / n)


def plan_mentions(story: Chronicle) -> float | None:
    """The share of plans that name a teammate."""
    return _share(
        any(_mentions(plan, mate) for mate in story.agents if mate != agent)
        for agent, plans in story.plans.items()
        for plan in plans
    )


def _mentions(text: str, agent: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(agent)}(?!\w)", text) is not None


# -- arithmetic -----------------------------------------------------------------------------------


def _activities(story: Chronicle) -> list[tuple[str, Hashable]]:
    return [(agent, deed.verb) for deeds in story.steps for agent, deed in deeds.items() if deed.verb]


def _places(story: Chronicle) -> list[tuple[str, Hashable]]:
    return [(agent, deed.room) for deeds in story.steps for agent, deed in deeds.items() if deed.room]


def _entropy(counts: Iterable[int]) -> float:
    """In bits."""
    kept = [count for count in counts if count]
    total = sum(kept)
    return -sum(count / total * log2(count / total) for count in kept)


def _share(found: Iterable[bool]) -> float | None:
    flags = list(found)
    return sum(flags) / len(flags) if flags else None
