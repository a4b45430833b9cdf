"""Ctrl-C ends a run within seconds, whatever the run is doing."""

from __future__ import annotations

import os
import select
import signal
import socket
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

EXIT_INTERRUPTED = 130
GRACE_S = 2.5
"""Seconds an interrupted run has to write its journal and stop its processes."""


@contextmanager
def bounded_interrupt(last_resort: Callable[[], None]) -> Generator[None]:
    """Within the context an interrupt gets `GRACE_S` to end the orderly way; then the process is ended.

    Python runs signal handlers between bytecodes only, and Ray starts and stops in C++ calls of several
    seconds; so a thread is told of the signal directly (`signal.set_wakeup_fd`). SIGTERM is treated like
    Ctrl-C. Use it in the main thread of a command, not in a library: it may end the whole process.

    Args:
        last_resort: called before the process is ended; kills what must not stay behind.
    """
    told, tell = socket.socketpair()
    tell.setblocking(False)
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            ready, _, _ = select.select([told], [], [], 0.2)
            signals = told.recv(64) if ready else b""
            if signal.SIGINT in signals or signal.SIGTERM in signals:
                if not over.wait(GRACE_S):
                    last_resort()
                    os.write(2, b"housemates: interrupted; what had to be stopped by force was\n")
                    os._exit(EXIT_INTERRUPTED)
                return

    def terminate(*_: object) -> None:
        signal.raise_signal(signal.SIGINT)

    previous_fd = signal.set_wakeup_fd(tell.fileno(), warn_on_full_buffer=False)
    previous_handler = signal.signal(signal.SIGTERM, terminate)
    watcher = threading.Thread(target=watch, daemon=True, name="interrupt-watch")
    watcher.start()
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous_handler)
        signal.set_wakeup_fd(previous_fd)
        over.set()
        watcher.join()
        told.close()
        tell.close()
