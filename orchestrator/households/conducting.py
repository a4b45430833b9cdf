"""Hands the households of a run to those who conduct them, and hears how they go."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Protocol

from ..errors import RuntimeFailure
from .books import Ended, News
from .folder import Household

NEWS_S = 0.5
"""How often the conductors are asked what happened."""
STOP_S = 1.0
"""Seconds the conductors have to break off when the run is interrupted."""


class Conducting(Protocol):
    """A `Conductor`, here or elsewhere. Elsewhere it may be lost, which raises RuntimeFailure."""

    async def play(self, households: Sequence[Household]) -> None: ...
    async def news(self) -> News: ...
    async def stop(self) -> None: ...


async def conduct(
    conductors: Sequence[Conducting], households: Sequence[Household], tell: Callable[[News], None]
) -> None:
    """Have all households played, each by one of the conductors; a conductor that is lost does not stop the others.

    Args:
        conductors: at least one.
        households: dealt out one by one.
        tell: is given the news.
    """
    dealt = [list(households[number :: len(conductors)]) for number in range(len(conductors))]
    following = [
        asyncio.ensure_future(_follow(conductor, hand, tell)) for conductor, hand in zip(conductors, dealt, strict=True)
    ]
    try:
        await asyncio.gather(*following)
    finally:
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)


async def _follow(conductor: Conducting, hand: list[Household], tell: Callable[[News], None]) -> None:
    """Have one conductor play its households, and pass on its news."""
    open_ones = {household.name for household in hand}

    async def pass_on() -> None:
        news = await conductor.news()
        open_ones.difference_update(news.ended)
        tell(news)

    playing = asyncio.ensure_future(conductor.play(hand))
    try:
        while not playing.done():
            await asyncio.wait({playing}, timeout=NEWS_S)
            await pass_on()
        await playing
        await pass_on()
    except RuntimeFailure as error:
        why = f"the process that conducted it is gone: {error}; go on with: housemates resume"
        tell(News(ended={name: Ended("failed", None, why) for name in open_ones}))
    except asyncio.CancelledError:
        with contextlib.suppress(TimeoutError, RuntimeFailure):
            async with asyncio.timeout(STOP_S):
                await conductor.stop()
                await playing
                await pass_on()
        raise
    finally:
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)
