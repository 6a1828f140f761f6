from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from memgraph.errors import AgentMemoryError
from memgraph.evals import locomo
from memgraph.evals.locomo import count, load, repair
from memgraph.evals.shapes import InvalidDataset

WriteData = Callable[[Any], Path]
Sample = dict[str, Any]

TURNS = frozenset({"D1:1", "D8:6", "D9:17", "D11:26", "D30:5"})


@pytest.mark.parametrize(
    ("raw", "found", "dropped"),
    [
        (["D1:1"], ("D1:1",), ()),
        (["D8:6; D9:17"], ("D8:6", "D9:17"), ()),
        (["D8:6 D9:17", "D8:6,D1:1"], ("D8:6", "D9:17", "D1:1"), ()),
        (["D:11:26"], ("D11:26",), ()),
        (["D30:05"], ("D30:5",), ()),
        (["D09:17"], ("D9:17",), ()),
        (["D8:6", "D8:6"], ("D8:6",), ()),
        (["D", "D4:36", "D1:1"], ("D1:1",), ("D", "D4:36")),
        (["", " ;"], (), ()),
        ([], (), ()),
    ],
)
def test_evidence_is_repaired(raw: list[str], found: tuple[str, ...], dropped: tuple[str, ...]) -> None:
    assert repair(raw, TURNS) == (found, dropped)


def test_a_turn_id_that_exists_is_never_rewritten() -> None:
    assert repair(["D1:01"], frozenset({"D1:01", "D1:1"})) == (("D1:01",), ())


def test_a_file_becomes_records(sample: Sample, write_data: WriteData) -> None:
    path = write_data([sample])
    dataset = load(path)
    conversation = dataset.samples[0].conversation
    assert dataset.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert dataset.identity.startswith("not LOCOMO")
    assert conversation.id == "talk-1"
    assert conversation.speakers == ("Mira", "Tomas")
    assert [session.started_at for session in conversation.sessions] == [
        datetime(2021, 3, 14, 15, 7, tzinfo=UTC),
        datetime(2022, 1, 2, 0, 30, tzinfo=UTC),
    ]
    assert [turn.dia_id for turn in conversation.turns] == ["D1:1", "D1:2", "D2:1", "D2:2"]
    assert conversation.turns[2].content == "My first bowl came out crooked. [shares image: a blue bowl on a table]"
    assert conversation.turns[3].rendered == "Mira: Basil broke our fence yesterday."
    assert [question.id for question in dataset.samples[0].questions] == [f"talk-1:q{n}" for n in range(1, 6)]
    assert dataset.counts == count(dataset.samples)
    assert (dataset.counts.sessions, dataset.counts.turns, dataset.counts.captions) == (2, 4, 1)
    assert (dataset.counts.questions, dataset.counts.usable, dataset.counts.usable_adversarial) == (5, 3, 1)


def test_sessions_go_by_number_and_dates_without_a_session_are_nothing(sample: Sample, write_data: WriteData) -> None:
    talk = sample["conversation"]
    talk["session_10"] = [{"dia_id": "D10:1", "speaker": "Mira", "text": "Good morning!"}]
    talk["session_10_date_time"] = "9:00 am on 5 May, 2022"
    talk["session_11_date_time"] = "9:00 am on 6 May, 2022"
    sample["conversation"] = dict(sorted(talk.items()))  # by text, 10 comes before 2
    sessions = load(write_data([sample])).samples[0].conversation.sessions
    assert [session.number for session in sessions] == [1, 2, 10]


def test_answers_are_text(sample: Sample, write_data: WriteData) -> None:
    sample["qa"][0]["answer"] = 2022
    sample["qa"][4]["answer"] = "not said"
    questions = load(write_data([sample])).samples[0].questions
    assert [(question.answer, question.trap) for question in questions] == [
        ("2022", None),
        ("an answer", None),
        ("an answer", None),
        ("an answer", None),
        ("not said", "Porto"),
    ]


def test_roles_are_kept(sample: Sample, write_data: WriteData) -> None:
    for turn, role in zip(sample["conversation"]["session_1"], ("user", "assistant"), strict=True):
        turn["role"] = role
    turns = load(write_data([sample])).samples[0].conversation.turns
    assert [turn.role for turn in turns] == ["user", "assistant", None, None]


def _without(key: str) -> Callable[[Sample], object]:
    return lambda sample: sample.pop(key)


def _top(**values: Any) -> Callable[[Sample], object]:
    return lambda sample: sample.update(values)


def _talk(**values: Any) -> Callable[[Sample], object]:
    return lambda sample: sample["conversation"].update(values)


