"""Asks for the agents of one process, sent together; and their answers, as they come."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from ...actors.letters import Key, Letter, key_of, read_answers, write_letter
from ...actors.turn import Answer, Ask, Failure

Exchange = Callable[[bytes], Awaitable[bytes]]
"""Have a process serve a letter (see `actors.letters`), however often it has to be sent. Raises ProcessLost."""


class ProcessLost(Exception):
    """The process is gone, and what it was asked with it; the text says of what, in a line."""


class Letterbox:
    """Makes one letter of all asks that are given within one pass of the event loop.

    A letter is answered for all its agents at once, or for those that are ready (`actors.gathering`); then it is
    followed by another, which asks for the rest. So there is one message a step in each direction if agents are about
    equally quick, and never more than one a second.

    Args:
        reach: the way to the process as it is now; called once for each letter that begins with asks.
    """

    def __init__(self, reach: Callable[[], Exchange]) -> None:
        self._reach = reach
        self._outbox: list[tuple[Ask, asyncio.Future[Answer]]] = []
        self._awaited: dict[str, asyncio.Future[Answer]] = {}  # by agent: the newest
        self._correspondence: set[asyncio.Task[None]] = set()

    def awaits(self, agent: str) -> bool:
        """Whether an agent owes an answer."""
        return agent in self._awaited

    async def settled(self, agent: str, within_s: float) -> bool:
        """Whether an agent owes nothing, or not for longer than so many seconds."""
        answer = self._awaited.get(agent)
        if answer is not None:
            await asyncio.wait([answer], timeout=within_s)
        return not self.awaits(agent)

    def forget(self) -> None:
        """Nobody owes anything any more: the process has ended, or the agents have left it."""
        self._awaited.clear()

    async def turn(self, ask: Ask) -> Answer:
        """The answer of the asked agent; a failure of the kind `lost` if its process is."""
        loop = asyncio.get_running_loop()
        if not self._outbox:
            loop.call_soon(self._post)
        answer: asyncio.Future[Answer] = loop.create_future()
        self._outbox.append((ask, answer))
        return await answer

    async def close(self) -> None:
        """Wait for nothing any more."""
        tasks = list(self._correspondence)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _post(self) -> None:
        outbox, self._outbox = self._outbox, []
        self._awaited |= {ask.agent: answer for ask, answer in outbox}
        owed = {key_of(ask): answer for ask, answer in outbox}
        task = asyncio.get_running_loop().create_task(self._correspond([ask for ask, _ in outbox], owed))
        self._correspondence.add(task)
        task.add_done_callback(self._correspondence.discard)

    async def _correspond(self, asks: list[Ask], owed: dict[Key, asyncio.Future[Answer]]) -> None:
        try:
            exchange, letter = self._reach(), Letter(asks)
            while owed:
                for answer in read_answers(await exchange(write_letter(letter))):
                    self._arrived(owed.pop(key_of(answer)), answer)
                letter = Letter(owed=list(owed))
        except ProcessLost as error:
            for key, future in owed.items():
                failure = Failure(kind="lost", message=f"the process of {key.agent} is gone: {error}")
                self._arrived(future, Answer(agent=key.agent, step=key.step, attempt=key.attempt, failure=failure))
        except asyncio.CancelledError:
            for future in owed.values():
                future.cancel()
            raise
        except Exception as error:  # is that of whoever asked
            for future in owed.values():
                if not future.done():
                    future.set_exception(error)

    def _arrived(self, future: asyncio.Future[Answer], answer: Answer) -> None:
        if self._awaited.get(answer.agent) is future:
            del self._awaited[answer.agent]
        if not future.done():  # else whoever asked waits no longer
            future.set_result(answer)
