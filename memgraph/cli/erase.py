"""`memgraph erase`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from memgraph.cli import output
from memgraph.cli.command import FAILED, command, examples
from memgraph.cli.list import pages
from memgraph.cli.opening import open_memory
from memgraph.cli.options import Embedder, File, Json, Whose
from memgraph.environment import NO_EMBEDDER
from memgraph.errors import EmbedderMismatch

if TYPE_CHECKING:
    from memgraph.memory import Memory
    from memgraph.records import Receipt
    from memgraph.scope import Scope

_EPILOG: Final = examples(
    "memgraph erase --id 0199f3c2-6a1e-7c55-9d0b-3f1f6f0a4b11 --user ada",
    "memgraph erase --thread monday --user ada",
    "memgraph erase --everything --user ada --yes --json > receipt.json",
)

_PATIENCE_S: Final = 60.0

Selection = str | list[str] | dict[str, Any]


@command
def erase(
    file: File,
    whose: Whose,
    ids: Annotated[
        list[str] | None, typer.Option("--id", metavar="ID", help="This turn. Repeatable.", show_default=False)
    ] = None,
    session_id: Annotated[
        str | None, typer.Option("--session-id", metavar="ID", help="All turns of this session.")
    ] = None,
    thread: Annotated[str | None, typer.Option("--thread", metavar="ID", help="All turns of this thread.")] = None,
    everything: Annotated[
        bool, typer.Option("--everything", help="All turns that the user (and agent) named sees.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
    embedder: Embedder = "local",
    as_json: Json = False,
) -> None:
    """Remove turns for good, with everything made of them, and show the receipt.

    The file is rewritten and every table asked again. There is no undo: to keep the history, use Memory.forget.
    """
    what = _selection(ids, session_id, thread, everything)
    scope = whose.scope()
    with _opened(file, embedder) as memory:
        if not yes and not _confirmed(memory, scope, what, whose.name):
            output.note("nothing was erased")
            raise typer.Exit(FAILED)
        receipt = memory.erase(what, scope)
        try:
            memory.settle(_PATIENCE_S)  # what stood beside the erased is indexed anew
        except TimeoutError:
            output.note("warning: neighbours are not indexed anew yet; that goes on when the file is next opened")
    if as_json:
        output.emit(receipt)
    else:
        _show(receipt)


def _opened(file: File, embedder: str) -> Memory:
    """Open the file, without an embedder where it has vectors of another: to erase takes none."""
    try:
        return open_memory(file, embedder)
    except EmbedderMismatch:
        output.note("warning: the vectors are another embedder's; neighbours are indexed anew when it opens the file")
        return open_memory(file, NO_EMBEDDER)


def _selection(ids: list[str] | None, session_id: str | None, thread: str | None, everything: bool) -> Selection:
    """Return what to erase: exactly one way to say it, so that no option narrows or widens another by surprise."""
    ways: list[Selection] = []
    if ids:
        ways.append(ids)
    if session_id is not None:
        ways.append({"session_id": session_id})
    if thread is not None:
        ways.append({"thread_id": thread})
    if everything:
        ways.append("everything")
    if len(ways) != 1:
        raise typer.BadParameter(
            "say what to erase, in one way", param_hint="--id, --session-id, --thread or --everything"
        )
    return ways[0]


def _confirmed(memory: Memory, scope: Scope, what: Selection, whose: str) -> bool:
    """Show what would go, and ask."""
    if isinstance(what, list):
        found = len(set(what))
    else:
        conditions = what if isinstance(what, Mapping) else None
        found = sum(len(page.items) for page in pages(memory, scope, None, {"filter": conditions, "limit": 1000}))
    what_goes = f"{output.count(found, 'turn')} of {whose}, with all earlier versions"
    return output.confirmed(f"Erase {what_goes}? There is no undo.")


def _show(receipt: Receipt) -> None:
    console = output.answers()
    console.print(f"erased {output.count(receipt.turns, 'turn')}", style="bold")
    for table, rows in receipt.rows.items():
        if rows and table != "turns":
            console.print(f"  {rows:>7,}  rows of {table}")
    console.print(f"  {receipt.rebuilt:>7,}  index parts of neighbours rebuilt")
    console.print(f"  verified by {receipt.verified}, {output.when(receipt.at)} UTC, commit {receipt.seq}", style="dim")


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("erase", epilog=_EPILOG)(erase)
