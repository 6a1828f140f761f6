from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from memgraph.evals import render
from memgraph.evals.manifest import Manifest
from memgraph.evals.report import GROUPS, HEADLINE, TRAP, Report, build_report
from memgraph.evals.scores import QuestionScore

MANIFEST = Manifest(
    data="talks.json",
    identity="not LOCOMO: own data in its form",
    sha256="0" * 64,
    counts={"turns": 4},
    categories={1: "multi-hop"},
    embedder=None,
    packages={"numpy": "2.0"},
    python="3.11",
    ks=(1, 10),
    limit=None,
    seed=0,
    resamples=2000,
)


def _score(system: str, n: int, value: float, category: int = 4, **more: Any) -> QuestionScore:
    values: dict[str, Any] = {
        "system": system,
        "conversation": f"talk-{n % 2}",
        "question": f"talk-{n % 2}:q{n}",
        "category": category,
        "gold_in": None,
        "gold": ("D1:1",),
        "ranked": ("D1:2", "D1:1"),
        "recall": {1: 0.0, 10: value},
        "hit": value,
        "all_found": value,
        "ndcg": value / 2,
        "reciprocal_rank": value / 2,
    }
    return QuestionScore(**{**values, **more})


def _report(scores: list[QuestionScore]) -> Report:
    return build_report(scores, MANIFEST, seed=0)


@pytest.fixture
def scores() -> list[QuestionScore]:
    """Three systems over twelve questions: ours finds all, `good` two thirds, `poor` a third and fails at one."""
    found: list[QuestionScore] = []
    for n in range(12):
        category = 5 if n >= 9 else 1 + n % 4
        found += [
            _score("good", n, float(n % 3 != 0), category),
            _score("poor", n, float(n % 3 == 1), category, failure="KeyError" if n == 0 else None),
            _score("memgraph", n, 1.0, category, degraded=("dense",) if n < 2 else ()),
        ]
    return found


def test_category_5_is_in_no_other_group(scores: list[QuestionScore]) -> None:
    report = _report(scores)
    assert [(row.group, row.n) for row in report.rows if row.system == "good"] == [
        (HEADLINE, 9),
        ("1 multi-hop", 3),
        ("2 temporal", 2),
        ("3 open-domain", 2),
        ("4 single-hop", 2),
        (TRAP, 3),
    ]


def test_the_row_of_a_group_is_its_mean(scores: list[QuestionScore]) -> None:
    row = _report(scores).row("good")
    assert row.recall == pytest.approx({1: 0.0, 10: 6 / 9})
    assert row.recall_10.mean == pytest.approx(6 / 9)
    assert row.recall_10.low < 6 / 9 < row.recall_10.high
    assert row.recall_10_by_conversation is not None
    assert (row.ndcg_10, row.hit_10, row.all_10, row.mrr) == pytest.approx((3 / 9, 6 / 9, 6 / 9, 3 / 9))


def test_where_the_gold_lies_makes_groups_of_its_own() -> None:
    report = _report(
        [
            _score("good", 0, 1.0, gold_in="user turns"),
            _score("good", 1, 0.0, gold_in="long replies"),
            _score("good", 2, 0.0, 5, gold_in="user turns"),
        ]
    )
    assert report.row("good", "gold in user turns").recall_10.mean == 1.0
    assert report.row("good", "gold in long replies").recall_10.mean == 0.0
    assert [row.group for row in report.rows] == [group for group in GROUPS if group in {r.group for r in report.rows}]


def test_failures_and_missing_parts_are_counted(scores: list[QuestionScore]) -> None:
    report = _report(scores)
    assert report.failures == {"poor": {"KeyError": 1}}
    assert report.degraded == {"memgraph": {"dense": 2}}
    assert (report.row("poor").failed, report.row("memgraph").degraded, report.row("good").failed) == (1, 2, 0)


def test_ours_is_compared_with_the_best_other_question_by_question(scores: list[QuestionScore]) -> None:
    recall, ndcg = _report(scores).differences
    assert (recall.metric, recall.other, ndcg.metric, ndcg.other) == ("recall@10", "good", "ndcg@10", "good")
    assert recall.by_question.mean == pytest.approx(1 / 3)
    assert 0 <= recall.by_question.low < recall.by_question.high
    assert ndcg.by_question.mean == pytest.approx(1 / 2 - 1 / 3)
    assert recall.by_conversation is not None


@pytest.mark.parametrize("left_out", [{"memgraph"}, {"good", "poor"}])
def test_nothing_to_compare_gives_no_difference(scores: list[QuestionScore], left_out: set[str]) -> None:
    assert _report([score for score in scores if score.system not in left_out]).differences == ()


def test_a_single_conversation_has_no_interval_over_conversations() -> None:
    report = _report([_score(system, 2, 1.0) for system in ("memgraph", "good")])
    assert report.row("good").recall_10_by_conversation is None
    assert report.differences[0].by_conversation is None


def test_json_and_back(scores: list[QuestionScore]) -> None:
    report = _report(scores)
    assert Report.model_validate_json(report.model_dump_json()) == report


def test_the_same_scores_give_the_same_report(scores: list[QuestionScore]) -> None:
    assert _report(scores) == _report(scores)


def test_a_row_that_is_not_there(scores: list[QuestionScore]) -> None:
    with pytest.raises(KeyError, match="gold in user turns"):
        _report(scores).row("good", "gold in user turns")


def _printed(report: Report) -> str:
    console = Console(file=io.StringIO(), width=160)
    render(report, console)
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    assert isinstance(printed, str)
    return printed


def test_the_table_shows_groups_systems_and_doubts(scores: list[QuestionScore]) -> None:
    report = _report(scores)
    printed = _printed(report)
    lines = [" ".join(line.split()) for line in printed.splitlines()]
    row = report.row("good")
    low, high = (f"{100 * end:.1f}" for end in (row.recall_10.low, row.recall_10.high))
    assert lines[4:8] == [
        "categories 1-4, n = 9",
        f"good 0.0 66.7 {low}-{high} 33.3",
        lines[6],
        "memgraph 0.0 100.0 100.0-100.0 50.0",
    ]
    assert lines[6].startswith("poor (1 failed) 0.0 33.3 ")
    assert sum(line.startswith(f"{TRAP}, n = 3") for line in lines) == 1
    difference = next(line for line in lines if line.startswith("memgraph - good, recall@10: +33.3 ("))
    assert "over conversations" in difference
    assert "poor: questions that failed and score 0: KeyError 1" in lines
    assert "memgraph: questions answered without a part: dense 2" in lines
    assert "talks.json (not LOCOMO: own data in its form), sha256 000000000000; embedder none" in printed


def test_brackets_in_a_name_are_no_markup() -> None:
    manifest = MANIFEST.model_copy(update={"data": "talks[bold].json"})
    assert "talks[bold].json" in _printed(build_report([_score("good", 1, 1.0)], manifest, seed=0))


def test_a_difference_within_one_conversation_says_nothing_of_conversations() -> None:
    printed = _printed(_report([_score(system, 2, 1.0) for system in ("memgraph", "good")]))
    assert "memgraph - good, ndcg@10: +0.0 (+0.0 to +0.0) over questions" in printed
    assert "over conversations" not in printed
