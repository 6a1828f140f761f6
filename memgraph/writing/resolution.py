"""Which of the names in a batch of facts are whom: known ones, new ones, and new ones that are the same as another.

Deterministic and the same for the facts in any order: names are placed the longest first. A new spelling of somebody
becomes an entity of its own that is merged, so that each merge can be undone alone; only the very same name is the
entity itself. Whoever is merged must pass every guard against every name of the group, not only against the one that
it looks like: a chain of likenesses joins nobody who is told apart.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from memgraph.drafts import FactDraft
from memgraph.writing import entities
from memgraph.writing.attributes import RELATIONS
from memgraph.writing.company import company
from memgraph.writing.contexts import Entity, agree, another, conflict, elsewhere
from memgraph.writing.identity import digest
from memgraph.writing.lexicon import FAMILY
from memgraph.writing.names import TITLES, Name, normalise, parse
from memgraph.writing.nearness import Known, Near, marked, wanted

__all__ = ["Alias", "Known", "Mentioned", "Merge", "New", "Related", "Resolved", "alias_key", "resolve", "shortlist"]

_RELATION: Final[Mapping[str, str]] = {
    **{"residence": "lives_in", "employer": "works_at", "study": "member_of", "friend": "friend_of", "pet": "owns"},
    **{"possession": "owns", "likes": "likes", "visited": "visited", "partner": "related_to"},
}
"""What an attribute makes of its subject and an entity that is its object, where no more is said."""
_OF_PERSONS: Final = frozenset(
    "partner marital_status employer occupation study religion native_language nationality family friend colleague pet "
    "possession skill language hobby goal opinion visited".split()
)
"""What is said of people alone. Pets have an age too, and a festival is liked."""
_SPEAKERS: Final = frozenset(("user", "assistant", "speaker"))
_WED: Final = frozenset(("wife", "husband", "spouse", "married"))
_MORE: Final = "the same name, of a kind that was not known before"

_OTHERS: Final = re.compile(
    r"\b((?:an?|the|his|her|their|its|my|our|your|[\w-]+['\u2019]s) (?:[\w-]+ ){1,4}?)"
    r"(?:(?:is |who is |which is |that is )?(?:called|named|known as)|who goes by)(?=\s)",
    re.IGNORECASE,
)
"""Somebody else's name in what is said of somebody: "Maren has a sister called Solveig" does not call Maren so."""

KnownT = TypeVar("KnownT", bound=Known)


@dataclass(frozen=True, slots=True)
class New:
    """An entity to be made."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Mentioned:
    """A fact names an entity.

    Attributes:
        draft: The fact, by the index it was handed in with.
        entity: Row of a known one; below 0: `~entity` is the index of a new one.
    """

    draft: int
    entity: int


@dataclass(frozen=True, slots=True)
class Related:
    """A fact relates two entities; see `Mentioned` for how they are given."""

    draft: int
    source: int
    type: str
    target: int


@dataclass(frozen=True, slots=True)
class Alias:
    """A fact says that an entity is also called so."""

    draft: int
    entity: int
    name: str


@dataclass(frozen=True, slots=True)
class Merge:
    """A new entity is another one.

    Attributes:
        entity: The new one; see `Mentioned`. `into`: the other.
        score: 0 to 1.
        reason: The rule. It names nobody, so that it may outlive the names.
        draft: The first of the facts that name it.
    """

    entity: int
    into: int
    score: float
    reason: str
    draft: int


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a batch of facts does to the graph. Apply it in the order of the fields."""

    new: tuple[New, ...]
    merges: tuple[Merge, ...]
    mentions: tuple[Mentioned, ...]
    aliases: tuple[Alias, ...]
    relations: tuple[Related, ...]

    @staticmethod
    def row(entity: int, drawn: Sequence[int]) -> int:
        """Return the row of an entity, given the rows that were drawn for `new`, in order."""
        return entity if entity >= 0 else drawn[~entity]


@dataclass(frozen=True, slots=True)
class _Said:
    """A name in a fact. `settled`: that of a speaker or of whom the fact is about, whose roles others have in it."""

    draft: int
    entity: Entity
    name: Name
    settled: bool


