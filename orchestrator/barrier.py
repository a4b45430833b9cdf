"""The barrier: one turn of every agent, then one joint step of the world, again and again.

A pure step machine: events go in, commands come out. No Ray, no clock, no disk, so that every race is
a unit test. The driver (`orchestrator.episode`) carries the commands out and reports what happened.

Within a step the phases are

    turns ── all answered, or the deadline ──► world ──► commit ──► next step, or the last lesson ──► end

An answer counts only if it names the running step and the attempt that was asked last (the fence);
whatever comes later is dropped, and the agent that sent it is put back to its committed state before
it serves again. All joins go by the order of the agents, never by the order of arrival.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from ..actors.feedback import Consequence, Feedback, task_return
from ..actors.turn import Answer, Ask, Failure, Turn
from ..env.world import StepResult
from .member import Member
from .protocol import (
    AgentRecord,
    Began,
    Command,
    Commit,
    DeadlinePassed,
    End,
    Event,
    SetAside,
    Standing,
    StartClock,
    Stepped,
    StepRecord,
    StepWorld,
)

MAX_ATTEMPTS = 3
"""How often an agent is asked within one step when its process was lost or its state was stale."""

MAX_SILENT_STEPS = 5
"""Steps in a row in which no agent could make a decision before the run is given up."""


@dataclass(slots=True)
class Barrier:
    """The step machine of one episode.

    Args:
        agents: the ids, in the order of all joins.
        horizon: steps after which the episode ends unsolved, at least 1.
        deadline_s: seconds an agent has for a turn.
        feedback: what an agent is told about how it did in a step.
    """

    agents: Sequence[str]
    horizon: int
    deadline_s: float = 300.0
    feedback: Feedback = task_return
    _members: dict[str, Member] = field(default_factory=dict)
    _missing: set[str] = field(default_factory=set)  # whose turns are; counted, not looked for, however many they are
    _step: int = 0
    _phase: Literal["new", "turns", "world", "lesson", "ended"] = "new"
    _silent_steps: int = 0
    _anyone_decided: bool = False
    _success: bool = False

    def handle(self, event: Event) -> list[Command]:
        """Take an event in and say what is to be done, in order. Stale events change nothing."""
        if isinstance(event, Began):
            return self._begin(event)
        if isinstance(event, Answer):
            return self._answered(event)
        if isinstance(event, DeadlinePassed):
            return self._deadline(event)
        return self._stepped(event)

    def waiting_for(self) -> list[str]:
        """The agents whose turns are missing."""
        if self._phase not in ("turns", "lesson"):
            return []
        return [agent for agent in self.agents if agent in self._missing]

    def _begin(self, event: Began) -> list[Command]:
        if self._phase != "new":
            raise RuntimeError("the episode has begun already")
        for agent in self.agents:
            standing = event.standings.get(agent, Standing())
            self._members[agent] = Member(
                observation=event.observations[agent],
                state=standing.state,
                version=standing.version,
                total=standing.total,
                dirty=standing.version > 0,  # its new process knows nothing of the turns behind it
            )
        self._step, self._success, self._anyone_decided = event.step, event.success, event.decided
        return self._next_turns(event.done)

    def _next_turns(self, done: bool) -> list[Command]:
        self._phase = "lesson" if done or self._step >= self.horizon else "turns"
        return self._ask_all()

    def _ask_all(self) -> list[Command]:
        for member in self._members.values():
            member.answer, member.failure, member.attempt = None, None, 0
        asks = [self._ask(agent) for agent in self.agents if not self._members[agent].quarantined]
        self._missing = {ask.agent for ask in asks}
        if not asks:
            return self._close_if_complete()
        return [*asks, StartClock(self._step)]

    def _ask(self, agent: str) -> Ask:
        member = self._members[agent]
        member.attempt += 1
        restore, member.dirty = member.dirty, True  # until its answer is committed
        return Ask(
            agent=agent,
            step=self._step,
            attempt=member.attempt,
            version=member.version,
            observation=member.observation,
            feedback=member.feedback,
            restore=restore,
            state=member.state if restore else None,
            final=self._phase == "lesson",
            deadline_s=self.deadline_s,
        )

    def _answered(self, answer: Answer) -> list[Command]:
        member = self._members.get(answer.agent)
        if member is None or self._phase not in ("turns", "lesson"):
            return []
        late = (answer.step, answer.attempt) != (self._step, member.attempt)
        if late or answer.agent not in self._missing:
            return []
        member.count_deaths(answer)
        set_aside: list[Command] = []
        self._missing.discard(answer.agent)
        if answer.failure is None:
            member.answer = answer
        elif answer.failure.kind == "fatal" and self._phase == "turns":
            member.failure = answer.failure
            return self._give_up(f"{answer.agent}: {answer.failure.message}")
        elif answer.failure.kind in ("stale", "lost") and member.attempt < MAX_ATTEMPTS and not member.quarantined:
            self._missing.add(answer.agent)
            return [self._ask(answer.agent)]
        else:
            member.failure = answer.failure
            if member.deaths == MAX_ATTEMPTS:
                what = (member.observation, member.feedback, answer.failure.message)
                set_aside = [SetAside(answer.agent, self._step, *what)]
        return [*set_aside, *self._close_if_complete()]

    def _deadline(self, event: DeadlinePassed) -> list[Command]:
        if event.step != self._step or self._phase not in ("turns", "lesson"):
            return []
        for agent in self.waiting_for():
            self._members[agent].failure = Failure(kind="late", message=f"no answer within {self.deadline_s:g} s")
        self._missing.clear()
        return self._close_if_complete()

    def _close_if_complete(self) -> list[Command]:
        if self._missing:
            return []
        over = [m.failure.message for m in self._members.values() if m.failure and m.failure.kind == "budget"]
        if over:  # only now: what the others had begun is told and counted
            return self._give_up(over[0], over_budget=True)
        if self._phase == "lesson":
            never = "" if self._anyone_decided else "no agent ever could decide what to do"
            return [self._commit("lesson"), self._end(never)]
        decided = any(member.decided for member in self._members.values())
        self._anyone_decided |= decided
        self._silent_steps = 0 if decided else self._silent_steps + 1
        if self._silent_steps >= MAX_SILENT_STEPS:
            said = self._members[self.agents[-1]].verdict(None)[1]
            return self._give_up(f"no agent could decide in {MAX_SILENT_STEPS} steps in a row; the last one: {said}")
        self._phase = "world"
        actions = {agent: self._members[agent].action for agent in self.agents}
        return [StepWorld(self._step, actions)]

    def _stepped(self, event: Stepped) -> list[Command]:
        if self._phase != "world" or event.step != self._step:
            return []
        commit = self._commit("step", event.result)
        self._step, self._success = self._step + 1, event.result.success
        return [commit, *self._next_turns(event.result.done)]

    def abandoned(self) -> Commit | None:
        """The record of a step that is broken off, if one is running: what was done counts, what happened does not."""
        return self._commit("abandoned") if self._phase in ("turns", "world", "lesson") else None

    def _commit(self, kind: Literal["step", "lesson", "abandoned"], result: StepResult | None = None) -> Commit:
        """Make the turns and the world's answer one: from here on they have happened."""
        records: dict[str, AgentRecord] = {}
        for agent in self.agents:
            member = self._members[agent]
            reward = result.rewards[agent] if result else 0.0
            member.total += reward
            turn: Turn | None = None
            if member.answer is not None:
                turn, member.state = member.answer.turn, member.answer.state
                member.version += 1
                member.dirty = False
            verdict, detail = member.verdict(result and result.outcomes[agent])
            if result is not None:
                member.observation = result.observations[agent]
                # What went wrong with a machine of ours is nothing to learn from, and differs from run to run.
                words = detail if verdict in ("ok", "invalid") else ""
                member.feedback = self.feedback(
                    Consequence(agent, self._step, member.total, reward, member.action, verdict, words)
                )
            records[agent] = AgentRecord(
                verdict=verdict,
                detail=detail,
                reward=reward,
                total=member.total,
                turn=turn,
                lost_calls=member.failure.calls if member.failure else (),
                state=member.state,
            )
        return Commit(StepRecord(kind=kind, step=self._step, agents=records, result=result))

    def _give_up(self, error: str, *, over_budget: bool = False) -> list[Command]:
        return [self._commit("abandoned"), self._end(error, over_budget)]

    def _end(self, error: str, over_budget: bool = False) -> End:
        self._phase = "ended"
        return End(self._success, error, over_budget)
