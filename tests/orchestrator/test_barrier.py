"""The barrier, without Ray, clock or disk: events in, commands out."""

from __future__ import annotations

from typing import Any

import pytest
from housemates.actors.turn import Answer, Ask, Call, Failure, Turn
from housemates.env.world import Observation, Outcome, StepResult
from housemates.orchestrator.barrier import MAX_ATTEMPTS, MAX_SILENT_STEPS, Barrier
from housemates.orchestrator.member import MAX_RESTARTS
from housemates.orchestrator.protocol import (
    Began,
    Commit,
    DeadlinePassed,
    End,
    SetAside,
    StartClock,
    Stepped,
    StepWorld,
)

AGENTS = ["Agent_1", "Agent_2", "Agent_10"]


def observation(text: str = "o") -> Observation:
    return Observation(text=text, choices=("[a]",), key=text)


def result(
    text: str = "o", reward: float = 0.0, done: bool = False, outcomes: dict[str, Outcome] | None = None
) -> StepResult:
    return StepResult(
        observations={a: observation(text) for a in AGENTS},
        rewards=dict.fromkeys(AGENTS, reward),
        outcomes=dict.fromkeys(AGENTS, Outcome(ok=True, detail="done")) | (outcomes or {}),
        done=done,
        success=done,
    )


def answer(ask: Ask, action: str | None = "[a]", state: bytes = b"s", **turn: Any) -> Answer:
    return Answer(
        agent=ask.agent,
        step=ask.step,
        attempt=ask.attempt,
        turn=Turn(action=action, how="exact", **turn),
        state=state,
    )


def failure(ask: Ask, kind: Any, message: str = "why") -> Answer:
    return Answer(agent=ask.agent, step=ask.step, attempt=ask.attempt, failure=Failure(kind=kind, message=message))


def begin(horizon: int = 10) -> tuple[Barrier, dict[str, Ask]]:
    barrier = Barrier(AGENTS, horizon)
    return barrier, asks(barrier.handle(Began({a: observation() for a in AGENTS})))


def asks(commands: list[Any]) -> dict[str, Ask]:
    return {c.agent: c for c in commands if isinstance(c, Ask)}


def one(commands: list[Any], kind: type) -> Any:
    (command,) = [c for c in commands if isinstance(c, kind)]
    return command


def all_answer(barrier: Barrier, asked: dict[str, Ask], **kwargs: Any) -> list[Any]:
    commands: list[Any] = []
    for ask in asked.values():
        commands = barrier.handle(answer(ask, **kwargs))
    return commands


def test_asks_every_agent_at_once_and_starts_the_clock() -> None:
    barrier = Barrier(AGENTS, 5)
    commands = barrier.handle(Began({a: observation() for a in AGENTS}))
    assert list(asks(commands)) == AGENTS
    assert one(commands, StartClock).step == 0
    assert barrier.waiting_for() == AGENTS


def test_the_world_steps_only_when_the_last_turn_is_in() -> None:
    barrier, asked = begin()
    assert barrier.handle(answer(asked["Agent_10"], "[z]")) == []
    assert barrier.handle(answer(asked["Agent_1"], "[x]")) == []
    (step,) = barrier.handle(answer(asked["Agent_2"], None))
    assert step == StepWorld(0, {"Agent_1": "[x]", "Agent_2": None, "Agent_10": "[z]"})


def test_actions_are_joined_in_the_order_of_the_agents_not_of_arrival() -> None:
    barrier, asked = begin()
    for name in reversed(AGENTS):
        commands = barrier.handle(answer(asked[name]))
    assert list(one(commands, StepWorld).actions) == AGENTS


def test_a_step_is_committed_with_turns_states_rewards_and_the_worlds_answer() -> None:
    barrier, asked = begin()
    all_answer(barrier, asked, state=b"after 0", plan="p")
    commands = barrier.handle(Stepped(0, result(reward=2.0)))
    record = one(commands, Commit).record
    assert record.step == 0 and list(record.agents) == AGENTS
    part = record.agents["Agent_2"]
    assert (part.verdict, part.reward, part.total, part.state, part.turn.plan) == ("ok", 2.0, 2.0, b"after 0", "p")


def test_feedback_is_the_return_so_far_and_empty_in_the_first_step() -> None:
    barrier, asked = begin()
    assert asked["Agent_1"].feedback == ""
    all_answer(barrier, asked)
    asked = asks(barrier.handle(Stepped(0, result(reward=2.0))))
    assert asked["Agent_1"].feedback == "Task Return: 2.0"
    all_answer(barrier, asked)
    asked = asks(barrier.handle(Stepped(1, result(reward=2.0))))
    assert asked["Agent_1"].feedback == "Task Return: 4.0"


