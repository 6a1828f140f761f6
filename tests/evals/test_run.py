from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

import memgraph.evals
from memgraph.errors import InvalidInput
from memgraph.evals import InvalidDataset, Ranking, arun_retrieval, manifest, run_retrieval
from memgraph.evals.dialogs import Conversation
from memgraph.evals.report import TRAP
from memgraph.evals.scores import QuestionScore
from support.fakes import HashEmbeddings

WriteData = Callable[[Any], Path]
Sample = dict[str, Any]


class Fixed:
    """Ranks the turns as they were said. Keeps what it was given."""

    def __init__(self, name: str = "fixed") -> None:
        self.name = name
        self.prepared: list[Conversation] = []
        self.asked: list[tuple[str, int]] = []
        self.closed = 0

    async def prepare(self, conversation: Conversation) -> None:
        self.prepared.append(conversation)

    async def rank(self, question: str, k: int) -> Ranking:
        self.asked.append((question, k))
        return Ranking(tuple(turn.dia_id for turn in self.prepared[-1].turns))

    async def close(self) -> None:
        self.closed += 1


class Failing(Fixed):
    """Raises on questions that hold a word."""

    def __init__(self, name: str, word: str) -> None:
        super().__init__(name)
        self._word = word

    async def rank(self, question: str, k: int) -> Ranking:
        if self._word in question:
            raise ZeroDivisionError("no such luck")
        return await super().rank(question, k)


class Unprepared(Fixed):
    """Can't take a conversation in."""

    async def prepare(self, conversation: Conversation) -> None:
        raise ConnectionError("the server is down")


def _lines(path: Path) -> list[QuestionScore]:
    return [QuestionScore.model_validate_json(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_every_question_with_evidence_is_asked_and_scored(sample: Sample, write_data: WriteData) -> None:
    system = Fixed()
    report = run_retrieval(write_data([sample]), embedder=None, systems=[system])
    assert [question for question, _ in system.asked] == [
        "Which animal did Mira adopt?",
        "When did the fence break?",
        "What does Tomas make in his class?",
        "Where is Mira's pottery class?",
    ]
    row = report.row("fixed")
    assert (row.n, row.failed, row.degraded) == (3, 0, 0)
    assert row.recall == pytest.approx({1: 1 / 3, 5: 1.0, 10: 1.0, 20: 1.0})
    assert row.mrr == pytest.approx((1 + 1 / 4 + 1 / 2) / 3)
    assert report.row("fixed", TRAP).n == 1
    assert system.closed == 1


def test_a_question_that_fails_scores_0_and_is_counted(sample: Sample, write_data: WriteData, tmp_path: Path) -> None:
    path = tmp_path / "questions.jsonl"
    report = run_retrieval(
        write_data([sample]), systems=[Failing("fails", "fence"), Fixed()], questions_path=path, embedder=None
    )
    row = report.row("fails")
    assert (row.n, row.failed) == (3, 1)
    assert row.recall[20] == pytest.approx(2 / 3)
    assert report.row("fails", "2 temporal").recall_10.mean == 0.0
    assert report.failures == {"fails": {"ZeroDivisionError": 1}}
    failed = [line for line in _lines(path) if line.failure is not None]
    assert [(line.question, line.failure, line.ranked, line.ndcg) for line in failed] == [
        ("talk-1:q2", "ZeroDivisionError", (), 0.0)
    ]


def test_a_system_that_can_take_nothing_in_stops_the_run_and_all_are_closed(
    sample: Sample, write_data: WriteData
) -> None:
    systems = [Fixed(), Unprepared("down")]
    with pytest.raises(ConnectionError):
        run_retrieval(write_data([sample]), embedder=None, systems=systems)
    assert [system.closed for system in systems] == [1, 1]


def test_a_system_is_given_no_answers(sample: Sample, write_data: WriteData) -> None:
    sample["qa"][0]["answer"] = "an answer that stands nowhere else"
    system = Fixed()
    run_retrieval(write_data([sample]), embedder=None, systems=[system])
    assert "stands nowhere else" not in repr((system.prepared, system.asked))


def test_lines_hold_ids_and_scores_and_no_text(
    sample: Sample, write_data: WriteData, tmp_path: Path, canary: str
) -> None:
    sample["qa"][0]["question"] += f" {canary}"
    for turn in sample["conversation"]["session_1"]:
        turn["text"] += f" {canary}"
    path = tmp_path / "questions.jsonl"
    run_retrieval(write_data([sample]), embedder=None, systems=[Fixed()], questions_path=path)
    lines = _lines(path)
    assert canary not in path.read_text(encoding="utf-8")
    assert [(line.question, line.category, line.gold) for line in lines] == [
        ("talk-1:q1", 4, ("D1:1",)),
        ("talk-1:q2", 2, ("D2:2",)),
        ("talk-1:q3", 1, ("D1:2", "D2:1")),
        ("talk-1:q5", 5, ("D1:2",)),
    ]
    assert lines[2].ranked == ("D1:1", "D1:2", "D2:1", "D2:2")


def test_ks_set_the_depth_of_a_ranking(sample: Sample, write_data: WriteData, tmp_path: Path) -> None:
    system = Fixed()
    report = run_retrieval(write_data([sample]), embedder=None, systems=[system], ks=[3, 1, 3])
    assert report.manifest.ks == (1, 3, 10)  # nDCG and the interval are taken at 10 in any case
    assert {k for _, k in system.asked} == {10}


def test_a_limit_takes_the_first_questions_and_the_traps_last(sample: Sample, write_data: WriteData) -> None:
    other = deepcopy(sample)
    other["sample_id"] = "talk-2"
    sample["qa"].reverse()  # the trap first
    system = Fixed()
    path = write_data([sample, other])
    report = run_retrieval(path, embedder=None, systems=[system], limit=3)
    assert [conversation.id for conversation in system.prepared] == ["talk-1"]
    assert report.row("fixed").n == 3
    assert report.manifest.limit == 3
    report = run_retrieval(path, embedder=None, systems=[Fixed()], limit=6)
    assert (report.row("fixed").n, report.row("fixed", TRAP).n) == (5, 1)


async def test_progress_is_told(sample: Sample, write_data: WriteData) -> None:
    told: list[tuple[str, int, int]] = []
    await arun_retrieval(
        write_data([sample]),
        embedder=None,
        systems=[Fixed("a"), Fixed("b")],
        progress=lambda what, done, total: told.append((what, done, total)),
    )
    assert told[0] == ("a: talk-1, taking in", 0, 8)
    assert told[1] == ("a: talk-1", 1, 8)
    assert told[5] == ("b: talk-1, taking in", 4, 8)
    assert told[-1] == ("b: talk-1", 8, 8)
    assert len(told) == 10


def _with_roles(sample: Sample, words: int) -> Sample:
    first, second = sample["conversation"]["session_1"]
    first["role"], second["role"] = "user", "assistant"
    second["text"] = " ".join(["clay"] * words)
    return sample


@pytest.mark.parametrize(
    ("words", "where"), [(300, ["user turns", None, "long replies"]), (299, ["user turns", None, None])]
)
def test_where_the_gold_lies(
    sample: Sample, write_data: WriteData, tmp_path: Path, words: int, where: Sequence[str | None]
) -> None:
    path = tmp_path / "questions.jsonl"
    data = write_data([_with_roles(sample, words)])
    report = run_retrieval(data, embedder=None, systems=[Fixed()], questions_path=path)
    assert [line.gold_in for line in _lines(path)][:3] == where
    assert report.row("fixed", "gold in user turns").n == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"ks": [0]}, r"ks \[0\] and limit None must be 1 or more"),
        ({"limit": 0}, "limit 0"),
        ({"systems": []}, "at least one"),
        ({"systems": [Fixed(), Fixed()]}, "no two of one name"),
        ({"questions_path": "nowhere/at/all.jsonl"}, "can't write `nowhere/at/all.jsonl`: No such file"),
    ],
)
def test_wrong_arguments_cost_no_run(
    sample: Sample, write_data: WriteData, arguments: dict[str, Any], message: str
) -> None:
    arguments = {"embedder": None, "systems": [Fixed()], **arguments}
    with pytest.raises(InvalidInput, match=message):
        run_retrieval(write_data([sample]), **arguments)


