"""Any parallel environment of PettingZoo as a world: what is observed becomes text, and actions become choices.

    from housemates.env.pettingzoo_world import PettingZooWorld
    from pettingzoo.classic import rps_v2

    def rps() -> PettingZooWorld:
        return PettingZooWorld(lambda: rps_v2.parallel_env(max_cycles=10), goal="Win as many rounds as you can.")

`housemates run --world mine:rps` plays it. Needs the extra `pettingzoo`. The other way round, a world of ours as an
environment, is `housemates.env.pettingzoo`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from random import Random
from typing import Any

from .codec import pack, unpack
from .wording import available_actions
from .world import PLAN_TOKEN, Observation, Outcome, StepResult, World, WorldError

try:
    from gymnasium.spaces import Discrete
    from pettingzoo import ParallelEnv
except ImportError as error:
    raise ImportError(
        f"housemates.env.pettingzoo_world needs more packages: pip install 'housemates[pettingzoo]' ({error})"
    ) from None

Env = ParallelEnv[Any, Any, Any]
Describe = Callable[[Any, Any, Mapping[str, Any]], str]
"""From an agent, its observation and its info to a text."""

Offer = Callable[[Any, Any, Mapping[str, Any]], Mapping[str, Any]]
"""From the same to the available actions: what each is called, and what the environment is given for it."""

MASK = "action_mask"
"""Where PettingZoo's environments say which actions are allowed: in an observation that is a dict, or in the info."""