def test_versions_count_committed_turns() -> None:
    barrier, asked = begin()
    assert {a.version for a in asked.values()} == {0}
    all_answer(barrier, asked)
    assert {a.version for a in asks(barrier.handle(Stepped(0, result()))).values()} == {1}


def test_the_deadline_closes_the_step_without_the_missing_agents() -> None:
    barrier, asked = begin()
    barrier.handle(answer(asked["Agent_1"]))
    (step,) = barrier.handle(DeadlinePassed(0))
    assert step.actions == {"Agent_1": "[a]", "Agent_2": None, "Agent_10": None}
    record = one(barrier.handle(Stepped(0, result())), Commit).record
    assert [record.agents[a].verdict for a in AGENTS] == ["ok", "late", "late"]


def test_a_late_answer_is_fenced_off_and_the_agent_is_restored_before_it_serves_again() -> None:
    barrier, asked = begin()
    all_answer(barrier, asked, state=b"committed")
    asked = asks(barrier.handle(Stepped(0, result())))
    barrier.handle(answer(asked["Agent_1"], state=b"1"))
    barrier.handle(answer(asked["Agent_2"], state=b"2"))
    barrier.handle(DeadlinePassed(1))
    assert barrier.handle(answer(asked["Agent_10"], "[late]", state=b"never")) == []
    commands = barrier.handle(Stepped(1, result()))
    assert one(commands, Commit).record.agents["Agent_10"].state == b"committed"
    assert barrier.handle(answer(asked["Agent_10"], "[later still]")) == []
    asked = asks(commands)
    assert (asked["Agent_10"].restore, asked["Agent_10"].state, asked["Agent_10"].version) == (True, b"committed", 1)
    assert not asked["Agent_1"].restore


def test_an_old_deadline_changes_nothing() -> None:
    barrier, asked = begin()
    all_answer(barrier, asked)
    barrier.handle(Stepped(0, result()))
    assert barrier.handle(DeadlinePassed(0)) == []
    assert barrier.waiting_for() == AGENTS


def test_a_repeated_answer_counts_once() -> None:
    barrier, asked = begin()
    barrier.handle(answer(asked["Agent_1"], "[first]"))
    assert barrier.handle(answer(asked["Agent_1"], "[second]")) == []
    barrier.handle(answer(asked["Agent_2"]))
    assert one(barrier.handle(answer(asked["Agent_10"])), StepWorld).actions["Agent_1"] == "[first]"


@pytest.mark.parametrize("kind", ["lost", "stale"])
def test_an_agent_whose_process_was_lost_is_asked_again_from_its_committed_state(kind: str) -> None:
    barrier, asked = begin()
    all_answer(barrier, asked, state=b"good")
    asked = asks(barrier.handle(Stepped(0, result())))
    (again,) = barrier.handle(failure(asked["Agent_2"], kind))
    assert (again.agent, again.attempt, again.restore, again.state) == ("Agent_2", 2, True, b"good")
    assert barrier.handle(answer(asked["Agent_2"])) == [], "the first attempt is fenced off"


def test_an_agent_that_never_took_a_turn_is_restored_to_a_fresh_one() -> None:
    barrier, asked = begin()
    (again,) = barrier.handle(failure(asked["Agent_1"], "lost"))
    assert (again.restore, again.state) == (True, None)


def test_an_agent_is_given_up_for_the_step_after_its_attempts() -> None:
    barrier, asked = begin()
    ask = asked["Agent_1"]
    for _ in range(MAX_ATTEMPTS - 1):
        (ask,) = barrier.handle(failure(ask, "lost"))
    assert isinstance(*barrier.handle(failure(ask, "lost", "the process is gone")), SetAside)
    barrier.handle(answer(asked["Agent_2"]))
    barrier.handle(answer(asked["Agent_10"]))
    part = one(barrier.handle(Stepped(0, result())), Commit).record.agents["Agent_1"]
    assert (part.verdict, part.detail, part.turn) == ("failed", "the process is gone", None)


def die(barrier: Barrier, asked: Ask) -> list[Any]:
    return barrier.handle(failure(asked, "lost", "the process is gone"))


def die_of_one_observation(barrier: Barrier, asked: Ask) -> list[Any]:
    for _ in range(MAX_ATTEMPTS - 1):
        asked = asks(die(barrier, asked))["Agent_2"]
    return die(barrier, asked)


