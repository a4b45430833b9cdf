"""Child processes that must never be left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from housemates.actors.model import server_process
from housemates.actors.model.scripted_server import scripted_server
from housemates.actors.model.server_process import ServerError, ServerProcess


def gone(pid: int, within_s: float = 5.0) -> bool:
    """Whether the process ends (or is only waiting to be reaped) in time."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    yield tmp_path


def test_a_started_server_answers_and_a_stopped_one_is_gone() -> None:
    with scripted_server() as server:
        assert server.alive
        assert urllib.request.urlopen(f"{server.url}/models", timeout=5).status == 200
        pid = server.pid
    assert pid is not None
    assert gone(pid)
    assert not server.alive
    server.stop()  # a second time does nothing


def test_a_server_is_in_a_session_of_its_own_so_that_ctrl_c_does_not_reach_it() -> None:
    with scripted_server() as server:
        assert server.pid is not None
        assert os.getsid(server.pid) != os.getsid(0)


def test_a_server_dies_with_its_killed_parent() -> None:
    code = (
        "from housemates.actors.model.scripted_server import scripted_server as s; import sys, time\n"
        "p = s(); p.start(); sys.stdout.write(f'{p.pid}\\n'); sys.stdout.flush(); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    assert gone(pid)


def test_a_server_survives_the_thread_that_started_it() -> None:
    server = scripted_server()
    thread = threading.Thread(target=server.start)
    thread.start()
    thread.join()
    try:
        time.sleep(0.7)
        assert server.alive
    finally:
        server.stop()


def test_output_of_a_library_does_not_disturb_the_announcement(modules: Path) -> None:
    (modules / "noisy_server.py").write_text(
        "import os, time\n"
        "from housemates.actors.model.server_process import be_supervised\n"
        "announce = be_supervised()\n"
        "os.write(1, b'native library banner\\n')\n"
        "announce(4242)\n"
        "time.sleep(60)\n"
    )
    with ServerProcess("noisy_server", log_path=modules / "logs" / "noisy.log") as server:
        assert server.url == "http://127.0.0.1:4242/v1"
    assert "native library banner" in (modules / "logs" / "noisy.log").read_text()


def test_a_log_that_is_full_begins_anew_and_the_one_before_is_kept(
    modules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_process, "LOG_BYTES", 1000)
    (modules / "talking_server.py").write_text(
        "import sys, time\n"
        "from housemates.actors.model.server_process import be_supervised\n"
        "be_supervised()(4242)\n"
        "for number in range(100_000):\n"
        "    print('line', number, file=sys.stderr, flush=True)\n"
        "    time.sleep(0.001)\n"
    )
    log, older = modules / "talking.log", modules / "talking.log.1"
    with ServerProcess("talking_server", log_path=log) as server:
        began = 0
        while began < 3:  # times
            time.sleep(0.01)
            full = log.stat().st_size > 1000
            server.bound_log()
            began += full
            assert log.stat().st_size < 1000
        while len(log.read_text().splitlines()) < 4:  # it goes on
            time.sleep(0.01)
    assert older.stat().st_size == 1000
    assert older.stat().st_mode & 0o777 == 0o600
    kept, later = ([int(line.split()[1]) for line in path.read_text().splitlines()[1:-1]] for path in (older, log))
    assert kept == list(range(kept[0], kept[0] + len(kept)))
    assert later[0] > kept[-1]


@pytest.mark.parametrize("room", [True, False])
def test_where_a_full_disk_has_no_room_for_the_older_log_there_is_none(
    modules: Path, monkeypatch: pytest.MonkeyPatch, room: bool
) -> None:
    log, older = modules / "silent.log", modules / "silent.log.1"

    def opened(path: str, flags: int) -> int:
        return os.open("/dev/full" if path == str(older) and not room else path, flags, 0o600)

    monkeypatch.setattr(server_process, "_private", opened)
    monkeypatch.setattr(server_process, "LOG_BYTES", 10)
    log.write_text("what an earlier server had to say\n")
    older.write_text("what one before that had to say\n")
    (modules / "silent_server.py").write_text(
        "import time\n"
        "from housemates.actors.model.server_process import be_supervised\n"
        "be_supervised()(4242)\n"
        "time.sleep(60)\n"
    )
    with ServerProcess("silent_server", log_path=log):
        pass
    assert log.read_text() == ""
    assert (older.read_text() == "ad to say\n") if room else not older.exists()


@pytest.mark.parametrize("logged", [True, False])
def test_a_server_that_fails_shows_the_end_of_its_log(modules: Path, logged: bool) -> None:
    (modules / "broken_server.py").write_text("raise RuntimeError('no such weights')\n")
    server = ServerProcess("broken_server", log_path=modules / "x.log" if logged else None)
    with pytest.raises(ServerError, match=r"(?s)exit code 1.*no such weights"):
        server.start()
    assert server.pid is None


def test_a_server_that_is_never_ready_is_ended_at_the_deadline(modules: Path) -> None:
    (modules / "slow_server.py").write_text("import time\ntime.sleep(60)\n")
    server = ServerProcess("slow_server")
    began = time.monotonic()
    with pytest.raises(ServerError, match=r"not ready within 0\.5 s"):
        server.start(0.5)
    assert time.monotonic() - began < 4.0


def test_a_server_that_ignores_sigterm_is_killed(modules: Path) -> None:
    (modules / "stubborn_server.py").write_text(
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "sys.stdout.write('{\"port\": 1}\\n'); sys.stdout.flush()\n"
        "time.sleep(60)\n"
    )
    server = ServerProcess("stubborn_server")
    server.start()
    pid = server.pid
    began = time.monotonic()
    server.stop()
    assert time.monotonic() - began < 4.0
    assert pid is not None
    assert gone(pid)


def test_a_port_that_is_taken_is_an_error_that_says_so() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ServerError, match="address already in use"):
            scripted_server(port=taken.getsockname()[1]).start()
