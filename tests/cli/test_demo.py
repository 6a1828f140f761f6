from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from memgraph import Memory, Scope
from memgraph.cli import demo, demo_recall
from memgraph.cli.demo_agent import NOTHING, QUESTIONS, Quoter, answer
from memgraph.cli.demo_recall import Answer, Found
from memgraph.cli.demo_view import View
from memgraph.errors import AgentMemoryError
from support.cli import Said, finish, run, succeed

MAREN = Scope("maren")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Said]:
    """The demo as a person sees it, run once, and its file."""
    path = tmp_path_factory.mktemp("demo") / "kept.db"
    return path, succeed("demo", "--keep", path, COLUMNS="100")


def test_it_tells_what_it_does(kept: tuple[Path, Said]) -> None:
    path, said = kept
    assert said.err == ""
    for words in (
        "START → retrieve → agent → remember → END",
        "found by their words only",
        "19 Oct 2025",
        "150 turns",
        "a new process, a new thread",
        "Recalled, best first, and why:",
        "lexical 1st (",
        "what the model saw",
        "<memory>",
        "Done in ",
    ):
        assert words in said.out
    for question in QUESTIONS:
        assert question.text in said.out
    assert f"memgraph doctor --db {path}" in said.out


def test_it_tells_what_became_of_facts(kept: tuple[Path, Said]) -> None:
    said = " ".join(kept[1].out.split())
    for words in (
        "“I've lived in Plymouth since 1 February.” UPDATE change Ada, residence: Plymouth (1 Feb 2025)"
        " · closes Ada, residence: Sheffield",
        "DELETE ended closes Ada, likes: strong coffee",
        "on 1 Jan 2025 Ada lives in Sheffield.",
        "Solveig → “Ada has a sister called Solveig.” → Ada → “Ada has lived in Plymouth since 1 February 2025.”",
        "Why is that over? “Ada lives in Sheffield.”",
    ):
        assert words in said


def test_the_answers_are_quotations_of_what_was_recalled(kept: tuple[Path, Said]) -> None:
    said = " ".join(kept[1].out.split())
    assert "On Saturday, 29 March 2025, you said: “Two on the panel" in said
    assert "you said: “So, 5 October. Fifty-one minutes" in said


def test_the_file_that_is_kept_holds_all_that_was_said(kept: tuple[Path, Said]) -> None:
    with Memory.open(kept[0], embedder=None) as memory:
        turns = memory.list(MAREN, limit=1000).items
    talked = [turn for turn in turns if turn.thread_id != demo_recall.THREAD]
    assert len(talked) == 150
    assert len({turn.thread_id for turn in talked}) == 8
    assert {turn.said_at.year for turn in talked} == {2025}
    assert len([turn for turn in talked if turn.role == "assistant"]) == 14
    assert len(turns) == 150 + 2 * len(QUESTIONS)


def test_it_takes_no_file_that_is_there(kept: tuple[Path, Said], tmp_path: Path) -> None:
    assert "is there already" in run("demo", "--keep", kept[0]).error
    assert "no folder" in run("demo", "--keep", tmp_path / "none" / "x.db").error


async def test_the_process_that_asks(kept: tuple[Path, Said], capsys: pytest.CaptureFixture[str]) -> None:
    await demo_recall.recall(str(kept[0]), "none")
    answers = [Answer.model_validate_json(line) for line in capsys.readouterr().out.splitlines()]
    assert [answer.question for answer in answers] == [question.text for question in QUESTIONS]
    assert all(found.text in answer.block or "…" in answer.block for answer in answers for found in answer.found)
    assert [found.rank for found in answers[0].found] == sorted(found.rank for found in answers[0].found)


async def test_a_file_in_which_nothing_was_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    await demo_recall.recall(str(tmp_path / "new.db"), "none")
    first = Answer.model_validate_json(capsys.readouterr().out.splitlines()[0])
    assert (first.answer, first.block, first.found) == (NOTHING, "", [])


