"""A market: agents with private goods and private values trade with each other, one unit for one unit, round by round.

cd examples/negotiation
housemates run --world market:Market --llm scripted:haggling:haggle --steps 12
housemates run --world market:Market --agents 3 --world-arg rounds=20 --llm openai:gpt-4o-mini
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import permutations
from random import Random

from housemates.env.codec import pack, unpack
from housemates.env.messages import message_forms, read_message
from housemates.env.wording import available_actions
from housemates.env.world import (
    EVERYONE,
    PLAN_TOKEN,
    Message,
    Observation,
    Outcome,
    StepResult,
    World,
    WorldError,
    is_message,
)

NAMES = ("Ada", "Ben", "Cleo", "Dan")
GOODS = ("wood", "stone", "wool", "gold")
REMEMBERED = 8
"""How many lines of the conversation, and of its own actions, an agent keeps."""


@dataclass
class Trader:
    """What one agent has, wants, and remembers. `offer` is what it proposes: to whom, what it gives, what it gets."""

    goods: dict[str, int]
    values: dict[str, int]
    offer: list[str] | None = None
    heard: list[str] = field(default_factory=list)
    did: list[str] = field(default_factory=list)

    def worth(self) -> int:
        return sum(self.values[good] * count for good, count in self.goods.items())

    def gain(self, gives: str, gets: str) -> int:
        """What giving one good for another is worth to it, if it has one to give."""
        return self.values[gets] - self.values[gives] if self.goods[gives] else 0


class Market(World):
    """Two to four agents, as many rounds. Solved as soon as no swap is left that would please both sides.

    Raises:
        WorldError: another number of agents or rounds.
    """

    instruction = "You trade goods with others, for your own profit."

    def __init__(self, agents: int = 2, rounds: int = 12) -> None:
        if not 2 <= agents <= len(NAMES) or not 1 <= rounds <= 1000:
            raise WorldError(f"a market has 2 to {len(NAMES)} agents and 1 to 1000 rounds, not {agents} and {rounds}")
        self._names = NAMES[:agents]
        self._numbers = {name: number for number, name in enumerate(self._names, 1)}
        self._rounds = rounds
        self._round = 0
        self._traders: dict[str, Trader] = {}

    @property
    def agents(self) -> Sequence[str]:
        return self._names

    def reset(self, seed: int) -> dict[str, Observation]:
        """Everybody has most of one good, which is worth least to them: there is always something to trade."""
        rng = Random(f"{seed}/market")
        self._round = 0
        for index, name in enumerate(self._names):
            own, *others = GOODS[index:] + GOODS[:index]
            worth = sorted(rng.sample(range(1, 10), len(GOODS)))
            rng.shuffle(others)
            goods = {good: rng.randint(0, 1) for good in GOODS} | {own: rng.randint(2, 4)}
            self._traders[name] = Trader(goods, dict(zip([own, *others], worth, strict=True)))
        return self._observe()

    def step(self, actions: Mapping[str, str | None]) -> StepResult:
        if not self._traders or self._over():
            raise WorldError("no negotiation is going on; reset the market")
        before = {name: trader.worth() for name, trader in self._traders.items()}
        choices = {name: self._choices(name) for name in self._names}  # all decide on what all have seen
        messages: list[Message] = []
        outcomes = {name: self._act(name, actions.get(name), choices[name], messages) for name in self._names}
        for message in messages:
            self._deliver(message)
        self._round += 1
        return StepResult(
            observations=self._observe(),
            rewards={name: float(trader.worth() - before[name]) for name, trader in self._traders.items()},
            outcomes=outcomes,
            messages=tuple(messages),
            done=self._over(),
            success=not self._bargains(),
        )

    def snapshot(self) -> bytes:
        if not self._traders:
            raise WorldError("no negotiation has begun")
        return pack({"round": self._round, "traders": {name: asdict(t) for name, t in self._traders.items()}})

    def restore(self, snapshot: bytes) -> dict[str, Observation]:
        before = self._round, self._traders
        try:
            data = unpack(snapshot)
            traders = {name: Trader(**data["traders"][name]) for name in self._names}
            self._round, self._traders = int(data["round"]), traders
            return self._observe()
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            self._round, self._traders = before
            raise WorldError(f"this is no snapshot of such a market ({error!r})") from None

    # -- trading ------------------------------------------------------------------------------

    def _act(self, name: str, action: object, choices: Sequence[str], messages: list[Message]) -> Outcome:
        if action is None:
            return Outcome(ok=True, detail="waited")
        if not isinstance(action, str) or (not is_message(action) and action not in choices):
            return Outcome(ok=False, detail="not one of the available actions")
        if is_message(action):
            message = read_message(action, self._numbers[name], self._numbers)
            if isinstance(message, str):
                return Outcome(ok=False, detail=message)
            messages.append(message)
            return Outcome(ok=True, detail=f"said something to {message.receiver}")
        trader = self._traders[name]
        trader.did = [*trader.did, action][-REMEMBERED:]
        verb, other, *what = action.replace("[", "").replace("]", "").replace(":", "").split()
        if verb == "offer":
            trader.offer = [other, what[1], what[-1]]  # my GOOD for your GOOD
            return Outcome(ok=True, detail=f"offered {what[1]} for {what[-1]}")
        partner = self._traders[other]
        offer, partner.offer = partner.offer, None  # whoever comes first in the order of names has it
        if verb == "reject":
            return Outcome(ok=True, detail=f"rejected the offer of {other}")
        if offer is None or offer[0] != name or not partner.goods[offer[1]] or not trader.goods[offer[2]]:
            return Outcome(ok=False, detail="the offer does not stand any more")
        _, given, wanted = offer
        for one, change in ((partner, -1), (trader, 1)):
            one.goods[given] += change
            one.goods[wanted] -= change
        return Outcome(ok=True, detail=f"traded {wanted} for {given} with {other}")

    def _bargains(self) -> list[tuple[str, str, str, str]]:
        """The swaps that would please both sides."""
        return [
            (a, b, gives, gets)
            for a, b in permutations(self._names, 2)
            for gives, gets in permutations(GOODS, 2)
            if self._traders[a].gain(gives, gets) > 0 and self._traders[b].gain(gets, gives) > 0
        ]

    def _over(self) -> bool:
        return self._round >= self._rounds or not self._bargains()

    def _deliver(self, message: Message) -> None:
        others = [name for name in self._names if name != message.sender]
        for name in others if message.receiver == EVERYONE else [message.receiver]:
            heard = self._traders[name].heard
            heard[:] = [*heard, f"{message.sender} to {message.receiver}: {message.text}"][-REMEMBERED:]

    # -- observing ----------------------------------------------------------------------------

    def _offers_to(self, name: str) -> dict[str, list[str]]:
        offers = {other: t.offer for other, t in self._traders.items() if t.offer and t.offer[0] == name}
        return {o: what for o, what in offers.items() if self._traders[o].goods[what[1]]}

    def _choices(self, name: str) -> tuple[str, ...]:
        goods, offers = self._traders[name].goods, self._offers_to(name)
        accepts = [f"[accept] {o}: my {gets} for {gives}" for o, (_, gives, gets) in offers.items() if goods[gets]]
        rejects = [f"[reject] {other}" for other in offers]
        others = [other for other in self._names if other != name]
        swaps = [(gives, gets) for gives, gets in permutations(GOODS, 2) if goods[gives]]
        proposals = [f"[offer] {other}: my {gives} for {gets}" for other in others for gives, gets in swaps]
        return (*accepts, *rejects, *proposals, *message_forms(self._numbers[name], self._numbers))

    def _observe(self) -> dict[str, Observation]:
        return {name: self._observe_one(name, trader) for name, trader in self._traders.items()}

    def _observe_one(self, name: str, me: Trader) -> Observation:
        choices = () if self._over() else self._choices(name)
        others = " and ".join(other for other in self._names if other != name)
        offers = [f"{other} gives {gives} for my {gets}" for other, (_, gives, gets) in self._offers_to(name).items()]
        mine = f"{me.offer[1]} for {me.offer[2]} to {me.offer[0]}" if me.offer else "nothing"
        text = (
            f"I'm {name}. I trade with {others}. What goods are worth to me, nobody else knows.\n"
            f"Goal: goods that are worth much to me. A unit is worth: {_list(me.values)}.\n"
            f"Plan: {PLAN_TOKEN}\n"
            f"Progress: This is round {self._round} of {self._rounds}. I have {_list(me.goods)}, together worth "
            f"{me.worth()}. I offer {mine}. Offers to me: {'; '.join(offers) or 'none'}.\n"
            f"Dialogue history:\n{chr(10).join(me.heard)}\n"
            f"Previous actions: {', '.join(me.did)}\n{available_actions(choices)}"
        )
        facts = {"goods": dict(me.goods), "worth": me.worth()}
        return Observation(text=text, choices=choices, key=text, info=facts)  # every round is worth a thought


def _list(amounts: Mapping[str, int]) -> str:
    return ", ".join(f"{good} {count}" for good, count in Counter(amounts).most_common())