def _turn(**values: Any) -> Callable[[Sample], object]:
    return lambda sample: sample["conversation"]["session_1"][1].update(values)


def _qa(**values: Any) -> Callable[[Sample], object]:
    return lambda sample: sample["qa"][0].update(values)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_without("sample_id"), r"\[0\]\.sample_id is missing; expected a non-empty string"),
        (_without("conversation"), r"\[0\]\.conversation is missing; expected an object"),
        (_without("qa"), r"\[0\]\.qa is missing; expected a list"),
        (_top(haystack_sessions=[]), "LongMemEval"),
        (_top(conversation={"speaker_a": "Mira"}), "has no `session_1`"),
        (_talk(speaker_b=" "), r"speaker_b is a string; expected a non-empty string"),
        (_talk(session_2_date_time="2022-01-02"), r"session_2_date_time is `2022-01-02`; expected the form `3:07 pm"),
        (_talk(session_2_date_time=None), "session_2_date_time is missing"),
        (_talk(session_2={}), r"\.session_2 is an object; expected a list"),
        (_talk(session_2=["hello"]), r"session_2\[0\] is a string; expected an object"),
        (_turn(dia_id=""), r"session_1\[1\]\.dia_id is empty"),
        (_turn(dia_id="D1:1"), r"dia_id in \[0\]: `D1:1` occurs twice"),
        (_turn(text=None), r"session_1\[1\]\.text is missing; expected a string"),
        (_turn(blip_caption=7), r"blip_caption is `7`; expected a non-empty string"),
        (_turn(role="system"), "role is a string; expected `user` or `assistant`"),
        (_qa(category="4"), "category is a string; expected a whole number from 1 to 5"),
        (_qa(category=True), "category is a boolean"),
        (_qa(category=6), "category is `6`"),
        (_qa(evidence="D1:1"), "evidence is a string; expected a list"),
        (_qa(evidence=[1.5]), r"evidence\[0\] is a float; expected a string"),
        (_qa(question=""), "question is empty"),
        (_qa(answer=["a", "b"]), "answer is a list; expected a string or a number"),
        (_qa(answer=None), "has no answer; only category 5 may lack one"),
    ],
)
def test_another_form_is_refused_with_its_place(
    sample: Sample, write_data: WriteData, spoil: Callable[[Sample], object], message: str
) -> None:
    spoil(sample)
    with pytest.raises(InvalidDataset, match=message):
        load(write_data([sample]))


def test_the_whole_file_may_be_wrong(sample: Sample, write_data: WriteData, tmp_path: Path) -> None:
    with pytest.raises(InvalidDataset, match="the top level is an object; expected a list; it is one sample"):
        load(write_data(sample))
    with pytest.raises(InvalidDataset, match="the top level is a string; expected a list$"):
        load(write_data("talk"))
    with pytest.raises(InvalidDataset, match="sample_id: `talk-1` occurs twice"):
        load(write_data([sample, sample]))
    with pytest.raises(InvalidDataset, match=r"can't read `.*nowhere\.json`: No such file"):
        load(tmp_path / "nowhere.json")
    for content in (b"PK\x03\x04", b"\xff\xfe"):
        (tmp_path / "data.zip").write_bytes(content)
        with pytest.raises(InvalidDataset, match="is not a JSON file"):
            load(tmp_path / "data.zip")


def test_errors_of_the_loader_are_of_the_one_tree() -> None:
    assert issubclass(InvalidDataset, AgentMemoryError)


def test_a_message_never_shows_what_was_said(sample: Sample, write_data: WriteData, canary: str) -> None:
    sample["conversation"]["session_1"][0] = canary
    with pytest.raises(InvalidDataset) as caught:
        load(write_data([sample]))
    assert canary not in str(caught.value)


def test_a_changed_copy_of_the_released_file_is_named_as_such(sample: Sample, write_data: WriteData) -> None:
    sample["sample_id"] = "conv-26"
    assert "none of the released files" in load(write_data([sample])).identity


def test_a_released_file_is_known_by_its_hash_and_its_counts_must_come_out(
    sample: Sample, write_data: WriteData, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_data([sample])
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(locomo, "RELEASED", {sha256: ("a released file", {"turns": 4})})
    assert load(path).identity == "a released file"
    monkeypatch.setattr(locomo, "RELEASED", {sha256: ("a released file", {"turns": 5})})
    with pytest.raises(InvalidDataset, match=r"the loader counts \{'turns': 4\} where \{'turns': 5\} is known"):
        load(path)
