"""A study from Python: agents that learn against agents that do not, over some seeds, and the report about it.

Run it again and nothing is repeated: finished episodes stay, and the report is made anew. The scripted model's plans
change nothing about what it does; name a model that reads them for a result that means something.
"""

from __future__ import annotations

from pathlib import Path

from housemates.orchestrator.report.rows import Prices, read_results
from housemates.orchestrator.report.writing import write_report
from housemates.orchestrator.study.plan import make_plan
from housemates.orchestrator.study.running import open_study, run_study

FOLDER = Path("studies/example")
PLAN = {
    "vary": {"method": ["trace", "react"], "seed": [0, 1]},
    "run": {"task": "read_book", "agents": 2, "steps": 30, "llm": "scripted", "runtime": "inline"},
}


def main() -> None:
    plan = open_study(make_plan(PLAN, "study"), FOLDER)
    result = run_study(plan, FOLDER, parallel=2)
    for name, summary in result.finished.items():
        print(f"{name}: {summary['actions']} actions, {summary['messages']} messages, {summary['llm']['calls']} calls")
    for name, why in result.failed.items():
        print(f"{name} failed: {why}")
    results = read_results([FOLDER], Prices(0.0, 0.0))
    for path in write_report(results, FOLDER / "report"):
        print(path)


if __name__ == "__main__":
    main()
