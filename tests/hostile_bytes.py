"""Everything that we read from disk or network, and ways to spoil it (T30)."""

from __future__ import annotations

import copy
import json
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import msgpack
import tomli_w
from housemates.actors import cassette
from housemates.actors.model import chat
from housemates.actors.reply import read_action
from housemates.env.codec import pack, parse_json, unpack
from housemates.env.household.homes.scene_file import read_home
from housemates.env.household.household import HouseholdWorld
from housemates.env.household.tasks.task_file import read_task_file
from housemates.env.world import WorldError
from housemates.orchestrator import replay
from housemates.orchestrator.config import load_config, make_config
from housemates.orchestrator.emergence import measure
from housemates.orchestrator.errors import ConfigError
from housemates.orchestrator.given import recorded_config
from housemates.orchestrator.households.folder import HOUSEHOLDS, households_of, read_settings
from housemates.orchestrator.journal.log import MAGIC, JournalError
from housemates.orchestrator.past import read_past
from housemates.orchestrator.run import run
from housemates.orchestrator.run_folder import read_summary
from housemates.orchestrator.study.plan import make_plan, read_plan
from housemates.orchestrator.summary import Tally

from .household.scenes import unity_scene

BOMBS = [
    b"\xdd\xff\xff\xff\xff",  # four billion values
    b"\xdf\xff\xff\xff\xff",
    b"\xc6\x06\x50\x00\x00",  # 101 MiB of bytes
    b"\xdb\x06\x50\x00\x00",
    b"\xc9\x06\x50\x00\x00\x05",
    b"\x91" * 3000,
    b"\x81\x01" * 3000,
    b"\x82\xa1a\x01\xa1a\x02",  # a key twice
    b"\x81\x90\x01",  # a list as a key
    b"\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00",  # NaN
    b"\xd4\x05\x00",  # a type of somebody's own
    b"\xd6\xff\xff\xff\xff\xff",  # a time
    b"\xa3\xed\xa0\x80",  # half a surrogate pair
    b"\xc1",
]
TEXT_BOMBS = [
    b"[" * 30_000,
    b'{"a":' * 30_000,
    b"a=" + b"[" * 30_000,
    b'{"a":1,"a":2}',
    b"NaN",
    b"-Infinity",
    b"9" * 5000,
    b"1e999",
    b'"\\ud800"',
    b'"\\u0000"',
    b"\xff\xfe",
    b"\x00",
    b"nan",
    b"[[agent]]\n",
]
VALUES: list[Any] = [None, True, -1, 2**63, 0.5, float("nan"), float("inf"), "", "x" * 3000, "\x1b[2J\x9b", [], {}]
VALUES += [[[]], {"a": {}}, [1, "a"], "Agent_1", "kind", 1e300, -(2**63), "0", ["Agent_1"]]


class Reader(NamedTuple):
    """Something that reads bytes from outside.

    Attributes:
        whole: what it reads without complaint.
        read: raises only `errors`.
        errors: what it may raise.
        packing: the bytes of a structure, and back: msgpack, JSON or TOML.
        share: how many of a hundred frames are for it; those that build whole homes are slow.
    """

    whole: list[bytes]
    read: Callable[[bytes], object]
    errors: tuple[type[Exception], ...]
    packing: tuple[Callable[[Any], bytes], Callable[[bytes], Any]]
    share: float


def spoiled(reader: Reader, count: int, random: Random) -> Iterator[bytes]:
    """Frames made of whole ones by changing bytes, by adding bombs, and by changing values and packing them again."""
    dump, load = reader.packing
    bombs = BOMBS if load is _msgpack[1] else TEXT_BOMBS
    trees = [load(whole) for whole in reader.whole]
    for _ in range(count):
        how = random.random()
        frame = random.choice(reader.whole)
        at = random.randrange(len(frame) + 1)
        if how < 0.1:
            yield frame[:at]
        elif how < 0.25:
            yield frame[:at] + random.randbytes(random.randrange(1, 9)) + frame[at + random.randrange(9) :]
        elif how < 0.4:
            yield frame[:at] + random.choice(bombs) + frame[at + random.randrange(9) :]
        elif how < 0.45:
            yield frame + random.choice(bombs)
        elif how < 0.5:
            yield random.choice(bombs)
        elif how < 0.6:
            other = random.randrange(len(frame) + 1)
            yield frame[:at] + frame[other : other + 64] + frame[at:]
        else:
            tree = copy.deepcopy(random.choice(trees))
            for _ in range(random.choice((1, 1, 2, 5))):
                _change(tree, random)
            try:
                yield dump(tree)
            except (TypeError, ValueError, OverflowError):
                yield frame[:at]


