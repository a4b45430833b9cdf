"""T30: bytes from disk or network are read, or refused with the reader's own error; nothing else happens."""

from __future__ import annotations

import ast
import os
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from housemates.env.codec import pack, parse_json, unpack

from .chaos.table import Tell
from .hostile_bytes import Reader, readers, spoiled
from .test_structure import FILES, ROOT

NAMES = "msgpack json journal cassette model's_body model's_reply summary study task scene run households snapshot"
MAX_GROWTH_BYTES = 50 * 2**20


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Reader]:
    return readers(tmp_path_factory.mktemp("hostile"))


def attack(reader: Reader, count: int) -> Counter[str]:
    """Read so many spoiled frames; how many were taken, and why the others were not."""
    reasons: Counter[str] = Counter()
    for whole in reader.whole:
        reader.read(whole)
    for frame in spoiled(reader, count, Random(f"{count}/frames")):
        try:
            reader.read(frame)
        except reader.errors as error:
            reasons[type(error).__name__] += 1
            assert len(str(error)) < 8000, frame  # a value may be quoted, not the whole of it
        except Exception as error:
            raise AssertionError(f"{type(error).__name__} for {frame[:300]!r}") from error
        else:
            reasons["taken"] += 1
    return reasons


@pytest.mark.parametrize("name", [name.replace("_", " ") for name in NAMES.split()])
def test_spoiled_bytes_are_refused_by_name(name: str, everything: dict[str, Reader]) -> None:
    reader = everything[name]
    reasons = attack(reader, max(20, round(20 * reader.share)))
    assert reasons.total() > reasons["taken"] or not reader.errors


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x82\xa1a\x01\xa1a\x02", "the key 'a' is given twice"),
        (b"\xd4\x05\x00", "an extension type"),
        (b"\x81\x90\x01", "a key that is a list"),
        (b"\xc6\x06\x50\x00\x00", "exceeds|incomplete"),  # claims 101 MiB
        (b"\xdd\xff\xff\xff\xff", "exceeds"),
        (b"\x91" * 5000, None),
        (b"\x01\x02", "bytes after the end"),
        (b"\xa3\xed\xa0\x80", "utf-8"),
    ],
)
def test_msgpack_that_is_not_plain_data_is_refused(data: bytes, reason: str | None) -> None:
    with pytest.raises(ValueError, match=reason):
        unpack(data)


def test_a_float_of_msgpack_may_be_anything_and_a_time_is_a_number() -> None:
    assert unpack(pack(float("inf"))) == float("inf")
    assert unpack(b"\xd6\xff\x00\x00\x00\x05") == 5.0


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": 1, "a": 1}', "the key 'a' is given twice"),
        ("[NaN]", "NaN is no number"),
        ("-Infinity", "-Infinity is no number"),
        ("[" * 100_000, "nested too deeply"),
        ("9" * 5000, "digits"),
    ],
)
def test_json_that_can_be_read_in_two_ways_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_json(text)


@pytest.mark.slow
def test_two_hundred_thousand_of_them_take_no_memory(everything: dict[str, Reader], record_property: Tell) -> None:
    assert set(everything) == {name.replace("_", " ") for name in NAMES.split()}
    for reader in everything.values():
        attack(reader, 20)  # what is imported and cached only once
    before = peak_bytes(reset=True)
    results = {name: attack(reader, round(2000 * reader.share)) for name, reader in everything.items()}
    grown = peak_bytes() - before
    total = sum((counts for counts in results.values()), Counter[str]())
    for name in ("injections", "survived"):
        record_property(name, total.total())
    refused = ", ".join(f"{reason} {count:,}" for reason, count in total.most_common())
    record_property("figure", f"{refused}; {grown / 2**20:.1f} MiB more memory")
    assert total.total() == 200_000
    assert grown < MAX_GROWTH_BYTES


def peak_bytes(*, reset: bool = False) -> int:
    """The most memory this process has had since the last reset (Linux)."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    status = Path(f"/proc/{os.getpid()}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) * 1024


DANGEROUS = {"pickle", "cloudpickle", "dill", "marshal", "shelve", "torch", "yaml", "joblib"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_that_is_read_is_run(path: Path) -> None:
    """No pickle and its like in our packages, no eval, no exec, no numpy objects."""
    for node in ast.walk(ast.parse(path.read_text())):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name.split(".")[0] for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [(node.module or "").split(".")[0], *(f"{node.module}.{alias.name}" for alias in node.names)]
        assert not DANGEROUS & {name.removeprefix("ray.") for name in names}, ast.unparse(node)
        if isinstance(node, ast.Call):
            called = node.func.id if isinstance(node.func, ast.Name) else ""
            assert called not in ("eval", "exec", "compile", "__import__"), ast.unparse(node)
            assert not any(word.arg == "allow_pickle" for word in node.keywords)
            assert not any(word.arg == "shell" for word in node.keywords), ast.unparse(node)
