"""What a run tells Ray's metrics, and that it arrives where Prometheus scrapes."""

from __future__ import annotations

import re
import time
import urllib.request
from importlib.util import find_spec
from typing import Any

import pytest
from housemates.orchestrator.metrics import metered


def record(**times: float) -> dict[str, Any]:
    call = {"purpose": "act", "error": None, "prompt_tokens": 70, "completion_tokens": 5}
    lost = call | {"error": "timeout", "completion_tokens": 0}
    turn = {"calls": [call], "update": {"verdict": "accepted"}}
    part = {"verdict": "ok", "turn": turn, "lost_calls": [lost], "times": times}
    spent = {"step_s": 2.5, "turns_s": 2.0, "world_s": 0.25, "journal_s": 0.125}
    return {"kind": "step", "agents": {"a": part, "b": part | {"turn": None}}, **spent}


class Told:
    """Stands in for a metric: keeps what it is told, by name and labels."""

    heard: dict[str, float]

    def __init__(self, name: str, description: str, boundaries: Any = None, tag_keys: tuple[str, ...] = ()) -> None:
        self.name, self.tag_keys = name, set(tag_keys)

    def set_default_tags(self, tags: dict[str, str]) -> Told:
        self.tags = tags
        return self

    def inc(self, value: float, tags: dict[str, str] | None = None) -> None:
        labels = self.tags | (tags or {})
        assert set(labels) == self.tag_keys
        key = f"{self.name} {' '.join(labels.values())}"
        Told.heard[key] = Told.heard.get(key, 0) + value

    observe = set = inc


def test_a_step_is_told_once_it_is_committed(monkeypatch: pytest.MonkeyPatch) -> None:
    from ray.util import metrics

    Told.heard = {}
    for kind in ("Counter", "Histogram", "Gauge"):
        monkeypatch.setattr(metrics, kind, Told)
    committed: list[Any] = []
    commit = metered(committed.append, "run-1")
    for one in ({"kind": "begin"}, record(act_s=1.5, barrier_s=0.5), {"kind": "end", "wall_s": 1.0}):
        commit(one)
    assert [one["kind"] for one in committed] == ["begin", "step", "end"]
    assert Told.heard == {
        "housemates_agent_seconds run-1 act": 3.0,
        "housemates_agent_seconds run-1 barrier": 1.0,
        "housemates_step_parts_seconds run-1 act": 1.5,
        "housemates_step_parts_seconds run-1 world": 0.25,
        "housemates_step_parts_seconds run-1 journal": 0.125,
        "housemates_step_parts_seconds run-1 driver": 0.75,
        "housemates_turns run-1 ok": 2,
        "housemates_plan_updates run-1 accepted": 1,
        "housemates_model_calls run-1 act ok": 1,
        "housemates_model_calls run-1 act timeout": 2,
        "housemates_tokens run-1 prompt": 210,
        "housemates_tokens run-1 completion": 5,
        "housemates_step_seconds run-1": 2.5,
        "housemates_agents run-1": 2,
    }


@pytest.mark.ray
@pytest.mark.skipif(find_spec("prometheus_client") is None, reason="needs the extra metrics: ray[default]")
def test_what_is_told_can_be_scraped() -> None:
    import ray
    from housemates.orchestrator.cluster.own import local_ray

    with local_ray():
        metered(lambda _: None, "run-2")(record(act_s=1.5))
        port = ray.nodes()[0]["MetricsExportPort"]
        until = time.monotonic() + 60
        text = ""
        while "housemates_turns" not in text and time.monotonic() < until:
            time.sleep(0.5)
            try:
                text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5).read().decode()
            except OSError:  # the agent of the node is not up yet
                continue
    assert re.search(r'^ray_housemates_turns(_total)?\{.*run="run-2".*verdict="ok".*\} 2', text, re.M), text
