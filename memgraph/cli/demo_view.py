"""How the demo looks: plain sentences, a table for each answer, and what the model saw."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from memgraph.cli import output
from memgraph.cli.turns import ordinal

if TYPE_CHECKING:
    from rich.panel import Panel
    from rich.table import Table

    from memgraph.cli.demo_facts import Change, Statement, Step, Told
    from memgraph.cli.demo_facts import Path as Route
    from memgraph.cli.demo_recall import Answer, Found
    from memgraph.cli.demo_talk import Talk
    from memgraph.records import Why

_SHOWN: Final = 2
"""Hits that are told of for a question: few, so that the demo can be read in a minute."""


class View:
    """Tells the demo as it happens, and keeps a transcript.

    Args:
        silent: Only keep the transcript, for `emit`.
    """

    def __init__(self, *, silent: bool) -> None:
        self._console = output.answers()
        self._console.quiet = silent
        self._transcript: dict[str, Any] = {"talks": [], "facts": {"sessions": []}, "answers": []}
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

    def changing(self) -> None:
        """Announce the sessions in which things change."""
        self._title("2. Things change: facts, made by rules")
        self._say(
            "Ada talks in three sessions. Each step on a fact is an operation: it gives its reason, and can be undone."
        )

    def told(self, told: Told) -> None:
        """Show what was said in a session, and what was done."""
        self._transcript["facts"]["sessions"].append(told.model_dump(mode="json"))
        for place, said in enumerate(told.said):
            self._console.print(f"  {'' if place else _day(told.began_at):<13}“{said}”", style="green")
            for step in told.steps:
                if step.said == said:
                    self._console.print(_step(step, told.began_at))
        self._console.print()

    def changed(self, change: Change, route: Route, why: Why) -> None:
        """Show an answer that changed, one that the graph connects, and why a fact is over."""
        facts = self._transcript["facts"]
        facts |= {"as_of": change.model_dump(mode="json"), "path": route.model_dump(mode="json"), "why": why}
        self._console.print(_rows(change.question, _then_and_now(change)))
        self._console.print(_rows(route.question, [(f"{ordinal(route.rank)} hit", _way(route))]))
        self._console.print(_rows(f"Why is that over? “{change.then.text}”", _because(why)))
        self._console.print()

    def asking(self) -> None:
        """Announce the last part."""
        self._title("3. Months later: a new process, a new thread")

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
            if first:
                self._console.print("Recalled, best first, and why:", style="dim")
            for place, found in enumerate(answer.found[:_SHOWN], 1):
                self._console.print(_reason(place, found))
                said = output.printable(output.shortened(found.text, 140))
                self._console.print(f"     {said}", style="italic dim", no_wrap=True, overflow="ellipsis")
            if first:
                self._console.print(_block(answer.block))
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
            f"memgraph list --facts --user ada --db {path}",
            f"memgraph graph Solveig --user ada --db {path}",
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


def _block(block: str) -> Panel:
    """Return what the model saw."""
    from rich import box
    from rich.panel import Panel
    from rich.text import Text

    title = "what the model saw, before the question"
    return Panel(Text(output.printable(block)), title=title, title_align="left", box=box.ROUNDED, border_style="dim")


def _step(step: Step, said_at: datetime) -> Table:
    """Return what was done, to what, and why."""
    from rich.table import Table
    from rich.text import Text

    told: list[str] = []
    if step.fact is not None:
        dated = step.operation != "NOOP" and step.fact.valid_from.date() != said_at.date()
        told.append(_stated(step.fact) + (f" ({_day(step.fact.valid_from)})" if dated else ""))
    if step.target is not None and step.target != step.fact:
        told.append(f"closes {_stated(step.target)}")
    if step.reason:
        told.append(step.reason)
    if step.gate != "none":
        told.append(f"gate {step.gate}")
    row = Table.grid(padding=(0, 1))
    row.add_column(width=17, no_wrap=True, style="cyan")
    row.add_column()
    row.add_row(f"    {step.operation} {step.mode or ''}", Text(output.printable(" · ".join(told))))
    return row


def _stated(one: Statement) -> str:
    return f"{one.subject}, {one.attribute}: {one.object}"


def _way(route: Route) -> str:
    """Return how an answer was reached: by which names and facts, in turn."""
    return " → ".join(f"“{step}”" if place % 2 else step for place, step in enumerate(route.route))


def _then_and_now(change: Change) -> list[tuple[str, str]]:
    ended = "" if change.then.valid_to is None else f" It ended on {_day(change.then.valid_to)}."
    return [(f"on {_day(change.as_of)}", change.then.text + ended), ("today", change.today.text)]


def _because(why: Why) -> list[tuple[str, str]]:
    """Return what was done to a fact, each time with the words that say so."""
    said = {turn.id: turn for turn in why.turns}
    rows: list[tuple[str, str]] = []
    for done in why.operations:
        words = " ".join(f"{said[id].speaker}, {_day(said[id].said_at)}: “{said[id].text}”" for id in done.evidence)
        rows.append((f"{done.operation} {done.mode or ''}".strip(), f"{done.reason}. {words}"))
    return rows


def _rows(title: str, rows: Iterable[tuple[str, str]]) -> Table:
    """Return a question above its answers, each named on its left."""
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, width=17, style="dim")
    table.add_column()
    table.title = Text(output.printable(title), "bold")
    table.title_justify = "left"
    for name, text in rows:
        table.add_row(f"  {name}", output.printable(text))
    return table


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%b %Y}"
