"""The traced part of an agent: how Trace records what the agent does.

One thought of an agent is one graph,

    observation ─┐
                 ├─ replace ── act ── step = the next observation
    plan (trainable) ┘

and feedback given to the last node travels back to the plan. With a longer credit horizon the graph is a chain:
each thought's observation is the `step` of the thought before. The model is asked and the world steps
in other processes, so both are recorded afterwards: `act` and `step` return what is put into a mailbox
before they are called. An agent keeps its thoughts as data; the graph is made of them when it learns, and forgotten.
Trace keeps its node registry, and its record of which nodes a function reads,
in process globals; therefore every section here is synchronous, never contains an `await`, and swaps in
this agent's own registry. Graphs of agents that share a process cannot mix, and the names in the
optimizer's prompt are the same in every step and every process.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from ..env.plugin import PluginError
from .policy import Policy
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
    return str(_mailbox.pop())


class Thought(NamedTuple):
    """One thought as data.

    Attributes:
        observation: the text it was about.
        values: of the trainable texts at that time, by name.
        action: what it led to; None to do nothing.
        error: why it led to no action, or None.
    """

    observation: str
    values: dict[str, str]
    action: str | None
    error: str | None


class Recording:
    """Makes the prompts of one agent's policy, and carries feedback back through its thoughts to its parameters.

    Nothing is kept from one call to the next but the parameters, so memory does not grow however long the agent lives.

    Raises:
        PluginError: the policy trains something that is no text.
    """

    def __init__(self, plan: str = "", policy: type[Policy] = Policy) -> None:
        self._names: defaultdict[str, list[Node[Any]]] = defaultdict(list)
        with self.section():
            self.policy = policy(plan)
            self.parameters: list[ParameterNode[str]] = [p for p in self.policy.parameters() if p.trainable]
        for parameter in self.parameters:
            # A trainable function would be code that a model writes and we run.
            if not isinstance(parameter._data, str) or "__code" in parameter.py_name:
                raise PluginError(f"{parameter.py_name} is trainable but no text; only texts can be optimised")
        with self._fresh():  # from here on names are given in one order
            pass

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
        """What stands in the plan's place."""
        with self._fresh():
            return self.policy.text()._data

    def values(self) -> dict[str, str]:
        """The parameters by name."""
        return {p.py_name: p._data for p in self.parameters}

    def set_values(self, values: Mapping[str, str]) -> None:
        """Give parameters their values, by name; others stay."""
        for parameter in self.parameters:
            if parameter.py_name in values:
                parameter._data = values[parameter.py_name]

    def prompt(self, observation: str) -> str:
        """The prompt: the observation with the plan in its place."""
        with self._fresh():
            return self.policy(trace.node(observation, name="observation"))._data

    def feed_back(self, thoughts: Iterable[Thought], next_observation: str, feedback: str, optimizer: Any) -> bool:
        """Propagate feedback from what the last thought led to through all of them; False if it reached no parameter.

        After a failed thought the feedback is Trace's own description of the exception, together with
        the world's; else it is given to the next observation. A thought that failed ends the chain before it.
        """
        with self._fresh():
            now, last = self.values(), None
            try:
                for thought in thoughts:
                    self.set_values(thought.values)
                    last = self._act(self.policy(self._observed(last, thought.observation)), thought)
            finally:
                self.set_values(now)
            if isinstance(last, ExceptionNode):
                feedback = f"{last.create_feedback('simple')}\n{feedback}"
            else:
                last = self._observed(last, next_observation)
            optimizer.backward(last, feedback)
        return any(len(p.feedback) for p in self.parameters)

    def _observed(self, action: Any, observation: str) -> Node[str]:
        """An observation: what an action led to, or where a chain begins."""
        if action is None or isinstance(action, ExceptionNode):
            return trace.node(observation, name="observation")
        _mailbox[:] = [observation]
        return step(action)

    def _act(self, prompt: Node[str], thought: Thought) -> Any:
        if thought.error is None:
            _mailbox[:] = ["None" if thought.action is None else thought.action]
            return act(prompt)
        _mailbox[:] = [RuntimeError(thought.error)]  # always with an argument: Trace cannot show one without
        try:
            return act(prompt)
        except trace.ExecutionError as error:
            return error.exception_node

    @contextmanager
    def _fresh(self) -> Generator[None]:
        """A section that begins with nothing but the policy's own nodes, rid of what hung on them."""
        with self.section():
            self._names.clear()
            lasting = [value for value in vars(self.policy).values() if isinstance(value, Node)]
            for own in {id(node): node for node in [*self.parameters, *lasting]}.values():
                GRAPH.register(own)
                own._children.clear()
                own.zero_feedback()
            yield
