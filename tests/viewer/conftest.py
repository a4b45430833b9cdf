"""A viewer that is served for a test, and a real Chromium to look at it with."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from housemates.orchestrator.config import make_config
from housemates.orchestrator.run import run
from housemates.orchestrator.viewer.control import Control
from housemates.orchestrator.viewer.server import Viewer
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

Serve = Callable[..., str]


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real run of two agents, solved by the scripted model."""
    folder = tmp_path_factory.mktemp("viewer") / "recorded"
    run(make_config(llm="scripted", runtime="inline", agents=2, seed=1), folder)
    return folder


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serves folders from a thread of its own, until the test is over; returns their addresses."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    viewers: list[Viewer] = []

    def begin(folder: Path, *, study: bool = False, control: Control | None = None) -> str:
        viewers.append(Viewer(folder, study=study, control=control))
        return asyncio.run_coroutine_threadsafe(viewers[-1].start(), loop).result(10)

    yield begin
    for viewer in viewers:
        asyncio.run_coroutine_threadsafe(viewer.close(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture(scope="module")
def browser(recorded: Path) -> Iterator[Browser]:
    """Of one module only, and begun after the run was recorded: while it is open its event loop has the thread."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, serve: Serve) -> Iterator[Page]:
    """A page of 1280 by 900 pixels, closed before what it shows is.

    The test fails if it writes an error to the console, or asks any other host.
    """
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(8000)
    page = context.new_page()
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "request",
        lambda request: None if request.url.startswith(("http://127.0.0.1:", "blob:")) else errors.append(request.url),
    )
    yield page
    context.close()
    assert errors == []
