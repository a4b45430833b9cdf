"""Worlds: what agents perceive and act on. Knows nothing of agents, models or the barrier."""
