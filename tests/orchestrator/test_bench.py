"""`housemates bench`: one table of whatever benchmarks there are."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from housemates.benchmarks import LeftOut, Row
from housemates.orchestrator.cli import main

from housemates import benchmarks

ROOT = Path(__file__).parent.parent.parent


def broken() -> list[Row]:
    raise ValueError("no such luck")


def impossible() -> list[Row]:
    raise LeftOut("needs a larger house")


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four benchmarks, one of which has no short form."""
    rows = {"quick": lambda: [Row("a thing", 2.5, "s", 3.0, "another")], "broken": broken, "impossible": impossible}
    for name in ("quick", "broken", "impossible", "long"):
        module = ModuleType(name)
        if name in rows:
            module.rows = rows[name]  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, f"housemates.benchmarks.{name}", module)
    for module in (benchmarks, sys.modules["housemates.orchestrator.commands.bench"]):
        monkeypatch.setattr(module, "names", lambda: ["broken", "impossible", "long", "quick"])


def bench(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["housemates", "bench", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.mark.usefixtures("offered")
def test_a_table_has_every_figure_and_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench(monkeypatch) == 3, "a benchmark that fails is no success"
    out, err = capsys.readouterr()
    assert "3 × another" in out
    assert "cores" in out.splitlines()[0]
    assert "left out: broken (failed: ValueError: no such luck)" in out
    assert "left out: impossible (needs a larger house)" in out
    assert "left out: long" not in out, "what has no short form is only for those who ask for it"
    assert "a benchmark failed" in err


@pytest.mark.usefixtures("offered")
def test_one_can_be_chosen_and_read_by_a_program(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench(monkeypatch, "--only", "quick", "--only", "long", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    figure = {"what": "a thing", "value": 2.5, "unit": "s", "ratio": 3.0, "reference": "another"}
    assert found["rows"] == [{"benchmark": "quick", **figure}]
    assert found["left_out"] == {"long": "has no short form"}
    assert found["machine"]["cores"]


def test_an_unknown_name_is_told_with_those_there_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench(monkeypatch, "--only", "nothing") == 2
    assert "--only nothing: there is no such benchmark; there are barrier, " in capsys.readouterr().err


def test_a_real_benchmark_gives_its_figures(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench(monkeypatch, "--only", "viewer", "--json") == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["unit"] for row in rows] == ["s", "ms"]
    assert all(row["value"] > 0 for row in rows)


def test_a_benchmark_is_also_a_program() -> None:
    path = ROOT / "benchmarks" / "viewer.py"
    done = subprocess.run([sys.executable, str(path), "--help"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
