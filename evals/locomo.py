"""Conversations with questions in the form of LOCOMO, as typed records.

The form has traps that silently change a score; each is handled here, once:

- sessions are the `session_N` keys in numeric order; there are date keys without a session
- evidence ids come joined ("D8:6; D9:17"), zero-padded ("D30:05"), with a colon too many ("D:11:26"), or name no turn
- answers are sometimes numbers; questions of category 5 have a trap (`adversarial_answer`) and mostly no answer
- a question without evidence can't be scored for retrieval
- images are not part of the data: what is left of one is its caption, which belongs to the turn

One addition of ours: a turn may have a `role`, "user" or "assistant". In its absence two people talk.

The data names no time zone: times are taken as UTC.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, cast

from memgraph.evals.dialogs import ADVERSARIAL, CATEGORIES, Conversation, DialogTurn, Question, Sample, Session
from memgraph.evals.shapes import InvalidDataset, as_list, as_object, as_text, kind

_SESSION: Final = re.compile(r"session_([1-9]\d*)")
_DATE: Final = "%I:%M %p on %d %B, %Y"
_SEPARATORS: Final = re.compile(r"[;,\s]+")
_REPAIRABLE: Final = re.compile(r"D:?0*(\d+):0*(\d+)")


@dataclass(frozen=True, slots=True)
class Counts:
    """What a file holds; for the released files the loader compares it with what is known.

    Attributes:
        conversations: Samples.
        sessions: Sessions that have turns.
        turns: Turns.
        captions: Turns with an image's caption.
        questions: Questions of all categories.
        evidence: Evidence ids after repair.
        dropped: Pieces of evidence that name no turn.
        usable: Questions of categories 1 to 4 with evidence.
        usable_adversarial: Questions of category 5 with evidence.
    """

    conversations: int
    sessions: int
    turns: int
    captions: int
    questions: int
    evidence: int
    dropped: int
    usable: int
    usable_adversarial: int


@dataclass(frozen=True, slots=True)
class Dataset:
    """A loaded file.

    Attributes:
        path: Where it was read from.
        sha256: Of the file's bytes.
        samples: In the file's order.
        counts: What it holds.
        identity: What file it is, in words for a report.
    """

    path: Path
    sha256: str
    samples: tuple[Sample, ...]
    counts: Counts
    identity: str


RELEASED: Final = {
    "79fa87e90f04081343b8c8debecb80a9a6842b76a7aa537dc9fdf651ea698ff4": (
        "LOCOMO as released, ten conversations",
        {"conversations": 10, "sessions": 272, "turns": 5882, "captions": 1226, "questions": 1986, "usable": 1536},
    ),
    "12870247837b98424cec8e4b2ab129e65a9a07865246df98af0b5e7cd7f3e781": (
        "LOCOMO, the five conversations 26, 30, 41, 42 and 43",
        {"conversations": 5, "sessions": 128, "turns": 2760, "captions": 602, "questions": 999, "usable": 760},
    ),
}
"""Known files by hash: what they are and what a loader without faults finds in them."""

_RELEASED_IDS: Final = frozenset(f"conv-{n}" for n in (26, 30, 41, 42, 43, 44, 47, 48, 49, 50))


def load(path: str | Path) -> Dataset:
    """Read a file of LOCOMO's form and check it.

    Args:
        path: A JSON file: a list of samples, each with `sample_id`, `conversation` and `qa`.

    Raises:
        InvalidDataset: The file can't be read or has another form, or the counts of a released file don't come out.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InvalidDataset(f"can't read `{path}`: {error.strerror}") from error
    try:
        parsed: object = json.loads(data)
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        # From None: a decoding error carries the document.
        raise InvalidDataset(f"`{path}` is not a JSON file ({type(error).__name__})") from None
    samples = tuple(
        _sample(item, f"[{n}]") for n, item in enumerate(as_list(parsed, "the top level", hint=_other_form(parsed)))
    )
    _unique([sample.conversation.id for sample in samples], "sample_id")
    sha256 = hashlib.sha256(data).hexdigest()
    counts = count(samples)
    return Dataset(path, sha256, samples, counts, _identity(path, sha256, samples, counts))


def count(samples: Sequence[Sample]) -> Counts:
    """Count what samples hold."""
    turns = [turn for sample in samples for turn in sample.conversation.turns]
    questions = [question for sample in samples for question in sample.questions]
    return Counts(
        conversations=len(samples),
        sessions=sum(1 for sample in samples for session in sample.conversation.sessions if session.turns),
        turns=len(turns),
        captions=sum(turn.caption is not None for turn in turns),
        questions=len(questions),
        evidence=sum(len(question.evidence) for question in questions),
        dropped=sum(len(question.dropped) for question in questions),
        usable=sum(bool(q.evidence) and q.category != ADVERSARIAL for q in questions),
        usable_adversarial=sum(bool(q.evidence) and q.category == ADVERSARIAL for q in questions),
    )


