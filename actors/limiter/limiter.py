"""How many requests one account may have in flight, and how fast they may begin: adaptive and fair.

Pure: no tasks, no network; the clock is handed in. `actors.limiter.gate` puts it to use. Sources of the rules:
additive increase and multiplicative decrease as in TCP; one cut per episode, cooldown, and growth only of
a limit that is used, as in inspect_ai's adaptive concurrency; leases that expire, as in dask's semaphore.

A *holder* is a process with agents, a *caller* one agent. A *ticket* asks for one request; the *lease* it
becomes lasts until the request has ended, or until its holder has not been heard of for `LEASE_S`. An *allowance* is
leave for requests that need not be asked for: its holder tells of them later.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

HEARTBEAT_S = 2.0
"""How often a holder with leases or tickets makes itself heard."""
LEASE_S = 1.5 * HEARTBEAT_S
"""A holder that is silent for so long is dead: what it held is free again."""
CHECK_S = 0.25 * HEARTBEAT_S
"""How often that is looked after: nothing is held for two heartbeats by a dead holder."""
ALLOWANCE = 8
"""Requests that a holder may begin without asking, before it says its next word and within a heartbeat."""
SPARE = 0.5
"""Allowances may take up what is in use to this share of a cap; the rest is for those who ask."""

CUT = 0.7
"""What a refusal (429) leaves of the limits. Only the first one of an episode counts: the others were sent before."""
COOLDOWN_S = 5.0
"""Seconds without growth after a cut or a fault."""
BUSY = 0.8
"""Limits grow only when this share of them is in use; what is not used has not been tried."""
PACE_CUT = 0.9
PACE_GROWTH = 0.01
"""Growth of the pace in a second: slow next to where it was cut, then twice as fast every `COOLDOWN_S`."""
PACE_GROWTH_MAX = 0.2
WINDOW_S = 5.0
"""What was accepted in so many seconds is the pace that the server was seen to take."""
MAX_PAUSE_S = 60.0
"""The longest that `Retry-After` can silence an account."""
CAP_BURST_S = 1.0
"""A pause in asking is made up for by at most so many seconds' worth at once, if the user said how much is allowed."""
PACE_BURST_S = 0.1
"""The same where the pace is learned: the server may take no bursts at all."""

