"""Simulators that fail in every way: each step happens once, and nothing is left behind."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from housemates.env.household.engine.engine import Engine, Primitive
from housemates.env.virtualhome.client import Deadlines, SimulatorError
from housemates.env.virtualhome.ports import lease_port
from housemates.env.virtualhome.process import SimulatorProcess
from housemates.env.virtualhome.session import SimulatorSession

from . import faulty_simulator
from .faulty_simulator import LEAK_BYTES, STEP_FAULTS
from .test_remote import home

pytestmark = pytest.mark.process

ROOT = Path(__file__).parent.parent.parent
QUICK = Deadlines(idle=0.5, scene=10.0, graph=5.0, step=2.0)
STEPS = 4

FURTHER_FAULTS = [
    pytest.param(fault, marks=pytest.mark.slow)
    for fault in STEP_FAULTS
    if fault not in ("crash before", "garbage", "leak")
]

MakeProcess = Callable[..., SimulatorProcess]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeProcess:
    """An executable with a planned fault, and the process that owns it."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))

    def build(fault: str = "none", **more: Any) -> SimulatorProcess:
        options = {key: more.pop(key) for key in ("memory_limit", "ready_timeout_s") if key in more}
        plan = json.dumps({"fault": fault, **more})
        path = tmp_path / "simulator.x86_64"
        path.write_text(f"#!/bin/sh\nexec {sys.executable} -P {faulty_simulator.__file__} {tmp_path} '{plan}' \"$@\"\n")
        path.chmod(0o755)
        return SimulatorProcess(path, tmp_path / "simulator.log", deadlines=QUICK, **options)

    return build