def _change(tree: Any, random: Random) -> None:
    """Replace, remove or add a value somewhere."""
    inner = [tree]
    for node in inner:
        children = node.values() if isinstance(node, dict) else node
        inner.extend(child for child in children if isinstance(child, dict | list) and child)
    node = random.choice(inner)
    keys: list[Any] = list(node) if isinstance(node, dict) else list(range(len(node)))
    if not keys:
        return
    key = random.choice(keys)
    how = random.random()
    if how < 0.2:
        del node[key]
    elif how < 0.3 and isinstance(node, dict):
        node["further"] = random.choice(VALUES)
    elif how < 0.4:
        node[key] = node[random.choice(keys)]
    else:
        node[key] = copy.deepcopy(random.choice(VALUES))


def _unpacked(data: bytes) -> Any:
    return msgpack.unpackb(data, strict_map_key=False)


_msgpack = (pack, _unpacked)
_json = (lambda tree: json.dumps(tree).encode(), json.loads)


def _toml_load(data: bytes) -> Any:
    import tomllib

    return tomllib.loads(data.decode())


_toml = (lambda tree: tomli_w.dumps(tree).encode(), _toml_load)


def readers(folder: Path) -> dict[str, Reader]:
    """One for each thing that we read, tried out on files in `folder`."""
    recorded = folder / "recorded"
    settings: dict[str, Any] = {"task": "read_book", "steps": 4, "seed": 3}
    run(make_config(llm="scripted", runtime="inline", **settings), recorded, record=folder / "tape")
    records = _records(recorded)
    begin, exchange, *_, end = _cassette_frames(folder / "tape")
    frames = [begin, exchange, end | {"frames": 2}]
    world = HouseholdWorld(task="read_book", agents=2)
    world.reset(1)
    sealed = unpack(world.snapshot())
    return {
        "msgpack": Reader([pack(records[:2])], unpack, (ValueError,), _msgpack, 20),
        "json": Reader([b'{"a": [1, {"b": "c"}]}'], parse_json, (ValueError,), _json, 20),
        "journal": Reader(
            [pack(records[at]) for at in (0, 1, -1)], _journal(folder, records), (JournalError,), _msgpack, 20
        ),
        "cassette": Reader([pack(frame) for frame in frames], _tape(folder, frames), (ConfigError,), _msgpack, 20),
        "model's body": Reader([_BODY], chat._parse, (chat._Unusable,), _json, 10),
        "model's reply": Reader([_REPLY], _reply, (), _json, 5),
        "summary": Reader(
            [(recorded / "summary.json").read_bytes()],
            _file(folder / "summary.json", lambda path: read_summary(path.parent)),
            (ConfigError,),
            _json,
            1.8,
        ),
        "study": Reader([_STUDY], _file(folder / "s.toml", _study), (ConfigError,), _toml, 1.4),
        "task": Reader([_TASK], _file(folder / "t.json", _task), (WorldError,), _json, 1),
        "scene": Reader([_scene()], _file(folder / "h.json", _home), (WorldError,), _json, 0.2),
        "run": Reader([_RUN], _file(folder / "r.toml", _run), (ConfigError,), _toml, 0.2),
        "households": Reader([b"households = 3\n" + _RUN], _households(folder / "many"), (ConfigError,), _toml, 0.2),
        "snapshot": Reader([sealed["state"]], _snapshot(world), (WorldError,), _msgpack, 0.2),
    }


