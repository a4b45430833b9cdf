"""The settings of learning, each with the real Trace and a real HTTP model that recites."""

from __future__ import annotations

import gc
import json
from typing import Any

import msgpack
import pytest
from housemates.actors.agent import MASKABLE, AgentSpec, Learning, ReplyLimits
from housemates.actors.feedback import Consequence, find_feedback
from housemates.actors.model.chat import ChatModel, Endpoint
from housemates.actors.optimizer import PlanOptimizer, find_optimizer
from housemates.actors.policy import Policy, find_policy
from housemates.actors.recording import Recording, Thought
from housemates.actors.trace_agent import TraceAgent
from housemates.actors.turn import Turn
from housemates.env.plugin import PluginError
from housemates.env.world import Observation
from opto.trace.nodes import USED_NODES, Node

from .conftest import RecitingServer, act, by_purpose, learn

CHOICES = ("[goexplore] <kitchen> (11)", "[gocheck] <fridge> (12)")
OWN = "tests.actors.own:"


def observe(key: str) -> Observation:
    text = f"I'm Agent_1.\nGoal: dishes.\nPlan: $PLAN$\nProgress: {key}\nAvailable actions:\nA. …\n"
    return Observation(text=text, choices=CHOICES, key=key)


def spec_of(plan: str = "", **learning: Any) -> AgentSpec:
    return AgentSpec(name="Agent_1", seed=3, plan=plan, learning=Learning(**learning))


async def live(agent: TraceAgent, steps: int, start: int = 0) -> list[Turn]:
    return [await agent.turn(i, observe(f"k{i}"), f"Task Return: {i}") for i in range(start, start + steps)]


def lessons(server: RecitingServer) -> list[str]:
    return [prompt for prompt in server.prompts() if "#Feedback" in prompt]


def suggesting(**texts: str) -> Any:
    return lambda body: json.dumps({"reasoning": "r", "suggestion": texts}) if "#Feedback" in str(body) else act("A")


async def test_a_given_plan_is_where_learning_starts(chat: ChatModel, server: RecitingServer) -> None:
    server.replies = [by_purpose(plan="better")]
    turns = await live(TraceAgent(spec_of(plan="kitchen first"), chat), 2)
    assert "Plan: kitchen first\n" in server.prompts()[0]
    assert [turn.plan for turn in turns] == ["kitchen first", "better"]


async def test_an_accepted_update_tells_its_version_and_what_it_changed(
    chat: ChatModel, server: RecitingServer
) -> None:
    server.replies = [
        act("A"),
        learn("one\ntwo"),
        act("A"),
        learn("one\nthree"),
        act("A"),
        learn("one\nthree"),
        act("A"),
    ]
    turns = await live(TraceAgent(spec_of(plan="one"), chat), 4)
    updates = [turn.update for turn in turns[1:] if turn.update]
    assert [(u.verdict, u.version, u.diff) for u in updates] == [
        ("accepted", 1, "plan0\n+two"),
        ("accepted", 2, "plan0\n-two\n+three"),
        ("unchanged", 2, ""),
    ]


async def test_a_rejected_update_leaves_plan_and_version(chat: ChatModel, server: RecitingServer) -> None:
    server.replies = [act("A"), learn("good"), act("A"), learn("x" * 5000), act("A")]
    update = (await live(TraceAgent(spec_of(), chat), 3))[2].update
    assert update and (update.verdict, update.reason, update.version, update.diff) == ("rejected", "too long", 1, "")


async def test_plan_and_role_are_learned_together(chat: ChatModel, server: RecitingServer) -> None:
    server.replies = [suggesting(plan0="search", role0="the scout")]
    turns = await live(TraceAgent(spec_of(optimize="plan+role"), chat), 2)
    assert "(str) plan0=" in lessons(server)[0] and "(str) role0=" in lessons(server)[0]
    assert "Plan: search\nRole: the scout\nProgress: k1" in server.prompts()[-1]
    assert turns[1].plan == "search\nRole: the scout"
    assert turns[1].update and turns[1].update.diff == "plan0\n-\n+search\nrole0\n-\n+the scout".replace("-\n", "")