def test_data_without_anything_to_measure_is_an_error(sample: Sample, write_data: WriteData) -> None:
    for question in sample["qa"]:
        question["evidence"] = ["D99:1"]
    with pytest.raises(InvalidInput, match=r"`talks\.json` has no question with evidence"):
        run_retrieval(write_data([sample]), embedder=None, systems=[Fixed()])
    with pytest.raises(InvalidDataset):
        run_retrieval(write_data([{}]), embedder=None, systems=[Fixed()])


@pytest.mark.parametrize(
    ("embedder", "name"),
    [(None, None), (HashEmbeddings(model="hash-64"), "hash-64")],
)
def test_the_manifest_says_what_was_measured_with_what(
    sample: Sample, write_data: WriteData, embedder: HashEmbeddings | None, name: str | None
) -> None:
    path = write_data([sample])
    found = run_retrieval(path, embedder=embedder, systems=[Fixed()], seed=7).manifest
    assert (found.data, found.embedder, found.seed, found.limit) == ("talks.json", name, 7, None)
    assert found.counts["turns"] == 4
    assert found.categories[1] == "multi-hop"
    assert "numpy" in found.packages
    assert str(path.parent) not in found.model_dump_json()


def test_packages_that_are_not_installed_are_left_out(
    sample: Sample, write_data: WriteData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifest, "PACKAGES", ("numpy", "no-such-package-anywhere"))
    report = run_retrieval(write_data([sample]), embedder=None, systems=[Fixed()])
    assert list(report.manifest.packages) == ["numpy"]


def test_the_package_loads_nothing_until_it_is_used() -> None:
    script = (
        "import sys, memgraph.evals as evals\n"
        "heavy = {'langchain_core', 'langgraph', 'rich'} & set(sys.modules)\n"
        "print(sorted(heavy), sorted(name for name in sys.modules if name.startswith('memgraph.evals.')))\n"
        "print(all(getattr(evals, name).__name__ for name in evals.__all__))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["[] []", "True"]


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'judge'"):
        memgraph.evals.judge  # noqa: B018