def repair(raw: Sequence[str], known: frozenset[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Turn evidence strings as released into turn ids.

    Args:
        raw: The strings, each meant to be one id.
        known: Every turn id of the conversation.

    Returns:
        The ids, each once, in order; and the pieces that name no turn.
    """
    found: dict[str, None] = {}
    dropped: list[str] = []
    for piece in (piece for text in raw for piece in _SEPARATORS.split(text) if piece):
        match = _REPAIRABLE.fullmatch(piece)
        repaired = piece if piece in known or match is None else f"D{match[1]}:{match[2]}"
        if repaired in known:
            found[repaired] = None
        else:
            dropped.append(piece)
    return tuple(found), tuple(dropped)


def _sample(item: object, where: str) -> Sample:
    record = as_object(item, where)
    if "haystack_sessions" in record:
        raise InvalidDataset(f"{where} is of LongMemEval's form, which this loader does not read")
    sample_id = as_text(record, "sample_id", where)
    talk = as_object(record.get("conversation"), f"{where}.conversation")
    numbers = sorted(int(match[1]) for match in map(_SESSION.fullmatch, talk) if match)
    if not numbers:
        raise InvalidDataset(f"{where}.conversation has no `session_1`: it is not of LOCOMO's form")
    sessions = tuple(_session(talk, number, f"{where}.conversation") for number in numbers)
    first, second = (as_text(talk, key, f"{where}.conversation") for key in ("speaker_a", "speaker_b"))
    conversation = Conversation(sample_id, (first, second), sessions)
    ids = [turn.dia_id for turn in conversation.turns]
    _unique(ids, f"dia_id in {where}")
    known = frozenset(ids)
    questions = tuple(
        _question(entry, f"{sample_id}:q{n}", known, f"{where}.qa[{n - 1}]")
        for n, entry in enumerate(as_list(record.get("qa"), f"{where}.qa"), start=1)
    )
    return Sample(conversation, questions)


def _session(talk: dict[str, object], number: int, where: str) -> Session:
    key = f"session_{number}_date_time"
    date = as_text(talk, key, where)
    try:
        started_at = datetime.strptime(date, _DATE).replace(tzinfo=UTC)
    except ValueError:
        raise InvalidDataset(f"{where}.{key} is `{date}`; expected the form `3:07 pm on 14 March, 2021`") from None
    turns = as_list(talk[f"session_{number}"], f"{where}.session_{number}")
    return Session(
        number, started_at, tuple(_turn(item, f"{where}.session_{number}[{n}]") for n, item in enumerate(turns))
    )


def _turn(item: object, where: str) -> DialogTurn:
    record = as_object(item, where)
    role = record.get("role")
    if role not in ("user", "assistant", None):
        raise InvalidDataset(f"{where}.role is {kind(role)}; expected `user` or `assistant`, or none")
    return DialogTurn(
        dia_id=as_text(record, "dia_id", where),
        speaker=as_text(record, "speaker", where),
        text=as_text(record, "text", where, empty=True),
        caption=as_text(record, "blip_caption", where) if record.get("blip_caption") else None,
        role=role,
    )


def _question(item: object, question_id: str, known: frozenset[str], where: str) -> Question:
    record = as_object(item, where)
    category = record.get("category")
    if type(category) is not int or category not in CATEGORIES:
        raise InvalidDataset(f"{where}.category is {kind(category)}; expected a whole number from 1 to 5")
    raw = as_list(record.get("evidence"), f"{where}.evidence")
    for n, piece in enumerate(raw):
        if not isinstance(piece, str):
            raise InvalidDataset(f"{where}.evidence[{n}] is {kind(piece)}; expected a string")
    evidence, dropped = repair(cast("list[str]", raw), known)
    answer = _answer(record, "answer", where)
    if answer is None and category != ADVERSARIAL:
        raise InvalidDataset(f"{where} has no answer; only category {ADVERSARIAL} may lack one")
    return Question(
        id=question_id,
        text=as_text(record, "question", where),
        category=category,
        evidence=evidence,
        dropped=dropped,
        answer=answer,
        trap=_answer(record, "adversarial_answer", where),
    )


def _answer(record: dict[str, object], key: str, where: str) -> str | None:
    value = record.get(key)
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    raise InvalidDataset(f"{where}.{key} is {kind(value)}; expected a string or a number")


def _identity(path: Path, sha256: str, samples: Sequence[Sample], counts: Counts) -> str:
    if sha256 in RELEASED:
        name, expected = RELEASED[sha256]
        wrong = {key: getattr(counts, key) for key, value in expected.items() if getattr(counts, key) != value}
        if wrong:
            raise InvalidDataset(f"`{path}` is {name}, but the loader counts {wrong} where {expected} is known")
        return name
    if {sample.conversation.id for sample in samples} & _RELEASED_IDS:
        return "conversation ids of LOCOMO, but none of the released files: not comparable with published figures"
    return "not LOCOMO: own data in its form"


def _other_form(parsed: object) -> str:
    if isinstance(parsed, dict) and "conversation" in parsed:
        return "; it is one sample: put it into a list"
    return ""


def _unique(ids: Sequence[str], what: str) -> None:
    seen: set[str] = set()
    for name in ids:
        if name in seen:
            raise InvalidDataset(f"{what}: `{name}` occurs twice")
        seen.add(name)
