"""Facts, and what was done to them, as they are shown to a person."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Final

from memgraph.cli import output

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.tree import Tree

    from memgraph.records import Entity, Fact, Graph, MemoryOperation, Relation, Turn, Why

_DOUBTFUL: Final = 0.5
"""A confidence below which a fact is shown as unsure."""


def show_fact(fact: Fact, console: Console) -> None:
    """Print a fact in a list."""
    from rich.console import Group
    from rich.padding import Padding
    from rich.text import Text

    below = [*_nature(fact), *([] if fact.superseded_at is None else [_belief(fact)])]
    lines = [Text(output.printable(line), "dim") for line in (" · ".join(below), fact.id)]
    title = Text.assemble((output.printable(output.shortened(fact.text)), "bold"))
    console.print(Group(title, *(Padding(line, (0, 0, 0, 4), expand=False) for line in lines)))


def show_why(why: Why, console: Console) -> None:
    """Print all there is to tell of a fact: its versions, what was done, who said so."""
    from rich.text import Text
    from rich.tree import Tree

    fact = why.fact
    console.print(Text(output.printable(fact.text), "bold"))
    console.print(Text(output.printable(" · ".join([*_nature(fact), _belief(fact)])), "dim"))
    if fact.conflicts:
        console.print(Text(f"contradicted by {', '.join(fact.conflicts)}", "yellow"))
    for title, rows in (
        (output.count(len(why.versions), "version"), [_version(one) for one in why.versions]),
        (output.count(len(why.operations), "operation"), [_operation(one) for one in why.operations]),
        ("said by", [_said(turn) for turn in why.turns]),
    ):
        tree = Tree(Text(title, "bold cyan"), guide_style="dim")
        for row in rows:
            tree.add(row)
        console.print(tree)


def show_graph(graph: Graph, console: Console) -> None:
    """Print entities, and below each its relations to others."""
    named = {entity.id: entity for entity in graph.entities}
    for entity in graph.entities:
        own = [relation for relation in graph.relations if relation.source == entity.id]
        console.print(_entity(entity, own, named))


def _nature(fact: Fact) -> list[str]:
    """Return what a fact says, of what sort it is, since when it is true."""
    shown = [f"{fact.subject}, {fact.attribute}: {output.shortened(fact.object, 80)}", fact.kind, _span(fact)]
    if fact.confidence < _DOUBTFUL:
        shown.append("unsure")
    if fact.untrusted:
        shown.append(f"from a {fact.origin}")
    if fact.agent_id is not None:
        shown.append(f"agent {fact.agent_id}")
    return shown


def _span(item: Fact | Relation) -> str:
    since = f"true since {_day(item.valid_from)}"
    return since if item.valid_to is None else f"{since}, until {_day(item.valid_to)}"


def _day(moment: datetime) -> str:
    """Return a time in UTC, as a day where it is the first moment of one."""
    shown = output.when(moment)
    return shown.removesuffix(", 00:00")


def _belief(fact: Fact) -> str:
    since = f"believed since {output.when(fact.recorded_at)}"
    return since if fact.superseded_at is None else f"{since}, until {output.when(fact.superseded_at)}"


def _version(fact: Fact) -> RenderableType:
    return _node(f"{fact.version}. {fact.text}", [_span(fact), f"confidence {fact.confidence:.2f}", _belief(fact)])


def _operation(done: MemoryOperation) -> RenderableType:
    by = "rules" if done.model is None else f"{done.model}, prompt {(done.prompt or '')[:12]}"
    below = [output.when(done.at), f"gate {done.gate}", f"by {'the caller' if done.gate == 'caller' else by}"]
    if done.prompt_tokens is not None:
        below.append(f"{done.prompt_tokens:,} + {done.answer_tokens or 0:,} tokens")
    below += [f"undone by {done.undone_by}"] if done.undone_by is not None else []
    below += [f"undoes {done.undoes}"] if done.undoes is not None else []
    name = done.operation if done.mode is None else f"{done.operation} ({done.mode})"
    return _node(name if done.reason is None else f"{name}: {done.reason}", below, done.id)


def _said(turn: Turn) -> RenderableType:
    who = turn.speaker if turn.speaker == turn.role else f"{turn.speaker} ({turn.role})"
    gone = [] if turn.superseded_at is None else [f"no longer believed since {output.when(turn.superseded_at)}"]
    return _node(output.shortened(turn.text), [who, output.when(turn.said_at), *gone], turn.id)


def _node(title: str, below: Iterable[str], identity: str | None = None) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    lines = [Text(output.printable(" · ".join(below)), "dim")]
    lines += [] if identity is None else [Text(identity, "dim")]
    return Group(Text(output.printable(title)), *lines)


def _entity(entity: Entity, relations: Iterable[Relation], named: dict[str, Entity]) -> Tree:
    from rich.text import Text
    from rich.tree import Tree

    also = f", also {', '.join(entity.aliases)}" if entity.aliases else ""
    tree = Tree(
        Text.assemble((output.printable(entity.name), "bold cyan"), (output.printable(f" {entity.type}{also}"), "dim")),
        guide_style="dim",
    )
    for relation in relations:
        tree.add(_relation(relation, named[relation.target].name if relation.target in named else relation.target))
    return tree


def _relation(relation: Relation, target: str) -> Table:
    from rich.table import Table
    from rich.text import Text

    row = Table.grid(padding=(0, 1))  # the id is what `memgraph why` takes: never cut
    row.add_row(
        Text(relation.type, "green"),
        Text(output.printable(target), "bold"),
        Text(_span(relation), "dim"),
        Text(relation.fact, "dim", overflow="fold"),
    )
    return row
