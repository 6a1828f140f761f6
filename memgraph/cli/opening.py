"""From options to an open memory."""

from __future__ import annotations

import getpass
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from memgraph import environment
from memgraph.cli.options import File
from memgraph.environment import NO_EMBEDDER
from memgraph.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from memgraph.memory import Memory


def open_memory(
    file: File, embedder: str = NO_EMBEDDER, *, make: bool = False, facts: bool = False, model: str | None = None
) -> Memory:
    """Open the memory that the options name; use it in a `with` block.

    Args:
        file: Which file, and where its key comes from.
        embedder: As of `--embedder`.
        make: Make the file if it is not there. Else that is an error: reading a mistyped path makes no file.
        facts: Make facts of what is added, and of what waits for it. Reading leaves that to the program with the model.
        model: As of `--model`.
    """
    if not make and not file.db.exists():
        raise NotFound(f"no memory file at `{file.db}`: name it with --db, or make one with `memgraph add`")
    key = _key(file, confirm=not file.db.exists())
    from memgraph.memory import Memory

    return Memory.open(file.db, embedder=embedder_argument(embedder), key=key, facts=facts, model=model)


def embedder_argument(text: str) -> str | None:
    """Return `--embedder` as `Memory.open` takes it."""
    return environment.embedder(text)


def check_folder(path: Path) -> None:
    """Refuse a file whose folder is not there, which the engine would only call unreadable.

    Raises:
        InvalidInput: It is not.
    """
    if not path.absolute().parent.is_dir():
        raise InvalidInput(f"there is no folder `{path.absolute().parent}` to put `{path.name}` into")


def _key(file: File, *, confirm: bool) -> str | bytes | None:
    """Return the file's key. Never from an argument, which other users of the machine could read."""
    if file.ask_key:
        return _typed(confirm=confirm)
    return environment.key()


def _typed(*, confirm: bool) -> str:
    """Ask for a passphrase at the terminal, unseen; of a new file twice, since a slip would lock it for good."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            typed = getpass.getpass("Passphrase: ")
            again = getpass.getpass("Once more: ") if confirm else typed
        except (getpass.GetPassWarning, EOFError):
            raise typer.BadParameter("needs a terminal; else set MEMGRAPH_KEY", param_hint="--ask-key") from None
    if typed != again:
        raise InvalidInput("the two passphrases differ; no file was made")
    return typed
