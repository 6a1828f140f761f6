"""From the arms' scores of all turns to the best few, and why.

score = weighted standardised arms + sitting prior + priors of the turn + boosts by what the question asks for.

Arms are standardised over what the search may see, so that no encoder's range of scores matters: an affine change of an
arm's scores changes nothing. Everything is gated by what it depends on; where that is absent the rule adds 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from math import isfinite
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from memgraph.ranking.facts import Cited, Credits, Scale, credits
from memgraph.ranking.query import Query
from memgraph.ranking.times import DAY_US
from memgraph.ranking.weights import WEIGHTS, Weights
from memgraph.writing.features import Flag

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

_BLOCK: Final = 32
"""Rows of a block in the search for the best: 300 blocks at 10,000 turns, enough for 50 results."""


class Sittings(NamedTuple):
    """Turns grouped by sitting.

    `order` puts them together (None: they already are), group g begins at `starts[g]`, `member[i]` is the group of the
    i-th row of that order.
    """

    order: Ints | None
    starts: Ints
    member: Ints


class Priors(NamedTuple):
    """What speaks for or against each turn whatever is asked, apart and in sum.

    `total` is for ordinary questions, `total_wanted` for those that ask for the assistant's words.
    """

    length: Floats
    question: Floats
    reply: Floats
    reply_wanted: Floats
    total: Floats
    total_wanted: Floats


@dataclass(eq=False)
class Pool:
    """The turns that a search looks at, as columns; a row is a turn, in the order in which they were said.

    What can be computed once is computed at the first search and kept: make one pool an owner and state, not one a
    search. Never change a column of a pool in use.

    Attributes:
        words: int32[n], `Features.words`.
        flags: int32[n], `Features.flags`.
        said_at: int64[n], microseconds UTC.
        session: int32[n], which sitting (thread or session) the turn belongs to; any numbers.
        speaker: int32[n], index into `speakers`.
        speakers: Names.
    """

    words: NDArray[np.int32]
    flags: NDArray[np.int32]
    said_at: NDArray[np.int64]
    session: NDArray[np.int32]
    speaker: NDArray[np.int32]
    speakers: Sequence[str]

    def __len__(self) -> int:
        """Return the number of turns."""
        return len(self.words)

    @cached_property
    def sittings(self) -> Sittings:
        """The turns grouped by sitting."""
        order = None
        session = self.session
        if np.any(session[1:] < session[:-1]):
            order = np.argsort(session, kind="stable")
            session = session[order]
        first = np.ones(len(session), dtype=np.bool_)
        np.not_equal(session[1:], session[:-1], out=first[1:])
        return Sittings(order, np.flatnonzero(first), np.cumsum(first) - 1)

    def flagged(self, flag: Flag) -> Bools:
        """Tell which turns have any bit of a flag."""
        key = int(flag)
        if key not in self._flagged:
            self._flagged[key] = (self.flags & key) != 0
        return self._flagged[key]

    @cached_property
    def _flagged(self) -> dict[int, Bools]:
        return {}

    @cached_property
    def _priors(self) -> dict[Weights, Priors]:
        return {}

    def priors(self, weights: Weights) -> Priors:
        """Give what does not depend on the question."""
        if weights not in self._priors:
            self._priors[weights] = self._compute_priors(weights)
        return self._priors[weights]

    def _compute_priors(self, weights: Weights) -> Priors:
        machine = self.flagged(Flag.ASSISTANT | Flag.TOOL)
        length = np.zeros(len(self))
        long = np.flatnonzero(self.words > weights.length_words)
        # Rounded: log2 of one number may differ in its last bit from one place of an array to another.
        length[long] = weights.length * np.log2(self.words[long] / weights.length_words).round(9)
        order, starts, member = self.sittings
        with_machine = np.zeros(len(self), dtype=np.bool_)
        if machine.any():
            taking_part = np.logical_or.reduceat(machine if order is None else machine[order], starts)[member]
            with_machine[slice(None) if order is None else order] = taking_part
        idle = ~with_machine | (self.words <= weights.question_words)
        question = _where(self.flagged(Flag.QUESTION_ONLY) & idle, weights.question)
        reply = _where(machine, weights.reply)
        reply_wanted = np.where(self.flagged(Flag.ASSISTANT), weights.reply_wanted, reply)
        total = length + question
        return Priors(length, question, reply, reply_wanted, total + reply, total + reply_wanted)


@dataclass(frozen=True, slots=True)
class Ranking:
    """The best rows of a pool, best first.

    Attributes:
        rows: Rows of the pool.
        scores: Fused score of each; comparable within this ranking only.
        arms: For each row, by arm that found it ("dense", "lexical", "time", "fact", "graph"): (rank from 1, the arm's
            own score). Equal scores have one rank. The last three arms' scores are what they added.
        boosts: For each row, by rule, what was added to its score; what added nothing is left out.
        facts: For each row its best fact, an index into the columns of `Cited`; -1 for none.
        better: For each row, whether that fact says more of the question than the turn itself.
    """

    rows: list[int]
    scores: list[float]
    arms: list[dict[str, tuple[int, float]]]
    boosts: list[dict[str, float]]
    facts: list[int] = field(default_factory=list[int])
    better: list[bool] = field(default_factory=list[bool])

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.rows)


def rank(
    pool: Pool,
    query: Query,
    dense: NDArray[np.float32] | None,
    lexical: NDArray[np.float32] | None,
    *,
    limit: int,
    visible: Bools | None = None,
    cited: Cited | None = None,
    weights: Weights = WEIGHTS,
) -> Ranking:
    """Order the turns of a pool for a question.

    Args:
        pool: The turns.
        query: The question, analysed with the pool's `speakers`.
        dense: Similarity of each turn to the question, in any range; NaN where a turn has no vector yet, which then is
            neither better nor worse for it. None if the arm can't take part.
        lexical: BM25 score of each turn, 0 where no word matches. None if the arm can't take part.
        limit: How many rows to return at most.
        visible: Which turns the search may return; None for all. The others influence nothing.
        cited: The facts that it may show, and the turns that say them; None for none.
        weights: The constants.

    Returns:
        At most `limit` rows. Equal scores go to the earlier row.
    """
    if visible is not None and visible.all():
        visible = None
    count = len(pool) if visible is None else int(np.count_nonzero(visible))
    limit = min(limit, count)
    if limit <= 0:
        return Ranking([], [], [], [])
    present = {name: arm for name, arm in (("dense", dense), ("lexical", lexical)) if arm is not None}
    if dense is None:
        weights = _alone(weights)
    share = {"dense": weights.dense, "lexical": weights.lexical}
    scales: dict[str, Scale] = {}
    standard = {name: _standardised(arm, visible, scales, name) for name, arm in present.items()}
    base = np.zeros(len(pool))
    for name, values in standard.items():
        base += share[name] * values
    session = _session_prior(pool, base, visible, weights)
    priors = pool.priors(weights)
    score = base + session
    score += priors.total_wanted if query.wants_assistant else priors.total
    boosts = _boosts(pool, query, weights)
    found: Credits | None = None
    if cited is not None and len(cited.turn):
        found = credits(cited, base, scales, query.windows, weights, of_now=not (query.of_the_past or query.windows))
        score += found.fact
        if found.graph is not None:
            score += found.graph
        if found.outdated is not None:
            boosts["outdated"] = found.outdated
        if found.dated is not None:
            # Said at another time: what was said within the window has the boost already.
            boosts["time"] = np.where(found.dated, weights.time + weights.time_inside, boosts["time"])
    for added in boosts.values():
        score += added
    if visible is not None:
        score[~visible] = -np.inf
    rows = _best(score, limit)
    keep = list(standard.values())
    if limit < weights.survivors_from:
        keep = [values for values in keep if _is_decisive(values, visible, weights)]
    elif found is not None:
        keep += [found.fact] if found.graph is None else [found.fact, found.graph]
    rows = _with_survivors(rows, score, keep, visible)
    return _explained(pool, query, weights, rows, score, session, boosts, present, visible, found)


@cache
def _alone(weights: Weights) -> Weights:
    """Return the weights of a search by words only."""
    return replace(
        weights,
        lexical=weights.lexical_alone,
        length=weights.length * weights.priors_alone,
        reply=weights.reply * weights.priors_alone,
    )


def _standardised(arm: NDArray[np.float32], visible: Bools | None, scales: dict[str, Scale], name: str) -> Floats:
    """Return z scores over the visible rows that have a score; 0 for one without, and for all if all are equal.

    Notes the scale under the arm's name.
    """
    values = arm.astype(np.float64)
    known: Bools | None = None
    # A NaN anywhere is the sum's too. All turns visible and known is the common case, done in place.
    if visible is not None or not isfinite(values.sum()):
        known = np.isfinite(values)
        values[~known] = 0.0
    population = values if known is None else values[known if visible is None else known & visible]
    if not len(population) or (lowest := population.min()) == population.max():
        return np.zeros(len(values))
    # Counted from the lowest, so that a large offset costs no digits.
    values -= lowest
    mean = _mean(population if known is None else population - lowest)
    values -= mean
    deviation = np.sqrt(_mean(np.square(values if known is None else population - lowest - mean)))
    values /= deviation
    scales[name] = Scale(float(lowest + mean), float(deviation))
    if known is not None:
        values[~known] = 0.0
    return values


def _mean(values: Floats) -> np.float64:
    """Return what `values.mean()` does, to the last bit, in a quarter of its time."""
    return np.float64(np.add.reduce(values) / len(values))


def _session_prior(pool: Pool, base: Floats, visible: Bools | None, weights: Weights) -> Floats:
    """Return for each turn what its sitting's best turns are worth; a missing one counts as an average turn."""
    order, starts, member = pool.sittings
    if len(starts) < 2 or not weights.session:
        return np.zeros(len(base))
    values = base.copy() if visible is None else np.where(visible, base, -np.inf)
    if order is not None:
        values = values[order]
    total = np.zeros(len(starts))
    for again in range(weights.session_best - 1, -1, -1):
        best = np.maximum.reduceat(values, starts)
        total += np.where(best == -np.inf, 0.0, best)
        if again:
            hits = np.flatnonzero(values == best[member])
            groups = member[hits]
            first = np.ones(len(hits), dtype=np.bool_)
            np.not_equal(groups[1:], groups[:-1], out=first[1:])
            values[hits[first]] = -np.inf
    of_rows = (total * (weights.session / weights.session_best))[member]
    if order is None:
        return of_rows
    prior = np.empty(len(base))
    prior[order] = of_rows
    return prior


