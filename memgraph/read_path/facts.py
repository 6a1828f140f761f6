"""What a search does with facts: which it may show, which places show one, and how it becomes a hit."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from memgraph.ledger.fact_index import Found
from memgraph.projections.cache import OwnerIndex
from memgraph.projections.facts import FactIndex
from memgraph.ranking.facts import Cited, Replaced
from memgraph.ranking.fusion import Ranking
from memgraph.records import KINDS, OPEN, from_us, from_us_or_open

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Ints = NDArray[np.int64]
    Floats = NDArray[np.float32]

_HOPS: Final = 2
"""Facts a path through the graph may have: what is named, and what the facts about it name."""

_FAN_OUT: Final = 32
_WALKED: Final = 200
"""Neighbours followed from one entity or fact, and all that a walk meets: a hub costs no more than others."""

_SHORT: Final = 12
"""Words up to which a turn says nothing beyond its fact, where it states no other."""

_SELF: Final = re.compile(r"\b(?:i|me|my|mine|myself|we|us|our)\b", re.IGNORECASE)
_ROLES: Final = frozenset({"user", "assistant", "system", "tool", "human", "ai", "document"})
_EVENT: Final = KINDS.index("event")
_VIEWS: Final = 8
"""Agents' views that are kept of one owner's facts, tens of bytes a fact each."""


@dataclass(slots=True)
class Asked:
    """What a search asks of facts.

    Attributes:
        at: The time at which a fact is to be true, microseconds UTC. `named`: whether the reader named it.
    """

    text: str
    at: int
    named: bool
    known_at: int | None
    agent: str | None


class _Seen(NamedTuple):
    """What a reader sees of one owner's facts, whatever is asked.

    Attributes:
        since: From when on nothing that is believed ends, `until`: to when, microseconds UTC.
        version_of: By fact: its believed entry, -1 for none, whether it is true or not.
        shown: By fact: that entry if it is true, else -1.
        cited: By piece of evidence: whether it is believed.
        entry: By piece of evidence: what is shown of its fact.
        older: By entry: contradicted by a newer one.
        marked: Positions of the turns that state something that is over or contradicted.
    """

    since: int
    until: int
    version_of: Ints
    shown: Ints
    cited: Bools
    entry: Ints
    older: Bools
    marked: frozenset[int]


class _Home(NamedTuple):
    """The facts of one owner within `Gathered`."""

    owner: OwnerIndex
    first: int
    version_of: Ints
    """By fact: its believed entry, -1 for none, whether it is true or not."""
    cited: Bools
    """By piece of evidence: whether it is believed."""
    marked: frozenset[int]
    """Positions of the turns that state something that is over or contradicted."""


@dataclass(slots=True)
class Gathered:
    """The facts that a search may show, of all its owners.

    Attributes:
        columns: What ranking sees of them.
        visible: By row of the pool: whether anything may be shown in its place; None for all.
    """

    columns: Cited
    visible: Bools | None
    homes: list[_Home]
    paths: dict[int, tuple[int, ...]]
    at: int
    known_at: int | None

    def row(self, fact: int) -> tuple[int, int]:
        """Return which owner's a fact is, and its row."""
        which = max(i for i, home in enumerate(self.homes) if home.first <= fact)
        facts = self.homes[which].owner.facts
        return which, int(facts.rows[facts.fact[fact - self.homes[which].first]])

    def of_turns(self, rows: Sequence[int]) -> dict[int, list[int]]:
        """Return by row of the pool the facts that it states and that may be shown, of those that state any."""
        found: dict[int, list[int]] = {}
        wanted = np.zeros(sum(len(home.owner) for home in self.homes), np.bool_)
        wanted[rows] = True
        at = np.flatnonzero(wanted[self.columns.turn])
        for turn, fact in zip(self.columns.turn[at].tolist(), self.columns.fact[at].tolist(), strict=True):
            found.setdefault(turn, []).append(fact)
        return found

    def stated(self, which: int, at: int) -> list[tuple[int, bool]]:
        """Return the rows of the believed facts that a turn (its position) states, and whether each is over.

        Nothing of a turn that there is nothing to tell of: none of its facts is over or contradicted.
        """
        home = self.homes[which]
        if at not in home.marked:
            return []
        facts = home.owner.facts
        found: list[tuple[int, bool]] = []
        for number in np.unique(facts.cited_fact[(facts.cited_at == at) & home.cited]).tolist():
            entry = int(home.version_of[number])
            if entry >= 0:
                over = int(facts.kind[entry]) != _EVENT and int(facts.valid_to[entry]) <= self.at
                found.append((int(facts.rows[number]), over))
        return found

    def opposed(self, which: int, row: int) -> list[int]:
        """Return the rows of the facts that contradict one."""
        return self.homes[which].owner.facts.opposed(row, self.known_at)

    def path(self, fact: int) -> tuple[tuple[bytes, ...], tuple[str, ...]]:
        """Return how the graph came to a fact: ids of entities and facts in turn, and the names of the entities."""
        rows = self.paths.get(fact, ())
        if not rows:
            return (), ()
        which, _ = self.row(fact)
        facts = self.homes[which].owner.facts
        return tuple(facts.path_ids(rows)), tuple(facts.entity_names.get(row, "") for row in rows[::2])


