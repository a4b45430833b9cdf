"""The limiter of one account, in virtual time: what it lets through, how it learns, and that it is fair."""

from __future__ import annotations

import math

import pytest
from housemates.actors.limiter.limiter import (
    ALLOWANCE,
    COOLDOWN_S,
    HEARTBEAT_S,
    LEASE_S,
    MAX_PAUSE_S,
    Caps,
    Limiter,
    Outcome,
    OutcomeKind,
    Ticket,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from ..chaos.table import Tell
from .simulated import Clock, Storm


class Account:
    """A limiter with its clock, and holders that are made as they ask."""

    def __init__(self, **caps: float) -> None:
        self.clock = Clock()
        self.limiter = Limiter(Caps(**caps), self.clock)  # type: ignore[arg-type]
        self.numbers = 0

    def ask(self, holder: str = "h", caller: str = "a", tokens: int = 0, times: int = 1) -> None:
        if not self.limiter.hear(holder):
            self.limiter.join(holder)
        for _ in range(times):
            self.numbers += 1
            self.limiter.ask(holder, Ticket(self.numbers, caller, tokens))

    def granted(self) -> list[tuple[str, str, int]]:
        return [(holder, ticket.caller, ticket.number) for holder, ticket in self.limiter.grant()]

    def end(self, number: int, kind: OutcomeKind = "ok", holder: str = "h", **more: float) -> None:
        self.limiter.end(holder, number, Outcome(kind, **more))  # type: ignore[arg-type]

    def passes(self, seconds: float, *alive: str) -> None:
        """Time passes; the holders that are alive say so."""
        while seconds > 0:
            self.clock.now += min(seconds, 1.0)
            seconds -= 1.0
            for holder in alive:
                self.limiter.hear(holder)
            self.limiter.expire()


def test_nothing_is_limited_until_somebody_says_so() -> None:
    account = Account()
    account.ask(times=500)
    assert len(account.granted()) == 500
    assert account.limiter.limit == math.inf and account.limiter.pace == math.inf


def test_a_cap_on_concurrency_holds_and_what_ends_makes_room() -> None:
    account = Account(concurrency=3)
    account.ask(times=5)
    assert [number for *_, number in account.granted()] == [1, 2, 3]
    assert account.granted() == []
    account.end(2)
    assert [number for *_, number in account.granted()] == [4]


def test_in_no_minute_more_requests_begin_than_allowed_and_a_second_s_worth() -> None:
    storm = Storm(latency_s=0.1, caps=Caps(requests_per_minute=120))
    storm.run(180)
    most = max(sum(at <= begun < at + 60 for begun in storm.begun) for at in storm.begun)
    assert 118 <= most <= 122


def test_tokens_are_taken_as_estimated_and_corrected_when_they_are_known() -> None:
    account = Account(tokens_per_minute=6000)  # 100 a second
    account.ask(tokens=300, times=2)
    assert len(account.granted()) == 1, "a request larger than the burst goes into debt"
    account.passes(1, "h")
    assert account.granted() == []
    account.end(1, tokens=50)  # 250 come back
    assert len(account.granted()) == 1


def test_a_request_that_used_more_than_estimated_delays_the_next() -> None:
    account = Account(tokens_per_minute=6000)
    account.ask(tokens=10, times=2)
    assert len(account.granted()) == 2
    account.end(1, tokens=1010)
    account.ask(tokens=10)
    assert account.granted() == []
    account.passes(9, "h")
    assert account.granted() == []
    account.passes(2, "h")
    assert len(account.granted()) == 1


def test_one_burst_of_refusals_is_one_cut() -> None:
    account = Account()
    account.ask(times=40)
    account.granted()
    for number in range(1, 21):
        account.end(number, "rate_limit")
    assert account.limiter.limit == pytest.approx(0.7 * 40)


def test_a_refusal_of_what_began_after_the_cut_is_another_episode() -> None:
    account = Account()
    account.ask(times=40)
    account.granted()
    for number in range(1, 21):
        account.end(number, "rate_limit")
    account.passes(1, "h")
    account.ask(times=8)
    assert len(account.granted()) == 8
    account.end(41, "rate_limit")
    assert account.limiter.limit < 0.7 * 40


def test_t21_a_limit_that_shrinks_under_load_remembers_its_debt(record_property: Tell) -> None:
    """From 32 in flight to a server that takes 4: after the running calls have ended there are at most 4."""
    storm = Storm(32, concurrency=32, latency_s=1.0)
    storm.run(30)
    assert storm.in_flight == 32
    storm.concurrency = 4
    storm.run(1.5)  # what had begun has ended
    most = 0
    for _ in range(100):
        storm.run(0.5)
        most = max(most, storm.in_flight)
        assert storm.in_flight <= 4
    record_property("figure", f"32 -> 4: at most {most} in flight after one call's time")
    assert storm.limiter.limit < 8
    storm.run(60)
    assert storm.refused / (storm.served.total() + storm.refused) < 0.05


def test_after_a_cut_nothing_begins_until_what_is_in_flight_has_come_down_to_the_limit() -> None:
    account = Account()
    account.ask(times=32)
    account.granted()
    account.ask(caller="next", times=32)
    for number in range(1, 9):
        account.end(number, "rate_limit")
    limit = int(account.limiter.limit)
    for number in range(9, 33):
        account.end(number)
        account.granted()
        assert account.limiter.in_use <= max(limit, 32 - number)


def test_a_limit_grows_only_when_it_is_in_use() -> None:
    for busy, grows in ((1.0, True), (0.5, False)):
        account = Account()
        account.ask(times=20)
        account.granted()
        account.end(1, "rate_limit")
        limit = account.limiter.limit
        for number in range(2, 21):
            account.end(number)
        account.passes(COOLDOWN_S + 1, "h")
        for _ in range(10):
            account.ask(times=int(busy * limit))
            number = account.granted()[-1][-1]
            for ended in range(number - int(busy * limit) + 1, number + 1):
                account.end(ended)
            account.passes(1, "h")
        assert (account.limiter.limit > limit) is grows


@pytest.mark.parametrize("kind", ["fault", "rate_limit"])
def test_faults_and_refusals_pause_growth(kind: OutcomeKind) -> None:
    account = Account()
    account.ask(times=10)
    account.granted()
    account.end(1, "rate_limit")
    for number in range(2, 11):
        account.end(number)
    account.passes(COOLDOWN_S, "h")
    account.ask(times=7)
    account.granted()
    account.end(11, kind)
    limit = account.limiter.limit
    for number in range(12, 18):
        account.end(number)
    assert account.limiter.limit == limit


@pytest.mark.parametrize(("asked_s", "waited_s"), [(0.0, 0.0), (0.2, 0.2), (2.0, 2.0), (3600.0, MAX_PAUSE_S)])
def test_what_retry_after_asks_for_is_kept_by_everybody_up_to_a_cap(asked_s: float, waited_s: float) -> None:
    account = Account()
    account.ask(times=2)
    account.granted()
    account.end(1, "rate_limit", retry_after_s=asked_s)
    account.end(2)
    account.ask(holder="another process")
    assert (account.granted() == []) is (waited_s > 0)
    if waited_s:
        assert account.limiter.next_s() <= waited_s
        account.clock.now += waited_s
        assert len(account.granted()) == 1


def test_t16_what_a_dead_holder_had_is_free_again_within_two_heartbeats() -> None:
    account = Account(concurrency=5)
    account.ask(holder="dies", times=9)
    assert len(account.granted()) == 5
    account.ask(holder="lives", times=5)
    assert account.granted() == []
    account.passes(2 * HEARTBEAT_S, "lives")
    assert [holder for holder, *_ in account.granted()] == ["lives"] * 5


def test_a_holder_that_says_it_lives_keeps_what_it_has() -> None:
    account = Account(concurrency=1)
    account.ask(holder="slow")
    account.granted()
    account.ask(holder="other")
    account.passes(100, "slow", "other")
    assert account.granted() == []


def test_callers_take_turns_however_much_one_asks_for() -> None:
    account = Account(concurrency=1)
    account.ask(caller="greedy", times=50)
    account.ask(caller="modest", times=3)
    order: list[str] = []
    for _ in range(8):
        ((_, caller, number),) = account.granted()
        order.append(caller)
        account.end(number)
    assert order == ["greedy", "modest"] * 3 + ["greedy"] * 2


def test_a_ticket_that_is_withdrawn_is_not_granted() -> None:
    account = Account()
    account.ask(times=3)
    account.limiter.withdraw("h", 2)
    assert [number for *_, number in account.granted()] == [1, 3]


def test_only_so_many_calls_begin_but_those_that_have_begun_go_on() -> None:
    account = Account()
    account.limiter.join("h")
    for number, first in ((1, True), (2, True), (3, False), (4, True)):
        account.limiter.ask("h", Ticket(number, f"a{number}", 0, first))
    left = [True, False, False]
    assert [ticket.number for _, ticket in account.limiter.grant(lambda holder: left.pop(0))] == [1, 3]


@pytest.mark.parametrize(
    ("caps", "allowances"),
    [({}, 5), ({"concurrency": 64}, 4), ({"concurrency": 15}, 0), ({"requests_per_minute": 1e6}, 0)],
)
def test_allowances_take_up_half_of_a_cap_at_most(caps: dict[str, float], allowances: int) -> None:
    account = Account(**caps)
    for number in range(5):
        account.limiter.join(f"h{number}")
        assert account.limiter.allow(f"h{number}") == (ALLOWANCE if number < allowances else 0)


def test_an_allowance_counts_as_in_use_until_its_holder_is_heard_again_or_might_be_dead() -> None:
    account = Account(concurrency=16)
    account.limiter.join("idle")
    assert account.limiter.allow("idle") == ALLOWANCE
    account.ask(times=17)
    assert len(account.granted()) == 16 - ALLOWANCE
    account.passes(LEASE_S - 0.5, "h")
    assert account.granted() == []
    assert account.limiter.next_s() < 0.5 * HEARTBEAT_S, "it will be looked at again"
    account.passes(0.5, "h")
    assert len(account.granted()) == ALLOWANCE


def test_what_a_holder_began_takes_the_place_of_its_allowance() -> None:
    account = Account(concurrency=16)
    account.limiter.join("quick")
    account.limiter.allow("quick")
    account.limiter.hear("quick")
    for number in range(3):
        account.limiter.began("quick", Ticket(-number, "a", 0), 1.0)
    account.ask(times=17)
    assert len(account.granted()) == 16 - 3


def test_the_pace_is_learned_from_when_replies_came_not_from_when_they_were_told() -> None:
    account = Account()
    account.ask(times=101)
    account.granted()
    account.clock.now = 100.0
    for number in range(1, 101):
        account.end(number, "ok")
    account.passes(9, "h")
    account.ask(times=50)
    account.granted()
    account.limiter.hear("h")
    account.end(101, "rate_limit")
    assert account.limiter.pace == pytest.approx(0.9 * 0.2), "none in the last five seconds, as far as is known"
    account.passes(1, "h")
    for number in range(102, 152):
        account.limiter.end("h", number, Outcome("ok"), 1.0 + (number - 101) * 0.02)
    account.granted()
    assert account.limiter.pace == pytest.approx(0.9 * 50 / 5)


@pytest.mark.parametrize("latency_s", [0.05, 0.3, 1.0])
@pytest.mark.parametrize("retry_after_s", [None, 1.0])
def test_t20_a_storm_on_ten_requests_a_second_wastes_little_and_starves_nobody(
    latency_s: float, retry_after_s: float | None, record_property: Tell
) -> None:
    storm = Storm(32, rate=10, latency_s=latency_s, retry_after_s=retry_after_s)
    storm.run(30)
    storm.run(120)
    served = storm.served.total()
    waste, goodput = storm.refused / (served + storm.refused), served / 120 / 10
    fairness = min(storm.served.values()) / max(storm.served.values())
    record_property("figure", f"virtual time: waste {waste:.1%}, goodput {goodput:.0%}, fairness {fairness:.2f}")
    assert waste < 0.05
    assert goodput >= 0.9
    assert fairness > 0.5


def test_a_server_that_takes_more_later_gets_more() -> None:
    storm = Storm(64, rate=5, latency_s=0.5)
    storm.run(60)
    storm.rate = 50
    storm.run(120)
    storm.run(30)
    assert storm.served.total() / 30 >= 0.8 * 50


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("aegrwt"), st.integers(0, 4), st.integers(1, 8)), max_size=80))
def test_whatever_happens_the_cap_holds_and_nothing_is_granted_twice(events: list[tuple[str, int, int]]) -> None:
    account = Account(concurrency=4)
    held: dict[int, str] = {}
    for what, who, much in events:
        holder = f"h{who}"
        if what == "a":
            account.ask(holder, caller=f"c{much}", tokens=much)
        elif what == "g":
            for owner, _, number in account.granted():
                assert number not in held
                held[number] = owner
        elif what in "er" and held:
            number = sorted(held)[much % len(held)]
            owner = held.pop(number)
            if account.limiter.hear(owner):
                account.end(number, "ok" if what == "e" else "rate_limit", holder=owner)
        elif what == "w" and account.limiter.hear(holder):
            account.limiter.withdraw(holder, much)
        elif what == "t":
            account.passes(0.5, *(f"h{i}" for i in range(5)))
        assert account.limiter.in_use == len(held) <= 4


@pytest.mark.parametrize("name", ["concurrency", "requests_per_minute", "tokens_per_minute"])
def test_caps_are_positive(name: str) -> None:
    with pytest.raises(ValueError, match="positive"):
        Caps(**{name: 0})