def test_an_observation_that_kills_its_reader_is_passed_over_and_set_aside() -> None:
    barrier, asked = begin()
    barrier.handle(answer(asked["Agent_1"]))
    barrier.handle(answer(asked["Agent_10"]))
    aside, step = die_of_one_observation(barrier, asked["Agent_2"])
    assert (aside.agent, aside.step, aside.observation, aside.error) == (
        "Agent_2",
        0,
        observation(),
        "the process is gone",
    )
    assert step.actions["Agent_2"] is None
    commands = barrier.handle(Stepped(0, result("another")))
    assert one(commands, Commit).record.agents["Agent_2"].verdict == "failed"
    assert asks(commands)["Agent_2"].observation == observation("another"), "it gets its next chance"


def test_an_agent_whose_process_dies_of_the_next_observation_as_well_is_quarantined_and_the_others_go_on() -> None:
    barrier, asked = begin()
    barrier.handle(answer(asked["Agent_1"]))
    barrier.handle(answer(asked["Agent_10"]))
    die_of_one_observation(barrier, asked["Agent_2"])
    for step in range(1, 2 * MAX_SILENT_STEPS):
        asked = asks(barrier.handle(Stepped(step - 1, result())))
        assert ("Agent_2" in asked) == (step == 1)
        if step == 1:
            assert die(barrier, asked["Agent_2"]) == [], "it is not asked again"
        barrier.handle(answer(asked["Agent_1"]))
        assert one(barrier.handle(answer(asked["Agent_10"])), StepWorld).actions["Agent_2"] is None
    record = one(barrier.handle(Stepped(step, result())), Commit).record
    assert record.agents["Agent_2"].verdict == "quarantined"


def test_deaths_with_a_turn_in_between_do_not_add_up() -> None:
    barrier, asked = begin(horizon=100)
    for step in range(5 * MAX_RESTARTS):
        again = asks(die(barrier, asked["Agent_2"]))["Agent_2"]
        commands = all_answer(barrier, asked | {"Agent_2": again})
        assert one(commands, StepWorld).actions["Agent_2"] == "[a]"
        asked = asks(barrier.handle(Stepped(step, result())))


def test_when_all_are_quarantined_the_run_is_given_up() -> None:
    barrier, asked = begin(horizon=100)
    commands: list[Any] = []
    for step in range(MAX_SILENT_STEPS):
        for ask in asked.values():
            while ask:
                commands = die(barrier, ask)
                ask = asks(commands).get(ask.agent)
        if step < MAX_SILENT_STEPS - 1:
            commands = barrier.handle(Stepped(step, result()))
            asked = asks(commands)
        if isinstance(commands[-1], End):
            break
    assert "no agent could decide" in one(commands, End).error


def test_a_turn_that_raised_fails_alone_and_the_others_act() -> None:
    barrier, asked = begin()
    barrier.handle(failure(asked["Agent_1"], "error", "ValueError: x"))
    barrier.handle(answer(asked["Agent_2"]))
    assert one(barrier.handle(answer(asked["Agent_10"])), StepWorld).actions["Agent_1"] is None


def test_a_turn_with_an_error_of_its_own_is_failed_but_its_state_is_kept() -> None:
    barrier, asked = begin()
    barrier.handle(answer(asked["Agent_1"], None, state=b"learned", error="no reply"))
    barrier.handle(answer(asked["Agent_2"]))
    barrier.handle(answer(asked["Agent_10"]))
    part = one(barrier.handle(Stepped(0, result())), Commit).record.agents["Agent_1"]
    assert (part.verdict, part.detail, part.state) == ("failed", "no reply", b"learned")


def test_an_action_the_world_did_not_carry_out_is_invalid() -> None:
    barrier, asked = begin()
    all_answer(barrier, asked)
    outcomes = {"Agent_2": Outcome(ok=False, detail="no such door")}
    record = one(barrier.handle(Stepped(0, result(outcomes=outcomes))), Commit).record
    assert (record.agents["Agent_2"].verdict, record.agents["Agent_2"].detail) == ("invalid", "no such door")


def test_a_fatal_failure_ends_the_run_at_once_and_says_whose() -> None:
    barrier, asked = begin()
    barrier.handle(answer(asked["Agent_1"], plan="p"))
    commit, end = barrier.handle(failure(asked["Agent_2"], "fatal", "the key was refused"))
    assert end == End(success=False, error="Agent_2: the key was refused")
    assert commit.record.kind == "abandoned" and commit.record.agents["Agent_1"].turn.plan == "p"


def test_a_fatal_failure_in_the_last_lesson_does_not_undo_what_was_done() -> None:
    barrier, asked = begin(5)
    all_answer(barrier, asked)
    asked = asks(barrier.handle(Stepped(0, result(done=True))))
    barrier.handle(failure(asked["Agent_1"], "fatal", "quota"))
    barrier.handle(answer(asked["Agent_2"], None))
    commands = barrier.handle(answer(asked["Agent_10"], None))
    assert commands[-1] == End(success=True)
    assert one(commands, Commit).record.agents["Agent_1"].verdict == "failed"


