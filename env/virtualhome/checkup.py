"""What is wrong with a simulator, in words: the failures that users of VirtualHome report, recognised.

Two kinds of patients: an executable, which is started, examined thoroughly and ended, and a simulator that
somebody runs, of which only harmless questions are asked.
"""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from .client import SimulatorClient, SimulatorError
from .process import SimulatorProcess
from .wire import WireGraph

_MACHINES = {0x3E: ("x86_64", "AMD64"), 0xB7: ("aarch64", "arm64")}
"""ELF machine numbers."""

_NO_PROGRAMS = (
    (b"PK", "is a zip archive", "unpack it, all of it, and name the executable inside"),
    (b"MZ", "is a program for Windows", "download the build for Linux"),
    (b"version https://git-lfs", "is a placeholder for a file kept elsewhere", "fetch it with git lfs pull"),
    (b"<", "is a web page", "the download failed; fetch it again"),
)
"""How files begin that people take for an executable, what they are, and what to do."""

_FEW_NODES = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `remedy` says what to do about it; with `ok` it is only worth knowing."""

    ok: bool
    text: str
    remedy: str = ""


class _Stop(Exception):
    """Nothing more can be found out."""


async def examine(simulator: str) -> AsyncIterator[Finding]:
    """Examine a simulator, an executable's path or a URL; yields findings as they are made."""
    try:
        if simulator.startswith(("http://", "https://")):
            async for finding in _examine_running(simulator):
                yield finding
        else:
            async for finding in _examine_executable(Path(simulator)):
                yield finding
    except _Stop:
        return


# -- an executable ----------------------------------------------------------------------------


async def _examine_executable(path: Path) -> AsyncIterator[Finding]:
    wrong = look_at_file(path)
    if wrong is not None:
        yield wrong
        return
    yield Finding(True, f"{path} can be executed")
    if os.environ.get("DISPLAY"):
        yield Finding(True, f"it will draw on the display {os.environ['DISPLAY']}")
    else:
        remedy = "for pictures from Unity run under xvfb-run, or set DISPLAY"
        yield Finding(True, "there is no display, so it is started with -nographics and makes no pictures", remedy)
    with tempfile.TemporaryDirectory(prefix="housemates-doctor-") as folder:
        process = SimulatorProcess(path, Path(folder) / "simulator.log")
        try:
            try:
                url = await process.start()
            except SimulatorError as error:
                yield _did_not_start(error)
                return
            yield Finding(True, f"it starts and answers at {url}")
            async with SimulatorClient(url) as client:
                async for finding in _question(client):
                    yield finding
                async for finding in _try_out(client):
                    yield finding
        finally:
            await process.stop()
    yield Finding(True, "it ends when it is told to")


def look_at_file(path: Path) -> Finding | None:
    """What is wrong with a file that should be an executable; None: nothing."""
    path = path.expanduser()
    if not path.exists():
        longer = path.with_name(path.name + ".x86_64")
        remedy = f"did you mean {longer}?" if longer.exists() else "check the path; downloads must be unpacked first"
        return Finding(False, f"there is no file {path}", remedy)
    if path.is_dir():
        inside = sorted(path.glob("*.x86_64")) + sorted(path.glob("Contents/MacOS/*"))
        remedy = f"name the executable in it: {inside[0]}" if inside else "name the executable, not its folder"
        return Finding(False, f"{path} is a folder", remedy)
    with path.open("rb") as file:
        head = file.read(64)
    for start, what, remedy in _NO_PROGRAMS:
        if head.startswith(start):
            return Finding(False, f"{path} {what}", remedy)
    if head.startswith(b"\x7fELF") and len(head) >= 20:
        machine = int.from_bytes(head[18:20], "little")
        if platform.machine() not in _MACHINES.get(machine, (platform.machine(),)):
            names = _MACHINES[machine][0]
            return Finding(False, f"{path} is for {names} processors, this is {platform.machine()}", "")
        data = path.with_name(path.name.removesuffix(".x86_64").removesuffix(".x86") + "_Data")
        if path.suffix in (".x86_64", ".x86") and not data.is_dir():
            return Finding(
                False, f"{data} is missing beside {path.name}", "unpack the whole archive, not one file of it"
            )
    if not os.access(path, os.X_OK):
        return Finding(False, f"{path} is not marked as executable", f"chmod +x {path}")
    return None


def _did_not_start(error: SimulatorError) -> Finding:
    text = str(error)
    lower = text.lower()
    if "display" in lower or "x11" in lower or "glx" in lower or "graphics" in lower:
        return Finding(False, text, "it found no display to draw on: unset DISPLAY, or run under xvfb-run")
    if error.kind == "timeout":
        return Finding(False, text, "it started, but its port stays silent; look into the log for what it waits for")
    if "error while loading shared libraries" in lower:
        return Finding(False, text, "install the library that is named")
    return Finding(False, text, "look into the end of the log above for the reason")


