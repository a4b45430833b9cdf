"""Means and shares with 95 % confidence intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt
from statistics import fmean, stdev

_T = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip
"""Student's t at 97.5 % for 1 to 30 degrees of freedom."""
_Z = 1.960


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate from `count` episodes with its 95 % interval; without bounds if there is only one."""

    value: float
    low: float
    high: float
    count: int

    @property
    def bounded(self) -> bool:
        """Whether there are bounds at all."""
        return self.low > -inf


def mean(values: Sequence[float]) -> Interval | None:
    """The mean with Student's interval; None without values."""
    if not values:
        return None
    if len(values) == 1:
        return Interval(values[0], -inf, inf, 1)
    t = _T[len(values) - 2] if len(values) - 1 <= len(_T) else _Z
    centre, half = fmean(values), t * stdev(values) / sqrt(len(values))
    return Interval(centre, centre - half, centre + half, len(values))


def share(flags: Sequence[bool]) -> Interval | None:
    """A share with Wilson's score interval (1927), which holds for few and for extreme ones; None without values."""
    n = len(flags)
    if not n:
        return None
    p = sum(flags) / n
    centre = (p + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z * sqrt(p * (1 - p) / n + _Z**2 / (4 * n**2)) / (1 + _Z**2 / n)
    return Interval(p, max(0.0, centre - half), min(1.0, centre + half), n)
