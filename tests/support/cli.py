"""Running the command line, in this process or in one of its own, and what it said."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from langchain_core.embeddings import Embeddings
from typer.testing import CliRunner

from memgraph.cli import opening
from memgraph.cli.app import app
from support import crash

_LEFT_OUT = ["MEMGRAPH_DB", "MEMGRAPH_USER", "MEMGRAPH_KEY", "MEMGRAPH_KEY_HEX", "MEMGRAPH_DEBUG", "MEMGRAPH_MODEL"]


@dataclass(frozen=True)
class Said:
    """How a command ended: its exit code and what it printed where."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What stdout holds, which must be one JSON document."""
        return json.loads(self.out)

    @property
    def error(self) -> str:
        """The line with which a failed command ends; it must be the only one, and no traceback."""
        assert self.code == 1, (self.code, self.out, self.err)
        [line] = self.err.splitlines()
        assert line.startswith("error: ")
        assert self.out == ""
        return line.removeprefix("error: ")

    @property
    def usage(self) -> str:
        """What was wrong with the command line, on one line however wide the terminal is."""
        assert self.code == 2, (self.code, self.out, self.err)
        assert self.out == ""
        return " ".join(self.err.replace("│", " ").split())


def run(*args: object, input: str | bytes | None = None, **env: str) -> Said:
    """Run the program. Without an embedder unless one is named; variables of our own only as given.

    An exception that is not the program's way to leave is raised here: no user should see it.
    """
    variables: dict[str, str | None] = {**dict.fromkeys(_LEFT_OUT), "MEMGRAPH_EMBEDDER": "none", **env}
    result = CliRunner().invoke(app, [str(arg) for arg in args], input=input, env=variables)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Said(result.exit_code, result.stdout, result.stderr)


def succeed(*args: object, input: str | bytes | None = None, **env: str) -> Said:
    """Run the program, which must end well."""
    said = run(*args, input=input, **env)
    assert said.code == 0, (said.code, said.out, said.err)
    return said


def use_embedder(monkeypatch: pytest.MonkeyPatch, embedder: Embeddings) -> None:
    """Let commands in this process work with an embedder that no option can name."""

    def argument(text: str) -> Embeddings:
        return embedder

    monkeypatch.setattr(opening, "embedder_argument", argument)


def _environment(**more: str) -> Mapping[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MEMGRAPH_")}
    return {**kept, "PYTHONPATH": crash.import_path(), "MEMGRAPH_EMBEDDER": "none", **more}


def _program(*args: object) -> list[str]:
    return [sys.executable, "-m", "memgraph.cli", *map(str, args)]


def start(*args: object, cwd: Path, **env: str) -> subprocess.Popen[str]:
    """Start the program in a process of its own, in the folder `cwd`."""
    # Where the tests run in the background interrupts are ignored, and a child would inherit that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(
            _program(*args),
            cwd=cwd,
            env=_environment(**env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
    finally:
        signal.signal(signal.SIGINT, before)


def finish(*args: object, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the program in a process of its own to its end."""
    return subprocess.run(
        _program(*args), cwd=cwd, env=_environment(**env), capture_output=True, encoding="utf-8", input="", check=False
    )
