"""`memgraph eval run`."""

from __future__ import annotations

from contextlib import ExitStack
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated, Final

import typer

from memgraph.cli import output
from memgraph.cli.command import command, examples
from memgraph.cli.opening import embedder_argument
from memgraph.cli.options import Embedder, Json
from memgraph.errors import InvalidInput

_EPILOG: Final = examples(
    "memgraph eval run",
    "memgraph eval run --data locomo10.json --limit 200 --out results",
)

OWN_DATA = "harbour.json"
"""Our own conversation, in the package."""


@command
def run(
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="PATH", help="A file of LOCOMO's form. Default: our own conversation."),
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Questions at most, the first ones.")] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FOLDER", help="Write questions.jsonl, report.json and manifest.json there."),
    ] = None,
    embedder: Embedder = "local",
    as_json: Json = False,
) -> None:
    """Measure retrieval: how much of the evidence for each question is found, by us and by baselines, in one table.

    It works on a memory file of its own in a temporary folder. Files hold ids and scores, no text.
    """
    from memgraph.evals import render, run_retrieval

    with ExitStack() as stack:
        path = data or stack.enter_context(as_file(files("memgraph") / "datasets" / OWN_DATA))
        lines = None if out is None else _folder(out) / "questions.jsonl"
        bar = stack.enter_context(output.progress())
        task = bar.add_task("reading", total=None)

        def told(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total)

        report = run_retrieval(
            path, embedder=embedder_argument(embedder), limit=limit, progress=told, questions_path=lines
        )
    if out is not None:
        _write(out / "report.json", report.model_dump_json(indent=2))
        _write(out / "manifest.json", report.manifest.model_dump_json(indent=2))
    if as_json:
        output.emit(report.model_dump(mode="json"))
    else:
        render(report, output.answers())


def _folder(path: Path) -> Path:
    """Make a folder for results.

    Raises:
        InvalidInput: It can't be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(f"can't make the folder `{path}`: {error.strerror}") from None
    return path


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"can't write `{path}`: {error.strerror}") from None


def register(app: typer.Typer) -> None:
    """Add the group and its command to the program."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
    group.callback()(_group)
    group.command("run", epilog=_EPILOG)(run)
    app.add_typer(group, name="eval")


def _group() -> None:
    """Measure how well memory finds what was said."""
