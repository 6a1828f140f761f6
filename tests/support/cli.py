"""Running the command line in this process, and what it said."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from typer.testing import CliRunner

from memgraph.cli.app import app

_LEFT_OUT = ["MEMGRAPH_DB", "MEMGRAPH_USER", "MEMGRAPH_KEY", "MEMGRAPH_KEY_HEX", "MEMGRAPH_DEBUG"]


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