class _Group:
    """An entity with whatever was merged into it."""

    __slots__ = ("context", "drafts", "names", "recent", "ref", "type")

    def __init__(self, ref: int, kind: str, names: list[str], context: str, recent: int) -> None:
        self.ref, self.type, self.names, self.context, self.recent = ref, kind, names, context, recent
        self.drafts: set[int] = set()

    @property
    def entity(self) -> Entity:
        return Entity(self.names[0], self.type, tuple(self.names[1:]), self.context)


def alias_key(secret: bytes, name: str) -> bytes:
    """Return the key by which an entity is found by a name.

    Args:
        secret: The owner's own secret.
        name: As it was said.
    """
    return digest(secret, "name", normalise(name))


def names(facts: Sequence[tuple[int, FactDraft]]) -> list[str]:
    """Return the names that facts hold, each once: those whose `alias_key` is to be looked up."""
    return list(dict.fromkeys(said.entity.name for index, fact in facts for said in _said(index, fact, frozenset())))


def shortlist(
    facts: Sequence[tuple[int, FactDraft]],
    known: Sequence[KnownT],
    *,
    similar: Mapping[str, Collection[int]] | None = None,
) -> list[KnownT]:
    """Return the known entities that any name in the facts may be: those whose context is worth reading.

    Args:
        facts: (index, draft) of each.
        known: All that there are to compare with.
        similar: By name, rows of entities that are near it by other means, as by embeddings.
    """
    said = {one.name: one.entity for index, fact in facts for one in _said(index, fact, frozenset())}.values()
    marks = set[str]().union(*(wanted(one.name, one.context) for one in said))
    # Most of the known have nothing in common with any of the names: one look at each, before they are compared.
    near = Near(
        (entity.row, (entity.name, *entity.aliases), "")
        for entity in known
        if marked((entity.name, *entity.aliases), marks)
    )
    rows: set[int] = set()
    for one in said:
        rows.update(near.find(one.name, one.type, one.context))
        rows.update((similar or {}).get(one.name, ()))
    return [entity for entity in known if entity.row in rows]


def resolve(
    facts: Sequence[tuple[int, FactDraft]],
    known: Sequence[Known],
    *,
    speakers: Collection[str] = (),
    similar: Mapping[str, Collection[int]] | None = None,
) -> Resolved:
    """Tell who is named in facts, and how they are related.

    Args:
        facts: (index, draft) of each.
        known: What `shortlist` left, or all. Only of the agent that the facts belong to.
        speakers: Names of those who speak in the turns: each is one person, whatever is said beside the name.
        similar: By name, rows of entities that are near it by other means. The rules decide among them too.

    Returns:
        What is to be written. Never raises.
    """
    work = _Resolution(known, similar or {})
    voices = frozenset(map(normalise, speakers))
    # By what they say, not by their numbers.
    facts = sorted(facts, key=lambda pair: (*_content(pair[1]), pair[0]))
    rank = {index: at for at, (index, _) in enumerate(facts)}
    said = {index: _said(index, fact, voices) for index, fact in facts}
    naming = {index: fact for index, fact in facts if fact.attribute == "name" and said[index]}
    for index in sorted(naming, key=lambda at: _order(said[at][0], rank)):
        work.call(said[index][0], naming[index].object)
    for one in sorted((one for several in said.values() for one in several), key=lambda one: _order(one, rank)):
        work.place(one)
    for index, fact in sorted(facts, key=lambda pair: pair[0]):
        work.relate(index, fact, said[index])
    return work.result()


