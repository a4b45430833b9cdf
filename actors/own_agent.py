"""Kinds of agents by name: ours, and users' own."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

from ..env.plugin import find

if TYPE_CHECKING:
    from .agent import Agent, AgentSpec
    from .model.chat import ChatModel

GROUP = "housemates.agents"
"""The entry points by which installed packages offer agents."""

METHODS = {
    "trace": ("trace_agent", "TraceAgent"),  # imports Trace, which the others do not need
    "react": ("react_agent", "ReActAgent"),
    "fixed": ("fixed_agent", "FixedPlanAgent"),
}
"""Our own agents: method, and the module and the class in it."""


def find_agent(method: str) -> Callable[[AgentSpec, ChatModel, ChatModel | None], Agent]:
    """The agent class of a method: one of `METHODS`, a user's subclass of `Agent` as `module:Class`, or the name of an
    entry point in `GROUP`. It is called with spec, chat and learn_chat.

    Raises:
        PluginError: there is none.
    """
    from .agent import Agent

    if method in METHODS:
        module, name = METHODS[method]
        return getattr(import_module(f".{module}", __package__), name)
    return find("method", method, dict.fromkeys(METHODS), Agent, "housemates.actors.agent.Agent", GROUP)
