"""How often Python looks for garbage that refers to itself, in processes of ours that hold very much at a time."""

from __future__ import annotations

import gc

NEW_OBJECTS = 5_000
"""Python looks whenever there are 700 new ones. A thousand agents whose models think hold many times as many all the
while, and a sixth of their process's time would be spent on looking through them again and again."""


def collect_seldom() -> None:
    """Have this process look seldom. What is garbage until then takes a few megabytes."""
    gc.set_threshold(NEW_OBJECTS, *gc.get_threshold()[1:])
