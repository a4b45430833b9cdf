"""Random access to a journal gives what reading it through gives, also while it grows or when it is damaged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from housemates.orchestrator.journal.index import JournalIndex
from housemates.orchestrator.journal.log import FILE_NAME, MAGIC, SCHEMA, Journal, JournalError, read_journal
from hypothesis import given, settings
from hypothesis import strategies as st

BEGIN: dict[str, Any] = {"kind": "begin", "schema": SCHEMA, "agents": ["a"]}
END: dict[str, Any] = {"kind": "end", "status": "completed"}


def step(number: int, kind: str = "step", text: str = "") -> dict[str, Any]:
    return {"kind": kind, "step": number, "agents": {"a": {"state": bytes(number % 256), "text": text}}}


def write(folder: Path, *records: dict[str, Any]) -> Path:
    journal = Journal(folder / FILE_NAME)
    for record in records:
        journal.append(record)
    journal.close()
    return folder / FILE_NAME


def more(path: Path, *records: dict[str, Any]) -> None:
    journal = Journal(path, after=path.stat().st_size)
    for record in records:
        journal.append(record)
    journal.close()


@settings(max_examples=30)
@given(st.lists(st.text(max_size=3000), max_size=6))
def test_every_record_can_be_read_by_itself(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    folder = tmp_path_factory.mktemp("run")
    path = write(folder, BEGIN, *(step(n, text=text) for n, text in enumerate(texts)), END)
    index = JournalIndex(folder)
    assert [index.read(n) for n in range(len(index.frames))] == list(read_journal(path))
    assert [index.step(n)["step"] for n in range(len(texts))] == list(range(len(texts)))
    assert index.end == END and not index.fault and not index.torn_bytes


def test_a_journal_that_grows_is_followed(tmp_path: Path) -> None:
    path = write(tmp_path, BEGIN, step(0))
    index = JournalIndex(tmp_path)
    assert not index.refresh()
    more(path, step(1), END)
    assert index.refresh()
    assert len(index.moments) == 2 and index.end == END


@pytest.mark.parametrize("cut", [1, 7, 8, 20])
def test_a_record_that_is_not_whole_is_waited_for(tmp_path: Path, cut: int) -> None:
    path = write(tmp_path, BEGIN, step(0))
    before = path.stat().st_size
    more(path, step(1))
    whole = path.read_bytes()
    path.write_bytes(whole[: before + cut])
    index = JournalIndex(tmp_path)
    assert len(index.moments) == 1 and index.torn_bytes == cut and not index.fault
    path.write_bytes(whole)
    assert index.refresh()
    assert index.step(1)["step"] == 1 and not index.torn_bytes


def test_a_step_that_was_broken_off_gives_way_to_the_step_that_took_place(tmp_path: Path) -> None:
    path = write(tmp_path, BEGIN, step(0), step(1, "abandoned"), END)
    index = JournalIndex(tmp_path)
    assert index.step(1)["kind"] == "abandoned"
    more(path, {"kind": "resumed", "step": 1, "version": "0"}, step(1), step(2, "lesson"))
    index.refresh()
    assert [index.step(n)["kind"] for n in range(3)] == ["step", "step", "lesson"]
    assert index.end is None


def test_damage_is_named_and_what_comes_before_it_can_be_read(tmp_path: Path) -> None:
    path = write(tmp_path, BEGIN, step(0))
    with path.open("ab") as file:
        file.write(b"\xff" * 64)
    index = JournalIndex(tmp_path)
    assert "damaged at byte" in index.fault
    assert index.step(0) == step(0)


def test_a_step_out_of_order_is_damage(tmp_path: Path) -> None:
    write(tmp_path, BEGIN, step(0), step(5))
    assert "step 5 follows 1 steps" in JournalIndex(tmp_path).fault


def test_a_record_with_a_wrong_checksum_is_named_when_it_is_read(tmp_path: Path) -> None:
    path = write(tmp_path, BEGIN, step(0), step(1))
    index = JournalIndex(tmp_path)
    position, length, *_ = index.frames[1]
    data = bytearray(path.read_bytes())
    data[position + 8 + length - 1] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(JournalError, match=f"damaged at byte {position}: the checksum"):
        index.step(0)
    assert index.step(1) == step(1)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "holds no run"),
        (b"", "not a journal this version can read"),
        (b"housemates journal 9\n", "not a journal this version can read"),
        (MAGIC, "ends before the first step"),
    ],
)
def test_what_is_no_journal_is_refused_in_one_line(tmp_path: Path, content: bytes | None, why: str) -> None:
    if content is not None:
        (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(JournalError, match=why):
        JournalIndex(tmp_path)


def test_a_journal_of_a_newer_schema_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {**BEGIN, "schema": SCHEMA + 1})
    with pytest.raises(JournalError, match="another format"):
        JournalIndex(tmp_path)


def test_there_is_no_step_before_the_first_or_after_the_last(tmp_path: Path) -> None:
    write(tmp_path, BEGIN, step(0))
    index = JournalIndex(tmp_path)
    for number in (-1, 1):
        with pytest.raises(IndexError):
            index.step(number)
