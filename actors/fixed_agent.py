"""The agent that follows the plan it was given: to find out what a plan is worth."""

from __future__ import annotations

from ..env.world import PLAN_TOKEN, Observation
from .language_agent import LanguageAgent


class FixedPlanAgent(LanguageAgent):
    """Sees the prompt that a learning agent with this plan would see, and never learns."""

    @property
    def plan(self) -> str:
        return self.spec.plan

    def prompt(self, observation: Observation) -> str:
        return observation.text.replace(PLAN_TOKEN, self.spec.plan)
