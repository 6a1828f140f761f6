"""`memgraph demo`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from memgraph.cli.command import command, examples
from memgraph.cli.opening import check_folder, embedder_argument
from memgraph.cli.options import Embedder, Json
from memgraph.errors import AgentMemoryError, InvalidInput

if TYPE_CHECKING:
    from memgraph import Memory
    from memgraph.cli.demo_recall import Answer
    from memgraph.cli.demo_view import View

_EPILOG: Final = examples(
    "memgraph demo",
    "memgraph demo --keep demo.db",
    "memgraph demo --json | jq '.answers[].answer'",
)


@command
def demo(
    keep: Annotated[
        Path | None, typer.Option("--keep", metavar="PATH", help="Keep the memory file there, to look into it.")
    ] = None,
    embedder: Embedder = "local",
    as_json: Json = False,
) -> None:
    """Watch an agent remember, in another thread and another process. Offline, in under a minute.

    A real LangGraph agent with our nodes lives through a year of talk, which is our own writing. Three more sessions
    tell how facts follow what changes. Then a new process with a new thread answers questions from memory, and shows
    for each turn it recalls why. No language model is used: rules make the facts, and a small script reads the recall.
    """
    from memgraph.cli.demo_view import View

    if keep is not None:
        check_folder(keep)
        if keep.exists():
            raise InvalidInput(f"`{keep}` is there already: the demo takes a new file")
    # Someone's settings must not send the demo anywhere: it promises to be offline.
    os.environ.update(LANGSMITH_TRACING="false", LANGCHAIN_TRACING_V2="false")
    view = View(silent=as_json)
    with ExitStack() as stack:
        path = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="memgraph-demo-"))) / "memory.db"
        _run(path, embedder, view, kept=keep is not None)
    if as_json:
        view.emit()


def _run(path: Path, embedder: str, view: View, *, kept: bool) -> None:
    import asyncio

    began = time.perf_counter()
    view.begin(path, kept=kept)
    asyncio.run(_talk(path, embedder, view))
    view.asking()
    for answer in _recall(path, embedder, view):
        view.answered(answer)
    view.end(time.perf_counter() - began)


async def _talk(path: Path, embedder: str, view: View) -> None:
    """Let the conversation happen, in this process."""
    from memgraph import Memory
    from memgraph.cli.demo_talk import talk

    began = time.perf_counter()
    async with Memory.open(path, embedder=embedder_argument(embedder)) as memory:
        view.opened((await memory.adoctor())["embedder"])
        async for session in talk(memory):
            view.talked(session)
        view.remembered(path.stat().st_size, time.perf_counter() - began)
        await _facts(memory, view)


async def _facts(memory: Memory, view: View) -> None:
    """Let things change in somebody else's three sessions, and ask what memory made of it."""
    from memgraph.cli import demo_facts

    view.changing()
    async for session in demo_facts.tell(memory):
        view.told(session)
    change = await demo_facts.change(memory)
    view.changed(change, await demo_facts.path(memory), await demo_facts.reasons(memory, change.then))


def _recall(path: Path, embedder: str, view: View) -> Iterator[Answer]:
    """Start a new process that asks, and yield its answers as they come.

    Raises:
        AgentMemoryError: It failed; what it said about that is on stderr.
    """
    from memgraph.cli.demo_recall import Answer

    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "memgraph.cli.demo_recall", str(path), embedder],
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env=_environment(),
    )
    with process:
        view.process(process.pid)
        assert process.stdout is not None
        try:
            for line in process.stdout:
                yield Answer.model_validate_json(line)
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise AgentMemoryError(f"the process that asks ended with {process.returncode}")


def _environment() -> dict[str, str]:
    """Return the environment in which a new process imports the memgraph that runs here, wherever it is started."""
    import memgraph

    home = str(Path(str(memgraph.__file__)).parents[1])
    found: dict[str, Any] = {**os.environ, "PYTHONUTF8": "1"}
    found["PYTHONPATH"] = os.pathsep.join([home, *filter(None, [os.environ.get("PYTHONPATH")])])
    return found


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("demo", epilog=_EPILOG)(demo)
