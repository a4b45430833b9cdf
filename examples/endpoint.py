"""Two agents think with any endpoint that speaks OpenAI's protocol, within a budget.

OpenAI:   OPENAI_API_KEY=… MODEL=gpt-4o-mini python examples/endpoint.py
vLLM:     OPENAI_BASE_URL=http://127.0.0.1:8000/v1 MODEL=NAME python examples/endpoint.py
Ollama:   OPENAI_BASE_URL=http://127.0.0.1:11434/v1 MODEL=NAME python examples/endpoint.py

One process is enough: both agents' calls are under way at the same time. It prints the plans they came to.
"""

from __future__ import annotations

import os
from pathlib import Path

import housemates


def main() -> None:
    config = housemates.make_config(
        task="put_dishwasher",
        agents=2,
        steps=10,
        llm=f"openai:{os.environ.get('MODEL', 'gpt-4o-mini')}",
        runtime="inline",
        max_calls=60,  # used up, the run ends with status budget_exceeded and can be resumed
    )
    result = housemates.run(config, Path("runs/endpoint"))
    last = housemates.load_run(result.folder).steps[-1]
    for name, part in last["agents"].items():
        print(f"{name}: {part['turn']['plan'] or '(no plan)'}")
    llm = result.summary["llm"]
    print(
        f"{llm['calls']} calls, {llm['prompt_tokens']} + {llm['completion_tokens']} tokens: {result.summary['status']}"
    )


if __name__ == "__main__":
    main()
