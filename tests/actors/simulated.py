"""A model server and its clients in virtual time, to try a limiter over minutes in milliseconds."""

from __future__ import annotations

import heapq
import math
import random
from collections import Counter
from collections.abc import Callable

from housemates.actors.limiter.limiter import Caps, Limiter, Outcome, Ticket


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Storm:
    """Clients that ask again and again, each one request at a time, and a server that refuses what is too much.

    Args:
        clients: each a holder of its own.
        rate: requests a second that the server takes, in bursts of up to a second's worth.
        concurrency: requests at once that it takes.
        latency_s: of a reply, on average.
        retry_after_s: what a refusal asks for.
    """

    def __init__(
        self,
        clients: int = 32,
        *,
        rate: float = math.inf,
        concurrency: float = math.inf,
        latency_s: float = 0.5,
        retry_after_s: float | None = None,
        caps: Caps | None = None,
    ) -> None:
        self.clock = Clock()
        self.limiter = Limiter(caps or Caps(), self.clock)
        self.rate, self.concurrency, self.latency_s, self.retry_after_s = rate, concurrency, latency_s, retry_after_s
        self.served: Counter[str] = Counter()
        self.refused = 0
        self.in_flight = 0
        self.begun: list[float] = []
        self._level, self._level_at = min(rate, 1e9), 0.0
        self._random = random.Random(0)
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = 0
        self._check = math.inf
        for client in range(clients):
            self.limiter.join(f"client{client}")
            self._ask(f"client{client}")
        self._settle()

    def run(self, seconds: float) -> None:
        """Let time pass, and count anew."""
        until = self.clock.now + seconds
        self.served.clear()
        self.refused = 0
        while self._events and self._events[0][0] <= until:
            self.clock.now, _, happen = heapq.heappop(self._events)
            happen()
        self.clock.now = until

    def _at(self, delay: float, happen: Callable[[], None]) -> None:
        self._numbers += 1
        heapq.heappush(self._events, (self.clock.now + delay, self._numbers, happen))

    def _ask(self, client: str) -> None:
        self._numbers += 1
        self.limiter.ask(client, Ticket(self._numbers, client, 100))

    def _settle(self) -> None:
        for client, ticket in self.limiter.grant():
            self._serve(client, ticket)
        at = self.clock.now + self.limiter.next_s() + 0.001
        if at < self._check or self._check <= self.clock.now:
            self._check = at
            self._at(at - self.clock.now, self._settle)

    def _serve(self, client: str, ticket: Ticket) -> None:
        self.begun.append(self.clock.now)
        if self.rate < math.inf:
            self._level = min(self.rate, self._level + (self.clock.now - self._level_at) * self.rate)
            self._level_at = self.clock.now
        taken = self._level >= 1 and self.in_flight < self.concurrency
        self._level -= taken
        self.in_flight += taken
        delay = self.latency_s * self._random.uniform(0.5, 1.5) if taken else 0.01
        self._at(delay, lambda: self._finish(client, ticket, taken))

    def _finish(self, client: str, ticket: Ticket, taken: bool) -> None:
        self.limiter.hear(client)
        self.in_flight -= taken
        outcome = Outcome("ok", 100) if taken else Outcome("rate_limit", 0, self.retry_after_s)
        self.limiter.end(client, ticket.number, outcome)
        if taken:
            self.served[client] += 1
            self._ask(client)
        else:
            self.refused += 1
            self._at(self._random.uniform(0.25, 0.5), lambda: self._again(client))
        self._settle()
        for number in range(len(self.limiter._holders)):  # nobody dies here
            self.limiter.hear(f"client{number}")

    def _again(self, client: str) -> None:
        self._ask(client)
        self._settle()
