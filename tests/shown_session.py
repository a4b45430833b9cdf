"""Runs what a page shows, from its first block to its last, in a folder of its own.

Commands and Python run in this process, so that a page costs a second and not one for each command. Models are the
scripted one, also where a page names OpenAI or a server on this machine; the runtime is inline and a horizon short,
unless the page says otherwise. Commands that serve until Ctrl-C are started, stay while the rest of the page runs, and
are ended by Ctrl-C.
"""

from __future__ import annotations

import doctest
import gc
import importlib
import io
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import typer
from housemates.orchestrator.cli import app, main

from .shown_blocks import ROOT, Block, commands

SETTINGS = {
    "HOUSEMATES_LLM": "scripted",
    "HOUSEMATES_RUNTIME": "inline",
    "HOUSEMATES_STEPS": "3",
    "BROWSER": "true",  # the program of that name: a page that is opened is not looked at
    "COLUMNS": "110",
}
MODEL_PORTS = ("8000", "11434")
"""Where the pages say that vLLM and Ollama listen: the scripted model answers for them, and for OpenAI."""

_ASSIGNMENT = re.compile(r"([A-Z][A-Z0-9_]*)=(.*)")
_EXIT_CODE = re.compile(r"#.*\bexit code (\d+)")
_NEEDS_A_SHELL = re.compile(r"[|&;<]|\$\(|>>")
_READY_S = 180
"""Seconds a server has to come up or to end, and another program to do its work."""


class ShownWrongly(AssertionError):
    """What a page shows does not happen."""


def parse(command: str) -> None:
    """Check a `housemates` command against the command line, without running it; others pass.

    Raises:
        ShownWrongly: there is no such command, option or kind of value.
    """
    _, words = _words(command)
    if not words or words[0] != "housemates":
        return
    place: Any = typer.main.get_command(app)
    rest = words[1:]
    try:
        while hasattr(place, "commands") and rest and not rest[0].startswith("-"):
            place, rest = place.commands[rest[0]], rest[1:]
        place.make_context("housemates", rest)
    except (typer.TyperException, KeyError) as error:
        raise ShownWrongly(f"{command}: {error}") from None
    except typer.Exit:  # of --help and --version
        pass


@contextmanager
def session(folder: Path, model_url: str) -> Generator[Session]:
    """A session in a new folder, with the repository's examples in it and the scripted model at `model_url`."""
    before, environment, modules, paths = Path.cwd(), dict(os.environ), set(sys.modules), list(sys.path)
    thresholds = gc.get_threshold()  # which the command sets
    folder.mkdir(exist_ok=True)
    (folder / "examples").symlink_to(ROOT / "examples")
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True)
    shim = programs / "housemates"
    shim.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m housemates.orchestrator.cli "$@"\n')
    shim.chmod(0o755)
    (programs / "python").symlink_to(sys.executable)
    os.chdir(folder)
    search = f"{programs}{os.pathsep}{os.environ['PATH']}"
    sources = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    keys = {"OPENAI_API_KEY": "a-key", "OPENAI_BASE_URL": model_url}
    os.environ.update(SETTINGS | keys | {"PATH": search, "PYTHONPATH": sources})
    page = Session(model_url)
    try:
        yield page
        page.end_servers()
    finally:
        for server in page.servers:
            server.kill()
            server.wait()
        gc.set_threshold(*thresholds)
        os.chdir(before)
        os.environ.clear()
        os.environ.update(environment)
        sys.path[:] = paths
        for name in set(sys.modules) - modules:  # the page's own modules, which the next page may name alike
            if str(getattr(sys.modules[name], "__file__", "")).startswith(str(folder)):
                del sys.modules[name]
        importlib.invalidate_caches()