OutcomeKind = Literal["ok", "rate_limit", "fault", "unused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """What the user allows an account; None: whatever the server takes."""

    concurrency: int | None = None
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None

    def __post_init__(self) -> None:
        if any(cap is not None and cap <= 0 for cap in (self.concurrency, *self.per_minute)):
            raise ValueError("caps must be positive")

    @property
    def per_minute(self) -> tuple[float | None, float | None]:
        """Requests and tokens a minute."""
        return self.requests_per_minute, self.tokens_per_minute


@dataclass(frozen=True, slots=True)
class Ticket:
    """Asks for one request.

    Attributes:
        number: unique in its holder.
        caller: who asks; callers take turns.
        tokens: how many it will probably use.
        first: it begins a call; else it repeats a request of a call that has begun.
    """

    number: int
    caller: str
    tokens: int
    first: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a request ended: `fault` is a 5xx, a timeout or a lost connection, `unused` means that it was never sent.

    `tokens` are those it used, None if nobody knows. `retry_after_s` is what the server asked for.
    """

    kind: OutcomeKind
    tokens: int | None = None
    retry_after_s: float | None = None


class Bucket:
    """A token bucket that may be overdrawn: the debt is paid before anything else is given."""

    def __init__(self, rate: float, burst_s: float, now: float) -> None:
        self._rate = rate
        self._burst_s = burst_s
        self._at = now
        self._level = self.capacity

    @property
    def rate(self) -> float:
        """Per second; infinite for no limit."""
        return self._rate

    @property
    def capacity(self) -> float:
        """The most it holds; never less than one."""
        return max(1.0, self._rate * self._burst_s)

    def set_rate(self, rate: float, now: float) -> None:
        """Fill at another rate from now on."""
        self._refill(now)
        self._rate = rate
        self._level = min(self._level, self.capacity)

    def take(self, amount: float) -> None:
        """Take it even if it is not there; negative to give back."""
        if self._rate < math.inf:
            self._level -= amount

    def wait_s(self, amount: float, now: float) -> float:
        """Seconds until the amount may be taken (one that never fits: until the bucket is full)."""
        if self._rate == math.inf:
            return 0.0
        self._refill(now)
        missing = min(amount, self.capacity) - self._level
        return max(0.0, missing / self._rate) if missing > 1e-9 else 0.0

    def _refill(self, now: float) -> None:
        if self._rate < math.inf:
            filled = min(self.capacity, self._level + (now - self._at) * self._rate)
            self._level = max(self._level, filled)  # what was given back may overflow
        self._at = now


@dataclass(slots=True)
class _Lease:
    ticket: Ticket
    since: float


@dataclass(slots=True)
class _Holder:
    heard: float
    waiting: dict[int, Ticket] = field(default_factory=dict[int, Ticket])
    leases: dict[int, _Lease] = field(default_factory=dict[int, _Lease])


class Limiter:
    """The limits of one account, and who has leave to use it right now.

    Args:
        caps: what the user allows.
        clock: seconds, monotonic.
    """

    def __init__(self, caps: Caps, clock: Callable[[], float] = time.monotonic) -> None:
        now = clock()
        self._clock = clock
        self._most = float(caps.concurrency or math.inf)
        self._limit = self._most
        self._requests, self._tokens = (
            Bucket(cap / 60 if cap else math.inf, CAP_BURST_S, now) for cap in caps.per_minute
        )
        self._pace = Bucket(math.inf, PACE_BURST_S, now)
        self._holders: dict[str, _Holder] = {}
        self._turns: dict[tuple[str, str], deque[int]] = {}  # who waits, the next one first
        self._allowed: dict[str, float] = {}  # who has an allowance, since when, the oldest first
        self._in_use = 0
        self._check_at = now
        self._pause_until = -math.inf
        self._cut_at = -math.inf
        self._refused_at = -math.inf  # what was cut: the refusal, and what was known of the time before it
        self._cut_from = self._limit, self._pace.rate
        self._cut_in_use = 0
        self._more_known = False
        self._grow_after = -math.inf
        self._grown_at = now
        self._accepted: deque[float] = deque(maxlen=10_000)

    @property
    def limit(self) -> float:
        """Requests that may be in flight; infinite until the server or the user says otherwise."""
        return self._limit

    @property
    def pace(self) -> float:
        """Requests that may begin in a second, as learned; infinite until the server refuses some."""
        return self._pace.rate

    @property
    def in_use(self) -> int:
        """Requests in flight."""
        return self._in_use

    def join(self, holder: str, leases: Iterable[Ticket] = ()) -> None:
        """Take a holder in, with the requests that it has in flight already."""
        self._leave(holder)
        now = self._clock()
        self._holders[holder] = _Holder(now, leases={t.number: _Lease(t, now) for t in leases})
        self._in_use += len(self._holders[holder].leases)

    def hear(self, holder: str) -> bool:
        """A sign of life, which says all that began on an allowance; False if there is no such holder (any more)."""
        self._allowed.pop(holder, None)
        known = self._holders.get(holder)
        if known is not None:
            known.heard = self._clock()
        return known is not None

    def allow(self, holder: str) -> int:
        """An allowance for a holder that is heard; 0 once there was a refusal, and where the use comes near a cap.

        Until the holder is heard again, or might be dead, all of it counts as in use.
        """
        now = self._clock()
        self._lapse(now)
        refused = self._cut_at > -math.inf or now < self._pause_until
        in_use = self._in_use + ALLOWANCE * (len(self._allowed) + 1)
        paced = min(self._requests.rate, self._tokens.rate) < math.inf
        if refused or paced or self._turns or in_use > SPARE * self._limit:
            return 0
        self._allowed[holder] = now
        return ALLOWANCE

    def began(self, holder: str, ticket: Ticket, ago_s: float) -> None:
        """A request has begun on an allowance, so long ago."""
        at = self._clock() - ago_s
        if at <= self._refused_at:
            self._correct(1)
        # It is of the first episode even if it began after the cut: its holder could not know.
        since = at if self._cut_at == -math.inf else min(at, self._cut_at)
        self._holders[holder].leases[ticket.number] = _Lease(ticket, since)
        self._in_use += 1

    def ask(self, holder: str, ticket: Ticket) -> None:
        """Get in line."""
        self._holders[holder].waiting[ticket.number] = ticket
        self._turns.setdefault((holder, ticket.caller), deque()).append(ticket.number)

    def withdraw(self, holder: str, number: int) -> None:
        """Leave the line; nothing if the ticket is not in it."""
        self._holders[holder].waiting.pop(number, None)

    def waiting(self, holder: str) -> list[Ticket]:
        """The tickets of a holder that are in line."""
        known = self._holders.get(holder)
        return list(known.waiting.values()) if known else []

    def end(self, holder: str, number: int, outcome: Outcome, ago_s: float = 0.0) -> Ticket | None:
        """A request has ended, so long ago.

        What it teaches is learned even if its lease had expired; then there is no ticket.
        """
        lease = self._holders[holder].leases.pop(number, None)
        now = self._clock()
        at = now - ago_s
        busy = self._in_use >= BUSY * (self._limit // 1)  # a fraction of a request cannot be in use
        if lease is not None:
            self._in_use -= 1
            if at < self._refused_at:
                self._correct(-1)
            if outcome.tokens is not None or outcome.kind == "unused":
                self._tokens.take((outcome.tokens or 0) - lease.ticket.tokens)
        if outcome.kind == "ok":
            self._accepted.append(at)
            self._grow(now, busy)
        elif outcome.kind == "fault":
            self._grow_after = max(self._grow_after, now + COOLDOWN_S)
        elif outcome.kind == "rate_limit" and lease is not None and lease.since > self._cut_at:
            self._cut(now, at)
        if outcome.retry_after_s is not None:  # everybody waits, not only who was told
            self._pause_until = max(self._pause_until, now + min(outcome.retry_after_s, MAX_PAUSE_S))
        return lease.ticket if lease else None

    def grant(self, may_begin: Callable[[str], bool] = lambda holder: True) -> list[tuple[str, Ticket]]:
        """Make leases of as many tickets as may begin now, callers taking turns.

        `may_begin` is asked last, and only for requests that begin a call: whether this holder may.
        """
        now = self._clock()
        granted: list[tuple[str, Ticket]] = []
        self._lapse(now)
        if self._more_known:
            self._lower(now)
        if now < self._pause_until:
            return granted
        passed: dict[tuple[str, str], deque[int]] = {}
        while self._turns and self._has_room:
            key = next(iter(self._turns))
            line = self._turns.pop(key)
            holder_name = key[0]
            holder = self._holders.get(holder_name)
            while holder and line and line[0] not in holder.waiting:  # withdrawn
                line.popleft()
            if not holder or not line:
                continue
            ticket = holder.waiting[line[0]]
            if self._wait_s(ticket, now) > 0:
                self._turns = {key: line, **self._turns}
                break
            if ticket.first and not may_begin(holder_name):
                passed[key] = line
                continue
            for bucket, amount in ((self._requests, 1), (self._pace, 1), (self._tokens, ticket.tokens)):
                bucket.take(amount)
            line.popleft()
            del holder.waiting[ticket.number]
            holder.leases[ticket.number] = _Lease(ticket, now)
            self._in_use += 1
            granted.append((holder_name, ticket))
            if line:
                self._turns[key] = line
        self._turns = {**passed, **self._turns}
        return granted

    def expire(self) -> list[str]:
        """Forget the holders that are dead; returns them. One that holds nothing and wants nothing may be silent."""
        now = self._clock()
        if now < self._check_at:
            return []
        self._check_at = now + CHECK_S
        silent = ((name, holder) for name, holder in self._holders.items() if now - holder.heard >= LEASE_S)
        dead = [name for name, holder in silent if holder.leases or holder.waiting]
        for name in dead:
            self._leave(name)
        return dead

    def next_s(self) -> float:
        """Seconds until `expire` or `grant` can bring something although nobody says anything."""
        now = self._clock()
        waits = [max(CHECK_S / 2, self._check_at - now)] if self._in_use or self._turns else []
        if self._turns and self._has_room:
            key = next(iter(self._turns))
            holder = self._holders.get(key[0])
            ticket = holder and holder.waiting.get(self._turns[key][0])
            waits.append(max(self._pause_until - now, self._wait_s(ticket, now) if ticket else 0.0))
        return max(0.0, min(waits, default=math.inf))

    @property
    def _has_room(self) -> bool:
        return self._in_use + ALLOWANCE * len(self._allowed) + 1 <= self._limit

    def _wait_s(self, ticket: Ticket, now: float) -> float:
        return max(
            self._requests.wait_s(1, now),
            self._pace.wait_s(1, now),
            self._tokens.wait_s(ticket.tokens, now),
        )

    def _leave(self, holder: str) -> None:
        known = self._holders.pop(holder, None)
        self._allowed.pop(holder, None)
        if known is not None:
            self._in_use -= len(known.leases)
            self._turns = {key: line for key, line in self._turns.items() if key[0] != holder}

    def _lapse(self, now: float) -> None:
        while self._allowed and now - next(iter(self._allowed.values())) >= LEASE_S:
            del self._allowed[next(iter(self._allowed))]

    def _cut(self, now: float, refused_at: float) -> None:
        self._cut_at, self._refused_at = now, refused_at
        self._cut_from = self._limit, self._pace.rate
        self._cut_in_use = self._in_use + 1
        self._grow_after = max(self._grow_after, now + COOLDOWN_S)
        self._lower(now)

    def _correct(self, requests: int) -> None:
        """So many more requests were in flight at the last refusal than was known when it was heard of."""
        if self._clock() < self._cut_at + COOLDOWN_S:  # else the limits may have grown since
            self._cut_in_use += requests
            self._more_known = True

    def _lower(self, now: float) -> None:
        """Cut the limits as they were at the last refusal, by what was in flight and had been accepted then."""
        self._more_known = False
        limit, pace = self._cut_from
        since = self._refused_at - WINDOW_S
        seen = sum(since < at <= self._refused_at for at in self._accepted) / WINDOW_S
        if pace < math.inf:
            self._pace.set_rate(max(PACE_CUT * pace / 2, min(PACE_CUT * pace, seen)), now)
        elif len(self._accepted) and self._accepted[0] <= since:
            self._pace.set_rate(PACE_CUT * max(seen, 1 / WINDOW_S), now)
        cut = CUT if self._pace.rate == math.inf else PACE_CUT
        self._limit = max(1.0, cut * min(limit, self._cut_in_use))

    def _grow(self, now: float, busy: bool) -> None:
        since, self._grown_at = now - self._grown_at, now
        if now < self._grow_after:
            return
        if busy and self._limit < self._most:
            self._limit = min(self._most, self._limit + 1 / self._limit)
        if self._pace.rate < math.inf:
            recent = sum(at > now - WINDOW_S for at in self._accepted) / WINDOW_S
            if recent >= BUSY * self._pace.rate:
                faster = PACE_GROWTH * 2 ** ((now - self._grow_after) / COOLDOWN_S)
                factor = 1 + min(PACE_GROWTH_MAX, faster) * min(since, 1.0)
                self._pace.set_rate(self._pace.rate * factor, now)
