"""From scores to figures: by category, with intervals, and with the difference that is claimed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from pydantic import BaseModel, ConfigDict

from memgraph.evals.dialogs import ADVERSARIAL, CATEGORIES
from memgraph.evals.manifest import Manifest
from memgraph.evals.scores import QuestionScore
from memgraph.evals.statistics import Interval, bootstrap, bootstrap_clusters, differences

OURS: Final = "memgraph"

WITHOUT_FACTS: Final = "memgraph without facts"
"""Ours over turns alone: what facts add, or cost, is the difference."""

HEADLINE: Final = "categories 1-4"
"""The group whose figures stand for a system. Category 5 is never in it: its evidence is a trap."""

TRAP: Final = f"{ADVERSARIAL} {CATEGORIES[ADVERSARIAL]} (trap)"
"""The group of category 5."""

GROUPS: Final = (
    HEADLINE,
    *(f"{number} {name}" for number, name in CATEGORIES.items() if number != ADVERSARIAL),
    "gold in user turns",
    "gold in long replies",
    TRAP,
)
"""What is averaged together, in the order of the table. A question belongs to several."""


class Row(BaseModel):
    """One system over one group of questions.

    Attributes:
        group: What was averaged.
        system: Name of the system.
        n: Questions, the failed ones with score 0 among them.
        failed: How many of them raised.
        degraded: How many were answered with a part of the system missing.
        recall: By k.
        recall_10: Recall@10 with its interval over questions.
        recall_10_by_conversation: The same over conversations; None for a single one.
        ndcg_10: nDCG@10.
        hit_10: Share of questions with any gold among the first ten.
        all_10: Share with all gold among the first ten.
        mrr: Mean reciprocal rank of the first gold, to the deepest k.
    """

    model_config = ConfigDict(frozen=True)

    group: str
    system: str
    n: int
    failed: int
    degraded: int
    recall: dict[int, float]
    recall_10: Interval
    recall_10_by_conversation: Interval | None
    ndcg_10: float
    hit_10: float
    all_10: float
    mrr: float


class Difference(BaseModel):
    """Ours minus another system, question by question, over the headline group.

    The others are the best system that is not ours (by recall@10), and ours without facts.

    Attributes:
        metric: "recall@10" or "ndcg@10".
        other: Name of the other system.
        by_question: Mean difference with its interval over questions.
        by_conversation: The same over conversations; None for a single one.
    """

    model_config = ConfigDict(frozen=True)

    metric: str
    other: str
    by_question: Interval
    by_conversation: Interval | None


class Report(BaseModel):
    """The result of a run: `model_dump_json` and `model_validate_json` are its JSON form.

    Attributes:
        manifest: What it depends on.
        rows: Groups without questions have none.
        differences: Empty where memgraph or every other system is absent.
        failures: For each system: how often each class of error was raised.
        degraded: For each system: how often each part was missing.
    """

    model_config = ConfigDict(frozen=True)

    manifest: Manifest
    rows: tuple[Row, ...]
    differences: tuple[Difference, ...]
    failures: dict[str, dict[str, int]]
    degraded: dict[str, dict[str, int]]

    def row(self, system: str, group: str = HEADLINE) -> Row:
        """Return one row.

        Raises:
            KeyError: There is none: no such system, or no question in the group.
        """
        for row in self.rows:
            if row.system == system and row.group == group:
                return row
        raise KeyError((system, group))


def build_report(scores: Sequence[QuestionScore], manifest: Manifest, *, seed: int) -> Report:
    """Average scores into a report.

    Args:
        scores: Every system has one for each question.
        manifest: What the run depends on.
        seed: Of the bootstrap.
    """
    systems = list(dict.fromkeys(score.system for score in scores))
    rows = tuple(
        _row(group, system, members, seed)
        for group in GROUPS
        for system in systems
        if (members := [score for score in scores if score.system == system and group in _groups(score)])
    )
    return Report(
        manifest=manifest,
        rows=rows,
        differences=_differences(scores, rows, seed),
        failures=_tally(systems, [(score.system, score.failure) for score in scores if score.failure is not None]),
        degraded=_tally(systems, [(score.system, part) for score in scores for part in score.degraded]),
    )


def _groups(score: QuestionScore) -> tuple[str, ...]:
    """Return the groups that a question belongs to."""
    if score.category == ADVERSARIAL:
        return (TRAP,)
    where = () if score.gold_in is None else (f"gold in {score.gold_in}",)
    return (HEADLINE, f"{score.category} {CATEGORIES[score.category]}", *where)


def _row(group: str, system: str, scores: Sequence[QuestionScore], seed: int) -> Row:
    at_10 = [score.recall[10] for score in scores]
    return Row(
        group=group,
        system=system,
        n=len(scores),
        failed=sum(score.failure is not None for score in scores),
        degraded=sum(bool(score.degraded) for score in scores),
        recall={k: _mean([score.recall[k] for score in scores]) for k in scores[0].recall},
        recall_10=bootstrap(at_10, seed=seed),
        recall_10_by_conversation=bootstrap_clusters(at_10, [score.conversation for score in scores], seed=seed),
        ndcg_10=_mean([score.ndcg for score in scores]),
        hit_10=_mean([score.hit for score in scores]),
        all_10=_mean([score.all_found for score in scores]),
        mrr=_mean([score.reciprocal_rank for score in scores]),
    )


def _differences(scores: Sequence[QuestionScore], rows: Sequence[Row], seed: int) -> tuple[Difference, ...]:
    """Compare memgraph with the best other system and with itself without facts; what is absent is left out."""
    headline = {row.system: row for row in rows if row.group == HEADLINE}
    if OURS not in headline:
        return ()
    others = [row for name, row in headline.items() if name not in (OURS, WITHOUT_FACTS)]
    beside = [max(others, key=lambda row: row.recall_10.mean).system] if others else []
    beside += [WITHOUT_FACTS] if WITHOUT_FACTS in headline else []
    return tuple(difference for other in beside for difference in _from(other, scores, seed))


def _from(other: str, scores: Sequence[QuestionScore], seed: int) -> tuple[Difference, ...]:
    """Return what memgraph has more than another system, by each metric."""
    ours, theirs = (
        {score.question: score for score in scores if score.system == system and HEADLINE in _groups(score)}
        for system in (OURS, other)
    )
    conversations = [score.conversation for score in ours.values()]
    metrics: dict[str, Callable[[QuestionScore], float]] = {
        "recall@10": lambda score: score.recall[10],
        "ndcg@10": lambda score: score.ndcg,
    }
    return tuple(
        Difference(
            metric=name,
            other=other,
            by_question=bootstrap(paired, seed=seed),
            by_conversation=bootstrap_clusters(paired, conversations, seed=seed),
        )
        for name, value in metrics.items()
        for paired in [differences([value(ours[q]) for q in ours], [value(theirs[q]) for q in ours])]
    )


def _tally(systems: Sequence[str], found: Sequence[tuple[str, str]]) -> dict[str, dict[str, int]]:
    """Count by system and kind; a system with nothing to count is left out."""
    tally: dict[str, dict[str, int]] = {}
    for system in systems:
        for name, kind in found:
            if name == system:
                kinds = tally.setdefault(system, {})
                kinds[kind] = kinds.get(kind, 0) + 1
    return tally


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
