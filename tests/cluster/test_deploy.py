"""The files in deploy/ are well formed, and the commands in them and in docs/cluster.md exist."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import ray.autoscaler
import typer.main
import yaml
from housemates.orchestrator.cli import app
from ray.scripts.scripts import cli as ray_cli

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
FILES = [*sorted(path for path in DEPLOY.iterdir() if path.is_file()), ROOT / "docs" / "cluster.md"]
IMAGE = "REGISTRY/housemates:0.1.0"


def commands_in(path: Path) -> list[list[str]]:
    """The words after `housemates` or `ray` of each command in a file, joined where lines are."""
    text = re.sub(r"\\?\n\s+(?=--)", " ", path.read_text())
    found = re.findall(
        r"(?:^|[\s(`'])((?:housemates|ray) (?:run|resume|study|llm|start|up|down|exec|stop|job)\b[^\n`');]*)", text
    )
    return [line.split() for line in found]


def options_of(words: list[str]) -> set[str]:
    group: Any = typer.main.get_command(app) if words[0] == "housemates" else ray_cli
    command = group.commands[words[1]]
    if hasattr(command, "commands"):  # ray job submit
        command = command.commands[words[2]]
    return {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_commands_exist_with_their_options(path: Path) -> None:
    for words in commands_in(path):
        own = words[: words.index("--")] if "--" in words else words
        used = {word.partition("=")[0] for word in own if re.match(r"--[a-z]", word)}
        assert used <= options_of(words), words


def test_the_commands_are_found() -> None:
    found = {" ".join(words[:2]) for path in FILES for words in commands_in(path)}
    assert {"housemates run", "housemates resume", "ray start", "ray up", "ray job"} <= found


def test_the_cluster_s_yaml_is_what_ray_takes() -> None:
    schema = json.loads((Path(ray.autoscaler.__file__).parent / "ray-schema.json").read_text())
    config = yaml.safe_load((DEPLOY / "ray-cluster.yaml").read_text())
    jsonschema.validate(config, schema)
    assert config["docker"]["image"] == IMAGE
    assert config["max_workers"] == len(config["provider"]["worker_ips"])


def test_the_manifest_is_a_rayjob_whose_journal_outlives_its_cluster() -> None:
    claim, job = yaml.safe_load_all((DEPLOY / "rayjob.yaml").read_text())
    spec = job["spec"]
    cluster = spec["rayClusterSpec"]
    head = cluster["headGroupSpec"]["template"]["spec"]
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    assert cluster["authOptions"] == {"mode": "token"}
    assert {c["image"] for group in groups for c in group["template"]["spec"]["containers"]} == {IMAGE}
    assert head["volumes"][0]["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert "resume /runs/" in spec["entrypoint"]
    subprocess.run(["sh", "-n", "-c", spec["entrypoint"]], check=True)


def test_every_file_names_the_same_ray() -> None:
    (pinned,) = re.findall(r"^ray==(\S+)", (ROOT / "constraints.txt").read_text(), re.M)
    assert f"FROM rayproject/ray:{pinned}-py311" in (DEPLOY / "Dockerfile").read_text()
    assert f"rayVersion: {pinned}" in (DEPLOY / "rayjob.yaml").read_text()


def test_the_slurm_script_is_bash() -> None:
    subprocess.run(["bash", "-n", DEPLOY / "slurm.sh"], check=True)
