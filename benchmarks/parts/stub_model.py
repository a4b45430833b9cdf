"""A model that costs almost nothing: it waits, then takes the first offered action, or proposes some plan.

The scripted model reads every prompt, in one process; with a thousand agents at once that is what a benchmark would
measure. This one only looks for the actions in the schema. It speaks just enough HTTP for aiohttp and httpx.

python benchmarks/parts/stub_model.py LATENCY_S     prints its port, and ends with its standard input
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import zlib
from collections.abc import Generator
from contextlib import contextmanager

_LENGTH = re.compile(rb"content-length:\s*(\d+)", re.I)
_FIRST_ACTION = re.compile(rb'"enum":\s*\[\s*("(?:[^"\\]|\\.)*")')


def reply_to(body: bytes) -> bytes:
    """A whole HTTP response."""
    action = _FIRST_ACTION.search(body)
    if action:
        content = b'{"thoughts": "The first one will do.", "action": %s}' % action[1]
    else:
        plan = b"Walk to room %d, then look around." % (zlib.crc32(body) % 1000)
        content = b'{"action": "None", "reasoning": "It helps.", "suggestion": {"plan0": "%s"}}' % plan
    said = json.dumps(content.decode()).encode()
    completion = (
        b'{"id": "stub", "object": "chat.completion", "created": 1, "model": "stub", "choices": [{"index": 0, '
        b'"finish_reason": "stop", "message": {"role": "assistant", "content": %s}}], '
        b'"usage": {"prompt_tokens": %d, "completion_tokens": 20, "total_tokens": %d}}'
    ) % (said, len(body) // 4, len(body) // 4 + 20)
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
        len(completion),
        completion,
    )


class StubModel(asyncio.Protocol):
    """One connection."""

    def __init__(self, latency_s: float) -> None:
        self._latency_s = latency_s
        self._received = bytearray()
        self._expected = 0  # bytes of the request that is arriving, once its head is here

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._expected:
            head = self._received.find(b"\r\n\r\n")
            if head < 0:
                return
            length = _LENGTH.search(self._received, 0, head)
            self._expected = head + 4 + (int(length[1]) if length else 0)
        if len(self._received) >= self._expected:
            response = reply_to(bytes(self._received[: self._expected]))
            del self._received[: self._expected]
            self._expected = 0
            asyncio.get_running_loop().call_later(self._latency_s, self._send, response)

    def _send(self, response: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(response)


@contextmanager
def stub_model(latency_s: float) -> Generator[tuple[str, int]]:
    """The model as a process of its own: its base URL and its process id."""
    command = [sys.executable, __file__, str(latency_s)]
    # A session of its own: a Ctrl-C is not meant for it. It ends with its standard input, however we end.
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdin and process.stdout
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1", process.pid
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()


async def main() -> None:
    loop, latency_s = asyncio.get_running_loop(), float(sys.argv[1])
    server = await loop.create_server(lambda: StubModel(latency_s), "127.0.0.1", 0, backlog=8192)
    print(server.sockets[0].getsockname()[1], flush=True)
    ended = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), ended.set)
    await ended.wait()


if __name__ == "__main__":
    asyncio.run(main())
