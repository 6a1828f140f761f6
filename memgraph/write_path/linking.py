"""Who is named in the facts of a commit: entities, mentions, relations and merges, written with them.

What is written here is never taken back when a fact is withdrawn or an operation undone: it counts while a version is
believed that says what its own said, and is read so. A merge alone is an operation of its own, to be undone by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from memgraph.drafts import FactDraft, Mention, RelationDraft
from memgraph.ledger import graph, operations, owners
from memgraph.ledger.facts import Content
from memgraph.ledger.operations import Effects, Entry
from memgraph.writing import resolution
from memgraph.writing.identity import digest

if TYPE_CHECKING:
    import apsw


@dataclass(frozen=True, slots=True)
class Stated:
    """A version that was just written, and says something new: not one that only closes a fact.

    Attributes:
        fact: Row of the fact.
        operation: What wrote the version.
        draft: What it says.
        turns: Rows of the turns that say it.
    """

    fact: int
    operation: int
    draft: FactDraft
    turns: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Linked:
    """What was written.

    Attributes:
        operations: Numbers of the merges.
        entities: Rows of the entities that are new or called by a further name.
    """

    operations: tuple[int, ...] = ()
    entities: tuple[int, ...] = ()


def link(
    connection: apsw.Connection,
    owner: owners.Owner,
    agent_id: str | None,
    stated: Sequence[Stated],
    *,
    speakers: Collection[str],
    cause: str,
    draw: Callable[[], int],
    now: int,
) -> Linked:
    """Write whom versions name, and how these stand to each other.

    Args:
        connection: The writer's, inside the transaction that wrote the versions.
        owner: The owner, as it was before this commit.
        agent_id: The agent that the facts belong to, None for none. Only its own entities are compared.
        stated: The versions.
        speakers: Names of those who speak in the turns.
        cause: What names this application, so that a replay gives entities the ids they would have had.
        draw: Gives the next of the owner's rows.
        now: Microseconds UTC.
    """
    if not stated:
        return Linked()
    number, secret = owner.owner, owner.secret
    said = [(at, one.draft) for at, one in enumerate(stated)]
    keys = {resolution.alias_key(secret, name) for name in resolution.names(said)}
    near = resolution.shortlist(said, graph.known(connection, number, agent_id, keys))
    found = resolution.resolve(said, graph.with_context(connection, number, near), speakers=speakers)
    first = {one.entity: stated[one.draft] for one in reversed(found.mentions)}
    rows: list[int] = []
    for at, new in enumerate(found.new):
        rows.append(draw())
        graph.add_entity(
            connection, number, rows[-1], new.name, new.type,
            identity=UUID(bytes=digest(secret, "entity", cause, str(at)), version=5).bytes,
            key=resolution.alias_key(secret, new.name), agent_id=agent_id, operation=first[~at].operation, now=now,
        )  # fmt: skip
    called = _Called(connection, owner, said, found)
    for mentioned in found.mentions:
        one = stated[mentioned.draft]
        entity = found.row(called.entity(mentioned.draft, mentioned.entity), rows)
        graph.mention(connection, number, one.fact, entity, one.operation)
    for alias in found.aliases:
        one = stated[alias.draft]
        graph.add_alias(
            connection, number, found.row(called.entity(alias.draft, alias.entity), rows), alias.name,
            key=resolution.alias_key(secret, alias.name), fact=one.fact, operation=one.operation, now=now,
        )  # fmt: skip
    for related in found.relations:
        one = stated[related.draft]
        source, target = (called.entity(related.draft, end) for end in (related.source, related.target))
        graph.relate(
            connection, number, draw(), found.row(source, rows), related.type, found.row(target, rows), one.fact,
            operation=one.operation, now=now,
        )  # fmt: skip
    numbers = [
        _merge(connection, owner, merge, found.row(merge.entity, rows), found.row(merge.into, rows), stated, now)
        for merge in found.merges
    ]
    renamed = {ref for one in found.aliases if (ref := called.entity(one.draft, one.entity)) >= 0}
    return Linked(tuple(number for number in numbers if number), (*rows, *sorted(renamed)))


class _Called:
    """Tells by which of the names of a group a fact calls it, so that what is parted takes along what was said of it.

    Args:
        connection: The writer's.
        owner: The owner.
        said: (index, draft) of each fact.
        found: What was made of them.
    """

    def __init__(
        self,
        connection: apsw.Connection,
        owner: owners.Owner,
        said: Sequence[tuple[int, FactDraft]],
        found: resolution.Resolved,
    ) -> None:
        self._secret = owner.secret
        self._said = dict(said)
        known = {one.entity for one in found.mentions if one.entity >= 0} | {one.into for one in found.merges}
        self._own = graph.own_names(connection, owner.owner, sorted(row for row in known if row >= 0))
        for merge in found.merges:
            names = self._own.setdefault(merge.into, {})
            for ref in (merge.into, merge.entity):
                if ref < 0:
                    names.setdefault(resolution.alias_key(self._secret, found.new[~ref].name), ref)

    def entity(self, draft: int, ref: int) -> int:
        """Return the entity of a group that a fact names; see `resolution.Mentioned` for how they are given."""
        own = self._own.get(ref, {})
        if len(own) < 2:
            return ref
        names = resolution.names([(draft, self._said[draft])])
        called = [own[key] for name in names if (key := resolution.alias_key(self._secret, name)) in own]
        return ref if ref in called or not called else called[0]


def _merge(
    connection: apsw.Connection,
    owner: owners.Owner,
    merge: resolution.Merge,
    entity: int,
    into: int,
    stated: Sequence[Stated],
    now: int,
) -> int:
    """Write a merge. Returns the number of its operation, 0 where the two are one already."""
    if not graph.merge(connection, owner.owner, entity, into):
        return 0
    number = operations.next_number(connection, owner.owner)
    entry = Entry(
        number, "MERGE", fact=entity, target=into, turns=stated[merge.draft].turns,
        reason=f"{merge.reason} ({merge.score:.2f})",
    )  # fmt: skip
    operations.record(connection, owner.owner, entry, Effects(merged=[(entity, into)]), seq=owner.seq + 1, now=now)
    return number


def reworded(connection: apsw.Connection, owner: int, fact: int, before: Content, after: Content) -> FactDraft:
    """Return a fact in other words as a draft that names whom it named before, as far as the words still do.

    Args:
        connection: Any; the fact still says `before` there.
        owner: The owner.
        fact: Row of the fact.
        before: What it says.
        after: What it is to say. What its object named has become what it is now.
    """
    stated = graph.stated(connection, owner, fact)
    said = f"{after.subject}\n{after.object}\n{after.text}".casefold()
    called: dict[int, str] = {}
    # "Bergen" instead of "Oslo" is a name, "somewhere else" is none.
    renamed = before.object != after.object and before.object[:1].isupper() <= after.object[:1].isupper()
    for entity, names in stated.names.items():
        kept = next((name for name in names if name.casefold() in said), None)
        if kept is None and renamed and before.object in names:
            kept = after.object
        if kept is not None:
            called[entity] = kept
    return FactDraft(
        after.subject, after.attribute, after.object, after.text, after.kind,
        entities=tuple(Mention(name, stated.types[entity]) for entity, name in called.items()),
        relations=tuple(
            RelationDraft(called[source], kind, called[target])
            for source, kind, target in stated.relations
            if source in called and target in called
        ),
    )  # fmt: skip
