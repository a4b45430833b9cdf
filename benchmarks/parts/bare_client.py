"""The floor under a step of react agents: AsyncOpenAI with aiohttp making their calls, and nothing around it.

    python benchmarks/parts/bare_client.py STEPS URL < BODIES

BODIES has a line for each request of a step, the JSON body. All of a step are sent at once, over as many connections;
the next step begins when all replies are in, and the action has been read from each. Prints the median seconds of a
step and the CPU milliseconds of a call, both without the first step, which opens the connections.

It imports nothing of ours: what a process holds is gone through by its garbage collector.
"""

from __future__ import annotations

import asyncio
import json
import signal
import statistics
import sys
import time
from typing import Any

from openai import DEFAULT_CONNECTION_LIMITS, AsyncOpenAI, DefaultAioHttpClient


async def main() -> None:
    steps, url = int(sys.argv[1]), sys.argv[2]
    bodies: list[dict[str, Any]] = [json.loads(line) for line in sys.stdin]
    limits = type(DEFAULT_CONNECTION_LIMITS)(max_connections=len(bodies), max_keepalive_connections=len(bodies))
    http_client = DefaultAioHttpClient(limits=limits)
    client = AsyncOpenAI(base_url=url, api_key="none", max_retries=0, timeout=600, http_client=http_client)

    async def decide(body: dict[str, Any]) -> str:
        completion = await client.chat.completions.create(**body)
        return str(json.loads(completion.choices[0].message.content or "")["action"])

    durations: list[float] = []
    used = 0.0
    for step in range(steps + 1):
        began, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*map(decide, bodies))
        durations.append(time.perf_counter() - began)
        used += time.process_time() - cpu if step else 0.0
    await client.close()
    print(json.dumps([statistics.median(durations[1:]), used / steps / len(bodies) * 1e3]))


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # ends without a word; whoever started it has one
    asyncio.run(main())
