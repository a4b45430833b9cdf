"""The openai package, of which a process loads what it needs, and whoever wants more gets it."""

from __future__ import annotations

import subprocess
import sys


def said(code: str) -> list[str]:
    """What a fresh Python prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split()


LOADED = "print(sum(module.startswith('openai.types.responses.') for module in sys.modules))"


def test_models_of_replies_that_nobody_looks_at_are_not_loaded() -> None:
    (number,) = said(f"import sys, housemates.actors.model.openai_import; {LOADED}")
    assert int(number) < 20


def test_whoever_asks_for_them_gets_them() -> None:
    code = (
        "import sys, housemates.actors.model.openai_import, openai, openai.types.responses\n"
        "from openai.types import CompletionUsage, Batch\n"
        "from openai.types.responses import Response\n"
        "assert openai.types.responses.Response is Response is sys.modules['openai.types.responses'].Response\n"
        "assert openai.types.Batch is Batch\n"
        "client = openai.AsyncOpenAI(api_key='none')\n"
        "print(Response.__name__, CompletionUsage.__name__, callable(client.responses.create), type(openai.types))"
    )
    assert said(code) == ["Response", "CompletionUsage", "True", "<class", "'module'>"]


def test_a_package_that_is_loaded_already_stays_as_it_is() -> None:
    code = (
        "import sys, openai\n"
        "whole = openai.types\n"
        "import housemates.actors.model.openai_import\n"
        "print(sys.modules['openai.types'] is whole, type(whole))"
    )
    assert said(code) == ["True", "<class", "'module'>"]
