"""What a benchmark's processes use: this one and all it started, Ray's own among them."""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Collection, Generator, Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

import psutil

SAMPLE_S = 2.0
PSS_EVERY = 10


class Cpu(NamedTuple):
    """CPU seconds so far: of this process, of the model, and of all others."""

    own: float
    model: float
    others: float

    @property
    def ours(self) -> float:
        """Of all but the model."""
        return self.own + self.others


class Meter:
    """CPU and memory of this process and its descendants. One that has ended counts with what it was last seen to use.

    What looking takes itself, some milliseconds each time, is left out: it would weigh on whoever does little.

    Args:
        model: the processes that stand in for a model, which nobody counts as ours.

    Attributes:
        rss: the largest sum of resident memory seen, in bytes; pages that processes share count in each.
        pss: the same with shared pages counted once, looked at less often, because that is slow.
    """

    def __init__(self, model: Collection[int]) -> None:
        self._model = model
        self._cpu: dict[int, float] = {}
        self._lock = threading.Lock()
        self._looking = 0.0
        self.rss = 0
        self.pss = 0

    @contextmanager
    def watching(self) -> Generator[None]:
        """Within the context all is looked at every few seconds."""
        over = threading.Event()

        def watch() -> None:
            for number in itertools.count():
                if over.wait(SAMPLE_S):
                    return
                self.look()
                if number % PSS_EVERY == 0:
                    self._share()

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            over.set()
            watcher.join()

    def look(self) -> Cpu:
        """What has been used until now."""
        with self._uncounted():
            own = time.process_time() - self._looking
            resident = 0
            for process in tree():
                with suppress(psutil.Error):
                    times = process.cpu_times()
                    self._cpu[process.pid] = times.user + times.system
                    resident += process.memory_info().rss
            self.rss = max(self.rss, resident)
            model = sum(seconds for pid, seconds in self._cpu.items() if pid in self._model)
            others = sum(self._cpu.values()) - model - self._cpu.get(os.getpid(), 0.0)
            return Cpu(own, model, others)

    def _share(self) -> None:
        """Look at shared pages, slowly: process by process, so that whoever looks meanwhile counts little of it."""
        total = 0
        for process in tree():
            with self._uncounted(), suppress(psutil.Error):
                total += process.memory_full_info().pss
        self.pss = max(self.pss, total)

    @contextmanager
    def _uncounted(self) -> Generator[None]:
        with self._lock:
            began = time.thread_time()
            yield
            self._looking += time.thread_time() - began


def tree() -> Iterator[psutil.Process]:
    """This process and its descendants."""
    me = psutil.Process()
    yield me
    with suppress(psutil.Error):
        yield from me.children(recursive=True)
