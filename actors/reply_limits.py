"""How much a model may write in a reply: small ones less than others."""

from __future__ import annotations

from dataclasses import replace

from .agent import ReplyLimits

TIGHT_LIMITS = ReplyLimits(
    thoughts_chars=120,
    message_chars=80,
    reasoning_chars=120,
    plan_chars=300,
    act_tokens=200,
    learn_tokens=300,
    may_idle=False,
)
"""For models of a few hundred million parameters on a CPU."""


def limits_of(llm: str, learn_llm: str) -> ReplyLimits:
    """The limits of an agent that acts with one model and learns with another, named as in the configuration."""
    act, learn = (TIGHT_LIMITS if name.startswith("local") else ReplyLimits() for name in (llm, learn_llm))
    return replace(
        act, reasoning_chars=learn.reasoning_chars, plan_chars=learn.plan_chars, learn_tokens=learn.learn_tokens
    )
