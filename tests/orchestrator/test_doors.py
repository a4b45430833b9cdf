"""T29: nothing that we start can be opened to the network by accident."""

from __future__ import annotations

import inspect
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from housemates.actors.model import local, scripted_server
from housemates.env.virtualhome.guardian import BoundedLog
from housemates.orchestrator import cli
from housemates.orchestrator.cluster import access
from housemates.orchestrator.cluster.access import check_loopback, private_access
from housemates.orchestrator.commands.serve import open_to_others
from housemates.orchestrator.errors import RuntimeFailure
from typer.main import get_command
from typer.testing import CliRunner


def test_no_command_but_the_simulator_s_and_the_scripted_model_s_can_listen_beyond_loopback() -> None:
    commands: Any = get_command(cli.app)
    listening = {
        name
        for name, command in commands.commands.items()
        if any(option in ("--host", "--bind") for parameter in command.params for option in parameter.opts)
    }
    assert listening == {"serve", "llm"}
    for module in (local, scripted_server):
        assert "0.0.0.0" not in inspect.getsource(module)


def test_a_scripted_model_that_others_reach_wants_a_key() -> None:
    done = CliRunner().invoke(cli.app, ["llm", "--host", "0.0.0.0", "--port", "0"])
    assert done.exit_code == 2
    assert "--key-env" in done.output


@pytest.mark.parametrize(
    ("host", "others"), [("127.0.0.1", False), ("localhost", False), ("::1", False), ("0.0.0.0", True), ("::", True)]
)
def test_a_simulator_that_others_can_reach_says_so_loudly(host: str, others: bool) -> None:
    assert open_to_others(host) is others


def test_a_ray_of_ours_that_listens_elsewhere_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    monkeypatch.setattr(ray.util, "get_node_ip_address", lambda: "192.0.2.7")
    with pytest.raises(RuntimeFailure, match=r"listens at 192\.0\.2\.7 instead of 127\.0\.0\.1"):
        check_loopback()


def test_a_variable_that_opens_ray_does_not_open_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "_take_in", lambda: None)
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    with private_access(tmp_path):
        assert os.environ["RAY_AUTH_MODE"] == "token"
        assert len(Path(os.environ["RAY_AUTH_TOKEN_PATH"]).read_text()) == 64
    assert os.environ["RAY_AUTH_MODE"] == "disabled", "and is the user's again"


def test_the_log_of_a_simulator_is_its_user_s_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        log = BoundedLog(tmp_path / "log", 10)
        for _ in range(3):
            log.write(b"12345678")
    finally:
        os.umask(before)
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {
        "log": 0o600,
        "log.1": 0o600,
    }
