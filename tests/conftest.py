"""`pytest --hypothesis-profile=thorough` tries ten times as many examples."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("thorough", max_examples=1000, deadline=None)
