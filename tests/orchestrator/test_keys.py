"""Which key goes where: to the endpoint it is for, and by the name of its variable only."""

from __future__ import annotations

import pytest
from housemates.orchestrator.config import make_config
from housemates.orchestrator.endpoint import openai_endpoint
from housemates.orchestrator.errors import ConfigError

ELSEWHERE = "http://127.0.0.1:9/v1"


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-one")
    monkeypatch.setenv("OTHER_KEY", "sk-two")


def variables(**values: object) -> list[str | None]:
    """The variable of each model of a run."""
    return [openai_endpoint(choice).key_env for choice in make_config(**values).models]


def test_openai_s_key_goes_to_openai() -> None:
    assert variables(llm="openai:m") == ["OPENAI_API_KEY"]
    assert variables(llm="openai:m", base_url="https://api.openai.com/v1") == ["OPENAI_API_KEY"]


@pytest.mark.parametrize("url", [ELSEWHERE, "https://api.openai.com.example.org/v1", "http://api.openai.com/v1"])
def test_another_endpoint_gets_no_key_unasked(url: str) -> None:
    assert variables(llm="openai:m", base_url=url) == [None]
    assert variables(llm="openai:m", base_url=url, key_env="OTHER_KEY") == ["OTHER_KEY"]


def test_the_endpoint_of_openai_s_variable_belongs_to_openai_s_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", ELSEWHERE)
    assert variables(llm="openai:m") == ["OPENAI_API_KEY"]
    assert variables(llm="openai:m", base_url="http://127.0.0.1:10/v1") == [None]
    monkeypatch.delenv("OPENAI_API_KEY")
    assert variables(llm="openai:m") == [None]


def test_every_model_of_a_run_has_its_own() -> None:
    own = [{"name": 1, "llm": "openai:c", "base_url": ELSEWHERE, "key_env": "OTHER_KEY"}]
    learn = {"learn_llm": "openai:b", "learn_base_url": ELSEWHERE}
    assert variables(llm="openai:a", agent=own, **learn) == ["OPENAI_API_KEY", None, "OTHER_KEY"]
    assert variables(llm="openai:a", **learn, learn_key_env="OTHER_KEY") == ["OPENAI_API_KEY", "OTHER_KEY"]


def test_a_variable_that_is_not_set_is_named() -> None:
    with pytest.raises(ConfigError, match=r"openai:m needs a key: set MISSING_KEY$"):
        variables(llm="openai:m", key_env="MISSING_KEY")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"llm": "openai:m", "key_env": "sk-SENTINEL"}, "the name of an environment variable is meant"),
        ({"llm": "openai:m", "agent": [{"name": 1, "llm": "openai:m", "key_env": "sk-SENTINEL"}]}, "is meant"),
        ({"llm": "scripted", "key_env": "OTHER_KEY"}, "key_env goes with openai:MODEL, not with scripted"),
        ({"llm": "openai:m", "learn_key_env": "OTHER_KEY"}, "learn_key_env goes with learn_llm"),
        ({"llm": "openai:m", "agent": [{"name": 1, "key_env": "OTHER_KEY"}]}, "an llm of the agent's own"),
    ],
)
def test_a_key_in_place_of_a_name_is_refused_and_not_repeated(values: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        make_config(**values)
    assert "SENTINEL" not in str(caught.value)
