"""What facts are worth to the turns that say them.

A place in a ranking is a turn with its facts. A fact that says more of the question than its turn does lends the turn a
share of what it is better by; a turn without such a fact keeps its score exactly. So a missing or a clumsy fact costs
nothing, and the clearer of the two wordings is the one to show.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from memgraph.ranking.times import DAY_US, Window
from memgraph.ranking.weights import Weights

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]


class Scale(NamedTuple):
    """Mean and deviation by which an arm's scores of turns were standardised."""

    mean: float
    deviation: float


class Replaced(NamedTuple):
    """A fact that is over, and the one that took its place.

    Attributes:
        turn: Row of the pool: a turn that says what is over.
        over: Index of that fact. `by`: of the one that holds now.
    """

    turn: int
    over: int
    by: int


@dataclass(frozen=True, eq=False)
class Cited:
    """Facts that a search may show, and the turns that say them.

    Attributes:
        turn: int[p], by piece of evidence: row of the pool.
        fact: int[p], the fact that it says: index into the columns below.
        dense: float32[f], similarity of each fact to the question, NaN for none yet; None if the arm can't take part.
        lexical: float32[f], BM25 score of each fact among facts.
        confidence: float32[f], 0 to 1.
        older: bool[f], contradicted by a newer one.
        since: int64[f], when it began to be true. `until`: when it ended, `OPEN` while it holds.
        near: float[f], how near a walk from what the question names comes to it, 0 to 1. None: nothing was walked.
        alone: bool[n], by row of the pool: to be shown by a fact or not at all. None for no row.
        replaced: What was said and is over, where something that may be shown took its place.
    """

    turn: NDArray[np.int64]
    fact: NDArray[np.int64]
    dense: NDArray[np.float32] | None
    lexical: NDArray[np.float32]
    confidence: NDArray[np.float32]
    older: Bools
    since: NDArray[np.int64]
    until: NDArray[np.int64]
    near: Floats | None = None
    alone: Bools | None = None
    replaced: tuple[Replaced, ...] = ()


@dataclass(frozen=True, eq=False)
class Credits:
    """What facts add to turns.

    Attributes:
        fact: float[n], for what a fact says of the question beyond its turn, less what is contradicted.
        graph: float[n], for what the question names. None: nothing was walked.
        dated: bool[n], a fact begins or ends within a time that the question names. None: it names none.
        best: int[n], the turn's best fact, -1 for none.
        better: bool[n], whether that says more of the question than the turn does.
        value: float[f], how well each fact matches, in the unit of the turns' scores.
        outdated: float[n], taken off what says of the question only what is over. None: nothing does.
    """

    fact: Floats
    graph: Floats | None
    dated: Bools | None
    best: NDArray[np.int64]
    better: Bools
    value: Floats
    outdated: Floats | None = None


def credits(  # noqa: A001  # what they are called
    cited: Cited,
    base: Floats,
    scales: Mapping[str, Scale],
    windows: Sequence[Window],
    weights: Weights,
    *,
    of_now: bool = True,
) -> Credits:
    """Compare facts with the turns that say them.

    Args:
        cited: The facts.
        base: By row of the pool: weighted sum of the standardised arms.
        scales: By arm that takes part: how the turns were standardised. Facts are measured by the same, so that few
            facts, or one, need no statistics of their own.
        windows: Spans of time that the question names.
        weights: The constants.
        of_now: Whether the question may be about how things are now.
    """
    count = len(base)
    value = _values(cited, scales, weights)
    own, outdated = value, None
    if of_now and cited.replaced:
        value, outdated = _succeeded(cited, value, base, weights)
    # The graph comes to facts, not to turns: what it came to is shown as a fact.
    strength = value if cited.near is None else value + weights.graph * cited.near
    highest = np.full(count, -np.inf)
    np.maximum.at(highest, cited.turn, strength[cited.fact])
    chosen = np.flatnonzero(strength[cited.fact] == highest[cited.turn])
    best = np.full(count, -1, np.int64)
    best[cited.turn[chosen]] = cited.fact[chosen]
    at = np.flatnonzero(best >= 0)
    fact = best[at]
    # By how much the fact is better; over what is below average there is nothing to be won.
    beyond = value[fact] - np.maximum(base[at], 0.0)
    worth = weights.fact * cited.confidence[fact] * np.maximum(beyond, 0.0)
    # As another's successor it is worth all of that: the question asks for the state that it tells the end of.
    worth = np.where(value[fact] > own[fact], np.maximum(value[fact] - base[at], 0.0), worth)
    shown = beyond + strength[fact] - value[fact] > 0
    if cited.alone is not None:
        # The turn's own words may not be seen, so they don't count.
        hidden = cited.alone[at]
        worth = np.where(hidden, value[fact] - base[at], worth)
        shown |= hidden
    credit, better = np.zeros(count), np.zeros(count, np.bool_)
    credit[at] = worth + weights.contradicted * cited.older[fact]
    better[at] = shown
    graph: Floats | None = None
    if cited.near is not None:
        graph = np.zeros(count)
        np.maximum.at(graph, cited.turn, weights.graph * cited.near[cited.fact])
    return Credits(credit, graph, _dated(cited, windows, count), best, better, value, outdated)


def _succeeded(cited: Cited, value: Floats, base: Floats, weights: Weights) -> tuple[Floats, Floats]:
    """Let what took another's place match what the other matches; mark the turns that match by what is over."""
    turn, over, by = (np.array(column, np.int64) for column in zip(*cited.replaced, strict=True))
    beside = np.full(len(base), -np.inf)
    np.maximum.at(beside, cited.turn, value[cited.fact])
    bears = value[over] > beside[turn]
    raised = value.copy()
    np.maximum.at(raised, by, np.where(bears, np.maximum(base[turn], value[over]), value[over]))
    outdated = np.zeros(len(base))
    outdated[turn[bears]] = weights.outdated
    return raised, outdated


def _values(cited: Cited, scales: Mapping[str, Scale], weights: Weights) -> Floats:
    value = np.zeros(len(cited.confidence))
    for arm, share, scores in (
        ("dense", weights.dense, cited.dense),
        ("lexical", weights.lexical, cited.lexical),
    ):
        scale = scales.get(arm)
        if scores is None or scale is None or not scale.deviation:
            continue
        standard = (scores - scale.mean) / scale.deviation
        # A fact whose vector is pending is an average one.
        value += share * np.where(np.isnan(standard), np.float32(0), standard)
    return value


def _dated(cited: Cited, windows: Sequence[Window], count: int) -> Bools | None:
    """Tell which turns say something that begins or ends within a window, whenever they were said."""
    if not windows:
        return None
    meets = np.zeros(len(cited.since), np.bool_)
    for start, end in windows:
        first = start - DAY_US
        meets |= (cited.since >= first) & (cited.since < end)
        meets |= (cited.until >= first) & (cited.until < end)
    dated = np.zeros(count, np.bool_)
    dated[cited.turn[meets[cited.fact]]] = True
    return dated
