"""What goes where: answers to stdout, everything else to stderr. Stored text never drives the terminal."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console

if TYPE_CHECKING:
    from rich.progress import Progress

# Control characters but for line break and tab (an escape sequence could retitle a terminal, or hide a line), what
# turns the direction of text, invisible tags, and lone surrogates, which no stream can encode.
_UNSAFE: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\U000e0000-\U000e007f]"
)

SHORT: Final = 320
"""Characters of a turn shown in a list; `--full` shows all."""


class _Answers(Console):
    """A console that leaves a pipe closed by its reader to the command."""

    def on_broken_pipe(self) -> None:
        """Pass it on; rich's own would leave with 1."""
        raise BrokenPipeError


def answers() -> Console:
    """Return the console of stdout."""
    return _Answers(highlight=False, markup=False, emoji=False)


def notes() -> Console:
    """Return the console of stderr."""
    return Console(highlight=False, markup=False, emoji=False, stderr=True)


def note(line: str) -> None:
    """Tell the person at the terminal something that is not the answer."""
    print(printable(line), file=sys.stderr, flush=True)


def confirmed(question: str) -> bool:
    """Ask on stderr, so that stdout stays the answer's (`input` and typer's prompts write there); no answer is no."""
    print(printable(question), "[y/N] ", end="", file=sys.stderr, flush=True)
    answer = sys.stdin.readline()
    if not sys.stdin.isatty():
        print(file=sys.stderr)  # nobody's return key ended the line
    return answer.strip().lower() in ("y", "yes")


def error(message: str) -> None:
    """Say in one line what went wrong."""
    note("error: " + " ".join(message.split()))


def emit(value: object) -> None:
    """Print the answer as one JSON document."""
    text = json.dumps(value, default=_plain, ensure_ascii=False, indent=2)
    if (sys.stdout.encoding or "").lower().replace("-", "") != "utf8":
        text = json.dumps(value, default=_plain, indent=2)
    print(printable(text))


def printable(text: str) -> str:
    r"""Return a text with the characters that would drive a terminal written as \uXXXX, as JSON writes them too."""
    return _UNSAFE.sub(lambda match: _escaped(match[0]), text)


def _escaped(character: str) -> str:
    return json.dumps(character)[1:-1] if character > "\x7f" else f"\\u{ord(character):04x}"


def shortened(text: str, room: int = SHORT) -> str:
    """Return a text on one paragraph, cut at a word where it is longer than `room` characters."""
    line = " ".join(text.split())
    if len(line) <= room:
        return line
    return line[:room].rsplit(" ", 1)[0] + " …"


def when(moment: datetime) -> str:
    """Return a time for reading, in UTC."""
    return f"{moment.astimezone(UTC):%a} {moment.astimezone(UTC).day} {moment.astimezone(UTC):%b %Y, %H:%M}"


def count(number: int, noun: str) -> str:
    """Return a number with its noun: 1 turn, 2,000 turns."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def progress(*, transient: bool = True) -> Progress:
    """Return a progress bar on stderr, which shows itself only to a person."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = notes()
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=transient,
        disable=not console.is_terminal,
    )


def _plain(value: object) -> Any:
    """Return what JSON lacks as something it has."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
