"""The journal: what was appended is read again, and damage is told from a kill."""

from __future__ import annotations

import resource
import stat
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from housemates.orchestrator.journal import log as module
from housemates.orchestrator.journal.log import (
    MAGIC,
    MAX_FRAME_BYTES,
    SCHEMA,
    Journal,
    JournalError,
    read_journal,
    whole_bytes,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

RECORDS: list[dict[str, Any]] = [{"kind": "step", "step": i, "text": "é" * i, "state": bytes([i])} for i in range(4)]

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


def write(path: Path, records: list[dict[str, Any]]) -> None:
    journal = Journal(path)
    for record in records:
        journal.append(record)
    journal.close()


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.dictionaries(st.text(), values, max_size=4), max_size=5))
def test_what_was_appended_is_read_again(tmp_path: Path, records: list[dict[str, Any]]) -> None:
    path = tmp_path / "j"
    path.unlink(missing_ok=True)
    write(path, records)
    assert list(read_journal(path)) == records


def test_a_file_torn_at_any_byte_gives_the_whole_records_before_it(tmp_path: Path) -> None:
    path = tmp_path / "j"
    write(path, RECORDS)
    whole = path.read_bytes()
    ends, position = [], len(MAGIC)
    while position < len(whole):
        position += 8 + struct.unpack(">I", whole[position : position + 4])[0]
        ends.append(position)
    for cut in range(len(MAGIC), len(whole) + 1):
        path.write_bytes(whole[:cut])
        assert list(read_journal(path)) == RECORDS[: sum(end <= cut for end in ends)]


def test_any_changed_byte_in_the_middle_is_an_error_that_names_the_place(tmp_path: Path) -> None:
    path = tmp_path / "j"
    write(path, RECORDS)
    whole = path.read_bytes()
    first_payload = len(MAGIC) + 8
    path.write_bytes(whole[:first_payload] + bytes([whole[first_payload] ^ 1]) + whole[first_payload + 1 :])
    with pytest.raises(JournalError, match=f"damaged at byte {len(MAGIC)}: the checksum"):
        list(read_journal(path))


def test_an_absurd_length_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_bytes(MAGIC + struct.pack(">II", MAX_FRAME_BYTES + 1, 0) + b"x")
    with pytest.raises(JournalError, match="a record of"):
        list(read_journal(path))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"housemates journal x\n"])
def test_another_file_is_no_journal(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "j"
    path.write_bytes(content)
    with pytest.raises(JournalError, match="not a journal"):
        list(read_journal(path))


@pytest.mark.parametrize("schema", [1, SCHEMA + 1, 10 * SCHEMA])
def test_a_journal_of_another_schema_is_refused_by_its_number(tmp_path: Path, schema: int) -> None:
    path = tmp_path / "j"
    path.write_bytes(b"housemates journal %d\n" % schema)
    with pytest.raises(JournalError, match=rf"schema {schema}; this version reads {SCHEMA} only"):
        list(read_journal(path))


def test_a_record_nobody_could_read_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_FRAME_BYTES", 10_000)
    journal = Journal(tmp_path / "j")
    with pytest.raises(OSError, match="more than 10000"):
        journal.append({"text": "x" * 10_001})
    journal.append({"kind": "end"})
    journal.close()
    assert list(read_journal(tmp_path / "j")) == [{"kind": "end"}]


def test_two_writers_cannot_share_a_file(tmp_path: Path) -> None:
    Journal(tmp_path / "j")
    with pytest.raises(FileExistsError):
        Journal(tmp_path / "j")


def test_only_its_user_may_read_it(tmp_path: Path) -> None:
    write(tmp_path / "j", [])
    assert stat.S_IMODE((tmp_path / "j").stat().st_mode) == 0o600


def test_a_full_disk_raises_and_what_was_written_stays_readable(tmp_path: Path) -> None:
    code = f"""
import os, resource, signal
from pathlib import Path
from housemates.orchestrator.journal.log import Journal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
journal = Journal(Path({str(tmp_path / "j")!r}))
journal.append({{"kind": "begin"}})
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
try:
    journal.append({{"kind": "step", "noise": os.urandom(10000)}})
except OSError as error:
    print(type(error).__name__)
journal.append({{"kind": "end"}})
"""
    assert resource.RLIM_INFINITY  # the module exists on every POSIX system we support
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "OSError\n", done.stderr
    assert list(read_journal(tmp_path / "j")) == [{"kind": "begin"}, {"kind": "end"}], "no half a frame in between"


def test_a_torn_journal_goes_on_after_its_last_whole_record(tmp_path: Path) -> None:
    path = tmp_path / "j"
    write(path, RECORDS)
    whole = path.read_bytes()
    path.write_bytes(whole[:-3])
    journal = Journal(path, after=whole_bytes(path))
    journal.append({"kind": "resumed"})
    journal.close()
    assert list(read_journal(path)) == [*RECORDS[:-1], {"kind": "resumed"}]


def test_a_journal_that_is_being_written_cannot_be_gone_on_with(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    with pytest.raises(JournalError, match="goes on already"):
        Journal(tmp_path / "j", after=whole_bytes(tmp_path / "j"))
    journal.close()
    Journal(tmp_path / "j", after=whole_bytes(tmp_path / "j")).close()


def test_a_record_that_would_swell_beyond_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "j", [{"text": "x" * 100_000}])
    monkeypatch.setattr(module, "MAX_FRAME_BYTES", 10_000)
    with pytest.raises(JournalError, match="more than 10000 bytes"):
        list(read_journal(tmp_path / "j"))
