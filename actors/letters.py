"""Letters: all asks for the agents of one process in one message, and the answers that are ready in another.

msgpack, never pickle. A record is the list of its fields in their order: both ends are the same version. What agents
of one household are told alike (the task, the names of things, the actions) stands in a letter once: texts are lists
of the numbers of their lines in a table.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, NamedTuple

from ..env.codec import pack, unpack
from ..env.world import Observation
from .turn import Answer, Ask, Call, Exchange, Failure, PlanUpdate, Turn


class Key(NamedTuple):
    """Which ask: no two have the same."""

    agent: str
    step: int
    attempt: int


def key_of(letter: Ask | Answer) -> Key:
    """What an ask and its answer have in common."""
    return Key(letter.agent, letter.step, letter.attempt)


@dataclass(frozen=True, slots=True)
class Letter:
    """To a process: new asks, and those whose answers it still owes."""

    asks: Sequence[Ask] = ()
    owed: Sequence[Key] = ()


class _Form:
    """How records of a kind are written; `one` and `many` are the fields that hold records themselves."""

    def __init__(
        self, kind: type[Any], one: Mapping[str, _Form] | None = None, many: Mapping[str, _Form] | None = None
    ) -> None:
        self._kind = kind
        self._names = [field.name for field in fields(kind)]
        self._values = attrgetter(*self._names)
        self._one = [(self._names.index(name), form) for name, form in (one or {}).items()]
        self._many = [(self._names.index(name), form) for name, form in (many or {}).items()]

    def write(self, record: Any) -> list[Any]:
        values = list(self._values(record))
        for at, form in self._one:
            if values[at] is not None:
                values[at] = form.write(values[at])
        for at, form in self._many:
            values[at] = [form.write(inner) for inner in values[at]]
        return values

    def read(self, values: list[Any]) -> Any:
        for at, form in self._one:
            if values[at] is not None:
                values[at] = form.read(values[at])
        for at, form in self._many:
            values[at] = tuple(form.read(inner) for inner in values[at])
        return self._kind(**dict(zip(self._names, values, strict=True)))


_CALL = _Form(Call)
_TURN = _Form(Turn, one={"update": _Form(PlanUpdate)}, many={"calls": _CALL, "exchanges": _Form(Exchange)})
_ANSWER = _Form(Answer, one={"turn": _TURN, "failure": _Form(Failure, many={"calls": _CALL})})
_ASK = _Form(Ask, one={"observation": _Form(Observation)})
_OBSERVATION, _TEXT, _CHOICES = (
    [field.name for field in fields(kind)].index(name)
    for kind, name in ((Ask, "observation"), (Observation, "text"), (Observation, "choices"))
)


def write_letter(letter: Letter) -> bytes:
    """The letter as bytes."""
    table: defaultdict[str, int] = defaultdict()
    table.default_factory = table.__len__  # the next number
    asks = [_ASK.write(ask) for ask in letter.asks]
    for ask in asks:
        observation = ask[_OBSERVATION]
        observation[_TEXT] = [table[line] for line in observation[_TEXT].split("\n")]
        observation[_CHOICES] = [table[choice] for choice in observation[_CHOICES]]
    return pack([list(table), asks, letter.owed])


def read_letter(data: bytes) -> Letter:
    """What `write_letter` was given."""
    lines, asks, owed = unpack(data)
    for ask in asks:
        observation = ask[_OBSERVATION]
        observation[_TEXT] = "\n".join([lines[number] for number in observation[_TEXT]])
        observation[_CHOICES] = tuple([lines[number] for number in observation[_CHOICES]])
    return Letter([_ASK.read(ask) for ask in asks], [Key(*key) for key in owed])


def write_answers(answers: Iterable[Answer]) -> bytes:
    """The answers as bytes; one that cannot be written becomes a failure, and does no harm to the others."""
    return pack([_written(answer) for answer in answers])


def read_answers(data: bytes) -> list[Answer]:
    """What `write_answers` was given."""
    return [_ANSWER.read(unpack(answer)) for answer in unpack(data)]


def _written(answer: Answer) -> bytes:
    try:
        return pack(_ANSWER.write(answer))
    except (TypeError, ValueError, OverflowError) as error:  # an agent of a user's own, or a text with half a character
        failure = Failure(kind="error", message=f"{answer.agent}: its turn is no plain data ({type(error).__name__})")
        return pack(
            _ANSWER.write(Answer(agent=answer.agent, step=answer.step, attempt=answer.attempt, failure=failure))
        )