class _Resolution:
    def __init__(self, known: Sequence[Known], similar: Mapping[str, Collection[int]]) -> None:
        self._groups: dict[int, _Group] = {}
        self._similar = similar
        for entity in sorted(known, key=lambda entity: entity.row):
            self._groups[entity.row] = _Group(
                entity.row,
                entity.type,
                [entity.name, *entity.aliases],
                _OTHERS.sub(r"\1", entity.context[:1_000]),
                entity.recent,
            )
        self._near = Near((row, tuple(group.names), group.context) for row, group in self._groups.items())
        self._placed: dict[tuple[int, Name, str], int] = {}
        self._of: dict[int, _Group] = dict(self._groups)
        self._new: list[New] = []
        self._merges: list[Merge] = []
        self._aliases: list[Alias] = []
        self._relations: list[Related] = []

    def call(self, said: _Said, also: str) -> None:
        """Take in that somebody is called by another name, unless that is somebody else's already."""
        ref = self.place(said)
        group, name = self._of[ref], parse(also)
        held = [self._groups[row] for row in self._near.named(name.key)]
        if not name.tokens or group in held or any(other.type in ("person", "other") for other in held):
            return
        if _apart(Entity(also, group.type), group):
            return
        self._aliases.append(Alias(said.draft, ref, also))
        group.names.append(also)
        self._near.add(group.ref, (also,), "")

    def place(self, said: _Said) -> int:
        """Return whom a name is of."""
        key = (said.draft, said.name, said.entity.type)
        if key not in self._placed:
            self._placed[key] = ref = self._choose(said)
            self._of[ref].drafts.add(said.draft)
        return self._placed[key]

    def _choose(self, said: _Said) -> int:
        if another(said.entity):
            return self._make(said)
        alike = [self._groups[row] for row in self._near.named(said.name.key)]
        exact = [group for group in alike if self._is(said, group)]
        if exact:
            several = len(exact) > 1
            group = min(
                exact,
                key=lambda group: (
                    group.type != said.entity.type,
                    several and not agree(said.entity, group.entity),
                    -group.recent,
                    group.ref,
                ),
            )
            if group.type == "other" != said.entity.type:
                return self._make(said, group, 1.0, _MORE)
            group.context = f"{group.context} {said.entity.context}".strip()
            return group.ref
        found: list[tuple[float, _Group, str]] = []
        rows = (
            *self._near.find(said.entity.name, said.entity.type, said.entity.context),
            *self._similar.get(said.entity.name, ()),
        )
        for group in {row: self._groups[row] for row in rows if row in self._groups}.values():
            # Two names in one fact are two entities.
            may = _typed(said.entity, group) and said.draft not in group.drafts
            match = entities.same(said.entity, group.entity) if may else None
            # What it was called in so many words need not look like the name that it stands for.
            told = match is not None and match.reason.startswith("the context calls it so")
            if match is not None and not _apart(said.entity, group, told=told):
                found.append((match.score, group, match.reason.rsplit(": `", 1)[0]))
        best = max((score for score, _, _ in found), default=0.0)
        sure = [one for one in found if one[0] == best]
        if len(sure) == 1:
            return self._make(said, sure[0][1], best, sure[0][2])
        return self._make(said)  # nobody, or two that are as likely: a duplicate is found later, a bad merge is not

    def _is(self, said: _Said, group: _Group) -> bool:
        """Tell whether a name is the very name of an entity, and nothing speaks against it."""
        if not _typed(said.entity, group) or _variant(said.name) not in {_variant(parse(one)) for one in group.names}:
            return False
        return said.settled or not (
            conflict(said.entity.context, group.context) or elsewhere(said.entity, group.entity)
        )

    def _make(self, said: _Said, into: _Group | None = None, score: float = 1.0, reason: str = "") -> int:
        ref = ~len(self._new)
        self._new.append(New(said.entity.name, said.entity.type))
        if into is None:
            into = self._groups[ref] = _Group(ref, said.entity.type, [said.entity.name], said.entity.context, 0)
        else:
            self._merges.append(Merge(ref, into.ref, score, reason, said.draft))
            into.type = said.entity.type if into.type == "other" else into.type
            into.names.append(said.entity.name)
            into.context = f"{into.context} {said.entity.context}".strip()
        self._of[ref] = into
        self._near.add(into.ref, (said.entity.name,), said.entity.context)
        return ref

    def relate(self, index: int, fact: FactDraft, said: Sequence[_Said]) -> None:
        """Take in how a fact relates those it names."""
        refs: dict[str, int] = {}
        for one in said:
            refs.setdefault(one.name.key, self.place(one))
        triples = [(normalise(one.source), one.type, normalise(one.target)) for one in fact.relations]
        if not triples and said:
            triples = _derived(fact, said)
        for source, kind, target in dict.fromkeys(triples):
            start, end = refs.get(source), refs.get(target)
            if start is not None and end is not None and self._of[start] is not self._of[end]:
                self._relations.append(Related(index, start, kind if kind in RELATIONS else "related_to", end))

    def result(self) -> Resolved:
        """Return what is to be written."""
        mentions = sorted({(draft, ref) for (draft, _, _), ref in self._placed.items()})
        return Resolved(
            tuple(self._new),
            tuple(self._merges),
            tuple(Mentioned(*one) for one in mentions),
            tuple(self._aliases),
            tuple(self._relations),
        )


