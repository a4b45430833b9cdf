"""Imports Trace: quickly, silently, and without what it asks for and we never use.

Every process that holds a Trace agent pays for this import, so both tricks matter: a few
tenths of a second of CPU instead of more than ten seconds.
"""

from __future__ import annotations

import inspect
import sys
import types
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, NamedTuple


class _Caller(NamedTuple):
    frame: types.FrameType


@contextmanager
def _bare_stack() -> Generator[None]:
    """Trace calls `inspect.stack` for each of its 83 operators, to get at its caller's frame.

    The real one reads the source of every frame and looks through every loaded module; this one
    returns the frames.
    """

    def stack(context: int = 1) -> list[_Caller]:
        frame: types.FrameType | None = sys._getframe(1)
        callers: list[_Caller] = []
        while frame is not None:
            callers.append(_Caller(frame))
            frame = frame.f_back
        return callers

    real = inspect.stack
    inspect.stack = stack  # type: ignore[assignment] # pyright: ignore[reportAttributeAccessIssue]
    try:
        yield
    finally:
        inspect.stack = real


@contextmanager
def _without_litellm() -> Generator[None]:
    """`opto.optimizers` imports litellm (9 s, 150 MB) only to offer a default model, which is never ours.

    A stand-in takes the place of the module that does so, and is removed afterwards: whoever wants the
    real one in this process still gets it.
    """
    name = "opto.utils.llm"
    if name in sys.modules:
        yield
        return
    stand_in = types.ModuleType(name)
    stand_in.AbstractModel = stand_in.LLM = type("AbstractModel", (), {})  # type: ignore[attr-defined]
    sys.modules[name] = stand_in
    try:
        yield
    finally:
        del sys.modules[name]


with _bare_stack(), warnings.catch_warnings():
    # Python 3.12 and newer complain to the user about a "\\/" in Trace's source whenever they compile it.
    warnings.simplefilter("ignore", SyntaxWarning)
    from opto import trace
    from opto.trace.nodes import GRAPH, ExceptionNode, Node, ParameterNode

    with _without_litellm():
        from opto.optimizers import OPRO as _OPRO
        from opto.optimizers import OptoPrime as _OptoPrime
        from opto.optimizers import TextGrad as _TextGrad
        from opto.optimizers.optimizer import Optimizer as _Optimizer

OPRO: Any = _OPRO
Optimizer: Any = _Optimizer
OptoPrime: Any = _OptoPrime
TextGrad: Any = _TextGrad

__all__ = ["GRAPH", "OPRO", "ExceptionNode", "Node", "Optimizer", "OptoPrime", "ParameterNode", "TextGrad", "trace"]
