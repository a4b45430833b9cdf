"""How many processes a run gets, if the user does not say: figures measured on two cores (docs/architecture.md)."""

from __future__ import annotations

import math

DEDICATED_PER_CORE = 8
"""So many agents a core have processes of their own: each costs some 80 MB and half a second of a core to start."""
PROCESSES_PER_CORE = 2
"""Beyond that agents are packed into so many processes a core: one works while another waits for its messages."""
WORLDS_PER_PROCESS = 25
"""A world's step takes milliseconds, its memory megabytes; its process some 70 MB."""
DECISIONS_PER_S = 2000
"""Agent-steps a second that are planned for a process that conducts; its core is full at about 2,600
(`conductor_limit` of `benchmarks/households.py`)."""
QUICK_MODEL_S = 1.0
"""The time of a model call that conductors are planned for: slower models need fewer."""


def agents_per_actor(agents: int, households: int, cores: int) -> int:
    """How many agents share a process: one each as long as there are few in all, else what keeps the cores busy.

    Args:
        agents: in a household; if they are fewer than what a process takes, it takes several households whole.
        households: at the same time.
        cores: of the machine, or of all machines of the cluster.
    """
    everybody = agents * households
    if everybody <= DEDICATED_PER_CORE * cores:
        return 1
    busy = math.ceil(everybody / (PROCESSES_PER_CORE * cores))
    return busy if busy <= agents else math.ceil(busy / agents) * agents


def worlds_per_actor(households: int, cores: int) -> int:
    """How many worlds share a process: as many as leave a process for each core, but not too many."""
    return max(1, min(WORLDS_PER_PROCESS, math.ceil(households / cores)))


def conductors(agents: int, households: int, cores: int) -> int:
    """How many processes conduct the households: 1 means the run's own.

    As many as the decisions of all agents take with a quick model, but never more than half the cores of the
    machine, which agents and worlds need, too.
    """
    wanted = math.ceil(agents * households / QUICK_MODEL_S / DECISIONS_PER_S)
    return max(1, min(wanted, households, cores // 2))
