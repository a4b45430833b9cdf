"""The catalogue names tests that are there, and the table tells what came of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import table
from .catalogue import CATALOGUE, Entry
from .table import cases_of, named_tests, put_between, read_results, row, told_of_run

RESULTS = """<testsuites><testsuite name="long" timestamp="2026-11-30T20:06:43" time="125.0">
<properties><property name="load" value="1 to 3"/></properties>
<testcase classname="tests.a.test_b" name="test_c[1]"><properties><property name="injections" value="3"/>
<property name="survived" value="3"/><property name="figure" value="2 s"/></properties></testcase>
<testcase classname="tests.a.test_b" name="test_d"><failure message="no"/></testcase>
</testsuite></testsuites>"""


def test_every_number_is_in_it() -> None:
    assert [entry.name for entry in CATALOGUE if entry.name] == [f"T{number}" for number in range(1, 33)]


@pytest.mark.parametrize("test", named_tests())
def test_what_it_names_is_there(test: str) -> None:
    path, _, name = test.partition("::")
    assert not name or f"def {name}(" in (table.ROOT / path).read_text()


@pytest.mark.parametrize(
    ("test", "end"),
    [
        ("tests/a/test_b.py::test_c", "| long | 3 | 3 | 2 s | g | yes |"),
        ("tests/a/test_b.py", "| long | 4 | 3 | 2 s | g | **no** |"),
        ("tests/a/test_b.py::test_d", "| long | 1 | 0 |  | g | **no** |"),
        ("tests/other", "|  |  |  |  | g | not run here |"),
    ],
)
def test_a_row_says_what_was_broken_and_whether_it_was_survived(test: str, end: str, tmp_path: Path) -> None:
    (tmp_path / "r.xml").write_text(RESULTS)
    results = read_results(tmp_path / "r.xml")
    assert row(Entry("T0", "p", "g", (test,), long="a/test_b" in test), results).endswith(end)
    assert bool(cases_of(Entry("T0", "p", "g", (test,)), results)) is ("other" not in test)


def test_above_the_rows_stands_when_and_where_they_come_from(tmp_path: Path) -> None:
    (tmp_path / "r.xml").write_text(RESULTS)
    first, _, head, *_ = table.table(read_results(tmp_path / "r.xml"), [told_of_run(tmp_path / "r.xml")]).split("\n")
    assert first.startswith("Written by `make chaos`: the long form on 2026-11-30, 2 minutes on ")
    assert first.endswith(" cores with a load of 1 to 3.")
    assert head.count("|") == 10


def test_the_table_takes_its_place_on_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- x: begin -->\nold\n<!-- x: end -->\nb\n")
    monkeypatch.setattr(table, "PAGE", page)
    put_between("x", "new")
    assert page.read_text() == "a\n<!-- x: begin -->\nnew\n<!-- x: end -->\nb\n"
    with pytest.raises(SystemExit, match="no place for 'y'"):
        put_between("y", "new")
