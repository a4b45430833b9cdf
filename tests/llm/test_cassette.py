"""The cassette file: whole or refused, and found again by content."""

from __future__ import annotations

import zlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from housemates.actors import cassette as module
from housemates.actors.cassette import (
    MAGIC,
    Cassette,
    CassetteError,
    CassetteWriter,
    Reel,
    address,
    read_cassette,
)
from housemates.actors.model.chat import ChatError
from housemates.actors.tape import Tape
from housemates.actors.turn import Exchange
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

PROMPT = "I'm Agent_1.\nGoal: dishes.\nProgress: This is step 3.\nAvailable actions:\nA. x"


def request(prompt: str = PROMPT, system: str = "act", **more: Any) -> dict[str, Any]:
    messages = [{"role": "system", "content": system}, {"role": "user", "content": prompt}]
    return {"model": "m", "messages": messages, "schema": None, "max_tokens": 9, "seed": 1, "temperature": 0.0} | more


def answered(text: str = "A", **more: Any) -> Exchange:
    return Exchange(request=request(**more), reply=text, prompt_tokens=10, completion_tokens=2, finish_reason="stop")


def write(path: Path, *exchanges: Exchange) -> None:
    writer = CassetteWriter(path)
    writer.begin({"seed": 1})
    for exchange in exchanges:
        writer.exchange("Agent_1", 3, asdict(exchange))
    writer.missing("Agent_2", 3, late=True)
    writer.close("completed", "d1gest")


def tape(*exchanges: Exchange) -> Tape:
    return Tape(Reel({3: list(exchanges)}, {}).packed())


def test_what_is_recorded_is_read(tmp_path: Path) -> None:
    failed = Exchange(request=request(seed=2), reply=None, error="timeout")
    write(tmp_path / "c", answered(), failed)
    assert read_cassette(tmp_path / "c") == Cassette(
        config={"seed": 1},
        reels={
            "Agent_1": Reel({3: [answered(), failed]}, {}),
            "Agent_2": Reel({}, {3: True}),
        },
        status="completed",
        digest="d1gest",
    )


def test_a_reel_survives_its_journey() -> None:
    reel = Reel({3: [answered()]}, {4: False})
    assert Reel.unpacked(reel.packed()) == reel


def test_a_file_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "c").write_text("dear")
    with pytest.raises(CassetteError, match="exists already"):
        CassetteWriter(tmp_path / "c")
    assert (tmp_path / "c").read_text() == "dear"


def test_what_was_discarded_is_gone(tmp_path: Path) -> None:
    CassetteWriter(tmp_path / "c").discard()
    assert not (tmp_path / "c").exists()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "c"
    write(path, *(answered(f"reply {i}", seed=i) for i in range(20)))
    return path


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_a_cassette_with_a_changed_or_missing_byte_is_refused(whole: Path, data: st.DataObject, tmp_path: Path) -> None:
    content = bytearray(whole.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        del content[at:]
    else:
        content[at] ^= data.draw(st.integers(1, 255))
    (tmp_path / "c").write_bytes(content)
    with pytest.raises(CassetteError, match="c"):
        read_cassette(tmp_path / "c")


def test_a_recording_that_was_killed_says_so(tmp_path: Path) -> None:
    writer = CassetteWriter(tmp_path / "c")
    writer.begin({})
    writer._file.close()
    with pytest.raises(CassetteError, match="has no end"):
        read_cassette(tmp_path / "c")


@pytest.mark.parametrize(
    "frames",
    [
        [],
        [7],
        [{"kind": "end", "frames": 0, "status": "", "digest": ""}],
        [{"kind": "begin", "config": 5}],
        [{"kind": "begin", "config": {}}, {"kind": "exchange", "agent": "a", "step": "x", "request": {}, "reply": ""}],
        [{"kind": "begin", "config": {}}, {"kind": "exchange", "agent": "a", "step": 1, "request": {}, "reply": ""}],
        [{"kind": "begin", "config": {}}, {"kind": "exchange", "agent": [], "step": 1}],
        [{"kind": "begin", "config": {}}, {"kind": "end", "frames": 9, "status": "", "digest": ""}],
    ],
)
def test_frames_that_make_no_cassette_are_refused(frames: list[Any], tmp_path: Path) -> None:
    packed = b"".join(map(module.pack, frames))
    (tmp_path / "c").write_bytes(MAGIC + zlib.compress(packed))
    with pytest.raises(CassetteError, match="damaged"):
        read_cassette(tmp_path / "c")


def test_a_cassette_that_holds_too_much_is_neither_written_nor_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "c", answered("x" * 100_000))
    monkeypatch.setattr(module, "MAX_BYTES", 10_000)
    with pytest.raises(CassetteError, match="is full"):
        write(tmp_path / "d", answered("x" * 100_000))
    with pytest.raises(CassetteError, match="more than 10000 bytes"):
        read_cassette(tmp_path / "c")


@pytest.mark.parametrize(
    "other", [{"prompt": "p"}, {"seed": 2}, {"max_tokens": 8}, {"model": "n"}, {"schema": {}}, {"temperature": 0.5}]
)
def test_everything_that_is_sent_makes_the_address(other: dict[str, Any]) -> None:
    assert address(request(**other)) != address(request())
    assert address(request()) == address(request())


def test_a_request_gets_the_reply_that_was_recorded() -> None:
    reply = tape(answered("other", seed=2), answered("this")).play(3, request())
    assert (reply.text, reply.prompt_tokens, reply.completion_tokens, reply.finish_reason) == ("this", 10, 2, "stop")


def test_the_same_request_again_gets_the_next_reply_and_a_turn_taken_again_begins_anew() -> None:
    played = tape(answered("first"), answered("second"))
    assert [played.play(3, request()).text for _ in range(2)] == ["first", "second"]
    played.rewind()
    assert played.play(3, request()).text == "first"


@pytest.mark.parametrize("kind", ["timeout", "refused", "transient", "rate_limit"])
def test_a_recorded_failure_fails_again_in_the_same_way(kind: str) -> None:
    with pytest.raises(ChatError) as caught:
        tape(Exchange(request=request(), reply=None, error=kind)).play(3, request())
    assert caught.value.kind == kind


@pytest.mark.parametrize(
    ("recorded", "asked", "words"),
    [
        ([answered()], request(PROMPT.replace("step 3", "step 4")), "'Progress: This is step 4.'"),
        ([answered()], request(PROMPT.replace("step 3", "step 4")), "where it had 'Progress: This is step 3.'"),
        ([answered()], request(seed=7), "seed was '1', is '7'"),
        ([answered()], request(model="n"), "model was 'm', is 'n'"),
        ([answered(system="learn"), answered()], request(PROMPT + "\nB. y"), "there is 'B. y'"),
        ([], request(), "no call was recorded in this step; none at all"),
    ],
)
def test_a_request_that_was_never_recorded_is_fatal_and_says_where_and_what_differs(
    recorded: list[Exchange], asked: dict[str, Any], words: str
) -> None:
    with pytest.raises(ChatError) as caught:
        tape(*recorded).play(3, asked)
    assert caught.value.kind == "fatal"
    assert str(caught.value).startswith("step 3: ") and words in str(caught.value)


def test_a_request_made_more_often_than_recorded_says_so() -> None:
    played = tape(answered())
    played.play(3, request())
    with pytest.raises(ChatError, match="recorded 1 times in this step, not 2 times"):
        played.play(3, request())


def test_a_recording_that_ended_earlier_says_where() -> None:
    with pytest.raises(ChatError, match="no call was recorded in this step; the last one of this agent was in step 3"):
        tape(answered()).play(4, request())
