"""Ctrl-C ends a run within seconds, whatever the run is doing."""

from __future__ import annotations

import os
import select
import signal
import socket
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

from .exit_codes import EXIT_INTERRUPTED

ALSO = (signal.SIGTERM, signal.SIGHUP)
"""What else ends a run like Ctrl-C: being told to end, and a terminal that is gone."""
GRACE_S = 2.5
"""Seconds an interrupted run has to write its journal and stop its processes."""


@contextmanager
def bounded_interrupt(last_resort: Callable[[], None]) -> Generator[None]:
    """Within the context an interrupt gets `GRACE_S` to end the orderly way; then the process is ended.

    Python runs signal handlers between bytecodes only, and Ray starts and stops in C++ calls of several
    seconds; so a thread is told of the signal directly (`signal.set_wakeup_fd`). SIGTERM and SIGHUP are
    treated like Ctrl-C. Use it in the main thread of a command, not in a library: it may end the process.

    Args:
        last_resort: called before the process is ended; kills what must not stay behind.
    """
    heard = [number for number in ALSO if signal.getsignal(number) is not signal.SIG_IGN]  # nohup means it
    told, tell = socket.socketpair()
    tell.setblocking(False)
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            ready, _, _ = select.select([told], [], [], 0.2)
            signals = told.recv(64) if ready else b""
            if any(number in signals for number in (signal.SIGINT, *heard)):
                if not over.wait(GRACE_S):
                    last_resort()
                    os.write(2, b"housemates: interrupted; what had to be stopped by force was\n")
                    os._exit(EXIT_INTERRUPTED)
                return

    def terminate(*_: object) -> None:
        signal.raise_signal(signal.SIGINT)

    previous_fd = signal.set_wakeup_fd(tell.fileno(), warn_on_full_buffer=False)
    previous = {number: signal.signal(number, terminate) for number in heard}
    watcher = threading.Thread(target=watch, daemon=True, name="interrupt-watch")
    watcher.start()
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(previous_fd)
        over.set()
        watcher.join()
        told.close()
        tell.close()
