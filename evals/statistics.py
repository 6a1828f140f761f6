"""How sure a mean is: bootstrap intervals, over questions and over conversations.

Questions about one conversation are alike, so an interval over questions alone is too narrow; one over conversations is
honest but coarse where there are few. Both are given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

RESAMPLES: Final = 2_000
"""Enough for the two ends of a 95 % interval to repeat within about a tenth of a point at n = 760."""

_CHUNK: Final = 200
"""Resamples drawn at once: keeps the index array of 2,000 questions at 3 MB."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with the ends of its percentile bootstrap interval.

    Attributes:
        mean: Of the values as they are, not of the resamples.
        low: The interval's lower end.
        high: Its upper end.
    """

    mean: float
    low: float
    high: float


def bootstrap(values: Sequence[float], *, seed: int, resamples: int = RESAMPLES, level: float = 0.95) -> Interval:
    """Return the mean of `values` with its interval over questions.

    Args:
        values: One score a question, at least one: the mean of nothing is an error, no number.
        seed: Of the resampling; the same seed gives the same interval.
        resamples: How many samples of the same size are drawn, with replacement.
        level: Share of the resampled means that the interval holds.
    """
    sample = _array(values)
    rng = np.random.default_rng(seed)
    means = np.concatenate(
        [
            sample[rng.integers(0, sample.size, (min(_CHUNK, resamples - start), sample.size))].mean(axis=1)
            for start in range(0, resamples, _CHUNK)
        ]
    )
    return _interval(float(sample.mean()), means, level)


def bootstrap_clusters(
    values: Sequence[float],
    clusters: Sequence[str],
    *,
    seed: int,
    resamples: int = RESAMPLES,
    level: float = 0.95,
) -> Interval | None:
    """Return the mean of `values` with its interval over clusters: whole conversations are drawn, with their questions.

    Args:
        values: One score a question, at least one.
        clusters: The conversation of each.
        seed: Of the resampling.
        resamples: How many samples of as many conversations are drawn, with replacement.
        level: Share of the resampled means that the interval holds.

    Returns:
        None for a single cluster: one conversation says nothing of how conversations differ.
    """
    sample = _array(values)
    if len(clusters) != sample.size:
        raise ValueError(f"{sample.size} values, but {len(clusters)} clusters")
    names, index = np.unique(np.asarray(clusters), return_inverse=True)
    if names.size < 2:
        return None
    sums = np.bincount(index, weights=sample)
    sizes = np.bincount(index)
    drawn = np.random.default_rng(seed).integers(0, names.size, (resamples, names.size))
    return _interval(float(sample.mean()), sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1), level)


def differences(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Return ours - theirs, question by question: the paired sample whose bootstrap says whether ours is better."""
    return [a - b for a, b in zip(ours, theirs, strict=True)]


def _array(values: Sequence[float]) -> NDArray[np.float64]:
    if not values:
        raise ValueError("the mean of no values is not defined; leave the row out")
    return np.asarray(values, dtype=np.float64)


def _interval(mean: float, means: NDArray[np.float64], level: float) -> Interval:
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(mean, float(low), float(high))
