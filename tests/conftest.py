"""`pytest --hypothesis-profile=thorough` tries sixteen times as many examples."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("thorough", max_examples=1600, deadline=None)
