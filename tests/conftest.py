"""`pytest --hypothesis-profile=thorough` tries sixteen times as many examples.

After each module of tests no process may be left that it has started, and no open file: T18.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from .leftovers import Watch

settings.register_profile("thorough", max_examples=1600, deadline=None)


@pytest.fixture(scope="module", autouse=True)
def nothing_is_left() -> Iterator[None]:
    watch = Watch()
    yield
    assert not (left := watch.left()), left
