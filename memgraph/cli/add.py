"""`memgraph add`."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from memgraph.cli import messages_file, output
from memgraph.cli.command import command, examples
from memgraph.cli.opening import check_folder, open_memory
from memgraph.cli.options import Embedder, File, Json, Model, Whose
from memgraph.cli.values import TIME_HELP, moment, pairs
from memgraph.records import Skipped

_EPILOG: Final = examples(
    'memgraph add "I moved from Oslo to Lisbon last week." --user ada',
    "git log -1 --format=%B | memgraph add - --user ada --role document",
    "memgraph add --file messages.jsonl --user ada --thread monday",
    notes="""[bold]A file of messages[/bold] has one JSON object a line: role and content, and if you like id, name,
    said_at, metadata. It is checked whole before anything is stored. Run again after an interruption it is gone through
    again, and what is there already is known.""",
)

_REASONS: Final = {
    "known": "is there already",
    "erased": "was erased before, and erased words don't come back",
    "empty": "has no words",
    "system": "is a system message",
    "summary": "is a summary, not what was said",
    "memory block": "is memory's own block",
    "removal": "removes a message",
}

_SHOWN: Final = 5


@command
def add(
    file: File,
    whose: Whose,
    text: Annotated[
        list[str] | None,
        typer.Argument(metavar="TEXT", help="What was said, or - to read it from stdin.", show_default=False),
    ] = None,
    messages: Annotated[
        Path | None, typer.Option("--file", metavar="JSONL", help="Add the messages of a file, one JSON object a line.")
    ] = None,
    role: Annotated[str | None, typer.Option("--role", help="user (the default), assistant, tool, document.")] = None,
    speaker: Annotated[str | None, typer.Option("--speaker", metavar="NAME", help="Who said it.")] = None,
    said_at: Annotated[
        str | None, typer.Option("--said-at", metavar="TIME", help=f"When, if not now: {TIME_HELP}.")
    ] = None,
    thread: Annotated[str | None, typer.Option("--thread", metavar="ID", help="The conversation it is from.")] = None,
    session: Annotated[
        str | None, typer.Option("--session", metavar="ID", help="A label of the sitting, to filter by.")
    ] = None,
    meta: Annotated[
        list[str] | None, typer.Option("--meta", metavar="KEY=VALUE", help="Keep this with it. Repeatable.")
    ] = None,
    embedder: Embedder = "local",
    model: Model = None,
    as_json: Json = False,
) -> None:
    """Remember a text, or a file of messages. Every turn is kept word for word.

    When this is done the turns are on the disk and found by every later search, also from your agent.
    """
    scope = whose.scope(session)
    options = {"said_at": moment(said_at, "--said-at"), "thread_id": thread, "metadata": pairs(meta) or None}
    if messages is None:
        batches = [messages_file.Batch([_message(text, role, speaker)], (0,), None)]
    else:
        if text or role is not None or speaker is not None:
            raise typer.BadParameter("its messages say text, role and speaker themselves", param_hint="--file")
        batches = messages_file.read(messages)
    check_folder(file.db)
    with open_memory(file, embedder, make=True, facts=True, model=model) as memory:
        done = messages_file.store(memory, scope, batches, options)
    if as_json:
        place = "index" if messages is None else "line"
        skipped = [{place: skip.index, "reason": skip.reason} for skip in done.skipped]
        output.emit({"ids": done.ids, "skipped": skipped, "pending": done.pending, "seq": done.seq})
    else:
        _show(done.ids, done.skipped, of_file=messages is not None)
    if done.pending:
        output.note(f"warning: {output.count(done.pending, 'turn')} found by words only: not indexed by meaning yet")


def _message(text: list[str] | None, role: str | None, speaker: str | None) -> Mapping[str, Any]:
    """Return the one message that the arguments make."""
    if not text:
        raise typer.BadParameter("missing; write it in quotes, - for stdin, or name a --file", param_hint="TEXT")
    if len(text) > 1:
        raise typer.BadParameter("is one argument: put it in quotes", param_hint="TEXT")
    content = _piped() if text[0] == "-" else text[0]
    return {"role": role or "user", "content": content} | ({} if speaker is None else {"name": speaker})


def _piped() -> str:
    """Return what is on stdin, less the line break that ends it. Bytes that are no UTF-8 become U+FFFD when stored."""
    return sys.stdin.buffer.read().decode("utf-8", "surrogateescape").removesuffix("\n")


def _show(ids: list[str], skipped: list[Skipped], *, of_file: bool) -> None:
    if of_file:
        print(f"added {output.count(len(ids), 'turn')}")
        for reason, number in Counter(skip.reason for skip in skipped).items():
            lines = [str(skip.index) for skip in skipped if skip.reason == reason]
            some = ", ".join(lines[:_SHOWN]) + (", ..." if number > _SHOWN else "")
            output.note(f"skipped {number:,}: {reason}, {_REASONS.get(reason, '')} (line {some})")
        return
    for identity in ids:
        print(identity)
    for skip in skipped:
        output.note(f"skipped: {skip.reason}, it {_REASONS.get(skip.reason, '')}")


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("add", epilog=_EPILOG)(add)