async def test_what_a_proposal_does_not_name_stays(chat: ChatModel, server: RecitingServer) -> None:
    server.replies = [suggesting(role="the cook")]
    turns = await live(TraceAgent(spec_of(plan="wait", optimize="plan+role"), chat), 2)
    assert turns[1].plan == "wait\nRole: the cook"


async def test_every_trainable_text_of_a_policy_of_ones_own_is_learned(chat: ChatModel, server: RecitingServer) -> None:
    server.replies = [suggesting(plan0="p", rules0="r", motto0="never")]
    turns = await live(TraceAgent(spec_of(optimize=OWN + "PolicyWithRules"), chat), 2)
    variables = lessons(server)[0].split("\n#Variables\n")[1].split("\n#Constraints")[0]
    assert "plan0" in variables and "rules0" in variables and "motto0" not in variables
    assert [turn.plan for turn in turns] == [" Rules: Be quick. Together.", "p Rules: r Together."]
    form = json.dumps(server.requests[1]["response_format"])
    assert '"required": ["plan0", "rules0"]' in form


def test_only_texts_can_be_trainable() -> None:
    with pytest.raises(PluginError, match="number0 is trainable but no text"):
        Recording("", find_policy(OWN + "PolicyWithCode"))


async def test_with_a_longer_horizon_the_feedback_goes_through_the_last_thoughts(
    chat: ChatModel, server: RecitingServer
) -> None:
    server.replies = [by_purpose(plan="p", action="B")]
    await live(TraceAgent(spec_of(credit_steps=3), chat), 6)
    code = lessons(server)[-1].split("#Code")[1].split("#Documentation")[0]
    assert code.count("= act(") == 3 and code.count("= step(") == 3
    assert "replace1 = replace(x=step0, old=" in code, "what an action led to is what the next thought is about"
    assert all(f"Progress: k{i}" in lessons(server)[-1] for i in (2, 3, 4, 5))
    assert "Progress: k1" not in lessons(server)[-1]


async def test_earlier_prompts_of_a_chain_show_the_plans_of_their_time(chat: ChatModel, server: RecitingServer) -> None:
    plans = iter("abcdef")
    server.replies = [lambda body: learn(next(plans)) if "#Feedback" in str(body) else act("B")]
    await live(TraceAgent(spec_of(credit_steps=2), chat), 4)
    others = lessons(server)[-1].split("#Others")[1]
    assert "Plan: a\nProgress: k1" in others and "Plan: b\nProgress: k2" in others
    assert "(str) plan0=b" in lessons(server)[-1]


async def test_a_thought_that_failed_ends_the_chain_before_it(chat: ChatModel, server: RecitingServer) -> None:
    server.replies = [act("A"), learn("x"), 400, learn("y"), act("B"), learn("z"), act("B")]
    await live(TraceAgent(spec_of(credit_steps=3), chat), 4)
    after = lessons(server)[-1]
    assert after.count("Progress: k0") == 0 and "Progress: k2" in after and "Progress: k3" in after


async def test_an_agent_may_learn_more_rarely_and_always_from_the_end(chat: ChatModel, server: RecitingServer) -> None:
    server.replies = [by_purpose()]
    agent = TraceAgent(spec_of(learn_every=3, credit_steps=3), chat)
    turns = await live(agent, 8)
    assert [turn.update is not None for turn in turns] == [False, False, False, True, False, False, True, False]
    assert (await agent.finish(8, observe("k8"), "f")).update
    assert (await agent.finish(9, observe("k9"), "f")).update is None, "nothing new to learn from"


