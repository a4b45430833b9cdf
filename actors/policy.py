"""What is optimised: the trainable texts of an agent, and how its prompt is made of them."""

from __future__ import annotations

from ..env.plugin import find
from ..env.world import PLAN_TOKEN
from .trace_import import Node, trace


@trace.model
class Policy:
    """One trainable text, the plan, which takes its place in the observation's text.

    A policy of your own is a subclass. Every trainable node it makes is optimised together with the plan. Override
    `text` to say what stands in the plan's place, or `__call__` to make the whole prompt. Both must be functions of
    nothing but the observation and the nodes (they are traced again when the agent learns), and never call a model.
    Functions of your own in them are bundles of their module: a method's `self` would stand in the optimizer's prompt.

    Attributes:
        plan: the node; `Policy(plan)` gives it its first value.
    """

    def __init__(self, plan: str = "") -> None:
        self.plan = trace.node(
            plan, name="plan", trainable=True, description="[ParameterNode] The current plan of the agent."
        )

    def text(self) -> Node[str]:
        """What stands in the plan's place."""
        return self.plan

    def __call__(self, observation: Node[str]) -> Node[str]:
        return observation.replace(PLAN_TOKEN, self.text())


@trace.bundle(description="[with_role] Write the agent's role below its plan.")
def with_role(plan: str, role: str) -> str:
    return f"{plan}\nRole: {role}"


class RolePolicy(Policy):
    """Two trainable texts: the plan, and below it what the agent's part in the household is."""

    def __init__(self, plan: str = "") -> None:
        super().__init__(plan)
        self.role = trace.node(
            "", name="role", trainable=True, description="[ParameterNode] The role of the agent among the others."
        )

    def text(self) -> Node[str]:
        """The plan with the role below it, as one node."""
        return with_role(self.plan, self.role)


POLICIES: dict[str, type[Policy]] = {"plan": Policy, "plan+role": RolePolicy}


def find_policy(name: str) -> type[Policy]:
    """The policy of this name, or a user's subclass of `Policy` as `module:Class`.

    Raises:
        PluginError: there is none.
    """
    return find("optimize", name, POLICIES, Policy, "housemates.actors.policy.Policy")
