"""The figures of a report: bars with intervals, every episode as a dot, and when plans changed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .groups import Column, Group
from .rows import Results

PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000")
"""Okabe and Ito's colours, which people with colour-blindness tell apart."""

VERDICTS = {"accepted": "#009E73", "unchanged": "#BBBBBB", "rejected": "#D55E00"}
MAX_TIMELINES = 40
"""More agents than this are not drawn one by one."""


def bars(groups: Sequence[Group], column: Column, path: Path) -> None:
    """A bar per group with its 95 % interval, grouped by the first part of the groups' names, and a dot per episode."""
    figure, axes = _figure(max(4.0, 0.8 * len(groups) + 2.0), 3.6)
    clusters = list(dict.fromkeys(group.name[:1] for group in groups))
    series = list(dict.fromkeys(group.name[1:] for group in groups))
    width = 0.8 / max(1, len(series))
    for index, name in enumerate(series):
        colour = PALETTE[index % len(PALETTE)]
        for group in groups:
            interval = column.of(group.rows) if group.name[1:] == name else None
            if interval is None:
                continue
            x = clusters.index(group.name[:1]) + (index - (len(series) - 1) / 2) * width
            axes.bar(x, interval.value, width * 0.9, color=colour, alpha=0.85, zorder=2)
            if interval.bounded:
                below = max(0.0, interval.value - max(0.0, interval.low))
                above = max(0.0, interval.high - interval.value)  # rounding, at a share of one
                axes.errorbar(x, interval.value, [[below], [above]], color="black", capsize=3, lw=1, zorder=3)
            for row in group.rows:
                single = column.of([row])
                if single is not None and column.key != "success":
                    axes.plot(x, single.value, ".", color="black", ms=4, alpha=0.5, zorder=4)
    axes.set_xticks(range(len(clusters)), [" ".join(name) or "all" for name in clusters])
    axes.set_ylabel(column.title)
    axes.set_ylim(bottom=0)
    if len(series) > 1:
        marks = [axes.bar(0, 0, color=PALETTE[i % len(PALETTE)]) for i in range(len(series))]
        axes.legend(marks, [", ".join(name) for name in series], frameon=False, fontsize=8)
    _save(figure, path)


def plan_timeline(results: Results, path: Path) -> None:
    """When each agent's plan was rewritten, kept or a proposal rejected: a line per agent, a mark per lesson."""
    lines = list(dict.fromkeys((row["episode"], row["agent"]) for row in results.plans))[:MAX_TIMELINES]
    figure, axes = _figure(7.0, max(1.5, 0.22 * len(lines) + 1.0))
    for verdict, colour in VERDICTS.items():
        points = [
            (row["step"], lines.index((row["episode"], row["agent"])))
            for row in results.plans
            if row["verdict"] == verdict and (row["episode"], row["agent"]) in lines
        ]
        marker = {"accepted": "o", "unchanged": ".", "rejected": "x"}[verdict]
        axes.plot([x for x, _ in points], [y for _, y in points], marker, color=colour, ms=5, ls="", label=verdict)
    axes.set_yticks(range(len(lines)), [f"{episode} {agent}"[-50:] for episode, agent in lines], fontsize=6)
    axes.invert_yaxis()
    axes.set_xlabel("step")
    axes.legend(frameon=False, fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
    _save(figure, path)


def time_shares(groups: Sequence[Group], columns: Sequence[Column], path: Path) -> None:
    """A bar per group, in the parts that its time went into."""
    figure, axes = _figure(7.0, max(1.6, 0.4 * len(groups) + 1.1))
    left = [0.0] * len(groups)
    for index, column in enumerate(columns):
        found = [column.of(group.rows) for group in groups]
        widths = [interval.value if interval else 0.0 for interval in found]
        colour, hatch = PALETTE[index % len(PALETTE)], "" if index < len(PALETTE) else "///"
        title = column.title.removesuffix(", %")
        axes.barh(range(len(groups)), widths, left=left, color=colour, hatch=hatch, alpha=0.85, zorder=2, label=title)
        left = [before + width for before, width in zip(left, widths, strict=True)]
    axes.set_yticks(range(len(groups)), [group.label[-50:] for group in groups], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    axes.set_xlabel("share of the time, %")
    axes.legend(frameon=False, fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=5)
    _save(figure, path)


def _figure(width: float, height: float) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure: Any = Figure(figsize=(width, height), dpi=120, layout="constrained")
    axes: Any = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", lw=0.4, zorder=0)
    return figure, axes


def _save(figure: Any, path: Path) -> None:
    figure.savefig(path, metadata={"Software": None})  # the same figures give the same bytes