async def test_an_objective_takes_the_place_of_the_optimizers_words(chat: ChatModel, server: RecitingServer) -> None:
    server.replies = [by_purpose()]
    await live(TraceAgent(spec_of(objective="Finish in few steps."), chat), 2)
    assert "#Instruction\nFinish in few steps.\n" in lessons(server)[0]


@pytest.mark.parametrize("section", MASKABLE)
async def test_a_masked_section_is_empty(section: str, chat: ChatModel, server: RecitingServer) -> None:
    server.replies = [by_purpose()]
    await live(TraceAgent(spec_of(mask=(section,)), chat), 2)
    await live(TraceAgent(spec_of(), chat), 2)
    masked, stock = (prompt.split(f"#{section.capitalize()}\n")[1].split("\n#")[0] for prompt in lessons(server))
    assert masked.strip() == ""
    assert stock.strip() or section == "constraints"


async def test_opro_sees_only_texts_and_feedback_and_a_bounded_past(chat: ChatModel, server: RecitingServer) -> None:
    plans = iter(f"plan {i}" for i in range(100))

    def reply(body: dict[str, Any]) -> str:
        return learn(next(plans)) if "suggestion" in body["messages"][0]["content"] else act("A")

    server.replies = [reply]
    agent = TraceAgent(spec_of(optimizer="opro", memory_size=2), chat)
    turns = await live(agent, 8)
    assert turns[-1].plan == "plan 6"
    last = server.prompts()[-2]
    assert last.count('"feedback"') == 3 and "Progress:" not in last
    assert len(agent.state()["optimizer"]["memory"]) == 2


async def test_an_optimizer_of_ones_own_makes_the_prompt(chat: ChatModel, server: RecitingServer) -> None:
    server.replies = [lambda body: learn("go") if "#FEEDBACK" in str(body) else act("A")]
    turns = await live(TraceAgent(spec_of(optimizer=OWN + "ShoutingOptimizer"), chat), 2)
    assert turns[1].plan == "go" and "PROGRESS: K0" in server.prompts()[1]


async def test_another_model_can_do_the_learning(chat: ChatModel, server: RecitingServer) -> None:
    server.replies = [by_purpose()]
    teacher = ChatModel(Endpoint(base_url=server.url, model="teacher"))
    await live(TraceAgent(spec_of(), chat, teacher), 2)
    await teacher.close()
    assert [body["model"] for body in server.requests] == ["recited", "teacher", "recited"]


@pytest.mark.parametrize(
    "learning",
    [{"credit_steps": 3}, {"learn_every": 2}, {"optimize": "plan+role"}, {"optimizer": "opro", "memory_size": 2}],
    ids=str,
)
async def test_a_restored_agent_learns_exactly_like_the_one_that_was_never_stopped(
    learning: dict[str, Any], chat: ChatModel, server: RecitingServer
) -> None:
    async def prompts(restart: bool) -> list[str]:
        plans = iter(range(100))
        server.requests = []
        server.replies = [
            lambda body: learn(f"plan {next(plans)}") if "suggestion" in body["messages"][0]["content"] else act("B")
        ]
        agent = TraceAgent(spec_of(**learning), chat)
        for step in range(7):
            if restart:
                state = msgpack.unpackb(msgpack.packb(agent.state()))
                agent = TraceAgent(spec_of(**learning), chat)
                agent.load(state)
            await live(agent, 1, start=step)
        return server.prompts()

    assert await prompts(False) == await prompts(True)


@pytest.mark.parametrize(
    "learning", [{"credit_steps": 4}, {"optimize": OWN + "PolicyWithRules"}, {"optimizer": "opro"}], ids=str
)
async def test_nothing_of_trace_grows_however_an_agent_learns(
    learning: dict[str, Any], chat: ChatModel, server: RecitingServer
) -> None:
    server.replies = [lambda body: learn("go") if "suggestion" in body["messages"][0]["content"] else act("B")]
    agent = TraceAgent(spec_of(**learning), chat)

    async def nodes_after(steps: int, start: int) -> int:
        await live(agent, steps, start)
        gc.collect()
        return sum(isinstance(thing, Node) for thing in gc.get_objects())

    assert await nodes_after(20, 0) == await nodes_after(60, 20)
    assert not USED_NODES


