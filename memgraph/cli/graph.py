"""`memgraph graph`."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from memgraph.cli import output
from memgraph.cli.command import command, examples
from memgraph.cli.facts import show_graph
from memgraph.cli.opening import open_memory
from memgraph.cli.options import File, Json, Whose
from memgraph.cli.values import TIME_HELP, moment

_EPILOG: Final = examples(
    "memgraph graph --user ada",
    "memgraph graph Solveig --user ada --hops 1",
    "memgraph graph Lisbon --user ada --as-of 2025-01-01 --json",
)


@command
def graph(
    file: File,
    whose: Whose,
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="Around whom or what; else the best connected.", show_default=False),
    ] = None,
    hops: Annotated[int, typer.Option("--hops", min=1, max=4, help="Relations between the name and the rest.")] = 2,
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, max=1000, help="Entities, and relations, at most.")
    ] = 50,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="TIME", help=f"What was true then: {TIME_HELP}.")
    ] = None,
    known_at: Annotated[
        str | None, typer.Option("--known-at", metavar="TIME", help="What the file held to be so then.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show people and things and how they stand to each other, by what facts say."""
    scope = whose.scope()
    times = {"as_of": moment(as_of, "--as-of"), "known_at": moment(known_at, "--known-at")}
    with open_memory(file) as memory:
        found = memory.graph(scope, name, hops=hops, limit=limit, **times)
    if as_json:
        output.emit(found)
        return
    show_graph(found, output.answers())
    if not found.entities:
        output.note(f"nothing there for {whose.name}" + ("" if name is None else f" around `{name}`"))


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("graph", epilog=_EPILOG)(graph)
