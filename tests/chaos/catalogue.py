"""The catalogue of what is broken on purpose: each promise with the tests that prove it and the gate they must pass."""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """One promise.

    Attributes:
        name: T1 to T32; "" for what is beyond them.
        promise: what holds, whatever happens.
        gate: what must be measured.
        tests: files or tests (all their parameters) below the root of the repository.
        long: whether there is a long form (HOUSEMATES_CHAOS=long).
        figure: what the tests assert, where they tell no figure themselves.
        but: in which way the gate is not met as it stands, and why.
    """

    name: str
    promise: str
    gate: str
    tests: tuple[str, ...]
    long: bool = False
    figure: str = ""
    but: str = ""


AGENTS_DIE = "tests/chaos/test_agents_die.py::"
LOST = "tests/chaos/test_lost_messages.py::"
RUNS_DIE = "tests/chaos/test_runs_die.py::"
GATE = "tests/llm/test_gate.py::"
LIMITER = "tests/actors/test_limiter.py::"

CATALOGUE = (
    Entry(
        "T1",
        "An agent's process is killed before its turn, during the model call, in the optimizer's update, or after the "
        "turn before the answer: same digest",
        "all equal, p95 < 5 s",
        (AGENTS_DIE + "test_an_agent_killed_in_its_turn_takes_the_turn_again_and_nothing_else_changes",),
        long=True,
    ),
    Entry(
        "T2",
        "Requests, answers and calls in flight get lost: every turn is taken exactly once, same digest",
        "taken / issued = 1.000",
        ("tests/chaos/test_lossy_ray.py", LOST + "test_whatever_is_lost_late_or_twice_every_turn_is_taken_once"),
        long=True,
    ),
    Entry(
        "T3",
        "The run's own process is killed: no process of it or its Ray is left, no session folder; resumed to the same "
        "digest",
        "0 orphans, equal",
        (
            RUNS_DIE + "test_a_run_whose_driver_is_killed_leaves_no_process_and_no_session",
            "tests/orchestrator/test_resume.py::test_a_run_whose_every_process_was_killed_goes_on_to_the_same_end",
        ),
    ),
    Entry(
        "T4",
        "The head of a cluster dies: resumed on a new cluster to the same digest",
        "equal",
        ("tests/chaos/test_nodes_die.py::test_a_run_whose_cluster_has_lost_its_head_goes_on_in_another_one",),
    ),
    Entry(
        "T5",
        "An agent stalls for a minute: the step closes at its deadline, verdict `late`, its turn is never applied",
        "deadline + 0.5 s",
        (
            AGENTS_DIE + "test_an_agent_that_stalls_costs_the_deadline_once",
            AGENTS_DIE + "test_an_agent_that_holds_its_process_up_costs_the_deadline_once",
        ),
    ),
    Entry(
        "T6",
        "An agent that always dies is quarantined, its housemates go on, also on the same process",
        "<= 3 restarts, completes",
        (
            AGENTS_DIE + "test_an_agent_that_always_dies_is_quarantined_and_its_housemates_go_on",
            "tests/orchestrator/test_barrier.py::test_deaths_with_a_turn_in_between_do_not_add_up",
        ),
    ),
    Entry(
        "T7",
        "No turn is accepted from a state that is not the committed one",
        "0 accepted",
        (LOST + "test_no_turn_is_accepted_from_a_state_that_is_not_the_committed_one",),
        long=True,
    ),
    Entry(
        "T8",
        "A step costs little more than Ray's own messages",
        "linear, <= 2x bare Ray",
        ("tests/chaos/test_barrier_cost.py",),
        long=True,
    ),
    Entry(
        "T9",
        "The whole run is killed at any moment, again and again: resumed to the same digest, each step there once",
        "all equal",
        (RUNS_DIE + "test_a_run_killed_at_random_moments_goes_on_to_the_same_end",),
        long=True,
    ),
    Entry(
        "T10",
        "A journal cut anywhere is a run up to its last whole step",
        "100 %",
        (
            RUNS_DIE + "test_a_journal_cut_anywhere_is_a_run_up_to_its_last_whole_step",
            "tests/orchestrator/test_resume.py::test_wherever_the_journal_ends_the_run_ends_the_same",
        ),
    ),
    Entry(
        "T11",
        "A full disk ends the run with one line that names it; with room again the run goes on to the same digest",
        "named, last step valid",
        (
            RUNS_DIE + "test_a_full_disk_ends_a_run_with_its_name_and_the_run_goes_on_when_there_is_room",
            "tests/orchestrator/test_journal.py::test_a_full_disk_raises_and_what_was_written_stays_readable",
        ),
        figure="exit code 3, resumed",
    ),
    Entry(
        "T12",
        "The world fails after the agents answered: nobody is a step ahead",
        "skew 0",
        (RUNS_DIE + "test_when_the_world_fails_after_the_agents_answered_nobody_is_a_step_ahead",),
        figure="skew 0, resumed to the same digest",
    ),
    Entry(
        "T13",
        "A long life leaves nothing behind, in an agent that learns, in its actor, in the driver",
        "< 1 KB a step",
        (
            "tests/chaos/test_memory_of_steps.py",
            "tests/actors/test_memory.py::test_a_few_hundred_lessons_leave_nothing_behind",
            RUNS_DIE + "test_a_long_episode_keeps_nothing_of_its_steps",
        ),
        long=True,
    ),
    Entry(
        "T14",
        "Recorded runs of 2, 5 and 12 agents are played back by today's code; one in another order is not",
        "0 differences; mutants fail",
        ("tests/orchestrator/test_recordings.py",),
    ),
    Entry(
        "T15",
        "An observation that kills its reader is passed over and kept",
        "3 attempts, saved",
        (AGENTS_DIE + "test_an_observation_that_kills_its_reader_is_passed_over_and_kept",),
        figure="3 attempts, saved",
    ),
    Entry(
        "T16",
        "A process that held leave to call models is killed: its slots are free again",
        "< 2 heartbeats",
        (
            LIMITER + "test_t16_what_a_dead_holder_had_is_free_again_within_two_heartbeats",
            GATE + "test_t16_what_a_process_that_is_gone_held_is_free_within_two_heartbeats",
            "tests/llm/test_limiter_actor.py::test_t16_a_killed_holder_s_slots_are_free_within_two_heartbeats",
        ),
    ),
    Entry(
        "T17",
        "A journal of another schema is refused by its number, another file by its name",
        "100 %",
        (
            "tests/orchestrator/test_journal.py::test_a_journal_of_another_schema_is_refused_by_its_number",
            "tests/orchestrator/test_journal.py::test_another_file_is_no_journal",
        ),
    ),
    Entry(
        "T18",
        "No test leaves a process, an actor or an open file",
        "0 / 0 / 0",
        ("tests/test_leftovers.py",),
        figure="checked after every module of tests",
        but="yes, but for descriptors that libraries keep for good, known by their kind: Ray's event loops and deleted "
        "logs, the pipe of Python's resource tracker, matplotlib's fonts; and, outside tests/chaos, 8 sockets a module "
        "of event loops that tests have in threads",
    ),
    Entry(
        "T19",
        "An enormous observation is refused where it is made, by the names of world and agent",
        "at our border",
        (LOST + "test_an_enormous_observation_is_refused_where_it_comes_from_by_name",),
        figure="10 MB refused; the limit is 1,000,000 characters",
    ),
    Entry(
        "T20",
        "Many agents on a server that takes so many requests a second",
        "waste < 5 %, goodput >= 90 %, fairness > 0.5",
        (
            LIMITER + "test_t20_a_storm_on_ten_requests_a_second_wastes_little_and_starves_nobody",
            GATE + "test_t20_many_processes_on_a_server_that_takes_so_many_a_second",
        ),
    ),
    Entry(
        "T21",
        "A limit that shrinks under load",
        "in flight <= the limit after one call",
        (
            LIMITER + "test_t21_a_limit_that_shrinks_under_load_remembers_its_debt",
            GATE + "test_t21_in_flight_comes_down_to_what_the_server_takes",
        ),
    ),
    Entry(
        "T22",
        "A body that never ends",
        "deadline +/- 0.2 s, closed",
        (
            GATE + "test_t22_a_body_that_never_ends_is_cut_at_the_deadline_and_closed",
            "tests/llm/test_chat.py::test_the_deadline_holds_for_the_whole_call",
        ),
    ),
    Entry(
        "T23",
        "A server that fails in every way",
        "<= 1 + 3 requests a call",
        (GATE + "test_t23_no_call_makes_more_requests_than_it_has_attempts",),
    ),
    Entry(
        "T24",
        "What cannot work is not tried again; an account without quota ends the run",
        "1 request",
        (
            GATE + "test_t24_what_cannot_work_is_asked_exactly_once",
            "tests/orchestrator/test_budget.py::test_an_account_without_quota_ends_the_run_with_a_named_error",
        ),
    ),
    Entry(
        "T25",
        "Budgets of calls, tokens and dollars",
        "<= 1 call per agent over",
        (
            GATE + "test_t25_a_budget_is_overshot_by_at_most_what_is_in_flight",
            "tests/orchestrator/test_budget.py::"
            "test_a_run_ends_when_its_budget_is_used_up_and_goes_on_with_a_larger_one",
        ),
    ),
    Entry(
        "T26",
        "Bad proposals of a model",
        "0 silent, 0 raised",
        (
            "tests/actors/test_trace_agent.py::test_every_proposal_is_accepted_unchanged_or_rejected_with_a_reason",
            "tests/actors/test_learning.py::test_a_rejected_update_leaves_plan_and_version",
        ),
    ),
    Entry(
        "T27",
        "A simulator's process hangs, crashes, leaks, answers nonsense, or does not come up",
        "< 15 s, 0 zombies",
        ("tests/wire/test_process.py",),
    ),
    Entry(
        "T28",
        "Two to four people want the same thing at once, named in any order",
        "identical winners",
        ("tests/household/test_rivals.py",),
    ),
    Entry(
        "T29",
        "Everything that we start is closed to others",
        "all doors closed",
        (
            "tests/cluster/test_access.py",
            "tests/orchestrator/test_private_files.py",
            "tests/orchestrator/test_doors.py",
            "tests/viewer/test_server.py::test_control_needs_the_token",
            "tests/viewer/test_server.py::test_a_request_under_another_name_is_refused",
        ),
        but="yes; a cluster that somebody else started is not looked into (SECURITY.md)",
    ),
    Entry(
        "T30",
        "Spoiled bytes in everything that is read, 200,000 of them; nothing that is read is run",
        "0 crashes, < 50 MB",
        ("tests/test_hostile_bytes.py", "tests/wire/test_fuzz.py"),
    ),
    Entry(
        "T31",
        "Hostile messages to a model that obeys every word",
        "0 escapes",
        ("tests/actors/test_injection.py", "tests/orchestrator/test_hostile_model.py"),
    ),
    Entry(
        "T32",
        "Keys in the environment, in settings and in what servers say",
        "0 found",
        ("tests/orchestrator/test_secrets.py", "tests/orchestrator/test_keys.py"),
    ),
    Entry(
        "",
        "The world's process is killed: made again from the committed actions",
        "same digest",
        (
            "tests/orchestrator/test_resume.py::test_a_world_whose_process_is_killed_is_made_again_and_the_trajectory_is_the_same",
        ),
    ),
    Entry(
        "",
        "A process without which a run's own Ray cannot be is killed: one line, and resumed to the same digest",
        "equal",
        ("tests/chaos/test_runs_die.py::test_a_run_whose_own_ray_dies_ends_with_one_line_and_goes_on",),
    ),
    Entry(
        "",
        "Households whose agents share a process: one that kills it, once or always, or holds it up",
        "same digests; late once at most",
        ("tests/chaos/test_shared_processes.py",),
    ),
    Entry(
        "",
        "The world hangs: its process is killed at the deadline, and the same",
        "same digest",
        ("tests/chaos/test_worlds_hang.py",),
    ),
    Entry(
        "",
        "A machine of a cluster dies in the middle of a step",
        "same digest",
        (
            # in this order: afterwards one machine is gone
            "tests/chaos/test_nodes_die.py::test_agents_are_on_every_machine_and_do_the_same_as_in_one_process",
            "tests/chaos/test_nodes_die.py::test_a_machine_that_dies_takes_nothing_with_it_but_time",
        ),
    ),
)
