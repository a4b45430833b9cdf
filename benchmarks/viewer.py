"""How long the viewer takes to open a large run, and to show a step of it.

    python benchmarks/viewer.py            10,000 steps of 2 agents, and 150 steps of 1,000 agents
    python benchmarks/viewer.py --browser  the same in a real Chromium, from the address to the first step on the page

The journals are made up, with observations, plans and states of the usual size. Times are wall clock, of this machine.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import aiohttp
from housemates.benchmarks import LeftOut, Row
from housemates.orchestrator.journal.index import JournalIndex
from housemates.orchestrator.journal.log import FILE_NAME
from housemates.orchestrator.viewer.server import Viewer

RUNS = {"10,000 steps, 2 agents": (10_000, 2), "150 steps, 1,000 agents": (150, 1000)}
SCRUBS = 100


def long_run(folder: Path, steps: int, agents: int) -> Path:
    """A made-up run.

    Raises:
        LeftOut: what makes it is among the tests, which an installed package does not have.
    """
    sys.path.append(str(Path(__file__).parent.parent))
    try:
        from tests.viewer import journals
    except ImportError:
        raise LeftOut("needs the tests of a checkout") from None
    return journals.long_run(folder, steps, agents)


def rows() -> list[Row]:
    steps, agents = 2000, 2
    with tempfile.TemporaryDirectory() as place:
        folder = long_run(Path(place) / "run", steps, agents)
        opened, scrub = asyncio.run(measure(folder, steps, agents, False))
    what = f"a run of {steps} steps and {agents} agents"
    return [Row(f"{what}: opened, first step there", opened, "s"), Row("… another step", 1000 * scrub, "ms")]


async def measure(folder: Path, steps: int, agents: int, browser: bool) -> tuple[float, float]:
    """Prints all, and returns the seconds to the first step and of the median other one."""
    began = time.perf_counter()
    JournalIndex(folder).close()
    print(f"  index             {time.perf_counter() - began:8.3f} s")
    viewer = Viewer(folder)
    began = time.perf_counter()
    address = await viewer.start()
    async with aiohttp.ClientSession(address) as session:

        async def get(path: str) -> None:
            async with session.get(path) as response:
                assert response.status == 200, await response.text()
                await response.read()

        await get("/")
        await get("/api/runs/run")
        await get("/api/runs/run/steps/0")
        await get("/api/runs/run/steps/0/agents/Agent_1")
        opened = time.perf_counter() - began
        print(f"  open, first step  {opened:8.3f} s")
        chance = random.Random(0)
        times: list[float] = []
        for name in ("while it is read", "when it was read"):
            times.clear()
            for _ in range(SCRUBS):
                step, agent = chance.randrange(steps), chance.randint(1, agents)
                then = time.perf_counter()
                await asyncio.gather(
                    get(f"/api/runs/run/steps/{step}"), get(f"/api/runs/run/steps/{step}/agents/Agent_{agent}")
                )
                times.append(time.perf_counter() - then)
            p95 = statistics.quantiles(times, n=20)[-1]
            print(f"  scrub {name}  p50 {1000 * statistics.median(times):6.1f} ms, p95 {1000 * p95:6.1f} ms")
            while True:
                async with session.get("/api/runs/run/track?first=999999") as response:
                    if (await response.json())["complete"]:
                        break
                await asyncio.sleep(0.05)
            if name == "while it is read":
                print(f"  all of it read    {time.perf_counter() - began:8.3f} s")
    if browser:
        await in_browser(address)
    await viewer.close()
    return opened, statistics.median(times)


async def in_browser(address: str) -> None:
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = await chromium.new_page()
        began = time.perf_counter()
        await page.goto(address)
        await page.wait_for_selector("[role=option] code")
        await page.wait_for_selector(".decision .text")
        print(f"  page, first step  {time.perf_counter() - began:8.3f} s")
        times: list[float] = []
        last = int(await page.locator("#slider").get_attribute("max") or 0)
        for number in range(1, 31):
            step = number * last // 31
            then = time.perf_counter()
            await page.locator("#slider").fill(str(step))
            await page.locator(".panel", has_text=f"step {step} of Agent_1").wait_for()
            times.append(time.perf_counter() - then)
        print(f"  page, scrub       p50 {1000 * statistics.median(times):6.1f} ms, max {1000 * max(times):6.1f} ms")
        await chromium.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--browser", action="store_true", help="measure the page in Chromium, too")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        for number, (name, (steps, agents)) in enumerate(RUNS.items()):
            folder = long_run(Path(place) / str(number), steps, agents)
            print(f"{name}, {(folder / FILE_NAME).stat().st_size / 1e6:.0f} MB")
            asyncio.run(measure(folder, steps, agents, arguments.browser))


if __name__ == "__main__":
    main()
