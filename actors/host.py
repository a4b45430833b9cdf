"""Holds one or more agents and lets each take its turns exactly as asked.

A plain class: the inline runtime uses it as it is, and `actors.hosts` keeps several of them in one process.
"""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..env.codec import pack, unpack
from .agent import Agent, AgentSpec
from .cassette import Reel
from .gathering import Gathering
from .letters import Key, read_letter, write_answers
from .model.chat import ChatError, ChatModel, Endpoint
from .model.chats import Chats
from .own_agent import find_agent
from .turn import Answer, Ask, Call, Failure, FailureKind, Turn

MAX_STATE_BYTES = 16 * 1024 * 1024
"""An agent state larger than this is a fault, not something to send around every step."""


@dataclass(slots=True)
class _Seat:
    """One agent in the host.

    `version` counts the turns it has taken since it was made or restored. `asked` and `answer` are its ledger: the
    newest (step, attempt) it was asked for, and what it answers to that.
    """

    agent: Agent
    version: int
    lock: asyncio.Lock
    running: asyncio.Task[Any] | None = None
    asked: tuple[int, int] = (-1, 0)
    answer: asyncio.Future[Answer] | None = None


class AgentHost:
    """Serves turns of its agents, all of them at once, each one at a time.

    A turn is all or nothing: if it raises, is cancelled or runs out of time, the agent is put back to
    where it was. An agent that is not at the version the barrier expects (it was restarted, or its last
    answer came too late to count) says so instead of serving. An ask that arrives twice is served once; one
    that arrives after a newer one is not served at all.
    """

    def __init__(self, specs: Sequence[AgentSpec], endpoint: Endpoint, chats: Chats | None = None) -> None:
        self._specs = {spec.name: spec for spec in specs}
        self._endpoint = endpoint
        self._chats = chats or Chats()
        # In a replay, the steps in which an agent's turn did not count.
        self._missing: dict[str, dict[int, bool]] = {
            spec.name: {} if spec.tape is None else Reel.unpacked(spec.tape).missing for spec in specs
        }
        self._seats = {name: _Seat(self._make(name), 0, asyncio.Lock()) for name in self._specs}
        self._turns: set[asyncio.Task[Answer]] = set()

    async def turns(self, letter: bytes) -> bytes:
        """Take in a letter with asks, and answer those that are ready: all, or as many as are after a moment.

        Whoever wrote writes again for what is owed then. See `actors.letters`.
        """
        asked = read_letter(letter)
        tasks = [asyncio.ensure_future(self.turn(ask)) for ask in asked.asks]
        tasks += [asyncio.ensure_future(self._owed(key)) for key in asked.owed]
        self._turns.update(tasks)  # they go on if they are not ready in time
        for task in tasks:
            task.add_done_callback(self._turns.discard)
        return write_answers(await Gathering(tasks).ready())

    async def _owed(self, key: Key) -> Answer:
        """The answer to an ask that came before."""
        seat = self._seats[key.agent]
        if seat.asked == (key.step, key.attempt) and seat.answer is not None and not seat.answer.cancelled():
            return await asyncio.shield(seat.answer)
        return _failed(key, "stale", f"{key.agent} has been asked for {seat.asked} since")

    async def turn(self, ask: Ask) -> Answer:
        """Let an agent take its turn; never raises for what an agent or its model did."""
        seat = self._seats[ask.agent]
        this = (ask.step, ask.attempt)
        if this == seat.asked and seat.answer is not None:  # the first message, or the answer to it, was lost
            return await asyncio.shield(seat.answer)
        if this < seat.asked:
            return _failed(ask, "stale", f"{ask.agent} has been asked for {seat.asked} since")
        answer = asyncio.get_running_loop().create_future()
        seat.asked, seat.answer = this, answer
        try:
            began = time.perf_counter()
            served = await self._serve(seat, ask)
            answer.set_result(replace(served, seconds=time.perf_counter() - began))
        except BaseException:
            answer.cancel()
            raise
        return answer.result()

    async def _serve(self, seat: _Seat, ask: Ask) -> Answer:
        late = self._missing[ask.agent].get(ask.step)
        if late is not None:
            return _failed(ask, "late" if late else "error", "this turn did not count when the run was recorded")
        if ask.restore and seat.running is not None:
            seat.running.cancel()  # what it is still doing for an earlier ask does not count any more
        limit = asyncio.timeout(ask.deadline_s)
        calls: list[Call] = []  # of a turn that fails
        try:
            async with limit, seat.lock:
                seat.running = asyncio.current_task()
                try:
                    return await self._take(seat, ask, calls)
                finally:
                    seat.running = None
        except TimeoutError as error:
            late = limit.expired()
            message = f"{ask.agent} took longer than {ask.deadline_s:g} s" if late else _traceback(error)
            return _failed(ask, "late" if late else "error", message, calls)
        except ChatError as error:
            kind = error.kind if error.kind in ("fatal", "budget") else "error"
            return _failed(ask, kind, str(error), calls)
        except Exception as error:
            return _failed(ask, "error", _traceback(error), calls)

    async def stop(self) -> None:
        """Break off the turns that are being taken."""
        turns = list(self._turns)
        for turn in turns:
            turn.cancel()
        await asyncio.gather(*turns, return_exceptions=True)

    async def close(self) -> None:
        """Break off, and give the connections to the models back."""
        await self.stop()
        await self._chats.close()

    async def _take(self, seat: _Seat, ask: Ask, calls: list[Call]) -> Answer:
        if ask.restore:
            seat.agent = self._restored(ask.agent, ask.state)
            seat.version = ask.version
        elif seat.version != ask.version:
            return _failed(ask, "stale", f"{ask.agent} is at version {seat.version}, asked for {ask.version}")
        before = pack_state(seat.agent)
        take = seat.agent.finish if ask.final else seat.agent.turn
        try:
            turn: Turn = await take(ask.step, ask.observation, ask.feedback, ask.deadline_s)
            state = pack_state(seat.agent)
        except BaseException:
            calls += seat.agent.calls
            seat.agent = self._restored(ask.agent, before)
            raise
        seat.version += 1
        return Answer(agent=ask.agent, step=ask.step, attempt=ask.attempt, turn=turn, state=state)

    def _restored(self, name: str, state: bytes | None) -> Agent:
        agent = self._make(name)
        if state is not None:
            agent.load(unpack(state))
        return agent

    def _make(self, name: str) -> Agent:
        spec = self._specs[name]
        endpoint = spec.endpoint or self._endpoint
        return make_agent(spec, self._chats.at(endpoint), self._chats.at(spec.learn_endpoint or endpoint))


def _failed(ask: Ask | Key, kind: FailureKind, message: str, calls: Sequence[Call] = ()) -> Answer:
    failure = Failure(kind=kind, message=message, calls=tuple(calls))
    return Answer(agent=ask.agent, step=ask.step, attempt=ask.attempt, failure=failure)


def _traceback(error: Exception) -> str:
    return "".join(traceback.format_exception(error))[-4000:]


def make_agent(spec: AgentSpec, chat: ChatModel, learn_chat: ChatModel | None = None) -> Agent:
    """The agent a spec describes; it learns with `learn_chat` if that is another model.

    Raises:
        PluginError: there is no such agent.
    """
    return find_agent(spec.method)(spec, chat, learn_chat)


def pack_state(agent: Agent) -> bytes:
    """An agent's state as msgpack.

    Raises:
        ValueError: it is larger than `MAX_STATE_BYTES`.
    """
    packed = pack(agent.state())
    if len(packed) > MAX_STATE_BYTES:
        raise ValueError(f"the state of {agent.spec.name} has {len(packed)} bytes, more than {MAX_STATE_BYTES}")
    return packed
