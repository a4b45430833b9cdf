"""The page of the API: the public names by subject, and the parts that users build their own from."""

from __future__ import annotations

import housemates

INTRODUCTION = """# Python

What `housemates` itself offers is public and imported when it is first used; so are the parts after it, by the names
that they have here. `trace`, `Node`, `Optimizer`, `OptoPrime`, `OPRO` and `TextGrad` in
`housemates.actors.trace_import` are Trace's own. Other modules may change without notice.
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
    "Agents": ("Agent", "AgentSpec", "TraceAgent", "check_agent"),
    "Models": ("ChatModel", "Endpoint"),
}

PARTS = {
    "Parts of runs": (
        "orchestrator.run.RunResult",
        "orchestrator.run.resume",
        "orchestrator.households.running.run_households",
        "orchestrator.households.running.resume_households",
        "orchestrator.households.running.HouseholdsResult",
        "orchestrator.load.Run",
        "orchestrator.replay.story",
        "orchestrator.errors.ConfigError",
        "orchestrator.errors.StartError",
    ),
    "Parts of studies and reports": (
        "orchestrator.study.plan.make_plan",
        "orchestrator.study.running.open_study",
        "orchestrator.study.running.run_study",
        "orchestrator.study.running.StudyResult",
        "orchestrator.report.rows.read_results",
        "orchestrator.report.rows.Prices",
        "orchestrator.report.writing.write_report",
    ),
    "Parts of worlds": (
        "env.world.PLAN_TOKEN",
        "env.world.EVERYONE",
        "env.world.is_message",
        "env.messages.message_forms",
        "env.messages.read_message",
        "env.wording.available_actions",
        "env.codec.pack",
        "env.codec.unpack",
        "env.pettingzoo_world.PettingZooWorld",
        "env.pettingzoo.parallel_env",
        "env.pettingzoo.from_world",
    ),
    "Parts of agents and models": (
        "actors.language_agent.LanguageAgent",
        "actors.policy.Policy",
        "actors.feedback.Consequence",
        "actors.model.scripted_server.scripted_server",
    ),
}


def api_page() -> str:
    """The API as Markdown with instructions for mkdocstrings. A public name of no subject comes under "More"."""
    grouped = {name for names in SUBJECTS.values() for name in names}
    more = {"More": tuple(name for name in housemates.__all__ if name not in grouped)}
    lines = [INTRODUCTION]
    for subject, names in (SUBJECTS | more | PARTS).items():
        if names:
            lines += [f"## {subject}\n", *(f"::: housemates.{name}\n" for name in names)]
    return "\n".join(lines)