def _boosts(pool: Pool, query: Query, weights: Weights) -> dict[str, Floats]:
    """Return the rules that this question wakes, and what each adds to each turn."""
    found: dict[str, Floats] = {}
    if query.named:
        speaks = pool.speaker == query.named[0]
        for other in query.named[1:]:
            speaks |= pool.speaker == other
        found["speaker"] = _where(speaks, weights.speaker)
    if query.windows:
        near = np.zeros(len(pool), dtype=np.bool_)
        inside = near.copy()
        for start, end in query.windows:
            first = start - int(weights.near_before_days * DAY_US)
            last = end + int(weights.near_after_days * DAY_US)
            near |= (pool.said_at >= first) & (pool.said_at < last)
            inside |= (pool.said_at >= start) & (pool.said_at < end)
        found["time"] = _where(near, weights.time) + _where(inside, weights.time_inside)
    if query.wants_when:
        found["when"] = _where(pool.flagged(Flag.TEMPORAL), weights.when)
    if query.wants_action:
        found["instruction"] = _where(pool.flagged(Flag.INSTRUCTION), weights.instruction)
        found["preference"] = _where(pool.flagged(Flag.PREFERENCE), weights.preference)
    return found


def _where(mask: Bools, value: float) -> Floats:
    """Return `value` where the mask is set, else 0."""
    return mask.astype(np.float64) * value