class Session:
    """What a page has come to: its Python names, its servers, and which ports stand for which."""

    def __init__(self, model_url: str) -> None:
        port = _port_in(model_url)
        self.servers: list[subprocess.Popen[str]] = []
        self._ports = dict.fromkeys(MODEL_PORTS, port)
        self._names: dict[str, Any] = {"__name__": "shown"}

    def run(self, block: Block) -> None:
        """Do what a block shows.

        Raises:
            ShownWrongly: it does something else.
        """
        if "file" in block.marks:
            Path(block.marks["file"]).write_text(self._here(_with_scripted_names(block.text)))
        elif block.language == "set":
            name, _, value = block.text.partition("=")
            os.environ[name] = value
        elif block.language == "run":
            self._command(block.text)
        elif block.language in ("sh", "console"):
            for command, expected in commands(block):
                printed = self._command(command)
                if block.language == "console" and not _alike(printed, self._here(expected)):
                    raise ShownWrongly(f"{block.place}: {command}\nprinted\n{printed}\nshown is\n{expected}")
        elif block.language == "python":
            with redirect_stdout(io.StringIO()):
                exec(compile("\n" * block.line + self._here(block.text), block.place, "exec"), self._names)
        elif block.language == "pycon":
            self._dialogue(block)

    def end_servers(self) -> None:
        """Press Ctrl-C on what still serves."""
        for server in self.servers:
            server.send_signal(signal.SIGINT)
        for server in self.servers:
            code = server.wait(_READY_S)
            if code not in (0, 130):
                raise ShownWrongly(f"{server.args}: ended with {code}")

    def _command(self, command: str) -> str:
        """Run a line; returns what it prints, stdout before stderr."""
        line = self._here(_with_scripted_names(command))
        wanted = _EXIT_CODE.search(command)
        assigned, words = _words(line)
        if words[:1] != ["housemates"] or _NEEDS_A_SHELL.search(line.partition(" #")[0]):
            done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=_READY_S)
            code, printed = done.returncode, done.stdout + done.stderr
        elif _serves(words):
            self._start(words)
            return ""
        else:
            file = words[words.index(">") + 1] if ">" in words else ""
            code, out, err = _in_process(words[: words.index(">")] if file else words, assigned)
            printed = out + err
            if file:
                Path(file).write_text(out)
        if code != int(wanted[1] if wanted else 0):
            raise ShownWrongly(f"{command}: exit code {code}\n{printed}")
        return printed

    def _start(self, words: list[str]) -> None:
        """Start what serves until Ctrl-C, on a free port in place of the one that is shown."""
        shown = words[words.index("--port") + 1] if "--port" in words else ""
        words = [*words, "--port", "0"] if shown or words[1] in ("llm", "serve") else words
        server = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.servers.append(server)
        assert server.stdout is not None
        for line in server.stdout:
            if "http://" in line:
                self._ports[shown or "8080"] = _port_in(line)
                return
        raise ShownWrongly(f"{shlex.join(words)}: ended without an address")

    def _dialogue(self, block: Block) -> None:
        parser = doctest.DocTestParser()
        shown = parser.get_doctest(self._here(block.text), self._names, block.place, block.place, block.line)
        complaints: list[str] = []
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
        runner.run(shown, out=complaints.append, clear_globs=False)
        self._names.update(shown.globs)
        if complaints:
            raise ShownWrongly("".join(complaints))

    def _here(self, text: str) -> str:
        """A text with the ports that there are in place of those that are shown."""
        for shown, port in self._ports.items():
            text = re.sub(rf"(?<=:){shown}\b|(?<=port=\"){shown}\b", port, text)
        return text


def _words(command: str) -> tuple[dict[str, str], list[str]]:
    """The variables that are set before a command, and its words; a comment is none of them."""
    words = shlex.split(command, comments=True)
    assigned: dict[str, str] = {}
    while words and (match := _ASSIGNMENT.fullmatch(words[0])):
        assigned[match[1]] = match[2].replace("…", "a-key")
        words = words[1:]
    return assigned, [words[0].removeprefix(".venv/bin/"), *words[1:]] if words else []


def _with_scripted_names(command: str) -> str:
    """A command or a settings file with the scripted model's name in place of those of the servers it answers for."""
    meant = any(f":{port}/" in command for port in MODEL_PORTS)
    if meant or ("--base-url" not in command and os.environ.get("OPENAI_BASE_URL")):
        return re.sub(r"\bopenai:[\w.-]+", "openai:scripted", command)
    return command


def _serves(words: list[str]) -> bool:
    """Whether a command goes on until Ctrl-C."""
    return (words[1] in ("view", "llm", "serve") and "--make-executable" not in words) or (
        words[1] == "run" and "--view" in words
    )


def _port_in(text: str) -> str:
    match = re.search(r"http://[^:/\s]+:(\d+)", text)
    assert match, text
    return match[1]


def _in_process(words: list[str], assigned: Mapping[str, str]) -> tuple[int, str, str]:
    """Run the command line in this process: (exit code, stdout, stderr)."""
    out, err = io.StringIO(), io.StringIO()
    arguments, environment = sys.argv, {name: os.environ.get(name) for name in assigned}
    sys.argv = words
    os.environ.update(assigned)
    code: int | str | None = 0
    try:
        with redirect_stdout(out), redirect_stderr(err):
            main()
    except SystemExit as ended:
        code = ended.code
    finally:
        sys.argv = arguments
        for name, value in environment.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
    return int(code or 0), out.getvalue(), err.getvalue()


def _alike(printed: str, shown: str) -> bool:
    """Whether the output is as shown; `…` stands for anything within a line, alone in a line for any lines."""
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == "…" else ".*".join(map(re.escape, line.rstrip().split("…"))) + r"[ \t]*\n"
        for line in shown.strip("\n").splitlines()
    )
    return re.fullmatch(pattern, printed.strip("\n") + "\n" if printed.strip() else "") is not None