def gone(pid: int, within_s: float = 10.0) -> bool:
    """Whether nothing of a process is left, not even a zombie, in time."""
    deadline = time.monotonic() + within_s
    while psutil.pid_exists(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not psutil.pid_exists(pid)


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex(("127.0.0.1", port)) != 0


async def play(process: SimulatorProcess, steps: int = STEPS) -> tuple[dict[str, Any], int]:
    """Two people carry out `steps` steps; the scene afterwards, and how often the simulator was replaced."""
    session = SimulatorSession(process, deadlines=QUICK)
    graph = home(5)
    goals = [n for n, node in sorted(graph.nodes.items()) if node.class_name in ("bed", "sofa")]
    try:
        await session.begin(graph, 5)
        for number in range(steps):
            await session.step({1: Primitive("walktowards", goals[0]), 2: Primitive("walktowards", goals[1])}, number)
    finally:
        await session.close()
    return graph.to_dict(), session.restarts


def undisturbed(steps: int = STEPS) -> dict[str, Any]:
    graph = home(5)
    goals = [n for n, node in sorted(graph.nodes.items()) if node.class_name in ("bed", "sofa")]
    engine = Engine(graph, 5)
    for _ in range(steps):
        engine.step({1: Primitive("walktowards", goals[0]), 2: Primitive("walktowards", goals[1])})
    return graph.to_dict()


def lives(folder: Path) -> list[int]:
    return [int(pid) for pid in (folder / "starts").read_text().split()]


@pytest.mark.parametrize("fault", ["crash before", "garbage", *FURTHER_FAULTS])
async def test_a_simulator_that_fails_in_a_step_is_replaced_and_the_step_happens_once(
    make: MakeProcess, tmp_path: Path, fault: str
) -> None:
    scene, restarts = await play(make(fault, step=3))
    assert scene == undisturbed()
    assert restarts == 1
    assert len(lives(tmp_path)) == 2
    executed = [line.split(maxsplit=2) for line in (tmp_path / "executed").read_text().splitlines()]
    for life in ("1", "2"):
        done = [line for number, _, line in executed if number == life]
        assert len(done) <= STEPS  # no life saw a step twice: all steps together are STEPS
    assert sum(number == "2" for number, _, _ in executed) == STEPS - 2
    assert all(gone(pid) for pid in lives(tmp_path))


@pytest.mark.slow
async def test_a_simulator_that_leaks_is_replaced_between_two_steps(make: MakeProcess, tmp_path: Path) -> None:
    scene, restarts = await play(make("leak", step=2, memory_limit=LEAK_BYTES))
    assert scene == undisturbed()
    assert restarts == 1
    assert len((tmp_path / "executed").read_text().splitlines()) == STEPS  # nothing was done twice anywhere


@pytest.mark.parametrize(
    "fault",
    ["ends at once", *(pytest.param(fault, marks=pytest.mark.slow) for fault in ("never answers", "refuses the port"))],
)
async def test_a_simulator_that_does_not_come_up_is_started_again(
    make: MakeProcess, tmp_path: Path, fault: str
) -> None:
    scene, restarts = await play(make(fault, ready_timeout_s=4.0))
    assert scene == undisturbed()
    assert restarts == 1
    assert len(lives(tmp_path)) == 2


@pytest.mark.slow
async def test_a_slow_start_is_waited_for(make: MakeProcess, tmp_path: Path) -> None:
    scene, restarts = await play(make("slow start"))
    assert scene == undisturbed()
    assert restarts == 0


async def test_a_simulator_that_fails_again_and_again_is_given_up_with_its_log(
    make: MakeProcess, tmp_path: Path
) -> None:
    with pytest.raises(SimulatorError, match=r"(?s)failed 3 times.*log: .*simulator\.log.*life 3 on port") as caught:
        await play(make("crash before", step=2, lives=99))
    assert caught.value.kind == "lost"
    assert len((tmp_path / "executed").read_text().splitlines()) == 1  # the first step; the second never happened
    assert all(gone(pid) for pid in lives(tmp_path))


async def test_an_early_end_is_told_with_exit_code_and_output(make: MakeProcess) -> None:
    with pytest.raises(SimulatorError, match=r"(?s)ended with exit code 1.*no graphics device"):
        await make("ends at once").start()


async def test_a_file_that_cannot_be_executed_is_named(tmp_path: Path) -> None:
    path = tmp_path / "nothing.x86_64"
    with pytest.raises(SimulatorError, match=r"nothing\.x86_64 cannot be started: No such file"):
        await SimulatorProcess(path, tmp_path / "log").start()
    path.write_text("not a program")
    with pytest.raises(SimulatorError, match=r"nothing\.x86_64 cannot be started: Permission denied"):
        await SimulatorProcess(path, tmp_path / "log").start()


async def test_stopping_leaves_no_process_no_child_and_no_port(make: MakeProcess, tmp_path: Path) -> None:
    process = make("child")
    url = await process.start()
    assert process.pid is not None
    pids = [process.pid, *lives(tmp_path), int((tmp_path / "child").read_text())]
    await process.stop()
    await process.stop()
    assert all(gone(pid) for pid in pids)
    assert is_free(int(url.rpartition(":")[2]))


async def test_a_port_that_another_program_answers_is_not_taken_for_ours(
    make: MakeProcess, monkeypatch: pytest.MonkeyPatch, served: Any
) -> None:
    process = make("refuses the port", ready_timeout_s=5.0)
    lease = lease_port()
    lease.port = served.port
    monkeypatch.setattr("housemates.env.virtualhome.process.lease_port", lambda after: lease)
    with pytest.raises(SimulatorError, match="answered by another program"):
        await process.start()


def test_a_port_is_leased_once_and_free_again_after_release() -> None:
    first = lease_port()
    second = lease_port(first.port - 1)
    assert second.port != first.port
    first.release()
    third = lease_port(first.port - 1)
    assert third.port == first.port
    for lease in (second, third):
        lease.release()
        lease.release()


async def test_several_simulators_start_at_once_on_ports_of_their_own(make: MakeProcess, tmp_path: Path) -> None:
    make()
    processes = [
        SimulatorProcess(tmp_path / "simulator.x86_64", tmp_path / f"{number}.log", deadlines=QUICK)
        for number in range(3)
    ]
    try:
        urls = await asyncio.gather(*(process.start() for process in processes))
        assert len(set(urls)) == 3
    finally:
        await asyncio.gather(*(process.stop() for process in processes))


OWNER = """
import asyncio, sys, time
from pathlib import Path
from housemates.env.virtualhome.process import SimulatorProcess

async def main():
    process = SimulatorProcess(Path(sys.argv[1]), Path(sys.argv[2]))
    await process.start()
    print(process._guardian.pid, process.pid, flush=True)
    time.sleep(60)

asyncio.run(main())
"""


@pytest.mark.parametrize("victim", ["owner", "guardian"])
def test_nothing_outlives_an_owner_or_a_guardian_that_was_killed(
    make: MakeProcess, tmp_path: Path, victim: str
) -> None:
    path = make("child").path
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(path), str(tmp_path / "log")], stdout=subprocess.PIPE, cwd=ROOT
    )
    try:
        assert owner.stdout is not None
        guardian, simulator = (int(number) for number in owner.stdout.readline().split())
        child = int((tmp_path / "child").read_text())
        os.kill(owner.pid if victim == "owner" else guardian, signal.SIGKILL)
        assert gone(simulator)
        if victim == "owner":
            owner.wait()
            assert gone(guardian)
            assert gone(child)  # also what left the group
        else:
            os.kill(child, signal.SIGKILL)  # nobody is left who could know of it
    finally:
        owner.kill()
        owner.wait()
        owner.stdout.close()


async def test_the_log_is_bounded(make: MakeProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "chatty"
    path.write_text("#!/bin/sh\nyes 'a line that is written again and again' | head -c 300000\nexec sleep 60\n")
    path.chmod(0o755)
    monkeypatch.setattr("housemates.env.virtualhome.process.LOG_LIMIT_BYTES", 100_000)
    process = SimulatorProcess(path, tmp_path / "chatty.log", ready_timeout_s=1.5)
    with pytest.raises(SimulatorError, match="not ready within"):
        await process.start()
    sizes = [(tmp_path / name).stat().st_size for name in ("chatty.log", "chatty.log.1")]
    assert max(sizes) <= 100_000
