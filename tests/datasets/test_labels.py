"""The labelled sets in `datasets/` are well formed, and hold what their card promises."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime
from importlib.resources import files
from typing import Any, TypeAlias

import pytest

Item: TypeAlias = dict[str, Any]

ATTRIBUTES = set(
    "name age birthday birthplace residence nationality marital_status partner employer occupation study diet religion "
    "email phone native_language likes dislikes preference allergy health medication family friend colleague pet "
    "possession skill language hobby habit visited event plan goal opinion experience other".split()
)
KINDS = {"state", "event", "plan"}
MODES: dict[str, set[str | None]] = {
    "ADD": {None},
    "NOOP": {None},
    "UPDATE": {"refine", "change"},
    "DELETE": {"ended", "retracted"},
}
ENTITY_TYPES = {"person", "place", "organisation", "pet", "thing", "event"}
CONVERSATIONS = ("harbour", "kiln")
SETS = ("supersession", "entities", "harbour-facts", "kiln-facts")
FACT = {"subject", "attribute", "object", "text", "kind"}


def load(name: str) -> list[Item]:
    """Items of a set, one JSON object a line."""
    text = (files("memgraph") / "datasets" / f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def conversation(name: str) -> Item:
    """The one sample of a conversation."""
    samples: list[Item] = json.loads((files("memgraph") / "datasets" / f"{name}.json").read_text(encoding="utf-8"))
    assert len(samples) == 1
    return samples[0]


def turns_of(name: str) -> dict[str, Item]:
    """Turns by `dia_id`."""
    parts: Item = conversation(name)["conversation"]
    sessions: list[list[Item]] = [part for key, part in parts.items() if re.fullmatch(r"session_\d+", key)]
    return {turn["dia_id"]: turn for session in sessions for turn in session}


def card() -> str:
    return (files("memgraph") / "datasets" / "README.md").read_text(encoding="utf-8")


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def grams(texts: list[str], size: int) -> set[str]:
    """Runs of `size` words within each of the texts."""
    return {" ".join(w[i : i + size]) for w in map(words, texts) for i in range(len(w) - size + 1)}


def shared_grams(
    items: list[Item], sentences: Callable[[Item], list[str]], size: int = 6
) -> list[tuple[str, str, str]]:
    """Runs of words that occur in more than one item, with the ids of the two."""
    seen: dict[str, str] = {}
    shared: list[tuple[str, str, str]] = []
    for item in items:
        for gram in grams(sentences(item), size):
            if gram in seen:
                shared.append((seen[gram], item["id"], gram))
            seen[gram] = item["id"]
    return shared


def supersession_sentences(item: Item) -> list[str]:
    facts = [item[key]["text"] for key in ("old_fact", "new_fact", "trap") if key in item]
    return [item["old"]["text"], item["new"]["text"], item["why"], *facts]


def entity_sentences(item: Item) -> list[str]:
    return [item["a"]["context"], item["b"]["context"], item["why"]]


def aware(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    assert moment.tzinfo is not None
    return moment


def is_look_alike(item: Item) -> bool:
    return str(item["group"]).startswith("look-alike-")


def check_fact(fact: Item, extra: set[str] | None = None) -> None:
    assert set(fact) == FACT | (extra or set())
    assert all(isinstance(fact[key], str) and fact[key] == fact[key].strip() != "" for key in FACT)
    assert fact["attribute"] in ATTRIBUTES
    assert fact["kind"] in KINDS


# All sets


@pytest.mark.parametrize("name", SETS)
def test_ids_are_unique_and_at_least_a_third_is_marked_first(name: str) -> None:
    items = load(name)
    assert len({item["id"] for item in items}) == len(items)
    splits = Counter(item["split"] for item in items)
    assert set(splits) == {"first", "later"}
    assert splits["first"] * 3 >= len(items)


@pytest.mark.parametrize("name", SETS)
def test_the_card_states_the_counts(name: str) -> None:
    items = load(name)
    first = sum(item["split"] == "first" for item in items)
    assert f"| `{name}.jsonl` | {len(items)} | {first} |" in card()


# Supersession


def test_supersession_covers_what_happens_and_what_only_looks_so() -> None:
    items = load("supersession")
    alike = sum(map(is_look_alike, items))
    assert alike >= 42
    assert len(items) - alike >= 84
    assert f"{len(items) - alike} pairs in which something happens and {alike} look-alikes" in card()
    for split in ("first", "later"):
        groups = {item["group"] for item in items if item["split"] == split}
        assert len({group for group in groups if group.startswith("look-alike-")}) == 15
        assert len({group for group in groups if not group.startswith("look-alike-")}) >= 16


def test_supersession_fields() -> None:
    fields = {"id", "split", "group", "old", "new", "old_fact", "new_fact", "expected", "why"}
    for item in load("supersession"):
        assert set(item) - {"trap"} == fields, item["id"]
        assert item["why"]
        for turn in (item["old"], item["new"]):
            assert set(turn) == {"speaker", "text", "said_at"}
            assert turn["speaker"] and turn["text"]
        assert aware(item["old"]["said_at"]) < aware(item["new"]["said_at"]), item["id"]
        check_fact(item["old_fact"])
        check_fact(item["new_fact"], {"valid_from", "valid_to"})
        if "trap" in item:
            check_fact(item["trap"])


def test_validity_is_an_interval_with_a_time_zone() -> None:
    for item in load("supersession"):
        ends = [item["new_fact"][key] for key in ("valid_from", "valid_to")]
        moments = [aware(end) for end in ends if end is not None]
        assert moments == sorted(moments), item["id"]


def test_closes_follows_from_the_operation() -> None:
    for item in load("supersession"):
        expected = item["expected"]
        assert set(expected) == {"operation", "mode", "closes"}
        assert expected["mode"] in MODES[expected["operation"]], item["id"]
        assert expected["closes"] is (expected["mode"] in {"change", "ended", "retracted"}), item["id"]


def test_every_operation_occurs_in_both_splits() -> None:
    for split in ("first", "later"):
        found = {
            (item["expected"]["operation"], item["expected"]["mode"])
            for item in load("supersession")
            if item["split"] == split
        }
        assert found == {(operation, mode) for operation, modes in MODES.items() for mode in modes}


def test_look_alikes_close_nothing_and_only_they_have_traps() -> None:
    for item in load("supersession"):
        if is_look_alike(item):
            assert item["expected"]["operation"] in {"ADD", "NOOP"}, item["id"]
            assert item["expected"]["closes"] is False
        else:
            assert "trap" not in item, item["id"]


def test_what_closes_is_about_the_same_subject() -> None:
    for item in load("supersession"):
        if item["expected"]["closes"] or item["expected"]["mode"] == "refine":
            assert item["old_fact"]["subject"] == item["new_fact"]["subject"], item["id"]
        if item["expected"]["mode"] in {"change", "refine"}:
            assert item["old_fact"]["attribute"] == item["new_fact"]["attribute"], item["id"]


def test_late_news_is_over_before_the_known_fact_was_told() -> None:
    items = [item for item in load("supersession") if item["group"] == "late-news"]
    assert len(items) >= 5
    for item in items:
        assert aware(item["new_fact"]["valid_to"]) < aware(item["old"]["said_at"]), item["id"]


def test_supersession_items_share_no_six_words() -> None:
    assert shared_grams(load("supersession"), supersession_sentences) == []


# Entities


def test_entity_pairs() -> None:
    items = load("entities")
    assert Counter(item["same"] for item in items) == {True: 55, False: 55}
    for item in items:
        assert set(item) == {"id", "split", "a", "b", "same", "why"}
        assert isinstance(item["same"], bool) and item["why"]
        for side in (item["a"], item["b"]):
            assert set(side) == {"name", "type", "context"}
            assert side["type"] in ENTITY_TYPES
            assert side["name"].lower() in side["context"].lower(), item["id"]
        if item["same"]:
            assert item["a"]["type"] == item["b"]["type"], item["id"]
    assert {side["type"] for item in items for side in (item["a"], item["b"])} == ENTITY_TYPES


def test_entity_items_share_no_six_words() -> None:
    assert shared_grams(load("entities"), entity_sentences) == []


# Facts of the two conversations


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_facts_are_well_formed_and_their_evidence_was_said_by_a_person(name: str) -> None:
    turns = turns_of(name)
    fields = {"id", "split", "evidence", "valid_from", "valid_to", "supersedes", "mode", "pattern"}
    for fact in load(f"{name}-facts"):
        assert isinstance(fact["pattern"], bool)
        check_fact(fact, fields)
        assert fact["evidence"] and len(set(fact["evidence"])) == len(fact["evidence"])
        assert all(turns[turn]["speaker"] != "Assistant" for turn in fact["evidence"]), fact["id"]
        ends = [date.fromisoformat(fact[key]) for key in ("valid_from", "valid_to") if fact[key] is not None]
        assert ends == sorted(ends), fact["id"]


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_objects_are_words_of_the_evidence(name: str) -> None:
    turns = turns_of(name)
    facts = load(f"{name}-facts")
    loose = [f for f in facts if f["object"].lower() not in " ".join(turns[e]["text"] for e in f["evidence"]).lower()]
    assert len(loose) <= 2
    assert not any(fact["pattern"] for fact in loose)


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_revisions_point_back_to_the_same_subject(name: str) -> None:
    facts = {fact["id"]: fact for fact in load(f"{name}-facts")}
    order = list(facts)
    for fact in facts.values():
        if fact["supersedes"] is None:
            assert fact["mode"] is None, fact["id"]
            continue
        assert fact["mode"] in {"change", "refine", "ended", "retracted"}
        old = facts[fact["supersedes"]]
        assert order.index(old["id"]) < order.index(fact["id"])
        assert old["subject"] == fact["subject"], fact["id"]
        if fact["mode"] == "change":
            assert old["attribute"] == fact["attribute"], fact["id"]


def test_facts_are_many_and_plain_enough_for_rules() -> None:
    harbour, kiln = load("harbour-facts"), load("kiln-facts")
    assert len(harbour) >= 150
    assert sum(fact["pattern"] for fact in harbour + kiln) >= 120


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_no_two_facts_share_six_words(name: str) -> None:
    assert shared_grams(load(f"{name}-facts"), lambda fact: [fact["text"]]) == []


# The second conversation


def test_kiln_has_the_form_of_harbour() -> None:
    kiln, harbour = conversation("kiln"), conversation("harbour")
    assert set(kiln) == set(harbour)
    turns = kiln["conversation"]
    for number in (1, 2, 3, 4):
        session = turns[f"session_{number}"]
        assert [turn["dia_id"] for turn in session] == [f"D{number}:{i}" for i in range(1, len(session) + 1)]
        assert {turn["speaker"] for turn in session} == ({"Nadia", "Assistant"} if number == 3 else {"Nadia", "Owen"})
        assert all(("role" in turn) is (number == 3) for turn in session)
    dates = [datetime.strptime(turns[f"session_{n}_date_time"], "%I:%M %p on %d %B, %Y") for n in (1, 2, 3, 4)]
    assert dates == sorted(dates)


def test_the_counts_of_kiln_in_the_card() -> None:
    turns = turns_of("kiln").values()
    speakers = Counter(turn["speaker"] for turn in turns)
    counts = f"{len(turns)} turns (Nadia {speakers['Nadia']}, Owen {speakers['Owen']}, Assistant 3)"
    assert counts in card()
    replies = [turn["text"] for turn in turns if turn.get("role") == "assistant"]
    assert all(len(reply.split()) >= 300 for reply in replies)
    assert len(replies) == 3


def test_questions_of_kiln() -> None:
    questions, turns = conversation("kiln")["qa"], turns_of("kiln")
    assert Counter(item["category"] for item in questions) == {1: 3, 2: 3, 3: 2, 4: 2, 5: 2}
    for item in questions:
        answer = "adversarial_answer" if item["category"] == 5 else "answer"
        assert set(item) == {"question", answer, "evidence", "category"}
        assert item["evidence"] and set(item["evidence"]) <= set(turns)
        for evidence in item["evidence"]:
            assert not grams([item["question"]], 5) & grams([turns[evidence]["text"]], 5)
    numbered = [{"id": str(n), **item} for n, item in enumerate(questions)]
    assert shared_grams(numbered, lambda item: [item["question"]]) == []
