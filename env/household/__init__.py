"""The household: a VirtualHome-style apartment in which agents do housework together."""

from .household import HouseholdWorld
from .tasks.families import TASKS

__all__ = ["TASKS", "HouseholdWorld"]
