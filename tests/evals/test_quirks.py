"""The loader over a file that has every fault of the released data."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest

from memgraph.evals.dialogs import Question
from memgraph.evals.locomo import Dataset, load


@pytest.fixture(scope="module")
def quirks() -> Dataset:
    return load(Path(__file__).parents[1] / "data" / "quirks.json")


@pytest.fixture(scope="module")
def questions(quirks: Dataset) -> dict[int, Question]:
    return dict(enumerate(quirks.samples[0].questions, start=1))


def test_counts(quirks: Dataset) -> None:
    assert asdict(quirks.counts) == {
        "conversations": 1,
        "sessions": 3,
        "turns": 10,
        "captions": 2,
        "questions": 12,
        "evidence": 13,
        "dropped": 3,
        "usable": 8,
        "usable_adversarial": 2,
    }


def test_sessions_go_by_number(quirks: Dataset) -> None:
    assert [session.number for session in quirks.samples[0].conversation.sessions] == [1, 2, 10]


def test_evidence_is_repaired_once_and_only_where_it_can_be(questions: dict[int, Question]) -> None:
    assert {n: question.evidence for n, question in questions.items() if len(question.evidence) > 1} == {
        2: ("D1:1", "D1:3"),
        3: ("D1:3", "D2:2"),
        9: ("D10:2", "D10:3"),
    }
    assert {n: question.dropped for n, question in questions.items() if question.dropped} == {
        7: ("D2:99", "D"),
        10: ("D7:1",),
    }
    assert [n for n, question in questions.items() if not question.evidence] == [6, 10]


def test_a_trap_is_no_answer(questions: dict[int, Question]) -> None:
    assert [(n, q.answer is None) for n, q in questions.items() if q.trap is not None] == [(11, True), (12, False)]
    assert all(isinstance(question.answer, str) for n, question in questions.items() if n != 11)
