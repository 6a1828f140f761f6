"""A file of messages: read and checked whole, stored in batches, and gone through again without harm."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from memgraph import messages
from memgraph.cli import output
from memgraph.errors import InvalidInput
from memgraph.records import Skipped

if TYPE_CHECKING:
    from memgraph.memory import Memory
    from memgraph.scope import Scope

BATCH: Final = 64
"""Messages stored in one commit: what an interruption costs at most."""


class Batch(NamedTuple):
    """Messages that are stored together.

    Attributes:
        messages: As `Memory.add` takes them.
        lines: The line of each.
        name: What makes the batch known when it comes again, for messages without an id; None: always new.
    """

    messages: list[Mapping[str, Any]]
    lines: Sequence[int]
    name: str | None


@dataclass(slots=True)
class Stored:
    """What became of all batches; `index` of what was skipped is its line."""

    ids: list[str] = field(default_factory=list[str])
    skipped: list[Skipped] = field(default_factory=list[Skipped])
    pending: int = 0
    seq: int = 0


def read(path: Path) -> list[Batch]:
    """Return a file's messages in batches.

    Raises:
        InvalidInput: It can't be read, or a line is no message; the error names the line and shows none of it.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"can't read `{path}`: {error.strerror}") from None
    # Named after the whole file: the same again is known, and two files that merely begin alike are not taken for one.
    name = hashlib.sha256(raw).hexdigest()
    found = [*_messages(path, raw)]
    return [
        Batch([message for _, message in part], [line for line, _ in part], f"{name}:{start}")
        for start in range(0, len(found), BATCH)
        if (part := found[start : start + BATCH])
    ]


def _messages(path: Path, raw: bytes) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(raw.split(b"\n"), 1):
        if not line.strip():
            continue
        where = f"`{path}`, line {number}"
        try:
            value: object = json.loads(line)
        except ValueError as error:
            # From None: a decoding error carries the line.
            raise InvalidInput(f"{where}: not JSON ({type(error).__name__})") from None
        if not isinstance(value, dict):
            raise InvalidInput(f"{where}: not a JSON object with `role` and `content`")
        message = cast("dict[str, Any]", value)
        try:
            messages.read(message)
        except InvalidInput as error:
            raise InvalidInput(f"{where}: {_without_number(str(error))}") from None
        yield number, message


def _without_number(text: str) -> str:
    """Take off the place in a list of one."""
    return text.removeprefix("message 0: ").removeprefix("message 0 ")


def store(memory: Memory, scope: Scope, batches: Sequence[Batch], options: Mapping[str, Any]) -> Stored:
    """Add batches, one commit each, with a progress bar where there are several.

    Raises:
        InvalidInput: A message can't be taken; the batches before it are stored.
    """
    done = Stored()
    total = sum(len(batch.messages) for batch in batches)
    with output.progress() as bar:
        task = bar.add_task("remembering", total=total, visible=total > 1)
        for batch in batches:
            try:
                added = memory.add(batch.messages, scope, idempotency_key=batch.name, **options)
            except InvalidInput as error:
                if batch.name is None:
                    raise InvalidInput(_without_number(str(error))) from None
                raise InvalidInput(f"lines {batch.lines[0]} to {batch.lines[-1]}: {error}") from None
            done.ids += added.ids
            done.skipped += [Skipped(batch.lines[skip.index], skip.reason) for skip in added.skipped]
            done.pending += added.pending
            done.seq = added.seq
            bar.advance(task, len(batch.messages))
    return done