_BODY = b'{"choices": [{"message": {"content": "hello"}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 3}}'
_REPLY = b'{"thoughts": "t", "action": "[walktowards] <kitchen> (11)", "message": ""}'
_STUDY = b'[vary]\ntask = ["read_book"]\nseed = [0, 1]\n[run]\nllm = "scripted"\nsteps = 5\n'
_RUN = b'llm = "scripted"\ntask = "read_book"\nsteps = 5\nplan = "go"\n[[agent]]\nname = "Agent_2"\nmethod = "react"\n'
_TASK = (
    b'{"name": "tea", "description": "d", "wants": [{"kind": "inside", "class": "apple", "count": 1, '
    b'"target": "fridge"}], "hide": {"on": ["kitchentable"]}, "extra": 1}'
)


def _records(folder: Path) -> list[Any]:
    return list(replay.records(folder))


def _journal(folder: Path, records: list[Any]) -> Callable[[bytes], object]:
    """Put a frame, properly sealed, in its place or any other of a journal, and read that in every way."""
    place = folder / "spoiled"
    place.mkdir()
    whole = [pack(records[at]) for at in (0, 1, -1)]

    def read(frame: bytes) -> None:
        content = b"".join(map(_sealed, _in_its_place(frame, whole)))
        (place / "journal.msgpack").write_bytes(MAGIC + content)
        tally, history = Tally(), list[Any]()
        for line in replay.story(place):
            assert line.isprintable(), line
        for record in replay.records(place):
            tally.add(record)
            history.append(record)
        tally.summary()
        measure(history)
        list(replay.json_lines(place))
        read_past(place)

    return read


def _households(folder: Path) -> Callable[[bytes], object]:
    """Have the settings of a run with many households read."""
    (folder / HOUSEHOLDS).mkdir(parents=True)

    def read(content: bytes) -> None:
        (folder / "run.toml").write_bytes(content)
        households_of(read_settings(folder), folder)

    return read


def _in_its_place(frame: bytes, whole: list[bytes]) -> list[bytes]:
    """A sequence of frames with a spoiled one in place of that which it begins like."""
    like = [number for number, other in enumerate(whole) if other[:12] == frame[:12]]
    number = like[0] if like else zlib.crc32(frame) % len(whole)
    return [*whole[:number], frame, *whole[number + 1 :]]


def _sealed(payload: bytes) -> bytes:
    packed = zlib.compress(payload, 1)
    return struct.pack(">II", len(packed), zlib.crc32(packed)) + packed


def _cassette_frames(path: Path) -> list[Any]:
    content = zlib.decompress(path.read_bytes()[len(cassette.MAGIC) :])
    unpacker = msgpack.Unpacker()
    unpacker.feed(content)
    return list(unpacker)


def _tape(folder: Path, frames: list[Any]) -> Callable[[bytes], object]:
    path = folder / "spoiled-tape"
    whole = [pack(frame) for frame in frames]

    def read(frame: bytes) -> None:
        content = b"".join(_in_its_place(frame, whole))
        path.write_bytes(cassette.MAGIC + zlib.compress(content, 1))
        recorded_config({"llm": f"replay:{path}"})

    return read


def _snapshot(world: HouseholdWorld) -> Callable[[bytes], object]:
    kind = unpack(world.snapshot())["kind"]

    def read(state: bytes) -> None:
        world.restore(pack({"kind": kind, "checksum": zlib.crc32(state), "state": state}))

    return read


def _file(path: Path, read: Callable[[Path], object]) -> Callable[[bytes], object]:
    def from_bytes(content: bytes) -> None:
        path.write_bytes(content)
        read(path)

    return from_bytes


def _reply(content: bytes) -> object:
    choices = ("[walktowards] <kitchen> (11)", "[send_message] <Agent_2> (2): text")
    decision = read_action(content.decode(errors="replace"), choices, Random(0))
    assert decision.action is None or decision.action in choices or decision.how == "message"
    return decision


def _study(path: Path) -> object:
    return make_plan(read_plan(path), str(path))


def _task(path: Path) -> object:
    return read_task_file(str(path)).to_task(str(path))


def _home(path: Path) -> object:
    return read_home(str(path), 10)


def _run(path: Path) -> object:
    return make_config(**{"llm": "scripted"} | load_config(path))


def _scene() -> bytes:
    return json.dumps(unity_scene(rooms=1)).encode()
