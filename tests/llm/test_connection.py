"""What stands between the client and the wire: proxies, who pays, what a refusal says, bodies without an end."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from housemates.actors.model import bounded
from housemates.actors.model.chat import ChatModel, Endpoint
from housemates.actors.model.connection import Connection, Refused, Unreachable
from multidict import CIMultiDict

from .conftest import KEY, MESSAGES
from .faults import FaultServer, answer, body, refuse


@pytest.fixture
async def connection(server: FaultServer) -> AsyncIterator[Connection]:
    made = Connection(server.url, KEY, payer=False, direct=True)
    yield made
    await made.close()


async def sent(server: FaultServer, endpoint: Endpoint) -> CIMultiDict[str]:
    """The headers of a call; their names are alike in any case."""
    model = ChatModel(endpoint)
    try:
        await model.complete(MESSAGES, schema=None, max_tokens=10)
    finally:
        await model.close()
    return CIMultiDict(server.headers[-1])


async def test_a_body_without_an_end_is_not_read_to_it(
    server: FaultServer, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded, "MAX_BODY_BYTES", 1000)
    server.plays(answer("x" * 2000))
    with pytest.raises(Unreachable, match="EndlessReply"):
        await connection.post("/chat/completions", {})


@pytest.mark.parametrize(
    ("text", "complaint", "message"),
    [
        ('{"error": {"message": "too long", "code": "c"}}', '{"message": "too long", "code": "c"}', "too long"),
        ('{"error": "no such model"}', "no such model", ""),
        ('{"message": "plain"}', '{"message": "plain"}', "plain"),
        ("<html> no gateway\n", "<html> no gateway", ""),
        ("[" * 100_000, "[" * 100_000, ""),
        ("", "", ""),
    ],
)
async def test_a_refusal_tells_what_the_server_complains_of(
    server: FaultServer, connection: Connection, text: str, complaint: str, message: str
) -> None:
    server.plays(body(text, 400))
    with pytest.raises(Refused) as caught:
        await connection.post("/chat/completions", {})
    assert (caught.value.status, caught.value.complaint, caught.value.message) == (400, complaint, message)


async def test_a_connection_keeps_its_key_to_itself(server: FaultServer, connection: Connection) -> None:
    server.plays(refuse(500, f"crashed with {KEY}"))
    with pytest.raises(Refused) as caught:
        await connection.post("/chat/completions", {})
    assert KEY not in f"{connection!r} {caught.value!r} {caught.value}"


async def test_only_openai_s_own_key_goes_with_the_organization_that_pays(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"OPENAI_API_KEY": KEY, "OTHER_KEY": KEY, "OPENAI_ORG_ID": "org", "OPENAI_PROJECT_ID": "project"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    ours = await sent(server, Endpoint(base_url=server.url, model="m", key_env="OPENAI_API_KEY"))
    other = await sent(server, Endpoint(base_url=server.url, model="m", key_env="OTHER_KEY"))
    assert (ours["OpenAI-Organization"], ours["OpenAI-Project"]) == ("org", "project")
    assert "OpenAI-Organization" not in other
    assert "OpenAI-Project" not in other


async def test_credentials_of_a_netrc_file_are_not_sent(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    assert "Authorization" not in await sent(server, Endpoint(base_url=server.url, model="m"))


async def test_a_server_elsewhere_is_reached_through_the_proxy_of_the_environment(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[web.BaseRequest] = []

    async def pass_on(request: web.BaseRequest) -> web.StreamResponse:
        asked.append(request)
        return web.json_response({"choices": [{"message": {"content": "through"}}]})

    runner = web.ServerRunner(web.Server(pass_on))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    proxy = runner.addresses[0]
    monkeypatch.setenv("http_proxy", f"http://user:pass@{proxy[0]}:{proxy[1]}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    model = ChatModel(Endpoint(base_url="http://models.invalid/v1", model="m"))
    try:
        reply = await model.complete(MESSAGES, schema=None, max_tokens=10)
    finally:
        await model.close()
        await runner.cleanup()
    assert reply.text == "through"
    assert asked[0].headers["Host"] == "models.invalid"
    assert asked[0].headers["Proxy-Authorization"] == f"Basic {base64.b64encode(b'user:pass').decode()}"