def test_the_process_that_asks_fails_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.db").write_text("Dear diary, " * 500)
    assert demo_recall.main(str(tmp_path / "x.db"), "none") == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: ")
    assert shown.err.count("\n") == 1

    async def interrupted(path: str, embedder: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(demo_recall, "recall", interrupted)
    assert demo_recall.main("", "none") == 130
    assert capsys.readouterr().err == ""


def test_end_to_end_as_json(tmp_path: Path) -> None:
    """In a process of its own, as `make demo` runs it."""
    done = finish("demo", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["process"] != told["new_process"]
    assert [talk["partner"] for talk in told["talks"]].count("the agent") == 3
    assert told["turns"] == sum(talk["turns"] for talk in told["talks"]) == 150
    assert [one["question"] for one in told["answers"]] == [question.text for question in QUESTIONS]
    for one in told["answers"]:
        assert one["block"].startswith("<memory>")
        assert one["degraded"] == {}
        for found in one["found"]:
            assert {"rank", "said_at", "arms", "boosts", "score", "text", "thread"} <= set(found)
    assert told["seconds"] < 60
    _shows_how_facts_change(told["facts"])
    assert not Path(told["file"]).exists()
    assert list(tmp_path.iterdir()) == []


def _shows_how_facts_change(facts: dict[str, Any]) -> None:
    """Results of the public API, of a memory with the offline embedder."""
    steps = [step for session in facts["sessions"] for step in session["steps"]]
    done = [(step["operation"], step["mode"]) for step in steps]
    assert {("ADD", None), ("UPDATE", "change"), ("DELETE", "ended"), ("NOOP", None)} == set(done)
    assert all(step["reason"] for step in steps)
    assert {step["said"] for step in steps} == {said for session in facts["sessions"] for said in session["said"]}
    assert len(facts["sessions"]) == 3
    moved = next(step for step in steps if step["operation"] == "UPDATE")
    assert (moved["target"]["object"], moved["fact"]["object"]) == ("Sheffield", "Plymouth")
    assert moved["target"]["valid_to"] == moved["fact"]["valid_from"]
    [plan] = [step["fact"] for step in steps if step["fact"] and step["fact"]["kind"] == "plan"]
    assert plan["valid_from"].startswith("2025-05-17")
    then, today = facts["as_of"]["then"], facts["as_of"]["today"]
    assert (then, today["id"]) == (moved["target"], moved["fact"]["id"])
    path = facts["path"]
    assert len(path["ids"]) == len(path["route"]) >= 4  # somebody, a fact, somebody else, a fact
    assert path["route"][0] == "Solveig"
    assert path["route"][-1] == today["text"]
    why = facts["why"]
    assert why["fact"]["id"] == then["id"]
    assert [(one["operation"], one["mode"]) for one in why["operations"]] == [("ADD", None), ("UPDATE", "change")]
    assert {turn["text"] for turn in why["turns"]} == {steps[0]["said"], moved["said"]}


def test_a_process_that_fails_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Failed(subprocess.Popen[str]):
        def __init__(self, command: list[str], **options: object) -> None:
            super().__init__([command[0], "-c", "raise SystemExit(3)"], stdout=subprocess.PIPE, encoding="utf-8")

    monkeypatch.setattr(subprocess, "Popen", Failed)
    view = View(silent=True)
    with pytest.raises(AgentMemoryError, match="ended with 3"):
        list(demo._recall(tmp_path / "x.db", "none", view))  # pyright: ignore[reportPrivateUsage]


# The script in place of a language model

BLOCK = """<memory>
A record.

Friday, 7 March 2025
- 19:42 Maren (user): "It rained. We saw \\"The Kittiwake\\" leave. It was late."
- 19:43 Assistant: "Take a coat, and a hat."
</memory>"""


def test_it_quotes_the_sentences_that_hold_the_words() -> None:
    expected = 'On Friday, 7 March 2025, you said: “We saw "The Kittiwake" leave. It was late.”'
    assert answer(BLOCK, ("kittiwake", "late")) == expected
    assert answer(BLOCK, ("coat",)) == "On Friday, 7 March 2025, I said: “Take a coat, and a hat.”"


def test_it_knows_nothing_else() -> None:
    assert answer(BLOCK, ("submarine",)) == NOTHING
    assert answer(BLOCK, ()) == NOTHING
    assert Quoter().invoke([HumanMessage(QUESTIONS[0].text)]).text == NOTHING
    assert Quoter().invoke([HumanMessage(BLOCK), HumanMessage("Something else?")]).text == NOTHING


def test_the_view_names_the_embedder_and_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    view = View(silent=False)
    view.begin(Path("x.db"), kept=False)
    view.opened({"name": "some-model", "dims": 3})
    found = Found(
        id="1", rank=1, said_at=datetime(2025, 3, 1, tzinfo=UTC), speaker="Idris", text="Hi.", thread=None,
        score=1.0, arms={}, boosts={},
    )  # fmt: skip
    view.answered(
        Answer(question="Q?", answer="A.", block=BLOCK, found=[found], degraded={"dense": "deadline"}, seconds=1)
    )
    view.end(1.0)
    shown = capsys.readouterr().out
    for words in ("some-model", "The dense arm took no full part: deadline.", "Idris: no arm", "demo --keep demo.db"):
        assert words in shown
