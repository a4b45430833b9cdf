"""Parts of learning that a user could have written: named by import path in the tests."""

from __future__ import annotations

from typing import Any

from housemates.actors.feedback import Consequence
from housemates.actors.policy import Policy
from housemates.actors.trace_import import Node, Optimizer, OptoPrime, trace


class PolicyWithRules(Policy):
    """Two more texts, of which one is trainable."""

    def __init__(self, plan: str = "") -> None:
        super().__init__(plan)
        self.rules = trace.node("Be quick.", name="rules", trainable=True)
        self.motto = trace.node("Together.", name="motto")

    def text(self) -> Node[str]:
        return self.plan + " Rules: " + self.rules + " " + self.motto


class PolicyWithCode(Policy):
    """Something trainable that is no text: refused."""

    def __init__(self, plan: str = "") -> None:
        super().__init__(plan)
        self.number = trace.node(3, name="number", trainable=True)


class PolicyThatBreaks(Policy):
    def text(self) -> Node[str]:
        raise ArithmeticError("no text today")


class ShoutingOptimizer(OptoPrime):  # type: ignore[misc]
    """Says everything in capitals."""

    def construct_prompt(self, summary: object, mask: object = None) -> tuple[str, str]:
        system, user = super().construct_prompt(summary, mask=mask)
        return system, user.upper()


class CountingOptimizer(Optimizer):  # type: ignore[misc]
    """Asks nobody: the plan is its own length."""

    def __init__(self, parameters: list[Any], llm: Any) -> None:
        super().__init__(parameters)

    def _step(self) -> dict[Any, Any]:
        return {parameter: f"{len(parameter.data)}" for parameter in self.parameters}


class CuriousOptimizer(CountingOptimizer):
    """Never stops asking."""

    def __init__(self, parameters: list[Any], llm: Any) -> None:
        super().__init__(parameters, llm)
        self.llm = llm

    def _step(self) -> dict[Any, Any]:
        while True:
            self.llm(messages=[{"role": "user", "content": "Why?"}])


def praise(consequence: Consequence) -> str:
    return f"{consequence.agent} did {consequence.action} in step {consequence.step}: {consequence.verdict}"


def stumble(consequence: Consequence) -> str:
    raise ZeroDivisionError("no reward")


def babble(consequence: Consequence) -> str:
    return "x" * 10_000


NOT_A_FUNCTION = 5
