"""What a run may spend on its models."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Calls of models (each with its repeated requests), the tokens of their replies, and seconds of the run."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            calls=self.calls + other.calls,
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            seconds=self.seconds + other.seconds,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Bounds of what is spent; None for none.

    Attributes:
        calls, seconds: see `Spent`.
        tokens: of prompts and replies together.
        dollars: at the prices below.
        price_in, price_out: dollars for a million tokens of prompts and of replies.
    """

    calls: int | None = None
    tokens: int | None = None
    dollars: float | None = None
    seconds: float | None = None
    price_in: float = 0.0
    price_out: float = 0.0

    @property
    def bounded(self) -> bool:
        """Whether there is a bound at all."""
        return any(bound is not None for bound in (self.calls, self.tokens, self.dollars, self.seconds))

    def cost(self, spent: Spent) -> float:
        """Dollars."""
        return (spent.prompt_tokens * self.price_in + spent.completion_tokens * self.price_out) / 1e6

    def used_up(self, spent: Spent) -> str:
        """Which bound is reached, in words; "" if none is."""
        tokens = spent.prompt_tokens + spent.completion_tokens
        if self.calls is not None and spent.calls >= self.calls:
            return f"the budget of {self.calls} model calls is used up; allow more with --max-calls"
        if self.tokens is not None and tokens >= self.tokens:
            return f"the budget of {self.tokens} tokens is used up ({tokens}); allow more with --max-tokens"
        if self.dollars is not None and self.cost(spent) >= self.dollars:
            cost = f"${self.cost(spent):.4f}"
            return f"the budget of ${self.dollars:g} is used up ({cost}); allow more with --max-cost"
        if self.seconds is not None and spent.seconds >= self.seconds:
            return f"the budget of {self.seconds:g} s is used up ({spent.seconds:.1f} s); allow more with --max-seconds"
        return ""
