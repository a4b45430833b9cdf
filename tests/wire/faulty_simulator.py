"""A simulator that fails on command: our server with faults, started like the Unity executable.

    faulty_simulator.py FOLDER PLAN -batchmode -http-port=N …

FOLDER is the memory that outlives it: `starts` counts its lives, `executed` lists `life step line` for every script
it carried out. PLAN is JSON: {"fault": NAME, "step": k, "lives": n}; the fault happens with the k-th script
(from 1, counted over all lives) in the first n lives, or at the start for those faults that belong there.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from aiohttp import web
from housemates.env.virtualhome.actions import Simulation
from housemates.env.virtualhome.server import application_of, refuse, reply, run_application
from housemates.env.virtualhome.wire import Request

STEP_FAULTS = (
    "crash before",
    "crash after",
    "hang before",
    "hang after",
    "garbage",
    "wrong shape",
    "status 408",
    "status 500",
    "half an answer",
    "leak",
    "graph garbage",
)
"""Faults with a script; "after" means it was carried out, but nobody is told."""

START_FAULTS = ("ends at once", "never answers", "refuses the port", "slow start")

LEAK_BYTES = 256 * 2**20


class Faults:
    def __init__(self, folder: Path, plan: dict[str, Any]) -> None:
        self.fault, self.step, self.lives = plan["fault"], plan.get("step", 1), plan.get("lives", 1)
        self.folder = folder
        self.executed = folder / "executed"
        with (folder / "starts").open("a") as starts:
            starts.write(f"{os.getpid()}\n")
        self.life = len((folder / "starts").read_text().splitlines())
        self.simulation = Simulation()
        self.hoard: list[bytes] = []

    def strikes(self) -> bool:
        return self.life <= self.lives

    def scripts(self) -> int:
        return len(self.executed.read_text().splitlines()) if self.executed.exists() else 0

    async def answer(self, request: Request) -> web.Response:
        fault = self.fault if self.strikes() and self.scripts() + 1 >= self.step else ""
        if request.action == "environment_graph" and fault == "graph garbage" and self.hoard:
            return web.Response(text="{]")
        if request.action != "render_script":
            return reply(self.simulation.answer(request))
        if fault == "crash before":
            os._exit(139)
        if fault == "hang before":
            await asyncio.sleep(3600)
        if fault.startswith("status "):
            return refuse(int(fault.split()[1]), "Timeout" if "408" in fault else "Unknown error (boom)")
        response = self.simulation.answer(request)
        with self.executed.open("a") as executed:
            executed.write(f"{self.life} {self.scripts() + 1} {request.string_params[1]}\n")
        if fault == "crash after":
            os._exit(139)
        if fault == "hang after":
            await asyncio.sleep(3600)
        if fault == "garbage":
            return web.Response(body=b"\x00\xff not JSON", content_type="application/json")
        if fault == "wrong shape":
            return web.json_response({"success": "perhaps", "message": {"0": []}})
        if fault == "half an answer":
            return web.Response(body=b'{"id": "1", "succ', headers={"Content-Length": "1000"})
        if fault in ("leak", "graph garbage"):
            self.hoard.append(b"x" * (LEAK_BYTES if fault == "leak" else 1))
        return reply(response)


def main() -> None:
    faults = Faults(Path(sys.argv[1]), json.loads(sys.argv[2]))
    port = next(int(argument.partition("=")[2]) for argument in sys.argv if argument.startswith("-http-port="))
    sys.stdout.write(f"life {faults.life} on port {port}\n")
    sys.stdout.flush()
    start_fault = faults.fault if faults.strikes() else ""
    if start_fault == "ends at once":
        sys.exit("no graphics device")
    if start_fault == "refuses the port":
        time.sleep(3600)
    if start_fault == "slow start":
        time.sleep(2)
    app = application_of(_never if start_fault == "never answers" else faults.answer)
    if faults.fault == "child":
        child = subprocess.Popen(["sleep", "3600"], start_new_session=True)
        (faults.folder / "child").write_text(str(child.pid))
    asyncio.run(run_application(app, "127.0.0.1", port, lambda url: None))


async def _never(request: Request) -> web.Response:
    await asyncio.sleep(3600)
    raise AssertionError


if __name__ == "__main__":
    main()
