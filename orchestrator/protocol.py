"""What goes into the barrier (events), what comes out (commands), and what a committed step is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ..actors.turn import Answer, Ask, Call, Turn
from ..env.world import Observation, StepResult

Verdict = Literal["ok", "late", "failed", "invalid", "quarantined"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRecord:
    """One agent's part in a committed step.

    Attributes:
        verdict: ok; invalid = the world did not carry the action out; late = no turn before the deadline;
            failed = no turn, or a turn without the action it wanted; quarantined = its process died again and
            again, and it is not asked any more.
        detail: the world's outcome, or what went wrong.
        reward, total: earned in this step, and since the beginning (the return).
        turn: None unless the agent answered in time.
        lost_calls: the model calls of a turn that did not count.
        state: the committed state after the step, packed.
    """

    verdict: Verdict
    detail: str
    reward: float
    total: float
    turn: Turn | None
    lost_calls: tuple[Call, ...]
    state: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRecord:
    """What the agents did in a step.

    `step` has the world's answer in `result`. `lesson` is the last learning after the last step. `abandoned` was
    never committed: the run ended within the step, and the record only tells what was done in it.
    """

    kind: Literal["step", "lesson", "abandoned"]
    step: int
    agents: Mapping[str, AgentRecord]
    result: StepResult | None

    def to_dict(self) -> dict[str, Any]:
        """The record as plain msgpack types: what the journal, the digest and the summary read."""
        return {
            "kind": self.kind,
            "step": self.step,
            "agents": {agent: _plain(record) for agent, record in self.agents.items()},
            "result": _plain(self.result) if self.result else None,
        }


def _plain(value: Any) -> Any:
    """Records as dicts, like `dataclasses.asdict`, which copies every text and takes most of a large step's record."""
    if isinstance(value, _AS_THEY_ARE):
        return value
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}


_AS_THEY_ARE = (str, bool, int, float, bytes, type(None))


# Events


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an agent stands between two steps: its committed state, the number of turns behind it, its return."""

    state: bytes | None = None
    version: int = 0
    total: float = 0.0


@dataclass(frozen=True, slots=True)
class Began:
    """The world is where the episode begins, or where an interrupted one goes on.

    Attributes:
        observations: the present one of each agent.
        step: how many steps are committed.
        standings: per agent; those left out have done nothing yet.
        done, success: of the last committed step.
        decided: whether an agent could make a decision in any committed step.
    """

    observations: Mapping[str, Observation]
    step: int = 0
    standings: Mapping[str, Standing] = field(default_factory=dict[str, Standing])
    done: bool = False
    success: bool = False
    decided: bool = False


@dataclass(frozen=True, slots=True)
class DeadlinePassed:
    """A step has taken its time."""

    step: int


@dataclass(frozen=True, slots=True)
class Stepped:
    """The world took the joint action of a step."""

    step: int
    result: StepResult


Event = Began | Answer | DeadlinePassed | Stepped


# Commands


@dataclass(frozen=True, slots=True)
class StartClock:
    """Report `DeadlinePassed` when the step has taken its time."""

    step: int


@dataclass(frozen=True, slots=True)
class StepWorld:
    """Give the world the joint action of a step."""

    step: int
    actions: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Commit:
    """Write the step down, for good."""

    record: StepRecord


@dataclass(frozen=True, slots=True)
class SetAside:
    """Keep what an agent was asked with when its process died each time: somebody will want to look at it."""

    agent: str
    step: int
    observation: Observation
    feedback: str
    error: str


@dataclass(frozen=True, slots=True)
class End:
    """Nothing more will be asked. `error` says why the run could not continue, "" if it completed.

    `over_budget`: it could, but would cost more than the user allows.
    """

    success: bool
    error: str = ""
    over_budget: bool = False


Command = Ask | StartClock | StepWorld | Commit | SetAside | End
