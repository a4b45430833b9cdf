"""Any text world as a PettingZoo environment: discrete actions with a mask, texts as observations.

    from housemates.env.pettingzoo import parallel_env

    env = parallel_env(task="put_dishwasher", agents=2)
    observations, infos = env.reset(seed=0)
    actions = {agent: env.action_space(agent).sample(seen["action_mask"]) for agent, seen in observations.items()}
    observations, rewards, terminations, truncations, infos = env.step(actions)

Needs the extra `pettingzoo`. What a discrete action cannot say is left out: a message is free text, so the forms for
messages that a world offers are not among the actions.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from random import Random
from typing import TYPE_CHECKING, Any, Protocol, TypedDict, runtime_checkable

from .household import HouseholdWorld
from .world import Observation, Outcome, World, WorldError, is_message

if TYPE_CHECKING:
    from .household.picture import Picture
    from .household.scene.graph import SceneGraph

try:
    import numpy as np
    from gymnasium.spaces import Dict, Discrete, MultiBinary, Text
    from numpy.typing import NDArray
    from pettingzoo import ParallelEnv, parallel_registry, register
except ImportError as error:
    raise ImportError(
        f"housemates.env.pettingzoo needs more packages: pip install 'housemates[pettingzoo]' ({error})"
    ) from None

NAME = "housemates/household-v0"
"""Under this name `pettingzoo.make("parallel", ...)` knows `parallel_env`, once this module is imported."""

MAX_TEXT = 65_536
"""Longer observations are cut to this many characters."""

UNKNOWN = "?"
"""Stands for characters that the observation space does not have."""

CHARACTERS = frozenset(string.ascii_letters + string.digits + string.punctuation + " \n")
"""What observations consist of. A household writes nothing else, but scene files may bring other letters."""

_NOT_OFFERED = Outcome(ok=False, detail="no action has this number now")
_PICTURE_WIDTH = 960


class Seen(TypedDict):
    """What an agent observes.

    `text` is the world's text with `$PLAN$` where an agent's plan would stand. `action_mask` is 1 for every action
    that can be chosen now; its first, doing nothing, always can, unless the body acts by itself (a reflex), which is
    then the only action.
    """

    text: str
    action_mask: NDArray[np.int8]


@runtime_checkable
class Drawable(Protocol):
    """A world that has a scene to draw."""

    def scene(self) -> SceneGraph: ...


class TextWorldEnv(ParallelEnv[str, Seen, int]):
    """A world of ours as PettingZoo's ParallelEnv; make it with `from_world` or `parallel_env`.

    Action 0 does nothing; action n is the n-th choice that is no message, in the order of the text. `infos[agent]`
    has `choices` (`choices[action]` says what an action does, None for nothing), `ok` and `detail` (what became of the
    last action), and `facts` (the world's structured information, not meant for policies).
    """

    metadata = {"name": NAME, "render_modes": ["rgb_array"], "is_parallelizable": True}  # noqa: RUF012 - PettingZoo's

    def __init__(self, world: World, max_steps: int, max_choices: int, render_mode: str | None) -> None:
        if max_steps < 1 or max_choices < 1:
            raise WorldError(f"an episode has at least one step and one choice, not {max_steps} and {max_choices}")
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise WorldError(f"unknown render mode {render_mode!r}; there is 'rgb_array'")
        if render_mode is not None and not isinstance(world, Drawable):
            raise WorldError(f"a {type(world).__name__} has no scene, so it cannot be rendered")
        self.render_mode = render_mode
        self.possible_agents = list(world.agents)
        self.agents: list[str] = []
        self._world, self._max_steps, self._max_choices = world, max_steps, max_choices
        self._seeds = Random("0/episodes")
        self._steps = 0
        self._seen: Mapping[str, Observation] = {}
        self._choices: dict[str, list[str | None]] = {}
        self._picture: tuple[SceneGraph, Picture] | None = None
        self._observation_spaces = {
            agent: Dict({"text": Text(MAX_TEXT, charset=CHARACTERS), "action_mask": MultiBinary(max_choices + 1)})
            for agent in self.possible_agents
        }
        self._action_spaces = {agent: Discrete(max_choices + 1) for agent in self.possible_agents}

    def observation_space(self, agent: str) -> Any:
        """What an agent's observation can be."""
        return self._observation_spaces[agent]

    def action_space(self, agent: str) -> Any:
        """The numbers an agent may answer with."""
        return self._action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Seen], dict[str, dict[str, Any]]]:
        """Begin an episode. Without a seed it is the next of a sequence that the last seed (at first 0) determines."""
        if seed is not None:
            self._seeds = Random(f"{seed}/episodes")
        self._seen = self._world.reset(self._seeds.getrandbits(32) if seed is None else seed)
        self.agents = list(self.possible_agents)
        self._steps = 0
        return self._observe(), self._infos({})

    def step(
        self, actions: dict[str, int]
    ) -> tuple[dict[str, Seen], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]:
        """Carry out one action per agent; a number that is masked now does nothing, and `infos` says so.

        Raises:
            WorldError: no episode is running, or the world offers more than `max_choices`.
        """
        if not self.agents:
            raise WorldError("no episode is running; call reset first")
        chosen: dict[str, str | None] = {}
        refused: dict[str, Outcome] = {}
        for agent in self.agents:
            action = int(actions.get(agent, 0))
            reflex = self._seen[agent].reflex
            if reflex is not None:
                chosen[agent] = reflex
            elif 0 <= action < len(self._choices[agent]):
                chosen[agent] = self._choices[agent][action]
            else:
                refused[agent] = _NOT_OFFERED
        result = self._world.step(chosen)
        self._steps += 1
        self._seen = result.observations
        cut = not result.done and self._steps >= self._max_steps
        present, self.agents = self.agents, [] if result.done or cut else self.agents
        return (
            self._observe(),
            dict(result.rewards),
            dict.fromkeys(present, result.done),
            dict.fromkeys(present, cut),
            self._infos({**result.outcomes, **refused}),
        )

    def render(self) -> NDArray[np.uint8] | None:
        """The household from above as an array (height, width, 3); None without a render mode.

        Raises:
            WorldError: the episode has not begun.
        """
        if self.render_mode is None or not isinstance(self._world, Drawable):
            return None
        from io import BytesIO

        from PIL import Image

        from .household.picture import Picture, to_png

        scene = self._world.scene()
        if self._picture is None or self._picture[0] is not scene:
            self._picture = scene, Picture(scene, width=_PICTURE_WIDTH)
        with Image.open(BytesIO(to_png(self._picture[1].frame()))) as image:
            return np.asarray(image.convert("RGB"))

    def close(self) -> None:
        """End the world."""
        self._world.close()

    def _observe(self) -> dict[str, Seen]:
        observations: dict[str, Seen] = {}
        for agent, seen in self._seen.items():
            acting = [choice for choice in seen.choices if not is_message(choice)]
            if len(acting) > self._max_choices:
                raise WorldError(f"{agent} has {len(acting)} choices; make the environment with max_choices that large")
            self._choices[agent] = [None, *acting]
            mask = np.zeros(self._max_choices + 1, dtype=np.int8)
            if seen.reflex is None:
                mask[: len(acting) + 1] = 1
            else:
                mask[self._choices[agent].index(seen.reflex)] = 1
            text = seen.text[:MAX_TEXT]
            if not CHARACTERS.issuperset(text):
                text = "".join(char if char in CHARACTERS else UNKNOWN for char in text)
            observations[agent] = Seen(text=text, action_mask=mask)
        return observations

    def _infos(self, outcomes: Mapping[str, Outcome]) -> dict[str, dict[str, Any]]:
        nothing_yet = Outcome(ok=True)
        return {
            agent: {
                "choices": tuple(self._choices[agent]),
                "ok": outcomes.get(agent, nothing_yet).ok,
                "detail": outcomes.get(agent, nothing_yet).detail,
                "facts": dict(seen.info),
            }
            for agent, seen in self._seen.items()
        }


def from_world(
    factory: Callable[[], World], max_steps: int = 150, max_choices: int = 100, render_mode: str | None = None
) -> TextWorldEnv:
    """Wrap a world.

    Args:
        factory: makes the world.
        max_steps: episodes are truncated after so many steps.
        max_choices: how many choices, messages apart, an agent can have at once; the size of the action space.
        render_mode: `rgb_array` for a world with a `scene`, else None.

    Raises:
        WorldError: an argument makes no sense for this world.
    """
    return TextWorldEnv(factory(), max_steps, max_choices, render_mode)


def parallel_env(
    task: str = "put_dishwasher",
    agents: int = 2,
    apartment: str | None = None,
    max_steps: int = 150,
    max_choices: int = 100,
    render_mode: str | None = None,
) -> TextWorldEnv:
    """The household as a PettingZoo environment; see `HouseholdWorld` and `from_world` for the arguments."""
    return from_world(lambda: HouseholdWorld(task, agents, apartment), max_steps, max_choices, render_mode)


if NAME not in parallel_registry:
    register("parallel", NAME, entry_point=parallel_env)
