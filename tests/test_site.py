"""The documentation's site is built without a warning and without network access, and has what it must."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest
import typer
from housemates.orchestrator.cli import app
from housemates.orchestrator.config import RunConfig
from housemates.orchestrator.households.books import summarize
from housemates.orchestrator.journal.log import read_journal
from housemates.orchestrator.journal.records import _reader
from housemates.orchestrator.report.rows import Prices, read_results
from housemates.orchestrator.run import run

import housemates

ROOT = Path(__file__).parent.parent
NOWHERE = "http://127.0.0.1:9"
IMPORT = re.compile(r"^(?:>>> )?from (housemates\.[\w.]+) import (\([^)]*\)|[\w, ]+)", re.M)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built with every way to the network closed. A warning is an error (`strict`)."""
    folder = tmp_path_factory.mktemp("site")
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), NOWHERE)
    environment = {**os.environ, **proxies, "PYTHONPATH": str(ROOT), "NO_MKDOCS_2_WARNING": "1"}
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


def text(page: Path) -> str:
    return unescape(re.sub(r"<[^>]+>", "", page.read_text()))


def test_it_loads_nothing_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        assert not re.findall(r"<(?:script|img|iframe|source)[^>]+src=\"(?:https?:)?//[^\"]*", page.read_text()), page
        assert not re.findall(r"<link[^>]+href=\"(?:https?:)?//[^\"]*", page.read_text()), page
    for sheet in site.rglob("*.css"):
        assert not re.findall(r"(?:@import|url\()\s*[\"']?https?:", sheet.read_text()), sheet


def test_every_page_of_the_repository_is_in_it(site: Path) -> None:
    pages = {path.relative_to(ROOT / "docs").with_suffix(".html") for path in (ROOT / "docs").rglob("*.md")}
    assert [str(page) for page in sorted(pages) if not (site / page).is_file()] == []


def test_the_start_page_leads_to_every_page_of_the_repository() -> None:
    pages = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")} - {"index.md"}
    linked = set(re.findall(r"\]\(([\w/-]+\.md)", (ROOT / "docs" / "index.md").read_text()))
    assert sorted(pages - linked) == []


def test_every_public_name_is_documented_under_its_own_name(site: Path) -> None:
    page = (site / "reference" / "api.html").read_text()
    assert [name for name in housemates.__all__ if f'id="housemates.{name}"' not in page] == []


def test_whatever_documents_and_examples_import_is_documented(site: Path) -> None:
    page = (site / "reference" / "api.html").read_text()
    shown = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.py")]
    imports = [found for path in shown for found in re.findall(IMPORT, path.read_text())]
    names = {f"{module}.{name}" for module, names in imports for name in re.findall(r"\w+", names)}
    traces = {f"housemates.actors.trace_import.{name}" for name in ("trace", "Node", "OptoPrime")}
    ours = {name for name in names - traces if name.rpartition(".")[2] not in housemates.__all__}
    assert [name for name in sorted(ours) if f'id="{name}"' not in page] == []


def test_every_setting_is_explained(site: Path) -> None:
    page = (site / "reference" / "settings.html").read_text()
    assert [name for name in RunConfig.model_fields if name not in page] == []
    assert "as for all" not in text(site / "reference" / "settings.html").split("Single agents")[0]


def test_every_command_and_option_is_listed(site: Path) -> None:
    page = text(site / "reference" / "cli.html")
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        assert f"housemates {name}" in page
        options = [option for parameter in command.params for option in parameter.opts if option.startswith("--")]
        assert [option for option in options if option not in page] == []


def test_the_journal_s_page_names_every_field_of_a_journal(site: Path, tmp_path: Path) -> None:
    config = housemates.make_config(task="read_book", llm="scripted", runtime="inline", steps=4, seed=1)
    records = list(read_journal(run(config, tmp_path / "run").folder / "journal.msgpack"))
    page = text(site / "reference" / "journal.html")
    named = set(re.findall(r"[a-z_]+", page))
    parts = [part for record in records if record["kind"] == "step" for part in record["agents"].values()]
    turns = [part["turn"] for part in parts]
    lessons = [turn["update"] for turn in turns if turn["update"]]
    calls = [call for turn in turns for call in turn["calls"]]
    assert lessons
    assert {key for record in [*records, *parts, *turns, *lessons, *calls] for key in record} <= named
    assert set(_reader().json_schema()["discriminator"]["mapping"]) <= named


def test_the_page_of_metrics_names_every_figure(tmp_path: Path) -> None:
    config = housemates.make_config(task="read_book", llm="scripted", runtime="inline", steps=4, seed=1)
    result = run(config, tmp_path / "run")
    summary = result.summary
    tables = read_results([result.folder], Prices())
    groups = [summary, summary["llm"], summary["optimizer"], summary["times"], summarize(config, {}, {}, "", "")]
    rows = [tables.episodes[0], tables.plans[0], tables.times[0]]
    settings = RunConfig.model_fields.keys()
    parts = set(summary["times"]["steps"]) | set(summary["times"]["agents"])
    by_part = parts | {f"{of}_{part}" for of in ("step", "agent") for part in parts}
    named = set(re.findall(r"[a-z_]+", (ROOT / "docs" / "reference" / "metrics.md").read_text()))
    assert {key for found in [*groups, *rows] for key in found} - settings - by_part <= named
