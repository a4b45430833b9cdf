"""The contract between a world and whoever acts in it.

Shaped like PettingZoo's parallel API: every agent acts in every step, and what
goes in and comes out are dicts keyed by agent id. Nothing here knows of language
models, plans or Ray, so a world can be written and tested with this file alone
(`housemates.env.testing.check_world` says whether it keeps the contract).
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

PLAN_TOKEN = "$PLAN$"
"""Where an agent's plan goes in `Observation.text`."""

MESSAGE_VERB = "[send_message]"
"""The verb of the one action that carries free text."""

EVERYONE = "everyone"
"""The receiver, numbered 0, of a message to all of the sender's teammates."""

MESSAGE_PLACEHOLDER = "text"
"""What a message form shows where the text belongs; sending it back is no message."""

_MESSAGE = re.compile(r"\[send_message\]\s*<(?P<name>[^<>\n]+)>\s*\((?P<number>[0-9]{1,9})\)\s*:?(?P<text>.*)", re.S)


class WorldError(Exception):
    """The world cannot start or continue (bad task, bad scene, dead simulator).

    An action that cannot be carried out is not such an error: it is an `Outcome`.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What one agent perceives before it acts.

    Attributes:
        text: the prompt body; `PLAN_TOKEN` stands where the plan belongs, exactly once.
        choices: the available actions in the order the text lists them. A choice that
            starts with `MESSAGE_VERB` is a form to fill in: its text part is a placeholder.
        key: what must change for the agent to think again. Equal keys in two steps mean
            that nothing relevant changed, and that the last action may be repeated.
        reflex: an action the body takes by itself, without asking the model; else None.
        info: structured facts for tools (JSON types only); agents' prompts never use it.
    """

    text: str
    choices: tuple[str, ...]
    key: str
    reflex: str | None = None
    info: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The observation as plain msgpack/JSON types; `from_dict` undoes it."""
        return {
            "text": self.text,
            "choices": list(self.choices),
            "key": self.key,
            "reflex": self.reflex,
            "info": dict(self.info),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Observation:
        """The observation that `to_dict` wrote."""
        return cls(
            text=data["text"],
            choices=tuple(data["choices"]),
            key=data["key"],
            reflex=data["reflex"],
            info=data["info"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One delivered message.

    Attributes:
        sender: the agent the world knows, never what the text claims.
        receiver: an agent, or `EVERYONE`.
        text: the words as they arrived.
    """

    sender: str
    receiver: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one agent's action.

    Attributes:
        ok: whether the world carried it out (doing nothing is carried out).
        detail: what was done, or why it was not, in a few words.
    """

    ok: bool
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """What one joint step brought; every dict has exactly the world's agents as keys.

    Attributes:
        observations: what each agent perceives now.
        rewards: what each agent earned in this step alone; their running sum is its return.
        outcomes: what became of each agent's action.
        messages: the messages delivered in this step, in agent order of the senders.
        done: whether the episode is over. No step may follow.
        success: whether the task is solved.
    """

    observations: Mapping[str, Observation]
    rewards: Mapping[str, float]
    outcomes: Mapping[str, Outcome]
    messages: tuple[Message, ...] = ()
    done: bool = False
    success: bool = False


class World(ABC):
    """Several agents acting at once in a text world.

    Determinism is part of the contract: the same seed and the same actions give the same
    observations, rewards and outcomes, in any process. An equal `snapshot` means an equal
    future. Making a world is cheap, and is done before a run to see who is in it; what takes long belongs into `reset`.

    Attributes:
        instruction: tells a language model what it is in this world, before every observation.
    """

    instruction: str = "You decide what one of several agents does next."

    @property
    @abstractmethod
    def agents(self) -> Sequence[str]:
        """The agent ids, in the order in which ties are named and records are written."""

    @abstractmethod
    def reset(self, seed: int) -> dict[str, Observation]:
        """Start an episode and return the first observation of each agent.

        Raises:
            WorldError: the world cannot be set up.
        """

    @abstractmethod
    def step(self, actions: Mapping[str, str | None]) -> StepResult:
        """Carry out one action per agent at the same time.

        Args:
            actions: for each agent one of its `choices`, a filled-in message, or None to do
                nothing. A missing agent does nothing. Anything else is answered with an
                `Outcome` that is not ok, and changes nothing.

        Raises:
            WorldError: the world cannot continue, or the episode has not begun or is over.
        """

    @abstractmethod
    def snapshot(self) -> bytes:
        """The whole state of the running episode, as msgpack."""

    @abstractmethod
    def restore(self, snapshot: bytes) -> dict[str, Observation]:
        """Go on from a `snapshot` of the same kind of world; returns the observations then.

        Raises:
            WorldError: the bytes are no snapshot of such a world.
        """

    def close(self) -> None:  # noqa: B027 - most worlds hold nothing
        """Release what the world holds (processes, files). May be called more than once."""


def is_message(action: str | None) -> bool:
    """Whether an action speaks instead of acting."""
    return action is not None and action.startswith(MESSAGE_VERB)


class Addressed(NamedTuple):
    """A message taken apart: to whom, that agent's number, and the words."""

    name: str
    number: int
    text: str


def parse_message(action: str) -> Addressed | None:
    """Take `[send_message] <name> (number): text` apart; None if it is not of that form."""
    match = _MESSAGE.fullmatch(action.strip())
    return Addressed(match["name"], int(match["number"]), match["text"].strip()) if match else None


def format_message(name: str, number: int, text: str) -> str:
    """The action that sends `text` to the agent called `name` with the given number."""
    return f"{MESSAGE_VERB} <{name}> ({number}): {text}"
