"""A cluster of several machines on this one: network namespaces on a bridge, each with an address and a Ray of its own.

What a machine listens on at 127.0.0.1 is out of reach of the others, its Ray's token is asked for, and when it dies all
its processes die with it. The Python of these machines has Ray and our dependencies, but not this package.
Needs root and iproute2; only Linux has either.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sysconfig
import tempfile
import time
import venv
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

PORT = 6379
STARTS = 3
"""How often a Ray is started: it gives up by itself after 30 seconds, which is short on a machine under load."""
_LONGEST_TEMP = "/tmp"
"""A socket's path must stay below 107 bytes, which pytest's folders are too long for."""


def possible() -> bool:
    """Whether namespaces can be made here."""
    if os.geteuid() != 0 or not shutil.which("ip"):
        return False
    name = f"hm{os.getpid()}-try"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False).returncode == 0
    if made:
        _ip("netns", "del", name)
    return made


class Machine:
    """One of them: a namespace and an address."""

    def __init__(
        self, name: str, address: str, environment: Mapping[str, str], python: Path, hidden: Sequence[Path]
    ) -> None:
        self.name, self.address = name, address
        self.environment, self.python, self._hidden = dict(environment), python, hidden
        self._started: list[subprocess.Popen[str]] = []

    def start(
        self, *command: str, environment: Mapping[str, str] | None = None, **how: object
    ) -> subprocess.Popen[str]:
        """Start a command there, with its output in pipes."""
        settings: dict[str, object] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "cwd": "/"} | how
        env = self.environment | dict(environment or {})
        process = subprocess.Popen(["ip", "netns", "exec", self.name, *command], text=True, env=env, **settings)  # type: ignore[call-overload]
        self._started.append(process)
        return process

    def start_ray(self, *arguments: str) -> None:
        """Start a Ray that uses the machine's own Python, and sees nothing of what is hidden from it.

        Raises:
            RuntimeError: it did not come up; with its last words.
        """
        hide = "".join(f"mount -t tmpfs none '{folder}' && " for folder in self._hidden)  # `ip netns exec` unshares
        ray = ["sh", "-c", f'{hide} exec "$@"', "sh", str(self.python), "-m", "ray.scripts.scripts", "start", "--block"]
        own = [f"--node-ip-address={self.address}", "--num-cpus=1", f"--object-store-memory={100 * 2**20}"]
        path = Path(self.environment["HOME"], f"{self.name}.log")
        for _ in range(STARTS):
            with path.open("w") as log:
                process = self.start(*ray, *own, *arguments, stdout=log, stderr=log)
            while process.poll() is None:
                if "Ray runtime started" in path.read_text():
                    return
                time.sleep(0.1)
        raise RuntimeError(f"Ray did not come up on {self.name}: {path.read_text()[-2000:]}")

    def pids(self) -> list[int]:
        """Of all its processes."""
        shown = subprocess.run(["ip", "netns", "pids", self.name], capture_output=True, text=True, check=False).stdout
        return [int(pid) for pid in shown.split()]

    def die(self) -> None:
        """Like a plug that is pulled."""
        while pids := self.pids():  # what is killed may just have started something
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)
        for process in self._started:
            process.wait()
            for pipe in (process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()
        self._started.clear()


class Machines:
    """Some machines in one network, the first of which has Ray's head. A context manager that leaves nothing behind.

    Args:
        count: how many.
        environment: variables that every machine has.
        hidden: folders of the machine on which a run is started, which the Rays of others do not see.
    """

    def __init__(self, count: int, hidden: Sequence[Path] = (), environment: Mapping[str, str] | None = None) -> None:
        self._id = f"hm{os.getpid() % 10000}{secrets.token_hex(2)}"
        self._net = f"10.{secrets.randbelow(100) + 100}.{secrets.randbelow(250) + 1}"
        self._folder = Path(tempfile.mkdtemp(prefix="hm-", dir=_LONGEST_TEMP))
        token = self._folder / "token"
        token.touch(0o600)
        token.write_text(secrets.token_hex(32))
        variables = {
            "PATH": os.environ["PATH"],
            "HOME": str(self._folder),
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN_PATH": str(token),
            "RAY_USAGE_STATS_ENABLED": "0",
        }
        python = bare_python(self._folder / "python")
        variables |= environment or {}
        names = [f"{self._id}-{number}" for number in range(1, count + 1)]
        self.all = [Machine(name, f"{self._net}.{n}", variables, python, hidden) for n, name in enumerate(names, 1)]

    @property
    def head(self) -> Machine:
        return self.all[0]

    @property
    def address(self) -> str:
        """Of the cluster."""
        return f"{self.head.address}:{PORT}"

    def __enter__(self) -> Machines:
        try:
            self._wire()
            self.start_ray()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def start_ray(self) -> None:
        """Bring a cluster up on machines that have none."""
        folder = tempfile.mkdtemp(prefix="ray", dir=self._folder)
        head = (
            "--head",
            f"--port={PORT}",
            "--include-dashboard=false",
            "--include-log-monitor=false",
            f"--temp-dir={folder}",
        )
        self.head.start_ray(*head)
        for machine in self.all[1:]:
            machine.start_ray(f"--address={self.address}")

    def stop_ray(self) -> None:
        """End everything on every machine."""
        for machine in self.all:
            machine.die()

    def close(self) -> None:
        self.stop_ray()
        for machine in self.all:
            _ip("netns", "del", machine.name, check=False)  # with its end of the cable
        _ip("link", "del", self._id, check=False)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _wire(self) -> None:
        _ip("link", "add", self._id, "type", "bridge")
        _ip("link", "set", self._id, "up")
        for number, machine in enumerate(self.all, 1):
            end = f"{self._id}v{number}"
            _ip("netns", "add", machine.name)
            _ip("link", "add", end, "type", "veth", "peer", "name", "eth0", "netns", machine.name)
            _ip("link", "set", end, "master", self._id, "up")
            _ip("-n", machine.name, "address", "add", f"{machine.address}/24", "dev", "eth0")
            for device in ("lo", "eth0"):
                _ip("-n", machine.name, "link", "set", device, "up")


def bare_python(folder: Path) -> Path:
    """A Python with the packages of this one, except for what is installed editable: this package."""
    venv.create(folder, symlinks=True)
    scheme = {"base": str(folder), "platbase": str(folder)}
    own = Path(sysconfig.get_path("purelib", vars=scheme))
    (own / "packages.pth").write_text(sysconfig.get_path("purelib") + "\n")  # a .pth file there is not looked at
    return folder / "bin" / "python"


def _ip(*arguments: str, check: bool = True) -> None:
    subprocess.run(["ip", *arguments], check=check, capture_output=True)
