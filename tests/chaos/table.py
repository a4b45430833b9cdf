"""The results of `make chaos` as a table in docs/reliability.md.

    python -m tests.chaos.table --tests             the tests to run, for pytest
    python -m tests.chaos.table RESULTS.xml ...     write the table; of two files the later one counts

The files are what `pytest --junitxml` writes. A test tells its figures with `record_property`: `injections`,
`survived` (how many were), and `figure` (words). One that tells no number has broken one thing.
"""

from __future__ import annotations

import argparse
import os
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from .catalogue import CATALOGUE, Entry

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "reliability.md"

Tell = Callable[[str, object], None]
"""The type of `record_property`."""


@dataclass
class Case:
    """What one test of one run came to."""

    test: str
    outcome: str
    form: str
    told: dict[str, str] = field(default_factory=dict[str, str])


def read_results(path: Path) -> dict[str, Case]:
    """The cases of a file by name, parameters included."""
    cases: dict[str, Case] = {}
    for suite in ElementTree.parse(path).getroot().iter("testsuite"):
        for case in suite.iter("testcase"):
            faults = {child.tag for child in case} & {"failure", "error", "skipped"}
            outcome = "failed" if faults & {"failure", "error"} else "skipped" if faults else "passed"
            test = f"{(case.get('classname') or '').replace('.', '/')}::{case.get('name')}"
            told = {p.get("name") or "": p.get("value") or "" for p in case.iter("property")}
            cases[test] = Case(test, outcome, suite.get("name") or "", told)
    return cases


def cases_of(entry: Entry, results: dict[str, Case]) -> list[Case]:
    """The cases of an entry's tests: a whole file, or one test with all its parameters."""
    found: list[Case] = []
    for test in entry.tests:
        path, _, name = test.partition("::")
        start = path.removesuffix(".py") + "::"
        for key, case in results.items():
            same_file = key.startswith((start, start.removesuffix("::") + "/"))
            if same_file and (not name or re.sub(r"\[.*", "", key.partition("::")[2]) == name):
                found.append(case)
    return found


def row(entry: Entry, results: dict[str, Case]) -> str:
    cases = cases_of(entry, results)
    ran = [case for case in cases if case.outcome != "skipped"]
    failed = [case for case in ran if case.outcome == "failed"]
    injections = sum(int(case.told.get("injections", 1)) for case in ran)
    survived = sum(int(case.told.get("survived", 1)) for case in ran if case.outcome == "passed")
    figures = list(dict.fromkeys(case.told["figure"] for case in ran if "figure" in case.told))
    met = "not run here" if not ran else "**no**" if failed else entry.but or "yes"
    form = "long" if entry.long and ran and all(case.form == "long" for case in ran) else "short" if entry.long else ""
    tests = "<br>".join(f"`{test.removeprefix('tests/')}`" for test in entry.tests)
    cells = [entry.name, entry.promise, tests, form]
    cells += [f"{injections:,}", f"{survived:,}"] if ran else ["", ""]
    cells += ["; ".join(figures) or entry.figure, entry.gate, met]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def told_of_run(path: Path) -> str:
    """When and how the run of a file was."""
    suites = list(ElementTree.parse(path).getroot().iter("testsuite"))
    day = min((suite.get("timestamp") or "")[:10] for suite in suites)
    minutes = sum(float(suite.get("time") or 0) for suite in suites) / 60
    load = next((p.get("value") for suite in suites for p in suite.findall("properties/property[@name='load']")), "")
    with_load = f" with a load of {load}" if load else ""
    return f"the {suites[0].get('name')} form on {day}, {minutes:.0f} minutes on {os.cpu_count()} cores{with_load}"


def table(results: dict[str, Case], runs: Iterable[str]) -> str:
    head = ["test", "promise", "proven by", "form", "injections", "survived", "figure", "gate", "met"]
    lines = [f"Written by `make chaos`: {'; '.join(runs)}.", ""]
    lines += ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *(row(entry, results) for entry in CATALOGUE)])


def put_between(name: str, text: str) -> None:
    """Replace what stands between the two markers of that name on the page."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, _, rest = PAGE.read_text().partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise SystemExit(f"{PAGE}: there is no place for {name!r}")
    PAGE.write_text(f"{before}{begin}\n{text}\n{end}{after}")


def named_tests() -> Iterable[str]:
    """What pytest is to run. A file that is not there is left out, and the table says so."""
    named = dict.fromkeys(test for entry in CATALOGUE for test in entry.tests)
    return [test for test in named if (ROOT / test.partition("::")[0]).exists()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", nargs="*", type=Path)
    parser.add_argument("--tests", action="store_true")
    options = parser.parse_args()
    if options.tests:
        print(*named_tests())
        return
    results: dict[str, Case] = {}
    for path in options.results:
        results |= read_results(path)
    put_between("results", table(results, map(told_of_run, options.results)))


if __name__ == "__main__":
    main()
