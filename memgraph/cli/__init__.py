"""The command line: `memgraph`, with seven commands. See `memgraph --help`."""

from __future__ import annotations


def main() -> None:
    """Run the command line; the entry point of the installed program."""
    from memgraph.cli.app import run

    run()