def gather(
    found: Sequence[OwnerIndex],
    asked: Asked,
    hashes: NDArray[np.uint64],
    vector: Floats | None,
    mask: Bools | None,
    kind: str | None,
) -> Gathered | None:
    """Return the facts that a search may show, None where its owners have none.

    Args:
        found: The owners' indexes.
        asked: What is asked.
        hashes: Of the question's terms.
        vector: Of the question, None without a dense arm.
        mask: By row of the pool: which turns the search lets through but for when they were said; None for all.
        kind: "turn" or "fact" where only these are wanted.
    """
    homes: list[_Home] = []
    columns: list[Cited] = []
    paths: dict[int, tuple[int, ...]] = {}
    first = start = 0
    for index in found:
        facts = index.facts
        if not len(facts):
            homes.append(_Home(index, first, np.zeros(0, np.int64), np.zeros(0, np.bool_), frozenset()))
            start += len(index)
            continue
        home, cited, ways = _at_home(index, first, start, asked, hashes, vector, mask)
        homes.append(home)
        columns.append(cited)
        paths |= ways
        first += len(facts)
        start += len(index)
    if not columns:
        return None
    joined = columns[0] if len(columns) == 1 else _joined(columns)
    visible, alone = _places(found, asked, mask, joined, kind)
    if alone is not None:
        joined = replace(joined, alone=alone)
    return Gathered(joined, visible, homes, paths, asked.at, asked.known_at)


def _at_home(
    index: OwnerIndex,
    first: int,
    start: int,
    asked: Asked,
    hashes: NDArray[np.uint64],
    vector: Floats | None,
    mask: Bools | None,
) -> tuple[_Home, Cited, dict[int, tuple[int, ...]]]:
    """Return one owner's facts, whose numbers begin with `first` and those of its turns with `start`; paths by fact."""
    facts = index.facts
    seen = _seen(facts, asked)
    turn = facts.cited_at + start
    let_through = seen.cited if mask is None else seen.cited & mask[turn]
    keep = let_through & (seen.entry >= 0)
    near, ways = _walked(index, asked, seen.shown)
    columns = Cited(
        turn=turn[keep].astype(np.int64),
        fact=seen.entry[keep] + first,
        dense=None if vector is None else facts.dense(vector),
        lexical=facts.lexical(hashes),
        confidence=facts.confidence,
        older=seen.older,
        since=facts.valid_from,
        until=facts.valid_to,
        near=near,
        replaced=_replaced(index, seen.shown, seen.version_of, let_through, first, start),
    )
    home = _Home(index, first, seen.version_of, seen.cited, seen.marked)
    return home, columns, {fact + first: way for fact, way in ways.items()}


def _seen(facts: FactIndex, asked: Asked) -> _Seen:
    """Return what a reader sees of facts; of now, as most ask, it is kept until a fact ends or another is told."""
    agents: tuple[int, ...] | None = None
    if asked.agent is not None and len(facts.agent_names) > 1:
        agents = tuple(i for i, name in enumerate(facts.agent_names) if name in (None, asked.agent))
    if asked.known_at is not None or asked.named:
        return _look(facts, asked, agents)
    kept: _Seen | None = facts.derived.get(agents)
    if kept is None or not kept.since <= asked.at < kept.until:
        if len(facts.derived) >= _VIEWS:
            facts.derived.clear()
        kept = facts.derived[agents] = _look(facts, asked, agents)
    return kept


