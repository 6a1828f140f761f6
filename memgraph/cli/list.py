"""`memgraph list`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from memgraph.cli import output
from memgraph.cli.command import command, examples
from memgraph.cli.opening import open_memory
from memgraph.cli.options import File, Json, Only, Whose
from memgraph.cli.turns import show_turn

if TYPE_CHECKING:
    from memgraph.memory import Memory
    from memgraph.records import Page, Turn
    from memgraph.scope import Scope

_EPILOG: Final = examples(
    "memgraph list --user ada",
    "memgraph list --user ada --speaker Ada --since 2025-06-01 --all",
    "memgraph list --user ada --all --json > ada.json",
)


@command
def list_turns(
    file: File,
    whose: Whose,
    only: Only,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="Turns a page.")] = 20,
    cursor: Annotated[
        str | None, typer.Option("--cursor", metavar="CURSOR", help="Go on where the last page ended.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All pages.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Show long turns whole.")] = False,
    as_json: Json = False,
) -> None:
    """List turns in the order in which they were stored, a page at a time."""
    scope, arguments = whose.scope(), only.arguments() | {"limit": limit}
    turns: list[Turn] = []
    rest: str | None = None
    console, shown = output.answers(), 0
    with open_memory(file) as memory:
        for page in pages(memory, scope, cursor, arguments):
            rest = page.cursor
            shown += len(page.items)
            if as_json:
                turns += page.items
            else:
                for turn in page.items:
                    show_turn(turn, console, full=full)
            if not everything:
                break
    if as_json:
        output.emit({"turns": turns, "cursor": rest})
    elif rest is not None:
        output.note(f"{output.count(shown, 'turn')}; go on with --cursor {rest}")
    else:
        output.note(f"{output.count(shown, 'turn')}, no more" if shown else f"nothing there for {whose.name}")


def pages(memory: Memory, scope: Scope, cursor: str | None, arguments: dict[str, Any]) -> Iterator[Page[Turn]]:
    """Yield the pages of a list, at least one."""
    while True:
        page = memory.list(scope, cursor=cursor, **arguments)
        yield page
        cursor = page.cursor
        if cursor is None:
            return


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("list", epilog=_EPILOG)(list_turns)
