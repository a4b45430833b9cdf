"""The faults of the scripted server: what a specification says, and that it happens, the same way every time."""

from __future__ import annotations

import json
from collections import Counter

import aiohttp
import pytest
from housemates.actors.model.faults import KINDS, Faults
from housemates.actors.model.scripted_server import scripted_server
from typer.testing import CliRunner

from .test_gate import PROMPT, serving

BODY = {"messages": [{"role": "user", "content": PROMPT}]}


def drawn(spec: str, bodies: list[bytes]) -> list[str]:
    faults = Faults(spec)
    return [faults.draw(body) for body in bodies]


BODIES = [b"%d" % number for number in range(2000)]


def test_the_shares_are_kept() -> None:
    met = Counter(drawn("429:0.1,500:0.05,hang", BODIES))
    assert 150 < met["429"] < 250 and 60 < met["500"] < 140 and 5 < met["hang"] < 40


def test_the_same_requests_meet_the_same_faults_in_any_order() -> None:
    forth = dict(zip(BODIES, drawn("429:0.2,seed=3", BODIES), strict=True))
    back = dict(zip(reversed(BODIES), drawn("429:0.2,seed=3", BODIES[::-1]), strict=True))
    other = dict(zip(BODIES, drawn("429:0.2,seed=4", BODIES), strict=True))
    assert forth == back != other


def test_a_request_that_is_repeated_may_meet_something_else() -> None:
    assert set(drawn("500:0.5", [b"again"] * 50)) == {"", "500"}


def test_from_the_nth_request_on() -> None:
    assert drawn("quota@3", BODIES[:4]) == ["", "", "quota", "quota"]


def test_more_than_so_many_a_second_are_refused() -> None:
    assert drawn("rate=5", BODIES[:7]) == [""] * 5 + ["429"] * 2


@pytest.mark.parametrize(
    "spec",
    ["500:2", "500:-1", "500:x", "399", "no-such-kind", "rate=0", "rate=", "retry-after=soon", "500:0.6,429:0.6", "="],
)
def test_a_specification_that_makes_no_sense_is_refused(spec: str) -> None:
    with pytest.raises(ValueError, match="faults"):
        Faults(spec)


def test_the_command_line_refuses_it_too() -> None:
    from housemates.orchestrator.cli import app

    result = CliRunner().invoke(app, ["llm", "--faults", "429:many"])
    assert result.exit_code == 2


@pytest.mark.parametrize(
    ("spec", "status", "code"),
    [("418@1", 418, None), ("context@1", 400, "context_length_exceeded"), ("quota@1", 429, "insufficient_quota")],
)
async def test_refusals_have_openais_shape(spec: str, status: int, code: str | None) -> None:
    async with serving(spec) as url, aiohttp.ClientSession() as session:
        response = await session.post(f"{url}/chat/completions", json=BODY)
        assert response.status == status
        assert (await response.json())["error"]["code"] == code


@pytest.mark.parametrize(("asked", "header", "value"), [("7", "Retry-After", "7"), ("250ms", "retry-after-ms", "250")])
async def test_a_429_asks_for_a_wait(asked: str, header: str, value: str) -> None:
    async with serving(f"429@1,retry-after={asked}") as url, aiohttp.ClientSession() as session:
        response = await session.post(f"{url}/chat/completions", json=BODY)
        assert response.headers[header] == value


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("quota", "context")])
async def test_what_is_no_refusal_is_no_reply_either(kind: str) -> None:
    timeout = aiohttp.ClientTimeout(total=0.5)
    async with serving(f"{kind}:1") as url, aiohttp.ClientSession(timeout=timeout) as session:
        with pytest.raises((aiohttp.ClientError, TimeoutError, ValueError, LookupError)):
            async with session.post(f"{url}/chat/completions", json=BODY) as response:
                json.loads(await response.text())["choices"][0]


async def test_the_child_process_fails_as_told_and_counts() -> None:
    with scripted_server(faults="429@2") as server:
        async with aiohttp.ClientSession() as session:
            met = []
            for _ in range(3):
                async with session.post(f"{server.url}/chat/completions", json=BODY) as response:
                    met.append(response.status)
            async with session.get(f"{server.url}/tally") as response:
                tally = await response.json()
    assert met == [200, 429, 429]
    assert tally == {"requests": 3, "met": {"ok": 1, "429": 2}, "most_at_once": 1}