def test_a_run_in_which_nobody_ever_decided_has_failed_whatever_its_horizon() -> None:
    barrier, asked = begin(1)
    all_answer(barrier, asked, action=None, error="down")
    asked = asks(barrier.handle(Stepped(0, result())))
    assert all_answer(barrier, asked, action=None)[-1] == End(
        success=False, error="no agent ever could decide what to do"
    )


def test_the_calls_of_a_turn_that_did_not_count_are_in_the_record() -> None:
    barrier, asked = begin()
    call = Call(purpose="learn", seconds=1.0, prompt_tokens=7)
    late = Failure(kind="late", message="slow", calls=(call,))
    barrier.handle(Answer(agent="Agent_1", step=0, attempt=1, failure=late))
    barrier.handle(answer(asked["Agent_2"]))
    barrier.handle(answer(asked["Agent_10"]))
    assert one(barrier.handle(Stepped(0, result())), Commit).record.agents["Agent_1"].lost_calls == (call,)


def test_a_turn_without_time_left_to_act_is_late_but_what_it_learned_is_kept() -> None:
    barrier, asked = begin()
    late = Turn(action=None, how="late", plan="new", error="no reply within 5 s")
    barrier.handle(Answer(agent="Agent_1", step=0, attempt=1, turn=late, state=b"learned"))
    barrier.handle(answer(asked["Agent_2"]))
    barrier.handle(answer(asked["Agent_10"]))
    part = one(barrier.handle(Stepped(0, result())), Commit).record.agents["Agent_1"]
    assert (part.verdict, part.state) == ("late", b"learned")


def test_a_step_that_is_broken_off_can_be_told_but_is_not_committed() -> None:
    barrier, asked = begin()
    assert Barrier(AGENTS, 1).abandoned() is None
    barrier.handle(answer(asked["Agent_1"], plan="p"))
    commit = barrier.abandoned()
    assert commit and commit.record.kind == "abandoned" and commit.record.agents["Agent_1"].turn
    assert commit.record.agents["Agent_2"].turn is None


def test_the_run_is_given_up_when_no_agent_can_decide_for_steps_on_end() -> None:
    barrier, asked = begin(horizon=100)
    for step in range(MAX_SILENT_STEPS - 1):
        commands = all_answer(barrier, asked, action=None, error="the model is down")
        asked = asks(barrier.handle(Stepped(step, result())))
        assert one(commands, StepWorld)
    end = one(all_answer(barrier, asked, action=None, error="the model is down"), End)
    assert not end.success and "the model is down" in end.error


def test_one_decision_is_enough_to_go_on() -> None:
    barrier, asked = begin(horizon=100)
    for step in range(3 * MAX_SILENT_STEPS):
        for ask in asked.values():
            error = None if (ask.agent, step % (MAX_SILENT_STEPS - 1)) == ("Agent_1", 0) else "down"
            commands = barrier.handle(answer(ask, error=error))
        assert one(commands, StepWorld)
        asked = asks(barrier.handle(Stepped(step, result())))


@pytest.mark.parametrize(("horizon", "done"), [(1, False), (5, True)])
def test_after_the_last_step_the_agents_learn_once_more_and_then_it_ends(horizon: int, done: bool) -> None:
    barrier, asked = begin(horizon)
    all_answer(barrier, asked)
    asked = asks(barrier.handle(Stepped(0, result(reward=2.0, done=done))))
    assert all(a.final and a.feedback == "Task Return: 2.0" for a in asked.values())
    commands = all_answer(barrier, asked, action=None, plan="last")
    record = one(commands, Commit).record
    assert record.result is None and record.agents["Agent_1"].turn.plan == "last"
    assert record.agents["Agent_1"].total == 2.0
    assert commands[-1] == End(success=done)


def test_nothing_happens_after_the_end() -> None:
    barrier, asked = begin(1)
    all_answer(barrier, asked)
    asked = asks(barrier.handle(Stepped(0, result())))
    all_answer(barrier, asked)
    for event in (DeadlinePassed(1), Stepped(0, result()), answer(asked["Agent_1"])):
        assert barrier.handle(event) == []


def test_an_answer_of_an_agent_nobody_knows_is_dropped() -> None:
    barrier, _ = begin()
    stranger = Answer(agent="Agent_7", step=0, attempt=1, turn=Turn(action="[a]", how="exact"))
    assert barrier.handle(stranger) == []


def test_an_episode_begins_once() -> None:
    barrier, _ = begin()
    with pytest.raises(RuntimeError, match="begun already"):
        barrier.handle(Began({a: observation() for a in AGENTS}))
