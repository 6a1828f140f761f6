"""Turns and hits as they are shown to a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from memgraph.cli import output

if TYPE_CHECKING:
    from rich.console import Console, Group

    from memgraph.records import Hit, Turn

_INDENT: Final = 4


def show_turn(turn: Turn, console: Console, *, full: bool) -> None:
    """Print a turn."""
    ended = [] if turn.superseded_at is None else [f"no longer believed since {output.when(turn.superseded_at)}"]
    console.print(_card("", turn, [*_places(turn), *ended], [], full=full))


def show_hit(place: int, hit: Hit, console: Console, *, why: bool, full: bool) -> None:
    """Print a hit with its rank, and if asked why it is there."""
    extra = [*_of_fact(hit), *([reasons(hit)] if why else [])]
    console.print(_card(f"{place:>2}. ", hit, _places(hit), extra, full=full))


def reasons(hit: Hit) -> str:
    """Return why a hit is where it is: rank and score by arm, and what was added."""
    arms = [f"{name} {ordinal(arm.rank)} ({arm.score:.2f})" for name, arm in hit.arms.items()]
    boosts = [f"{name} {value:+.2f}" for name, value in hit.boosts.items()]
    found = ", ".join(arms) or "no arm of its own"
    return f"why: {found}" + (f"; boosts {', '.join(boosts)}" if boosts else "") + f"; score {hit.score:.2f}"


def _of_fact(hit: Hit) -> list[str]:
    """Return what a fact's line tells beside its sentence, and what contradicts a hit."""
    told: list[str] = []
    if hit.kind == "fact":
        until = "" if hit.valid_to is None else f" until {output.when(hit.valid_to)}"
        by = ", ".join(identity for identity in hit.evidence if identity != hit.id)
        told.append(f"a fact, true since {output.when(hit.valid_from)}{until}; said in {by}")
    for what, at in hit.ended:
        told.append(f"over since {output.when(at)}{f': {what}' if what else ''}")
    told += [f"contradicted, since {output.when(since)}: {text}" for text, since in hit.contradictions]
    return told


def ordinal(number: int) -> str:
    """Return 1st, 2nd, 3rd, 4th, ..."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _places(turn: Turn | Hit) -> list[str]:
    places = {"thread": turn.thread_id, "session": turn.session_id, "agent": turn.agent_id}
    return [turn.id, *(f"{name} {value}" for name, value in places.items() if value is not None)]


def _card(head: str, turn: Turn | Hit, places: list[str], extra: list[str], *, full: bool) -> Group:
    from rich.console import Group
    from rich.padding import Padding
    from rich.text import Text

    who = turn.speaker if turn.speaker == turn.role else f"{turn.speaker} ({turn.role})"
    title = Text.assemble(
        (head, "bold"), (output.printable(who), "bold cyan"), (f"  {output.when(turn.said_at)} UTC", "green")
    )
    body = Text(output.printable(turn.text if full else output.shortened(turn.text)))
    below = [Text(output.printable(line), "dim") for line in [*extra, " · ".join(places)]]
    return Group(title, *(Padding(line, (0, 0, 0, _INDENT), expand=False) for line in [body, *below]))
