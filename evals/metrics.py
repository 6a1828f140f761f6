"""Retrieval metrics of one question: a ranking of ids against the ids that are right (the gold).

All lie between 0 and 1. An empty ranking scores 0: nothing was found. Empty gold is an error and no score: to count it
as 1 lifts a mean without merit, to count it as 0 lowers it without fault, so such questions are left out beforehand.
An id that a ranking repeats counts where it stands first and takes a place again where it is repeated.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import log2


def recall(ranked: Sequence[str], gold: Collection[str], k: int) -> float:
    """Return the share of the gold found among the first `k`."""
    wanted = _gold(gold, k)
    return len(wanted.intersection(ranked[:k])) / len(wanted)


def hit(ranked: Sequence[str], gold: Collection[str], k: int) -> float:
    """Return 1 if any gold is among the first `k`, else 0."""
    return float(not _gold(gold, k).isdisjoint(ranked[:k]))


def all_found(ranked: Sequence[str], gold: Collection[str], k: int) -> float:
    """Return 1 if all gold is among the first `k`, else 0."""
    return float(_gold(gold, k).issubset(ranked[:k]))


def ndcg(ranked: Sequence[str], gold: Collection[str], k: int) -> float:
    """Return the normalised discounted cumulative gain at `k`, in its standard form.

    Gain 1 for each gold id where it first stands, discount log2(rank + 1), ideal = the gold at the first ranks.
    """
    wanted = _gold(gold, k)
    gain = sum(1 / log2(rank + 1) for rank in _ranks(ranked[:k], wanted))
    return gain / sum(1 / log2(rank + 1) for rank in range(1, min(len(wanted), k) + 1))


def reciprocal_rank(ranked: Sequence[str], gold: Collection[str], k: int) -> float:
    """Return 1 / the rank of the first gold id, 0 if none is among the first `k`. Its mean is MRR@k."""
    return 1 / min(_ranks(ranked[:k], _gold(gold, k)), default=float("inf"))


def _ranks(ranked: Sequence[str], wanted: frozenset[str]) -> list[int]:
    """Return the rank, from 1, at which each gold id first stands."""
    first: dict[str, int] = {}
    for rank, name in enumerate(ranked, start=1):
        if name in wanted:
            first.setdefault(name, rank)
    return list(first.values())


def _gold(gold: Collection[str], k: int) -> frozenset[str]:
    if not gold:
        raise ValueError("a question without gold has no retrieval score; leave it out")
    if k < 1:
        raise ValueError(f"k is {k}; it counts ranks and starts at 1")
    return frozenset(gold)
