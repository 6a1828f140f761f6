"""`memgraph list`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from memgraph.cli import output
from memgraph.cli.command import command, examples
from memgraph.cli.facts import show_fact
from memgraph.cli.opening import open_memory
from memgraph.cli.options import File, Json, Only, Whose
from memgraph.cli.turns import show_turn

if TYPE_CHECKING:
    from rich.console import Console

    from memgraph.memory import Memory
    from memgraph.records import Fact, Page, Turn
    from memgraph.scope import Scope

_EPILOG: Final = examples(
    "memgraph list --user ada",
    "memgraph list --user ada --speaker Ada --since 2025-06-01 --all",
    "memgraph list --user ada --all --json > ada.json",
    "memgraph list --facts --user ada --about Ada --as-of 2025-01-01",
)


@command
def list_turns(
    file: File,
    whose: Whose,
    only: Only,
    facts: Annotated[
        bool, typer.Option("--facts", help="List facts: what holds now, or with --as-of what held then.")
    ] = False,
    about: Annotated[str | None, typer.Option("--about", metavar="NAME", help="Only facts about them.")] = None,
    attribute: Annotated[
        str | None, typer.Option("--attribute", metavar="NAME", help="Only facts of this sort: residence, likes, ...")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="Turns or facts a page.")] = 20,
    cursor: Annotated[
        str | None, typer.Option("--cursor", metavar="CURSOR", help="Go on where the last page ended.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All pages.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Show long turns whole.")] = False,
    as_json: Json = False,
) -> None:
    """List turns, or facts, in the order in which they were stored, a page at a time."""
    scope, arguments = whose.scope(), only.arguments() | {"limit": limit}
    noun: Literal["turn", "fact"] = "fact" if facts else "turn"
    arguments["filter"] = _filter(arguments["filter"], about, attribute, facts=facts)
    items: list[Turn | Fact] = []
    rest: str | None = None
    console, shown = output.answers(), 0
    with open_memory(file) as memory:
        for page in pages(memory, scope, cursor, arguments, noun):
            rest = page.cursor
            shown += len(page.items)
            if as_json:
                items += page.items
            else:
                for item in page.items:
                    _show(item, console, full=full)
            if not everything:
                break
    if as_json:
        output.emit({f"{noun}s": items, "cursor": rest})
    elif rest is not None:
        output.note(f"{output.count(shown, noun)}; go on with --cursor {rest}")
    else:
        output.note(f"{output.count(shown, noun)}, no more" if shown else f"nothing there for {whose.name}")


def _filter(of_turns: Any, about: str | None, attribute: str | None, *, facts: bool) -> dict[str, Any] | None:
    """Return the filter, where the options go together."""
    of_facts = {key: value for key, value in (("subject", about), ("attribute", attribute)) if value is not None}
    if facts and of_turns:
        raise typer.BadParameter("lists facts: who said it, when and where are of turns", param_hint="--facts")
    if of_facts and not facts:
        raise typer.BadParameter("--about and --attribute are of facts: add --facts", param_hint="--facts")
    return (of_facts if facts else of_turns) or None


def _show(item: Turn | Fact, console: Console, *, full: bool) -> None:
    from memgraph.records import Turn

    if isinstance(item, Turn):
        show_turn(item, console, full=full)
    else:
        show_fact(item, console)


def pages(
    memory: Memory,
    scope: Scope,
    cursor: str | None,
    arguments: dict[str, Any],
    kind: Literal["turn", "fact"] = "turn",
) -> Iterator[Page[Turn] | Page[Fact]]:
    """Yield the pages of a list, at least one."""
    while True:
        page: Page[Turn] | Page[Fact]
        if kind == "turn":
            page = memory.list(scope, kind="turn", cursor=cursor, **arguments)
        else:
            page = memory.list(scope, kind="fact", cursor=cursor, **arguments)
        yield page
        cursor = page.cursor
        if cursor is None:
            return


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("list", epilog=_EPILOG)(list_turns)