def _said(index: int, fact: FactDraft, voices: frozenset[str]) -> list[_Said]:
    """Return the names in a fact, its subject's first."""
    found: dict[Name, _Said] = {}
    text = _OTHERS.sub(r"\1", fact.text[:1_000])
    kinds = {mention.name: mention.type for mention in reversed(fact.entities)}
    subject = parse(fact.subject)
    kind = next((one for name, one in kinds.items() if parse(name) == subject), "other")
    if kind == "other" and (subject.key in _SPEAKERS or subject.key in voices or fact.attribute in _OF_PERSONS):
        kind = "person"
    ends = [name for relation in fact.relations for name in (relation.source, relation.target)]
    given = [(mention.name, mention.type) for mention in fact.entities] + [(name, "other") for name in ends]
    known = {subject.key}
    called = normalise(fact.object) if fact.attribute == "name" else ""
    for name, one in ((fact.subject, kind), *given):
        parsed = parse(name)
        if parsed.tokens and parsed not in found and not (one == "other" and found and parsed.key in known):
            known.add(parsed.key)
            if parsed.key == called and parsed != subject and subject.tokens:
                continue  # it is the subject's other name
            settled = parsed == subject or parsed.key in voices
            found[parsed] = _Said(index, Entity(name, one, (), text), parsed, settled)
    return list(found.values())


def _content(fact: FactDraft) -> tuple[object, ...]:
    """Return what a fact says, so that it can be sorted."""
    named = sorted((mention.name, mention.type) for mention in fact.entities)
    related = sorted((one.source, one.type, one.target) for one in fact.relations)
    return fact.text, fact.subject, fact.attribute, fact.object, named, related


def _order(said: _Said, rank: Mapping[int, int]) -> tuple[object, ...]:
    """Return what names are placed by: the fullest first, whatever the order of the facts."""
    name, entity = said.name, said.entity
    rest = (name.title, name.suffix, name.place, entity.type == "other", entity.type, not said.settled, entity.context)
    return (-len(name.tokens), -len(name.key), name.key, *rest, entity.name, rank[said.draft])


def _typed(entity: Entity, group: _Group) -> bool:
    return "other" in (entity.type, group.type) or entity.type == group.type


def _variant(name: Name) -> tuple[object, ...]:
    """Return what two names must have in common to be one and the same: title and place tell namesakes apart."""
    return name.tokens, TITLES.get(name.title, ""), name.suffix, name.place


def _apart(entity: Entity, group: _Group, *, told: bool = False) -> bool:
    """Tell whether an entity is told apart from any name of a group, whatever it has in common with another of them."""
    if not _typed(entity, group):
        return True
    name = parse(entity.name)
    for at, also in enumerate(group.names):
        other = parse(also)
        if _variant(name) == _variant(other):
            continue
        if entities.guarded(name, other):
            return True
        if len(name.tokens) > 1 and len(other.tokens) > 1 and not (told and at == 0):
            # Two full names that no rule would join with the best of contexts.
            one, two = Entity(entity.name, entity.type, (), "together"), Entity(also, group.type, (), "together")
            if entities.same(one, two) is None:
                return True
    return False


def _derived(fact: FactDraft, said: Sequence[_Said]) -> list[tuple[str, str, str]]:
    """Return how a fact relates its subject to the entity that is its object, where it names no relation."""
    value = parse(fact.object).tokens
    subject = said[0].name
    for one in said[1:]:
        size = len(one.name.tokens)
        if any(value[at : at + size] == one.name.tokens for at in range(len(value) - size + 1)):
            return [(subject.key, _relation(fact, one.entity.type), one.name.key)]
    return []


def _relation(fact: FactDraft, kind: str) -> str:
    words = [word.strip(".,;:()'\"").removesuffix("'s").casefold() for word in f"{fact.object} {fact.text}".split()]
    if fact.attribute == "family":
        return next((company(word)[1] for word in words if word in FAMILY), "related_to")
    if fact.attribute == "partner":
        return "married_to" if not _WED.isdisjoint(words) else "related_to"
    if fact.attribute == "hobby":
        return "member_of" if kind == "organisation" else "likes"
    return _RELATION.get(fact.attribute, "related_to")