def _look(facts: FactIndex, asked: Asked, agents: tuple[int, ...] | None) -> _Seen:
    """Return what is seen of the facts of some agents, None for all."""
    believed = facts.believed(asked.known_at)
    if agents is not None:
        believed &= np.isin(facts.agents, agents)[facts.fact]
    version_of = _by_fact(facts.fact, believed, len(facts.rows))
    shown = _by_fact(facts.fact, believed & facts.true(asked.at, named=asked.named), len(facts.rows))
    if asked.known_at is None:
        cited = facts.cited_until == OPEN
    else:
        cited = (facts.cited_since <= asked.known_at) & (asked.known_at < facts.cited_until)
    over = facts.valid_to <= asked.at
    return _Seen(
        since=int(facts.valid_to[over].max(initial=-OPEN)),
        until=int(facts.valid_to[~over].min(initial=OPEN)),
        version_of=version_of,
        shown=shown,
        cited=cited,
        entry=shown[facts.cited_fact],
        older=(facts.older if asked.known_at is None else facts.outdated(asked.known_at))[facts.fact],
        marked=_marked(facts, version_of, cited, asked),
    )


def _replaced(
    index: OwnerIndex, shown: Ints, version_of: Ints, cited: Bools, first: int, start: int
) -> tuple[Replaced, ...]:
    """Return what is over and was said, with what took its place."""
    facts = index.facts
    return tuple(
        Replaced(int(turn) + start, over + first, by + first)
        for over, by in facts.replaced(shown, version_of)
        for turn in facts.cited_at[cited & (facts.cited_fact == facts.fact[over])]
    )


def _marked(facts: FactIndex, version_of: Ints, cited: Bools, asked: Asked) -> frozenset[int]:
    """Return the positions of the turns that state something that is over or contradicted."""
    told = (version_of >= 0) & (facts.valid_to[version_of] <= asked.at) & (facts.kind[version_of] != _EVENT)
    for row in facts.linked(asked.known_at):
        if (number := facts.number(row)) is not None:
            told[number] = True
    if not told.any():
        return frozenset()
    return frozenset(facts.cited_at[cited & told[facts.cited_fact]].tolist())


def _by_fact(fact: NDArray[np.int32], mask: Bools, count: int) -> Ints:
    """Return by fact the entry that a mask lets through, -1 for none; no two versions hold at one time."""
    entries = np.full(count, -1, np.int64)
    held = np.flatnonzero(mask)
    entries[fact[held]] = held
    return entries


def _walked(
    index: OwnerIndex, asked: Asked, shown: Ints
) -> tuple[NDArray[np.float64] | None, dict[int, tuple[int, ...]]]:
    """Return by entry how near a walk from what the question names comes to it, and the path of each it comes to."""
    facts = index.facts
    named = dict.fromkeys(facts.named(asked.text))
    if _SELF.search(asked.text):
        speakers = [name for name in index.speakers if name.casefold() not in _ROLES]
        if len(speakers) == 1:
            named |= dict.fromkeys(facts.named(speakers[0]))
    if not named:
        return None, {}
    met = facts.walk(named, shown >= 0, hops=_HOPS, fan_out=_FAN_OUT, limit=_WALKED)
    near = np.zeros(len(facts))
    paths: dict[int, tuple[int, ...]] = {}
    for number, (score, path) in met.items():
        near[shown[number]] = score
        paths[int(shown[number])] = path
    return near, paths


def _joined(columns: Sequence[Cited]) -> Cited:
    """Return the columns of several owners as one; an arm that one of them lacks tells nothing of its facts."""
    dense = [one.dense for one in columns if one.dense is not None]
    nears = [np.zeros(len(one.confidence)) if one.near is None else one.near for one in columns]
    return Cited(
        turn=np.concatenate([one.turn for one in columns]),
        fact=np.concatenate([one.fact for one in columns]),
        dense=np.concatenate(dense) if len(dense) == len(columns) else None,
        lexical=np.concatenate([one.lexical for one in columns]),
        confidence=np.concatenate([one.confidence for one in columns]),
        older=np.concatenate([one.older for one in columns]),
        since=np.concatenate([one.since for one in columns]),
        until=np.concatenate([one.until for one in columns]),
        near=None if all(one.near is None for one in columns) else np.concatenate(nears),
        replaced=tuple(pair for one in columns for pair in one.replaced),
    )