class PettingZooWorld(World):
    """The agents of an environment; in every step each takes one of the actions it is offered.

    An environment has no notion of doing nothing: whoever does nothing, or what was not offered, takes the first action
    offered. Who is out of the game has no choices and earns nothing. A snapshot is the seed and the actions since, and
    is restored by playing them again in a new environment, so the environment must be determined by its seed.

    Args:
        make: makes the environment; called again for every `restore`.
        goal: what the agents are told to want.
        describe: an observation as text; by default what it prints as.
        offer: the actions an agent has now; by default the numbers of a Discrete action space that a mask allows.
        solved: from all returns to whether the task is solved, asked when the episode is over; by default it is solved
            if the environment ended it (terminated), and not its time limit (truncated).

    Raises:
        WorldError: the environment cannot be made, has no agents, or actions that `offer` has to name.
    """

    instruction = "You play a game with others."

    def __init__(
        self,
        make: Callable[[], Env],
        *,
        goal: str = "Earn as much reward as you can.",
        describe: Describe | None = None,
        offer: Offer | None = None,
        solved: Callable[[Mapping[str, float]], bool] | None = None,
    ) -> None:
        self._make, self._goal, self._solved = make, goal, solved
        self._describe, self._offer = describe or _printed, offer
        self._env = self._made()
        self._ids = {str(agent): agent for agent in self._env.possible_agents}
        if not self._ids:
            raise WorldError("the environment has no possible_agents")
        for name, agent in self._ids.items() if offer is None else ():
            if not isinstance(self._env.action_space(agent), Discrete):
                raise WorldError(f"the actions of {name} are no numbers of a Discrete space; name them with `offer`")
        self._begun = False

    @property
    def agents(self) -> Sequence[str]:
        return tuple(self._ids)

    def reset(self, seed: int) -> dict[str, Observation]:
        self._seed = seed
        self._history: list[list[str | None]] = []
        self._over = self._cut = False
        self._totals = dict.fromkeys(self._ids, 0.0)
        self._last: dict[str, str] = {}
        number = Random(f"{seed}/pettingzoo").getrandbits(31)
        self._seen, self._infos = self._asked("reset", lambda: self._env.reset(seed=number))
        self._begun = True
        return self._observe()

    def step(self, actions: Mapping[str, str | None]) -> StepResult:
        if not self._begun or self._over:
            raise WorldError("no episode is running; reset the world")
        chosen: dict[Any, Any] = {}
        outcomes: dict[str, Outcome] = {}
        joint: list[str | None] = []
        for name, agent in self._ids.items():
            action, offered = actions.get(name), self._offers[name]
            known = isinstance(action, str) and action in offered
            joint.append(action if known else None)
            outcomes[name] = _outcome(action, known)
            if agent in self._env.agents:
                self._last[name] = action if known and action is not None else next(iter(offered))
                chosen[agent] = offered[self._last[name]]
        self._history.append(joint)
        step: tuple[Any, ...] = self._asked("step", lambda: self._env.step(chosen))
        seen, rewards, _, truncations, infos = step
        self._seen, self._infos = {**self._seen, **seen}, {**self._infos, **infos}
        self._cut = self._cut or any(truncations.values())
        self._over = not self._env.agents
        earned = {name: float(rewards.get(agent, 0.0)) for name, agent in self._ids.items()}
        if not all(map(math.isfinite, earned.values())):
            raise WorldError(f"the environment gave rewards that are no numbers: {earned}")
        for name, reward in earned.items():
            self._totals[name] += reward
        success = self._over and (self._solved(dict(self._totals)) if self._solved else not self._cut)
        return StepResult(
            observations=self._observe(), rewards=earned, outcomes=outcomes, done=self._over, success=bool(success)
        )

    def snapshot(self) -> bytes:
        if not self._begun:
            raise WorldError("no episode has begun; reset the world")
        return pack([self._seed, self._history])

    def restore(self, snapshot: bytes) -> dict[str, Observation]:
        other = copy(self)  # all or nothing: this one stays as it is until the other is there
        other._env = self._made()
        try:
            seed, history = unpack(snapshot)
            observations = other.reset(int(seed))
            for joint in history:
                observations = other.step(dict(zip(self._ids, joint, strict=True))).observations
        except (ValueError, TypeError, WorldError) as error:
            other._env.close()
            raise WorldError(f"this is no snapshot of such an environment ({error})") from None
        self._env.close()
        vars(self).update(vars(other))
        return dict(observations)

    def close(self) -> None:
        self._env.close()

    # -- observing ----------------------------------------------------------------------------

    def _observe(self) -> dict[str, Observation]:
        self._offers = {name: self._offers_to(name, agent) for name, agent in self._ids.items()}
        return {name: self._observe_one(name, agent) for name, agent in self._ids.items()}

    def _offers_to(self, name: str, agent: Any) -> dict[str, Any]:
        if agent not in self._env.agents:
            return {}
        offer = self._offer or self._numbered
        offered = self._asked("offer", lambda: dict(offer(agent, self._seen[agent], self._infos.get(agent, {}))))
        if not offered:
            raise WorldError(f"{name} has no action to choose from; an environment needs one from each of its agents")
        return offered

    def _observe_one(self, name: str, agent: Any) -> Observation:
        choices = tuple(self._offers[name])
        what = self._asked("describe", lambda: self._describe(agent, self._seen[agent], self._infos.get(agent, {})))
        last = f"My last action: {self._last[name]}. " if name in self._last else ""
        others = ", ".join(other for other in self._ids if other != name)
        text = (
            f"I'm {name}."
            + (f" The others are {others}." if others else "")
            + f"\nGoal: {self._goal}\nPlan: {PLAN_TOKEN}"
            f"\nProgress: This is step {len(self._history)}. {last}My return is {self._totals[name]:g}."
            f"{'' if choices else ' I am out.'}\nI observe: {what.replace(PLAN_TOKEN, '(plan)')}\n"
            f"{available_actions(choices)}"
        )
        return Observation(text=text, choices=choices, key=text, info={"return": self._totals[name]})

    def _numbered(self, agent: Any, observation: Any, info: Mapping[str, Any]) -> dict[str, Any]:
        space: Any = self._env.action_space(agent)
        mask = observation.get(MASK) if isinstance(observation, Mapping) else None
        mask = info.get(MASK) if mask is None else mask
        numbers = range(int(space.start), int(space.start + space.n))
        return {str(n): n for index, n in enumerate(numbers) if mask is None or mask[index]}

    def _made(self) -> Env:
        return self._asked("make", self._make)

    def _asked(self, what: str, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except WorldError:
            raise
        except Exception as error:  # the environment, and the functions about it, are others' code
            raise WorldError(f"the environment failed to {what}: {type(error).__name__}: {error}") from error


def _printed(_agent: Any, observation: Any, _info: Mapping[str, Any]) -> str:
    if isinstance(observation, Mapping):
        parts = {key: value for key, value in observation.items() if key != MASK}
        return _plain(parts["observation"] if parts.keys() == {"observation"} else parts)
    return _plain(observation)


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {_plain(part)}" for key, part in value.items())
    return " ".join(str(value.tolist() if hasattr(value, "tolist") else value).split())


def _outcome(action: Any, known: bool) -> Outcome:
    if action is None:
        return Outcome(ok=True, detail="did nothing: the first action was taken")
    return Outcome(ok=known, detail=action if known else "not one of the available actions: the first one was taken")