def _best(score: Floats, limit: int) -> Ints:
    """Return the rows of the highest scores, best first, the earlier row first among equals."""
    rows = np.flatnonzero(score >= _floor(score, limit))
    return rows[np.argsort(-score[rows], kind="stable")][:limit]


def _floor(score: Floats, limit: int) -> float:
    """Return a number that at least `limit` scores reach, and few more.

    The limit-th best of the maxima of small blocks is one: a fifth of the time of a partition of 10,000 scores.
    """
    blocks = len(score) // _BLOCK
    if blocks >= limit:
        score = score[: blocks * _BLOCK].reshape(blocks, _BLOCK).max(axis=1)
    return float(np.partition(score, len(score) - limit)[len(score) - limit])


def _is_decisive(values: Floats, visible: Bools | None, weights: Weights) -> bool:
    """Tell whether an arm sets a few rows apart from all others, which are equal: a rare word that only they have."""
    seen = values if visible is None else values[visible]
    return int(np.count_nonzero(seen > seen.min())) <= weights.decisive


def _with_survivors(rows: Ints, score: Floats, arms: Sequence[Floats], visible: Bools | None) -> Ints:
    """Give the last places to the best row of each arm that is not among the rows; the first half is never touched."""
    lost: list[int] = []
    for values in arms:
        if visible is not None:
            values = np.where(visible, values, -np.inf)
        row = int(values.argmax())
        # An arm for which all rows are equal prefers none.
        if values[row] > 0 and row not in lost and row not in rows:
            lost.append(row)
    lost = lost[: len(rows) // 2]
    if not lost:
        return rows
    lost.sort(key=lambda row: (-score[row], row))
    return np.concatenate([rows[: len(rows) - len(lost)], np.array(lost, dtype=rows.dtype)])


def _explained(
    pool: Pool,
    query: Query,
    weights: Weights,
    rows: Ints,
    score: Floats,
    session: Floats,
    boosts: dict[str, Floats],
    present: dict[str, NDArray[np.float32]],
    visible: Bools | None,
    credited: Credits | None,
) -> Ranking:
    """Say for each row where each arm placed it and what was added to its score."""
    arms: list[dict[str, tuple[int, float]]] = [{} for _ in rows]
    found: dict[str, NDArray[np.float32] | Floats] = {**present}
    if "time" in boosts:
        found["time"] = boosts["time"]
    if credited is not None:
        found["fact"] = credited.fact
        if credited.graph is not None:
            found["graph"] = credited.graph
    for name, arm in found.items():
        seen = arm if visible is None else arm[visible]
        places: dict[float, int] = {}
        for told, value in zip(arms, arm[rows].tolist(), strict=True):
            if value == value and (name == "dense" or value > 0):  # a NaN is not equal to itself
                if value not in places:
                    # Counting once a score takes a third of the time of a sort, at 10 rows of 10,000.
                    places[value] = 1 + int(np.count_nonzero(seen > value))
                told[name] = places[value], value
    priors = pool.priors(weights)
    parts = {
        "session": session,
        "length": priors.length,
        "question": priors.question,
        "reply": priors.reply_wanted if query.wants_assistant else priors.reply,
        **boosts,
    }
    why: list[dict[str, float]] = [{} for _ in rows]
    for name, added in parts.items():
        for reasons, value in zip(why, added[rows].tolist(), strict=True):
            if value:
                reasons[name] = round(value, 4)
    facts = [-1] * len(rows) if credited is None else credited.best[rows].tolist()
    better = [False] * len(rows) if credited is None else credited.better[rows].tolist()
    return Ranking(rows.tolist(), score[rows].tolist(), arms, why, facts, better)
