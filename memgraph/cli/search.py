"""`memgraph search`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

import typer

from memgraph.cli import output
from memgraph.cli.command import command, examples
from memgraph.cli.opening import open_memory
from memgraph.cli.options import Embedder, File, Json, Only, Whose
from memgraph.cli.turns import show_hit

_EPILOG: Final = examples(
    'memgraph search "where does Ada live" --user ada',
    "memgraph search when is the wedding --user ada --why",
    "memgraph search allergies --user ada --since 2025-06-01 --json | jq '.hits[].text'",
)


class Kind(StrEnum):
    """What may be found."""

    turn = "turn"
    fact = "fact"


@command
def search(
    query: Annotated[list[str], typer.Argument(metavar="QUERY", help="The question, in any words.")],
    file: File,
    whose: Whose,
    only: Only,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="Hits at most.")] = 10,
    include_shared: Annotated[bool, typer.Option("--include-shared", help="Search the team's memory too.")] = False,
    kind: Annotated[Kind | None, typer.Option("--kind", help="Only these.")] = None,
    why: Annotated[bool, typer.Option("--why", help="Show for each hit how it was found.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Show long turns whole.")] = False,
    embedder: Embedder = "local",
    as_json: Json = False,
) -> None:
    """Find turns and facts that bear on a question, best first."""
    scope, arguments = whose.scope(), only.arguments()
    with open_memory(file, embedder) as memory:
        hits = memory.search(
            " ".join(query),
            scope,
            limit=limit,
            include_shared=include_shared,
            kind=None if kind is None else kind.value,
            **arguments,
        )
    for arm, reason in hits.degraded.items():
        output.note(f"warning: the {arm} arm took no full part: {reason}")
    if as_json:
        output.emit({"hits": [*hits], "degraded": hits.degraded, "trace_id": hits.trace_id})
        return
    console = output.answers()
    for place, hit in enumerate(hits, 1):
        show_hit(place, hit, console, why=why, full=full)
    if not hits:
        output.note(f"nothing found for {whose.name}")


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("search", epilog=_EPILOG)(search)
