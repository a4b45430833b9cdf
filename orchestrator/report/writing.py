"""Writing a report: Markdown, one HTML page that needs nothing else, PNG figures and Parquet tables."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from ..printing import one_line
from .figures import bars, plan_timeline, time_shares
from .groups import (
    AGENT_TIMES,
    EMERGENCE,
    OUTCOMES,
    STEP,
    STEP_TIMES,
    Column,
    Group,
    group,
    headings,
    written,
)
from .rows import Results, Row

FIGURES = {
    "actions": "Number of actions to finish (lower is better; messages are not counted)",
    "messages": "Number of messages",
    "success": "Share of episodes solved",
}
TIMES = {
    "times-steps": ("Where the time of the steps went", STEP_TIMES),
    "times-agents": ("What the agents did meanwhile", AGENT_TIMES),
}
TIMING = (
    "In every step the first follows the agent that answered last, then the world and the record; the second is over "
    "all agents, with their waiting for each other. Efficiency is the share of the steps in which the model of the "
    "slowest agent worked. docs/performance.md says what each part is."
)
STRAGGLERS = 10
TIMELINE = "Plans rewritten, kept and rejected"
CAUTION = (
    "Bars and figures are means over episodes that differ only in their seed, with 95 % confidence intervals "
    "(Student's t; Wilson's for shares). Episodes that were not solved count with the actions they took, a lower bound."
)

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; color: #222;
       background: #fff }
table { border-collapse: collapse; font-size: 13px; display: block; overflow-x: auto }
td, th { padding: .25rem .6rem; border-bottom: 1px solid #ddd; text-align: left; white-space: nowrap }
img { max-width: 100% }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #1b1b1b } td, th { border-color: #444 }
       img { background: #fff } }
"""


