"""What travels between the barrier and an agent: one question, one answer.

Frozen records of plain data, so that they cross process borders, go into the journal and
can be compared in a test. Durations are in seconds (`_s`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from ..env.world import Observation

Purpose = Literal["act", "learn"]
How = Literal["exact", "letter", "similar", "message", "none", "random", "sticky", "reflex", "error", "late"]
"""How a reply became an action: see `actors.reply`. Sticky and reflex ask no model; error and late have no action."""

REPLY_KEPT_CHARS = 4000
"""How much of a model's reply is kept in records."""

Verdict = Literal["accepted", "unchanged", "rejected"]
FailureKind = Literal["error", "late", "stale", "lost", "fatal", "budget"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One logical call of the model (its retries included).

    Attributes:
        purpose: to act or to learn.
        seconds: from the first attempt to the last byte.
        queued_s: waiting for leave to begin, before that.
        waited_s: of the `seconds`, those between attempts: until it was worth asking again, and allowed.
        attempts: HTTP requests made.
        error: why no reply came, or None.
    """

    purpose: Purpose
    seconds: float
    attempts: int = 1
    prompt_tokens: int = 0
    completion_tokens: int = 0
    error: str | None = None
    queued_s: float = 0.0
    waited_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One logical call of the model in full, kept only while a run is recorded (see `actors.cassette`).

    Attributes:
        request: model, messages, schema, max_tokens, seed and temperature, as plain types.
        reply: the text, cut where no reader goes on; None if there was none.
        error: the kind of failure (`ChatError.kind`), else None. Its wording is not kept: it names the endpoint.
    """

    request: dict[str, Any]
    reply: str | None
    error: str | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    finish_reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanUpdate:
    """What the optimizer's proposal became; a rejected or unchanged one leaves the plan as it was.

    Attributes:
        verdict: accepted, unchanged or rejected.
        reason: why it was rejected, in one or two words (counted per reason); else empty.
        reply: the proposing model's raw text, capped.
        repaired: the reply was nearly JSON and had to be repaired before it could be read.
        version: of the plan after this update: how many updates have been accepted so far.
        diff: what an accepted update changed, as the lines of a unified diff, capped; else empty.
    """

    verdict: Verdict
    reason: str = ""
    reply: str = ""
    repaired: bool = False
    version: int = 0
    diff: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What an agent did with its turn.

    Attributes:
        action: what it does; None to do nothing.
        how: how that action came about.
        plan: the plan it acted on (after learning), "" for agents without one.
        thoughts: what the model said it thought.
        reply: the acting model's raw text, capped; "" if no model was asked.
        repaired: the reply was nearly JSON and had to be repaired before it could be read.
        update: what became of its plan in this turn, or None if it did not learn.
        calls: every model call of the turn.
        error: why it has no action although it wanted one, or None.
        learning_s: what its lesson took, the model's time included.
        exchanges: the same calls in full, if the run is recorded. They go into the cassette, not the journal.
    """

    action: str | None
    how: How
    plan: str = ""
    thoughts: str = ""
    reply: str = ""
    repaired: bool = False
    update: PlanUpdate | None = None
    calls: tuple[Call, ...] = ()
    error: str | None = None
    learning_s: float = 0.0
    exchanges: tuple[Exchange, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The turn as plain msgpack/JSON types."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """The barrier asks an agent for its turn in a step.

    Attributes:
        agent: whom.
        step: counted from 0; together with `attempt` the fence that a late answer cannot pass.
        attempt: counted from 1 within the step.
        version: how many of the agent's turns are committed; an agent at another version must not serve.
        observation: what the agent perceives.
        feedback: what it learns from, "" in the first step.
        restore: load `state` first (None: start fresh), whatever the agent holds.
        state: the committed state, packed.
        final: only learn, do not act: the episode is over.
        deadline_s: seconds the agent has for the turn.
    """

    agent: str
    step: int
    attempt: int
    version: int
    observation: Observation
    feedback: str
    restore: bool = False
    state: bytes | None = None
    final: bool = False
    deadline_s: float = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why there is no turn.

    `error`: the agent's code raised. `late`: out of time. `stale`: the agent is not at the asked
    version. `lost`: its process is gone. `fatal`: asking again is pointless (bad key, no such model).
    `budget`: asking again would cost more than the user allows.
    `calls` are the model calls that were made all the same, as far as they are known.
    """

    kind: FailureKind
    message: str
    calls: tuple[Call, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The agent's answer to an `Ask`: a turn with the state after it, or a failure. It took `seconds` where it is."""

    agent: str
    step: int
    attempt: int
    turn: Turn | None = None
    state: bytes | None = None
    failure: Failure | None = None
    seconds: float = 0.0
