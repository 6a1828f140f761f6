"""`memgraph why`."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from memgraph.cli import output
from memgraph.cli.command import command, examples
from memgraph.cli.facts import show_why
from memgraph.cli.opening import open_memory
from memgraph.cli.options import File, Json, Whose

_EPILOG: Final = examples(
    "memgraph why 0199f3c2-6a1e-7c55-9d0b-3f1f6f0a4b11 --user ada",
    "memgraph why 0199f3c2-6a1e-7c55-9d0b-3f1f6f0a4b11 --user ada --json | jq '.operations[].reason'",
    notes="`memgraph list --facts` and `memgraph search --kind fact` tell the ids of facts.",
)


@command
def why(
    fact_id: Annotated[str, typer.Argument(metavar="FACT_ID", help="The fact, by its id.", show_default=False)],
    file: File,
    whose: Whose,
    as_json: Json = False,
) -> None:
    """Show why a fact is believed, or no longer is: its versions, what was done to it and why, and who said so."""
    scope = whose.scope()
    with open_memory(file) as memory:
        found = memory.why(fact_id, scope)
    if as_json:
        output.emit(found)
    else:
        show_why(found, output.answers())


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("why", epilog=_EPILOG)(why)