def write_report(results: Results, folder: Path) -> list[Path]:
    """Write `report.md`, `report.html`, `*.png` and `*.parquet` (episodes, plans, times) into a folder.

    Returns:
        What was written.

    Raises:
        ConfigError: there is no finished episode, or the packages for reports are not installed.
        OSError: the folder cannot be written.
    """
    groups = group(results)
    if not groups:
        raise ConfigError(f"{results.title}: no episode is completed yet, there is nothing to report")
    _require_packages()
    folder.mkdir(parents=True, exist_ok=True)
    outcomes, times = _draw(results, groups, folder), _draw_times(groups, folder)
    texts = {
        "report.md": _markdown(results, groups, outcomes, times),
        "report.html": _html(results, groups, outcomes, times),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    tables = {"episodes.parquet": results.episodes, "plans.parquet": results.plans, "times.parquet": results.times}
    for name, rows in tables.items():
        _write_parquet(rows, folder / name)
    return [*(folder / name for name in (*texts, *tables)), *outcomes.values(), *times.values()]


def _require_packages() -> None:
    for name in ("matplotlib", "pyarrow"):
        if find_spec(name) is None:
            raise ConfigError(f"reports need {name}, which is not here: pip install 'housemates[report]'")


def _draw(results: Results, groups: Sequence[Group], folder: Path) -> dict[str, Path]:
    columns = {column.key: column for column in OUTCOMES}
    figures: dict[str, Path] = {}
    for key, title in FIGURES.items():
        figures[title] = folder / f"{key}.png"
        bars(groups, columns[key], figures[title])
    if results.plans:
        figures[TIMELINE] = folder / "plans.png"
        plan_timeline(results, figures[TIMELINE])
    return figures


def _draw_times(groups: Sequence[Group], folder: Path) -> dict[str, Path]:
    """None if no journal tells times."""
    if all(STEP[0].of(one.rows) is None for one in groups):
        return {}
    for key, (_, parts) in TIMES.items():
        time_shares(groups, parts, folder / f"{key}.png")
    return {title: folder / f"{key}.png" for key, (title, _) in TIMES.items()}


def _time_tables(results: Results, groups: Sequence[Group]) -> Iterator[tuple[str, list[list[str]]]]:
    """Titles and tables: the shares of both sums, and the agents that steps waited for, the longest first."""
    for title, parts in TIMES.values():
        yield title, _table(results, groups, [*STEP, *parts] if parts is STEP_TIMES else parts)
    found = sorted((row for row in results.times if row["waited_for"]), key=lambda row: -row["delay_s"])[:STRAGGLERS]
    body = [[row["episode"], row["agent"], str(row["waited_for"]), f"{row['delay_s']:.2f}"] for row in found]
    if body:
        yield "Whom the steps waited for", [["episode", "agent", "steps that waited for it", "for seconds"], *body]


def _table(results: Results, groups: Sequence[Group], columns: Sequence[Column]) -> list[list[str]]:
    """Heading and body; columns that are defined nowhere are left out."""
    kept = [column for column in columns if any(column.of(one.rows) is not None for one in groups)]
    head = [*headings(results), "episodes", *(column.title for column in kept)]
    body = [[*one.name, str(len(one.rows)), *(written(column, one.rows) for column in kept)] for one in groups]
    return [head, *body]


def _not_counted(results: Results) -> Iterator[tuple[str, str]]:
    yield from results.missing.items()
    for row in results.episodes:
        if row["status"] != "completed":
            yield row["episode"], f"{row['status']}: {one_line(row['error'], 300)}".removesuffix(": ")


def _conditions(results: Results) -> str:
    models = sorted({row["model"] for row in results.episodes})
    horizons = sorted({row["steps"] for row in results.episodes})
    return (
        f"{len(results.episodes)} episodes; model {', '.join(models)}; horizon {', '.join(map(str, horizons))} steps."
    )


def _markdown(
    results: Results, groups: Sequence[Group], outcomes: Mapping[str, Path], times: Mapping[str, Path]
) -> str:
    parts = [f"# {_plain(results.title)}", _plain(_conditions(results)), CAUTION, "## Outcomes"]
    parts.append(_markdown_table(_table(results, groups, OUTCOMES)))
    parts += [f"![{title}]({path.name})" for title, path in outcomes.items()]
    parts += ["## Emergence", "The definitions are in `docs/emergence.md`."]
    parts.append(_markdown_table(_table(results, groups, EMERGENCE)))
    if times:
        parts += ["## Where the time went", TIMING]
        parts += [f"**{title}**\n\n{_markdown_table(table)}" for title, table in _time_tables(results, groups)]
        parts += [f"![{title}]({path.name})" for title, path in times.items()]
    left = list(_not_counted(results))
    if left:
        parts += ["## Not counted", _markdown_table([["episode", "why"], *map(list, left)])]
    return "\n\n".join(parts) + "\n"


def _markdown_table(rows: Sequence[Sequence[str]]) -> str:
    head, *body = [[_plain(cell) for cell in row] for row in rows]
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _plain(text: str) -> str:
    """Text that cannot be taken for Markdown's own marks."""
    return "".join(f"\\{char}" if char in "|`*<>[]\\" else char for char in text)


def _html(results: Results, groups: Sequence[Group], outcomes: Mapping[str, Path], times: Mapping[str, Path]) -> str:
    parts = [f"<h1>{escape(results.title)}</h1>", f"<p>{escape(_conditions(results))}</p>", f"<p>{escape(CAUTION)}</p>"]
    parts += ["<h2>Outcomes</h2>", _html_table(_table(results, groups, OUTCOMES))]
    parts += map(_html_picture, outcomes.items())
    parts += ["<h2>Emergence</h2>", _html_table(_table(results, groups, EMERGENCE))]
    if times:
        parts += ["<h2>Where the time went</h2>", f"<p>{escape(TIMING)}</p>"]
        for title, table in _time_tables(results, groups):
            parts += [f"<h3>{escape(title)}</h3>", _html_table(table)]
        parts += map(_html_picture, times.items())
    left = list(_not_counted(results))
    if left:
        parts += ["<h2>Not counted</h2>", _html_table([["episode", "why"], *map(list, left)])]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width"><title>{escape(results.title)}</title><style>{_STYLE}</style></head>'
        f"<body>{''.join(parts)}</body></html>\n"
    )


def _html_picture(titled: tuple[str, Path]) -> str:
    title, path = escape(titled[0]), titled[1]
    picture = base64.b64encode(path.read_bytes()).decode()
    return f'<h3>{title}</h3><img alt="{title}" src="data:image/png;base64,{picture}">'


def _html_table(rows: Sequence[Sequence[str]]) -> str:
    head, *body = rows
    lines = ["".join(f"<th>{escape(cell)}</th>" for cell in head)]
    lines += ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in body]
    return f"<table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def _write_parquet(rows: Sequence[Row], path: Path) -> None:
    from pyarrow import Table
    from pyarrow.parquet import write_table

    table: Any = Table.from_pylist(list(rows))
    write_table(table, path)
