"""Benchmarks: each file is a program that measures one thing in full, and says in its `--help` what its figures are.

A file takes part in `housemates bench` by having a function `rows()` that measures a short form, some ten seconds,
and returns `Row`s. It may raise `LeftOut`.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from collections.abc import Callable, Iterable
from typing import NamedTuple


class Row(NamedTuple):
    """One figure.

    Attributes:
        what: is measured, with the size it was measured at.
        value: the figure.
        unit: of it; "" for a share.
        ratio: how it compares with `reference`, measured in the same run; None if there is nothing to compare with.
        reference: what it is compared with, so that "3.0 times" can be read before it.
    """

    what: str
    value: float
    unit: str
    ratio: float | None = None
    reference: str = ""


class LeftOut(Exception):
    """A benchmark cannot be run here; the message says what is missing."""


def names() -> list[str]:
    """Of all files here, whether they take part or not; `parts` is what they are made of."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.ispkg)


def measure(name: str) -> list[Row]:
    """Run the short form of one.

    Raises:
        LeftOut: it cannot be run here, or has no short form.
    """
    module = importlib.import_module(f"{__name__}.{name}")
    rows = getattr(module, "rows", None)
    if rows is None:
        raise LeftOut("has no short form")
    found: Iterable[Row] = rows()
    return list(found)


def as_program(main: Callable[[], None]) -> None:
    """Run a benchmark by itself. Ctrl-C ends it within seconds, with all that it started."""
    from ..env.collecting import collect_seldom
    from ..orchestrator.cluster.own import end_own_ray
    from ..orchestrator.interrupt import EXIT_INTERRUPTED, bounded_interrupt

    collect_seldom()  # as the command line does
    try:
        with bounded_interrupt(end_own_ray):
            main()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr, flush=True)
        os._exit(EXIT_INTERRUPTED)  # a Ray that was half started would crash at the orderly exit
