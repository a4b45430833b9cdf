"""The page of the API: the public names by subject, and the parts that users build their own from."""

from __future__ import annotations

import housemates

INTRODUCTION = """# Python

What `housemates` itself offers is public and imported when it is first used; so is what the last section names. Other
modules may change without notice.
"""

SUBJECTS = {
    "Runs": ("make_config", "RunConfig", "run", "load_run", "read_journal"),
    "Worlds": (
        "World",
        "Observation",
        "Message",
        "Outcome",
        "StepResult",
        "WorldError",
        "HouseholdWorld",
        "check_world",
    ),
    "Agents": ("Agent", "AgentSpec", "TraceAgent"),
    "Models": ("ChatModel", "Endpoint"),
}

PARTS = (
    "housemates.orchestrator.run.RunResult",
    "housemates.orchestrator.run.resume",
    "housemates.orchestrator.load.Run",
    "housemates.orchestrator.study.plan.make_plan",
    "housemates.orchestrator.study.running.run_study",
    "housemates.orchestrator.study.running.StudyResult",
    "housemates.actors.policy.Policy",
    "housemates.actors.feedback.Consequence",
    "housemates.actors.model.scripted_server.scripted_server",
    "housemates.env.pettingzoo.parallel_env",
    "housemates.env.pettingzoo.from_world",
)


def api_page() -> str:
    """The API as Markdown with instructions for mkdocstrings. A public name of no subject comes under "More"."""
    grouped = {name for names in SUBJECTS.values() for name in names}
    subjects = SUBJECTS | {"More": tuple(name for name in housemates.__all__ if name not in grouped)}
    lines = [INTRODUCTION]
    for subject, names in subjects.items():
        if names:
            lines += [f"## {subject}\n", *(f"::: housemates.{name}\n" for name in names)]
    lines += ["## Parts\n", *(f"::: {path}\n" for path in PARTS)]
    return "\n".join(lines)
