"""The traced part of an agent: how Trace records what the agent does.

One thought of an agent is one graph,

    observation ─┐
                 ├─ replace ── act ── step = the next observation
    plan (trainable) ┘

and feedback given to the last node travels back to the plan. The model is asked and the world steps
in other processes, so both are recorded afterwards: `act` and `step` return what is put into a mailbox
before they are called. Trace keeps its node registry, and its record of which nodes a function reads,
in process globals; therefore every section here is synchronous, never contains an `await`, and swaps in
this agent's own registry. Graphs of agents that share a process cannot mix, and the names in the
optimizer's prompt are the same in every step and every process.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

from ..env.world import PLAN_TOKEN
from .trace_import import GRAPH, ExceptionNode, Node, ParameterNode, trace

_mailbox: list[str | Exception] = []  # holds one item, within one synchronous section


@trace.bundle(description="[act] Ask the language model for the next action of the agent.")
def act(prompt: str) -> str:
    outcome = _mailbox.pop()
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


@trace.bundle(description="[step] Act in the world, at the same time as the others; return what the agent sees next.")
def step(action: str) -> str:
    outcome = _mailbox.pop()
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


@trace.model
class Policy:
    """What is optimised: the plan, which takes its place in the observation's text."""

    def __init__(self, plan: str = "") -> None:
        self.plan = trace.node(
            plan, name="plan", trainable=True, description="[ParameterNode] The current plan of the agent."
        )

    def __call__(self, observation: Node[str]) -> Node[str]:
        return observation.replace(PLAN_TOKEN, self.plan)


class Recording:
    """Records one thought at a time of one agent, and carries feedback back to its parameters.

    The order is `begin`, then `acted` or `failed`, then `feed_back`; a new `begin` forgets the last one,
    so memory does not grow however long the agent lives.
    """

    def __init__(self, plan: str = "") -> None:
        self._names: defaultdict[str, list[Node[Any]]] = defaultdict(list)
        self._prompt: Node[str] | None = None
        self._last: Node[str] | None = None
        with self.section():
            self.policy = Policy(plan)
        self.parameters: list[ParameterNode[str]] = [p for p in self.policy.parameters() if p.trainable]

    @contextmanager
    def section(self) -> Generator[None]:
        """A synchronous section in which Trace's registry is this agent's own. Never await inside."""
        others, GRAPH._nodes = GRAPH._nodes, self._names
        try:
            yield
        finally:
            GRAPH._nodes = others

    @property
    def plan(self) -> str:
        return self.policy.plan._data

    def values(self) -> dict[str, str]:
        """The parameters by name."""
        return {p.py_name: p._data for p in self.parameters}

    def set_values(self, values: Mapping[str, str]) -> None:
        for parameter in self.parameters:
            if parameter.py_name in values:
                parameter._data = values[parameter.py_name]

    def begin(self, observation: str) -> str:
        """Start a new thought; returns the prompt: the observation with the plan in its place."""
        with self.section():
            self._forget()
            prompt = self._prompt = self.policy(trace.node(observation, name="observation"))
            return prompt._data

    def acted(self, action: str | None) -> None:
        """The thought led to this action."""
        assert self._prompt is not None, "begin first"
        with self.section():
            _mailbox[:] = ["None" if action is None else action]
            self._last = act(self._prompt)

    def failed(self, error: str) -> None:
        """The thought led to no action; Trace records the exception as an ExecutionError does."""
        assert self._prompt is not None, "begin first"
        with self.section():
            _mailbox[:] = [RuntimeError(error)]  # always with an argument: Trace cannot show one without
            try:
                act(self._prompt)
            except trace.ExecutionError as execution_error:
                self._last = execution_error.exception_node

    def feed_back(self, next_observation: str, feedback: str, optimizer: Any) -> bool:
        """Propagate feedback from the consequence to the parameters; False if none was reached.

        After a failed thought the feedback is Trace's own description of the exception, together with
        the world's; else it is given to the next observation.
        """
        assert self._last is not None, "nothing to learn from"
        with self.section():
            optimizer.zero_feedback()
            last = self._last
            if isinstance(last, ExceptionNode):
                feedback = f"{last.create_feedback('simple')}\n{feedback}"
            else:
                _mailbox[:] = [next_observation]
                last = step(last)
            optimizer.backward(last, feedback)
        return any(len(p.feedback) for p in self.parameters)

    def _forget(self) -> None:
        self._names.clear()
        for parameter in self.parameters:
            GRAPH.register(parameter)
            parameter._children.clear()
            parameter.zero_feedback()
        self._prompt = self._last = None
