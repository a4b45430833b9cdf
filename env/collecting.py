"""How often Python looks for garbage that refers to itself, in processes of ours that hold very much at a time."""

from __future__ import annotations

import gc

THRESHOLDS = (50_000, 3, 3)
"""New objects until Python looks through these, and how often before it looks through older ones, too.

Those of Python 3.11 are (700, 10, 10). Agents whose models think hold a hundred objects each meanwhile. Looked through
soon, they are old before they are gone, and are looked through again and again: with a thousand agents a third of the
process's time, with these a thirtieth. All objects are looked through after a million new ones at the earliest, as with
(7_900, 10, 10), and once those that grew old are a quarter of the rest: a lesson leaves some 150 that only this finds.
"""


def collect_seldom() -> None:
    """Have this process look seldom. What is garbage until then takes some megabytes; of drawn figures some tens."""
    gc.set_threshold(*THRESHOLDS)
