"""The baseline: think, then act; no plan, no learning (ReAct, Yao et al. 2023)."""

from __future__ import annotations

from ..env.world import PLAN_TOKEN, Observation
from .language_agent import LanguageAgent


class ReActAgent(LanguageAgent):
    """Writes down its thoughts before each action. The line for the plan is not in its prompt."""

    def prompt(self, observation: Observation) -> str:
        lines = observation.text.split("\n")
        return "\n".join(line for line in lines if PLAN_TOKEN not in line)
