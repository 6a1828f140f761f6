"""How the demo looks: plain sentences, a table for each answer, and what the model saw."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memgraph.cli import output
from memgraph.cli.turns import ordinal

if TYPE_CHECKING:
    from rich.panel import Panel
    from rich.table import Table

    from memgraph.cli.demo_recall import Answer, Found
    from memgraph.cli.demo_talk import Talk


class View:
    """Tells the demo as it happens, and keeps a transcript.

    Args:
        silent: Only keep the transcript, for `emit`.
    """

    def __init__(self, *, silent: bool) -> None:
        self._console = output.answers()
        self._console.quiet = silent
        self._transcript: dict[str, Any] = {"talks": [], "answers": []}
        self._turns = 0
        self._kept: Path | None = None

    def begin(self, path: Path, *, kept: bool) -> None:
        """Say what is about to happen."""
        self._kept = path if kept else None
        self._transcript |= {"file": str(path), "kept": kept, "process": os.getpid()}
        self._title("memgraph demo: an agent that remembers")
        self._say(
            "Offline: no key, no network, no language model. All that is remembered lies in one SQLite file, "
            f"{path if kept else 'in a temporary folder'}."
        )
        self._say("The agent is a LangGraph graph with two nodes of ours around its own:")
        self._console.print("  START → [cyan]retrieve[/cyan] → agent → [cyan]remember[/cyan] → END\n", markup=True)

    def opened(self, embedder: Mapping[str, Any] | None) -> None:
        """Say how memory will be searched, and that the talk begins."""
        self._transcript["embedder"] = None if embedder is None else embedder["name"]
        if embedder is None:
            self._say(
                "No embedder here, so turns are found by their words only. To find them by meaning too: "
                'pip install "langgraph-memory-nodes[local]"'
            )
        else:
            self._say(f"Turns are found by words, by time, and by meaning ({embedder['name']}, which runs here).")
        self._title(f"1. A year of talk, in process {os.getpid()}")
        self._say("Maren talks with her friend Idris, and with the agent. Each session is a thread of its own:")

    def talked(self, talk: Talk) -> None:
        """Tell of a session that was taken in."""
        from rich.text import Text

        self._turns += talk.turns
        self._transcript["talks"].append(talk.model_dump(mode="json"))
        line = Text.assemble(
            (f"  {talk.began_at:%d %b %Y}", "green"),
            f"  {talk.turns:>2} turns with {talk.partner:<10}",
            (f"“{output.shortened(talk.opening, 70)}”", "dim italic"),
        )
        self._console.print(line, no_wrap=True, overflow="ellipsis")

    def remembered(self, size: int, seconds: float) -> None:
        """Sum up the first half."""
        self._transcript |= {"turns": self._turns, "bytes": size, "talk_seconds": round(seconds, 2)}
        self._console.print()
        self._say(
            f"Remembered word for word: {output.count(self._turns, 'turn')}, {size / 1e6:.1f} MB on the disk, "
            f"in {seconds:.1f} s."
        )

    def asking(self) -> None:
        """Announce the second half."""
        self._title("2. Months later: a new process, a new thread")

    def process(self, pid: int) -> None:
        """Tell of the new process."""
        self._transcript["new_process"] = pid
        self._say(
            f"Process {pid} has only the file. Its thread is empty, so what the agent knows it knows from memory. "
            "In place of a language model a script reads: it can only quote what it is shown."
        )

    def answered(self, answer: Answer) -> None:
        """Show a question, its answer, why those turns were recalled, and the block that the model saw."""
        first = not self._transcript["answers"]
        self._transcript["answers"].append(answer.model_dump(mode="json"))
        self._console.print(_dialogue(answer))
        self._console.print()
        for arm, reason in answer.degraded.items():
            self._say(f"The {arm} arm took no full part: {reason}.")
        if answer.found:
            self._console.print("Recalled, best first, and why:", style="dim")
            for place, found in enumerate(answer.found, 1):
                self._console.print(_reason(place, found))
                said = output.printable(output.shortened(found.text, 140))
                self._console.print(f"     {said}", style="italic dim", no_wrap=True, overflow="ellipsis")
            self._console.print(_block(answer.block, whole=first))
            self._console.print()

    def end(self, seconds: float) -> None:
        """Say how long it took, and what to try next."""
        self._transcript["seconds"] = round(seconds, 2)
        self._title(f"Done in {seconds:.1f} s")
        if self._kept is None:
            self._say("The file is gone with its folder. To look into one, keep it:")
            lines = ["memgraph demo --keep demo.db"]
            path = "demo.db"
        else:
            self._say("The file is kept. Look into it:")
            lines, path = [], shlex.quote(str(self._kept))
        lines += [
            f'memgraph search "who looks after the buoys" --user maren --db {path} --why',
            f"memgraph list --user maren --db {path} --speaker Assistant",
            f"memgraph doctor --db {path}",
            "memgraph eval run",
        ]
        for line in lines:
            self._console.print(f"  $ {line}", style="cyan", soft_wrap=True)

    def emit(self) -> None:
        """Print the transcript as JSON."""
        output.emit(self._transcript)

    def _title(self, text: str) -> None:
        from rich.text import Text

        self._console.rule(Text(text, "bold"), align="left", style="cyan")

    def _say(self, text: str) -> None:
        self._console.print(text)
        self._console.print()


def _dialogue(answer: Answer) -> Table:
    """Return the question and the answer, side by side with who speaks."""
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="bold cyan")
    table.add_column()
    table.add_row("Maren", answer.question, style="bold")
    table.add_row("agent", output.printable(answer.answer))
    return table


def _reason(place: int, found: Found) -> Table:
    """Return who said it when, how it was found, and what was added to its score."""
    from rich.table import Table
    from rich.text import Text

    arms = [f"{name} {ordinal(int(arm['rank']))} ({arm['score']:.2f})" for name, arm in found.arms.items()]
    boosts = [f"{name} {value:+.1f}" for name, value in found.boosts.items()]
    row = Table.grid(padding=(0, 1))
    row.add_column(no_wrap=True, width=4, justify="right", style="bold")
    row.add_column()
    row.add_row(
        f"{place}.",
        Text.assemble(
            (f"{found.said_at:%d %b %Y}", "green"),
            f" {output.printable(found.speaker)}: {', '.join(arms) or 'no arm'}",
            (f"; {', '.join(boosts)}" if boosts else "", "dim"),
        ),
    )
    return row


def _block(block: str, *, whole: bool) -> Panel:
    """Return what the model saw; its fixed heading only where it is shown for the first time."""
    from rich import box
    from rich.panel import Panel
    from rich.text import Text

    title = "what the model saw, before the question"
    if not whole:
        block = "\n".join(block.splitlines()[3:-1])
        title += " (below the same heading)"
    return Panel(Text(output.printable(block)), title=title, title_align="left", box=box.ROUNDED, border_style="dim")
