"""A trader by rules in place of a language model (`--llm scripted:haggling:haggle`). It reads only the prompt."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

_CHOICE = re.compile(r"^[A-Z]+\. (\[(\w+)\] .*)$", re.M)
_SWAP = re.compile(r"my (\w+) for (\w+)")
_PLAN_NAME = re.compile(r"#Variables\s*\n\(\w+\)\s*(\w+)=")


def haggle(messages: Sequence[Mapping[str, str]]) -> str:
    """The reply to either prompt of an agent: what to do next, or what plan to follow from now on."""
    text = "\n".join(message["content"] for message in messages)
    name = _PLAN_NAME.search(text)
    if name:
        newest = text[text.rfind("#Outputs") :]
        return json.dumps({"reasoning": "Whoever says what he wants gets it.", "suggestion": {name[1]: plan(newest)}})
    action, why = decide(text)
    return json.dumps({"thoughts": why, "action": action})


def plan(text: str) -> str:
    """What is worth asking for, and what the others have said that they want."""
    values = _amounts(text, "A unit is worth: ")
    wishes = _wishes(text)
    best = ", ".join(sorted(values, key=lambda good: -values[good])[:2])
    return f"Ask for {best}. " + " ".join(f"Give {other} {good}." for other, good in sorted(wishes.items()))


def decide(text: str) -> tuple[str, str]:
    """Take a good offer, else say what is wanted, else make one, another one each round, to whoever wants it first."""
    values = _amounts(text, "A unit is worth: ")
    choices = [(match[1], match[2]) for match in _CHOICE.finditer(text)]

    def profit(choice: str) -> int:
        swap = _SWAP.search(choice)
        return values[swap[2]] - values[swap[1]] if swap else 0

    good = [choice for choice, verb in choices if verb == "accept" and profit(choice) > 0]
    if good:
        return max(good, key=profit), "This offer is worth it."
    round_number = int(re.search(r"This is round (\d+)", text)[1])  # type: ignore[index] # the world says so
    forms = [choice for choice, verb in choices if verb == "send_message"]
    if round_number == 0 and forms:
        wanted = max(values, key=lambda good: values[good])
        return forms[-1].replace(": text", f": I want {wanted}"), "They cannot know what I want."
    offers = [choice for choice, verb in choices if verb == "offer" and profit(choice) > 0]
    wishes = _wishes(text)
    pleasing = [choice for choice in offers if any(f"{o}: my {good} for" in choice for o, good in wishes.items())]
    for candidates, why in ((pleasing, "That is what they asked for."), (offers, "Perhaps they like this one.")):
        if candidates and (candidates is offers or round_number % 2):
            return sorted(candidates, key=profit, reverse=True)[round_number % len(candidates)], why
    return "None", "I wait for a better offer."


def _amounts(text: str, head: str) -> dict[str, int]:
    line = text.partition(head)[2].partition(".")[0]
    return {good: int(count) for good, count in re.findall(r"(\w+) (\d+)", line)}


def _wishes(text: str) -> dict[str, str]:
    """Who wants what, from the plan, and from what was said since."""
    planned = re.findall(r"Give (\w+) (\w+)\.", text)
    return dict(planned) | dict(re.findall(r"^(\w+) to \w+: I want (\w+)$", text, re.M))