def _places(
    found: Sequence[OwnerIndex], asked: Asked, mask: Bools | None, cited: Cited, kind: str | None
) -> tuple[Bools | None, Bools | None]:
    """Return which turns' places may be shown, and which of them by a fact only."""
    if kind != "fact" and not asked.named:
        return mask, None
    states = np.zeros(sum(len(index) for index in found), np.bool_)
    states[cited.turn] = True
    if kind == "fact":
        return states, states
    said = np.concatenate([index.said_at for index in found]) <= asked.at
    seen = said if mask is None else said & mask
    if kind == "turn":
        return seen, None
    return seen | states, states & ~said


class Shown(NamedTuple):
    """A place as it is presented: its place in the ranking, and the fact shown there, -1 for the turn itself."""

    place: int
    fact: int


def plan(ranking: Ranking, gathered: Gathered | None, words: NDArray[np.int32], kind: str | None) -> list[Shown]:
    """Decide what each place shows; a fact and a turn that says it take two places only if the turn says more.

    Args:
        ranking: The places.
        gathered: The facts, None for none.
        words: By row of the pool: length of the turn.
        kind: "turn" or "fact" where only these are wanted.
    """
    if gathered is None or kind == "turn":
        return [Shown(place, -1) for place in range(len(ranking))]
    cited = gathered.columns
    order: list[Shown] = []
    facts: set[int] = set()
    turns: set[int] = set()
    stated = gathered.of_turns(ranking.rows)
    for place, (row, best, better) in enumerate(zip(ranking.rows, ranking.facts, ranking.better, strict=True)):
        if kind == "fact":
            mine = [fact for fact in (best, *stated.get(row, ())) if fact >= 0 and fact not in facts]
            order += [Shown(place, fact) for fact in dict.fromkeys(mine)]
            facts.update(mine)
            continue
        states = stated.get(row, ())
        if better and best not in facts and turns.isdisjoint(cited.turn[cited.fact == best].tolist()):
            order.append(Shown(place, best))
            facts.add(best)
            continue
        hidden = cited.alone is not None and bool(cited.alone[row])
        says_no_more = facts.issuperset(states) and bool(states) and int(words[row]) <= _SHORT
        if not hidden and not says_no_more:
            order.append(Shown(place, -1))
            turns.add(row)
    return order


def marks(
    gathered: Gathered, which: int, at: int, fact: int | None, facts: Mapping[int, Found]
) -> tuple[tuple[str, ...], tuple[tuple[str, datetime], ...], tuple[tuple[str, datetime], ...]]:
    """Return what a line says beside its words: ids and sentences of what contradicts it, and what of it is over.

    Args:
        gathered: The facts.
        which: Whose it is.
        at: Position of the turn.
        fact: Row of the fact that is shown; None for the turn.
        facts: The facts by row, as read back.
    """
    stated = gathered.stated(which, at) if fact is None else [(fact, False)]
    others: dict[int, Found] = {}
    ended: list[tuple[str, datetime]] = []
    for row, over in stated:
        mine = facts.get(row)
        if mine is None:
            continue
        if over:
            ended.append((mine.text if len(stated) > 1 else "", from_us(mine.valid_to)))
        else:
            others |= {row: facts[row] for row in gathered.opposed(which, row) if row in facts}
    found = [other for other in others.values() if other.valid_to > gathered.at]
    return (
        tuple(other.id for other in found),
        tuple((other.text, from_us(other.valid_from)) for other in found),
        tuple(ended),
    )


def holds(fact: Found, asked: Asked) -> bool:
    """Whether a fact read back is what the search may return: the ledger's word, whatever an index said."""
    if asked.agent is not None and fact.agent_id not in (None, asked.agent):
        return False
    if fact.kind == _EVENT:
        return fact.valid_to > fact.valid_from
    return fact.valid_to > asked.at


def span(fact: Found) -> tuple[datetime, datetime | None]:
    """Return since and until when a fact is true."""
    return from_us(fact.valid_from), from_us_or_open(fact.valid_to)