# -- one that runs ----------------------------------------------------------------------------


async def _examine_running(url: str) -> AsyncIterator[Finding]:
    try:
        client = SimulatorClient(url)
    except ValueError as error:
        yield Finding(False, str(error))
        return
    host = urlsplit(url).hostname or ""
    if "http" in getproxies() and not proxy_bypass(host):
        remedy = f"housemates does not, but the public Python client does: set NO_PROXY={host}"
        yield Finding(True, f"clients that obey HTTP_PROXY would ask a proxy for {host}", remedy)
    async with client:
        async for finding in _question(client):
            yield finding


async def _question(client: SimulatorClient) -> AsyncIterator[Finding]:
    """Ask what changes nothing."""
    try:
        ready = await client.idle()
    except SimulatorError as error:
        yield Finding(False, str(error), _NO_ANSWER.get(error.kind, ""))
        raise _Stop from None
    if not ready:
        yield Finding(False, f"{client.url} answers, but says it is not ready", "wait for it, or restart it")
        raise _Stop
    yield Finding(True, f"{client.url} speaks the protocol")
    try:
        dialect = await client.detect_dialect()
        yield Finding(True, *_DIALECTS[dialect])
        graph = await client.environment_graph()
        cameras = await client.camera_count()
    except SimulatorError as error:
        yield Finding(False, str(error), _NO_ANSWER.get(error.kind, "restart the simulator"))
        raise _Stop from None
    for finding in _judge(graph):
        yield finding
    yield Finding(True, f"it has {cameras} cameras")


_DIALECTS = {
    "reset": (
        "it knows the action reset, as builds up to 2.2 and those of cwah do",
        "housemates uses it; the public Python client 2.3 uses clear and environment, which such builds may not know",
    ),
    "environment": (
        "it resets by the actions clear and environment, as 2.3 does",
        "housemates adapts; clients made for builds up to 2.2, or from the branch wah, say reset, and fail here",
    ),
}

_NO_ANSWER = {
    "unreachable": "it is not running, or listens on another port or address: start it, and compare -http-port",
    "timeout": "something accepts connections but does not answer: a simulator that hangs (no display?), restart it",
    "broken": "something else listens there (check the port), or the simulator is broken (restart it)",
}


def _judge(graph: WireGraph) -> list[Finding]:
    rooms = sorted(node.class_name for node in graph.nodes if node.category == "Rooms")
    if len(graph.nodes) < _FEW_NODES or not rooms:
        return [Finding(False, f"its scene has {len(graph.nodes)} nodes and {len(rooms)} rooms", "reset it first")]
    findings = [Finding(True, f"its scene has {len(graph.nodes)} nodes; rooms: {', '.join(rooms)}")]
    if any(node.class_name == "kitchencabinets" for node in graph.nodes):
        remedy = "housemates translates; code that says kitchencabinet will find none"
        findings.append(Finding(True, "it spells kitchencabinets, as builds up to 2.2 do", remedy))
    return findings


async def _try_out(client: SimulatorClient) -> AsyncIterator[Finding]:
    """Do once what an episode does; for a simulator of our own only, because it resets the scene."""
    try:
        await client.reset(0)
        yield Finding(True, "it resets to apartment 0")
        expansion = await client.expand_scene(await client.environment_graph())
        if expansion.ok:
            yield Finding(True, "it accepts its own scene back (expand_scene)")
        else:
            why = expansion.text or str(expansion.complaints)
            remedy = "a graph recorded with another version of the executable, or no space, gives the same failure"
            yield Finding(False, f"it refuses its own scene (expand_scene): {why[:300]}", remedy)
        if not await client.add_character("Chars/Male1", room="kitchen"):
            yield Finding(False, "it cannot add a character to the kitchen", "try another apartment")
            return
        graph = await client.environment_graph()
        kitchen = next((node for node in graph.nodes if node.class_name == "kitchen"), None)
        if kitchen is None:
            yield Finding(False, "apartment 0 has no kitchen", "this is no apartment of VirtualHome")
            return
        report = await client.render_script([f"<char0> [walktowards] <kitchen> ({kitchen.id})"])
        if report.ok:
            yield Finding(True, "a character carries out a script")
        else:
            yield Finding(False, f"a character cannot walk: {'; '.join(report.failures.get(0, ()))}", "")
        if await client.camera_image(0) is None:
            remedy = "start it with a display (xvfb-run) if you need pictures; housemates draws its own"
            yield Finding(True, "it makes no pictures", remedy)
        else:
            yield Finding(True, "it makes pictures")
    except SimulatorError as error:
        yield Finding(False, str(error), _NO_ANSWER.get(error.kind, "the simulator works, but not as VirtualHome does"))
        raise _Stop from None
