"""How the available actions stand in an agent's prompt, with what it is asked to answer. For any world.

The layout follows the convention of Guo et al. (2024), to the space, because models and parsers depend on it.
"""

from __future__ import annotations

from collections.abc import Sequence

from .world import is_message

_NOTE = (
    "Note: You must respond in the json format above. The action choice must be the same as one of the available "
    'actions. If there\'s nothing left to do, the action can be "None".'
)
_NOTE_MESSAGE = " If you choose [send_message], you must also generate the actual message."

_FORMAT = (
    "Response format:\n"
    '{"thoughts" : "thoughts content", \n'
    '"action" : "choose one action from the available actions above"}\n'
)


def letters(index: int) -> str:
    """What numbers the action with this index: A to Z, then AA, AB and so on."""
    text = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        text = chr(ord("A") + rest) + text
    return text


def available_actions(choices: Sequence[str]) -> str:
    """The end of an observation's text: the choices, each with its letter, and how to answer with one of them."""
    talking = any(is_message(choice) for choice in choices)
    return choice_text(choices, [letters(index) for index in range(len(choices))], talking=talking)


def choice_text(choices: Sequence[str], lettering: Sequence[str], *, talking: bool) -> str:
    """As `available_actions`, for a world that keeps its letters and knows whether there is somebody to talk to."""
    actions = "".join([f"{letter}. {choice}\n" for letter, choice in zip(lettering, choices, strict=False)])
    return f"Available actions:\n{actions}\n{_FORMAT}{_NOTE}{_NOTE_MESSAGE if talking else ''}"
