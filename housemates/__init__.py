"""housemates: many language-model agents share a household and learn to work together.

The public names are imported when they are first used, so that `import housemates` costs nothing.
"""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from housemates.actors.agent import Agent, AgentSpec
    from housemates.actors.model.chat import ChatModel, Endpoint
    from housemates.actors.testing import check_agent
    from housemates.actors.trace_agent import TraceAgent
    from housemates.env.household.household import HouseholdWorld
    from housemates.env.testing import check_world
    from housemates.env.world import Message, Observation, Outcome, StepResult, World, WorldError
    from housemates.orchestrator.config import RunConfig, make_config
    from housemates.orchestrator.journal.log import read_journal
    from housemates.orchestrator.load import load_run
    from housemates.orchestrator.run import run

# In a checkout the folders lie beside this one. Found from here, they are importable wherever Python meets this file
# first, as it does in the workers of a Ray that was started in the checkout.
_ROOT = Path(__file__).parent.parent
if (_ROOT / "orchestrator").is_dir() and (_ROOT / "pyproject.toml").is_file():
    __path__.append(str(_ROOT))

_HOMES = {
    "Agent": "actors.agent",
    "AgentSpec": "actors.agent",
    "ChatModel": "actors.model.chat",
    "Endpoint": "actors.model.chat",
    "HouseholdWorld": "env.household.household",
    "Message": "env.world",
    "Observation": "env.world",
    "Outcome": "env.world",
    "RunConfig": "orchestrator.config",
    "StepResult": "env.world",
    "TraceAgent": "actors.trace_agent",
    "World": "env.world",
    "WorldError": "env.world",
    "check_agent": "actors.testing",
    "check_world": "env.testing",
    "load_run": "orchestrator.load",
    "make_config": "orchestrator.config",
    "read_journal": "orchestrator.journal.log",
    "run": "orchestrator.run",
}

__all__ = [
    "Agent",
    "AgentSpec",
    "ChatModel",
    "Endpoint",
    "HouseholdWorld",
    "Message",
    "Observation",
    "Outcome",
    "RunConfig",
    "StepResult",
    "TraceAgent",
    "World",
    "WorldError",
    "check_agent",
    "check_world",
    "load_run",
    "make_config",
    "read_journal",
    "run",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'housemates' has no attribute {name!r}")
    return getattr(import_module(f"housemates.{_HOMES[name]}"), name)
