"""How much is tried in property tests whose examples take long."""

from __future__ import annotations

from hypothesis import settings

FEW = settings(max_examples=settings().max_examples // 4, deadline=None)
"""A quarter of what the profile says: 25, or 400 with `--hypothesis-profile=thorough`."""
