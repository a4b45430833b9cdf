"""Kinds of agents by name: ours, and users' own."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

from ..env.plugin import PluginError, find

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


def try_out(method: str) -> None:
    """Make one agent of a user's own, to find out before a run whether it can be made.

    Raises:
        PluginError: it cannot, or there is no such thing.
    """
    from .agent import AgentSpec
    from .model.chat import ChatModel, Endpoint

    make = find_agent(method)
    chat = ChatModel(Endpoint(base_url="http://nowhere.invalid/v1", model="none"))
    try:
        make(AgentSpec(name="Agent_1", method=method, plan="Try."), chat, chat)
    except PluginError:
        raise
    except Exception as error:  # a user's code may do anything
        raise PluginError(f"{method} cannot be made: {type(error).__name__}: {error}") from error
