"""What every command has in common: its options come in groups, and its failures are one line and an exit code."""

from __future__ import annotations

import inspect
import logging
import os
import sys
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any, Final, get_type_hints

import typer

from memgraph.cli import output
from memgraph.errors import AgentMemoryError

FAILED: Final = 1
INTERRUPTED: Final = 130


def command(function: Callable[..., None]) -> Callable[[], None]:
    """Make a function a command.

    A parameter whose type is a dataclass stands for a group of options, one for each field, which is annotated as a
    typer parameter is. So a group is written once and each command names the groups it takes.

    What our code raises ends the command with one line on stderr and exit code 1, never a traceback
    (MEMGRAPH_DEBUG=1 shows it), Ctrl-C with 130.
    """
    hints = get_type_hints(function, include_extras=True)
    groups = {name: hint for name, hint in hints.items() if inspect.isclass(hint) and is_dataclass(hint)}
    parameters: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(function).parameters.items():
        if name in groups:
            types = get_type_hints(groups[name], include_extras=True)
            parameters += [
                inspect.Parameter(
                    field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=types[field.name]
                )
                for field in fields(groups[name])
            ]
        else:
            parameters.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[name]))

    def run(**values: Any) -> None:
        for name, group in groups.items():
            values[name] = group(**{field.name: values.pop(field.name) for field in fields(group)})
        _guarded(lambda: function(**values))

    run.__name__, run.__doc__ = function.__name__, prose(function.__doc__ or "")
    run.__dict__["__signature__"] = inspect.Signature(parameters)  # what typer reads
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def prose(text: str) -> str:
    """Return a docstring with each paragraph on one line: typer keeps line breaks, a terminal has another width."""
    return "\n\n".join(" ".join(part.split()) for part in inspect.cleandoc(text).split("\n\n"))


def examples(*lines: str, notes: str = "") -> str:
    """Return the end of a help text: lines to try, then `notes`, in rich's markup."""
    shown = "\n".join("$ " + line.replace("[", r"\[") for line in lines)
    return f"[bold]Examples[/bold]\n\n[cyan]{shown}[/cyan]" + (f"\n\n{prose(notes)}" if notes else "")


def _guarded(work: Callable[[], None]) -> None:
    """Do a command's work and turn what ends it early into an exit code."""
    _listen()
    try:
        work()
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has seen enough (`memgraph list | head`). What is left in the buffer goes nowhere.
        _close_stdout()
        raise typer.Exit(0) from None
    except KeyboardInterrupt:
        output.note("interrupted")
        raise typer.Exit(INTERRUPTED) from None
    except AgentMemoryError as error:
        if os.environ.get("MEMGRAPH_DEBUG") == "1":
            raise
        output.error(str(error))
        raise typer.Exit(FAILED) from None


def _close_stdout() -> None:
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        return  # it has no descriptor


class _ToStderr(logging.Handler):
    """Shows the package's warnings as lines of this program."""

    def emit(self, record: logging.LogRecord) -> None:
        output.note(f"{record.levelname.lower()}: {record.getMessage()}")


def _listen() -> None:
    logger = logging.getLogger("memgraph")
    if not any(isinstance(handler, _ToStderr) for handler in logger.handlers):
        logger.addHandler(_ToStderr(logging.WARNING))