def test_a_proposal_that_was_cut_off_is_rejected_however_well_it_can_be_repaired() -> None:
    optimizer = PlanOptimizer(Recording("old"), ReplyLimits(), Learning())
    text = '{"reasoning": "r", "suggestion": {"plan0": "go to the ki'
    assert optimizer.apply(text, cut=True).reason == "cut off"
    update = optimizer.apply(text)
    assert (update.verdict, update.repaired) == ("accepted", True)


def test_after_a_lesson_that_breaks_the_texts_are_those_of_now() -> None:
    class Breaking(Policy):
        def text(self) -> Any:
            raise ArithmeticError

    recording = Recording("now", Breaking)
    with pytest.raises(ArithmeticError):
        recording.feed_back([Thought("o $PLAN$", {"plan0": "then"}, "a", None)], "next", "f", None)
    assert recording.values() == {"plan0": "now"}


@pytest.mark.parametrize(
    ("find", "name", "words"),
    [
        (find_policy, "everything", "unknown optimize 'everything'; there are plan, plan+role, module:Class"),
        (find_optimizer, "sgd", "unknown optimizer 'sgd'; there are optoprime, opro, textgrad, module:Class"),
        (find_feedback, "applause", "unknown feedback 'applause'; there are return, return+verdicts, module:function"),
        (find_policy, "none.such:X", "cannot import none.such:X: ModuleNotFoundError"),
        (find_optimizer, OWN + "None", "cannot import"),
        (find_policy, OWN + "praise", "is not a subclass of housemates.actors.policy.Policy"),
        (find_optimizer, OWN + "praise", "is not a subclass of opto.optimizers.optimizer.Optimizer"),
        (find_feedback, OWN + "NOT_A_FUNCTION", "is not a function"),
    ],
)
def test_a_name_that_is_not_there_is_told_in_one_line(find: Any, name: str, words: str) -> None:
    with pytest.raises(PluginError) as caught:
        find(name)
    assert words in str(caught.value) and "\n" not in str(caught.value)


CONSEQUENCE = Consequence("Agent_2", 4, 6.0, 2.0, "[gograb] <plate> (7)", "ok", "grabbed")


@pytest.mark.parametrize(
    ("name", "consequence", "text"),
    [
        ("return", CONSEQUENCE, "Task Return: 6.0"),
        (
            "return+verdicts",
            CONSEQUENCE,
            "Task Return: 6.0\nLast action: [gograb] <plate> (7) was carried out: grabbed",
        ),
        (
            "return+verdicts",
            CONSEQUENCE._replace(verdict="invalid", detail="someone else\ntook it"),
            "Task Return: 6.0\nLast action: [gograb] <plate> (7) was not carried out (invalid): someone else took it",
        ),
        (
            "return+verdicts",
            CONSEQUENCE._replace(action=None, detail=""),
            "Task Return: 6.0\nLast action: nothing was carried out",
        ),
        (OWN + "praise", CONSEQUENCE, "Agent_2 did [gograb] <plate> (7) in step 4: ok"),
    ],
)
def test_feedback_is_said_in_these_words(name: str, consequence: Consequence, text: str) -> None:
    assert find_feedback(name)(consequence) == text


@pytest.mark.parametrize(
    ("name", "words"),
    [("stumble", "stumble failed: ZeroDivisionError: no reward"), ("babble", "returned 10000 characters, not a text")],
)
def test_feedback_of_ones_own_that_fails_is_named(name: str, words: str) -> None:
    with pytest.raises(PluginError, match=words):
        find_feedback(OWN + name)(CONSEQUENCE)
