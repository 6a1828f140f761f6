"""The program: its commands, in the order in which a newcomer meets them."""

from __future__ import annotations

import sys
from typing import Annotated, Final

import typer

from memgraph.cli import add, demo, doctor, erase, eval, graph, list, search, why
from memgraph.cli.command import prose

app = typer.Typer(
    name="memgraph",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"langgraph-memory-nodes {version('langgraph-memory-nodes')}")
        raise typer.Exit


_HELP: Final = prose("""
    Long-term memory for LangGraph agents: one SQLite file, offline.

    Every command works on a memory file: --db, else $MEMGRAPH_DB, else ./memory.db. An encrypted file's passphrase
    comes from $MEMGRAPH_KEY, or is asked for with --ask-key. With --json the answer is one JSON document on stdout;
    everything else goes to stderr.

    Exit codes: 0 done, 1 it failed and one line says why, 2 the command line is wrong, 130 interrupted.
""")


@app.callback(help=_HELP, epilog="Begin with: [cyan]memgraph demo[/cyan]")
def root(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    """Take the options of the program itself."""


for module in (demo, add, search, list, why, graph, erase, doctor):
    module.register(app)
eval.register(app)


def run() -> None:
    """Run the program on the process's arguments, and leave with its exit code."""
    try:
        app(prog_name="memgraph")
    except KeyboardInterrupt:  # before or after the command itself, which sees to its own
        sys.exit(130)
