"""T29: the Ray that we start can be reached by nobody but us."""

from __future__ import annotations

import ipaddress
import json
import os
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from housemates.orchestrator.cluster import own
from housemates.orchestrator.cluster.own import local_ray

pytestmark = pytest.mark.ray

VISITOR = """
import json, os, sys
from ray._raylet import AuthenticationTokenLoader, Config, GcsClient
address, path = sys.argv[1:]
answers = {}
doors = {"no token": {"RAY_AUTH_MODE": "disabled"},
         "wrong token": {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0" * 64},
         "the token": {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": path}}
for door, variables in doors.items():
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        os.environ.pop(name, None)
    os.environ.update(variables)
    Config.initialize("")
    AuthenticationTokenLoader.instance().reset_cache()
    try:
        answers[door] = str(len(GcsClient(address=address).internal_kv_keys(b"", None, timeout=5)) > 0)
    except BaseException as error:
        answers[door] = f"{type(error).__name__}: {error}"[:300]
print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def session() -> Iterator[Path]:
    before = os.umask(0)
    os.environ["RAY_AUTH_TOKEN"] = "the token of another cluster"
    try:
        with local_ray():
            import ray

            @ray.remote
            def here() -> None: ...

            ray.get(here.remote())  # a worker is up, too
            assert own._session is not None
            yield Path(own._session)
        assert os.environ["RAY_AUTH_TOKEN"] == "the token of another cluster"  # is the user's again
        assert "RAY_AUTH_TOKEN_PATH" not in os.environ
    finally:
        os.umask(before)
        del os.environ["RAY_AUTH_TOKEN"]


def listening() -> list[tuple[str, int, str]]:
    """Address, port and process of every TCP port that this process or one below it listens on."""
    found: list[tuple[str, int, str]] = []
    for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
        for connection in process.net_connections("inet"):
            if connection.status == psutil.CONN_LISTEN:
                found.append((connection.laddr.ip, connection.laddr.port, process.name()))
    return found


def test_nothing_listens_beyond_loopback(session: Path) -> None:
    doors = listening()
    assert {"gcs_server", "raylet"} <= {name for _, _, name in doors}
    open_doors = [door for door in doors if not ipaddress.ip_address(door[0].removeprefix("::ffff:")).is_loopback]
    assert open_doors == []


def test_its_files_are_for_this_user_alone_whatever_the_umask(session: Path) -> None:
    assert stat.S_IMODE(session.stat().st_mode) == 0o700  # below, Ray's own folders are open
    assert stat.S_IMODE((session / "token").stat().st_mode) == 0o600


def test_another_process_gets_in_with_the_token_only(session: Path) -> None:
    import ray

    address = ray.get_runtime_context().gcs_address
    clean = {name: value for name, value in os.environ.items() if not name.startswith("RAY_AUTH")}
    command = [sys.executable, "-c", VISITOR, address, str(session / "token")]
    answers = json.loads(subprocess.run(command, env=clean, capture_output=True, check=True, timeout=120).stdout)
    assert answers.pop("the token") == "True"
    assert list(answers) == ["no token", "wrong token"]
    assert all("uthenticat" in answer for answer in answers.values()), answers


def test_its_web_services_refuse_without_the_token(session: Path) -> None:
    """Everything that speaks HTTP; what speaks gRPC hangs up on an HTTP/1 request."""
    answers: dict[str, int] = {}
    for address, port, name in listening():
        if not name.startswith(("ray", "gcs_server")):
            continue  # a server of another test
        request = urllib.request.Request(f"http://{address.removeprefix('::ffff:')}:{port}/get_or_create_runtime_env")
        request.data = b""
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=5) as reply:
                answers[name] = reply.status
        except urllib.error.HTTPError as error:
            answers[name] = error.code
        except OSError:
            continue
        except Exception:  # no HTTP/1
            continue
    assert set(answers.values()) == {401}, answers
