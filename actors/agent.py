"""The contract of an agent: it takes turns, and its state is data."""

from __future__ import annotations

import math
import random
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..env.world import Observation, World
from .model.chat import Endpoint
from .turn import Call, Turn

MAX_GIVEN_CHARS = 4000
"""The longest plan or organization text a user may give: it stands in every prompt."""

MAX_REPEATS = 10
"""Steps in a row an action may be repeated without thinking (VirtualHome's text agents: 10)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyLimits:
    """What an agent's model may write: how much, in characters (tokens for the totals), and whether "None".

    Small local models ramble and generate slowly, so they get tight limits; strong ones room to think.
    Tiny ones, offered to do nothing, never do anything else: for them the schema has "None" only when no
    action is left.
    """

    thoughts_chars: int = 1000
    message_chars: int = 300
    reasoning_chars: int = 2000
    plan_chars: int = 2000
    act_tokens: int = 1000
    learn_tokens: int = 2000
    may_idle: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Learning:
    """How an agent learns; the defaults are those of the Trace tutorial. `docs/learning.md` says when to use what.

    Attributes:
        optimize: the trainable texts: `plan`, `plan+role`, or a user's `Policy` as `module:Class`.
        optimizer: `optoprime`, `opro`, `textgrad`, or any other optimizer of `opto` as `module:Class`.
        objective: what the optimizer's model is asked to do; "" for the optimizer's own words.
        memory_size: how many past (texts, feedback) pairs the optimizer shows its model.
        credit_steps: how many of the last thoughts the feedback travels back through.
        learn_every: how many thoughts an agent waits between two lessons.
        mask: sections left out of the optimizer's prompt, among `MASKABLE`.
    """

    optimize: str = "plan"
    optimizer: str = "optoprime"
    objective: str = ""
    memory_size: int = 0
    credit_steps: int = 1
    learn_every: int = 1
    mask: tuple[str, ...] = ()


MASKABLE = ("code", "documentation", "constraints", "inputs", "others", "outputs")
"""The sections of OptoPrime's prompt that may be left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSpec:
    """All that is needed to make an agent anywhere: plain data, no live objects, no keys.

    Attributes:
        name: the agent's id in the world.
        method: `trace` learns a plan; `react` only thinks before it acts; `fixed` follows the plan it was given; or
            an agent of the user's own, see `actors.own_agent`.
        seed: of the run; all randomness is derived from it, the name and the step.
        limits: how much its model may write.
        learning: how it learns, if it does.
        plan: what it starts with.
        organization: instructions for working together, for its prompt; "" for none.
        instruction: what the world tells its model above every prompt.
        endpoint: where its model is, if not where everybody's is.
        learn_endpoint: where the model that it learns with is, if that is another one.
        record: keep its model calls in full (`Turn.exchanges`).
        tape: its recorded model calls (a packed `actors.cassette.Reel`), which are then played back; no model is asked.
    """

    name: str
    method: str = "trace"
    seed: int = 0
    limits: ReplyLimits = field(default_factory=ReplyLimits)
    learning: Learning = field(default_factory=Learning)
    plan: str = ""
    organization: str = ""
    instruction: str = World.instruction
    endpoint: Endpoint | None = None
    learn_endpoint: Endpoint | None = None
    record: bool = False
    tape: bytes | None = field(default=None, repr=False)

    def rng(self, step: int, purpose: str) -> random.Random:
        """A generator that depends on nothing but (run seed, agent, step, purpose)."""
        return random.Random(f"{self.seed}/{self.name}/{step}/{purpose}")

    def request_seed(self, step: int, purpose: str) -> int:
        """The seed sent with a model call: 31 bits, which every endpoint takes."""
        return self.rng(step, purpose).getrandbits(31)


class Agent(ABC):
    """Someone who perceives, acts and perhaps learns.

    It is made of its spec, the `ChatModel` it acts with, and the one it learns with (often the same): `Agent(spec,
    chat, learn_chat)`. `housemates.actors.testing.check_agent` says whether it keeps this contract.

    Between turns all of an agent that matters is in `state()`: loading it into a fresh agent of the
    same spec gives one that behaves identically. A turn that raises or is cancelled may leave the
    agent in between; whoever called it must `load` the state from before.
    """

    spec: AgentSpec

    @property
    @abstractmethod
    def calls(self) -> Sequence[Call]:
        """The model calls of the running or last turn; what is left of them when a turn fails."""

    @abstractmethod
    async def turn(self, step: int, observation: Observation, feedback: str, deadline_s: float = math.inf) -> Turn:
        """Learn from the last action's consequence, then choose the next action.

        Args:
            step: counted from 0.
            observation: what the agent perceives now.
            feedback: how well it did so far, in words; "" in the first step.
            deadline_s: seconds for the turn. An agent that plans for it keeps what it has learned even if
                no time is left to act; one that does not is cancelled, and was never there.

        Raises:
            ChatError: the model cannot be asked and never will (`kind` is fatal or budget). A call that
                merely failed is reported in the turn.
        """

    @abstractmethod
    async def finish(self, step: int, observation: Observation, feedback: str, deadline_s: float = math.inf) -> Turn:
        """Learn one last time; the episode is over. The turn has no action."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """All that the next turn depends on, as msgpack types."""

    @abstractmethod
    def load(self, state: Mapping[str, Any]) -> None:
        """Become the agent that `state()` was taken from."""
