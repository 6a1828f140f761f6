"""The labelled pairs of `datasets/supersession.jsonl`: right without a model, and no look-alike closed by anybody."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memgraph.drafts import Decision, FactDraft, KnownFact, Mode, Operation, SaidTurn
from memgraph.records import Origin, to_us
from memgraph.writing.gate import rule
from memgraph.writing.planning import propose

Item = dict[str, Any]
CLOSING: tuple[Mode, ...] = ("change", "ended", "retracted")
OPERATIONS: tuple[Operation, ...] = ("UPDATE", "DELETE")


@cache
def items() -> list[Item]:
    text = (files("memgraph") / "datasets" / "supersession.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def look_alikes() -> list[Item]:
    return [item for item in items() if item["group"].startswith("look-alike")]


def at(text: str | None) -> int | None:
    return None if text is None else to_us("time", datetime.fromisoformat(text))


def said(item: Item) -> SaidTurn:
    speaker = item["new"]["speaker"]
    who: Origin = "assistant" if speaker == "Assistant" else "user"
    return SaidTurn(0, speaker, who, who, item["new"]["text"], at(item["new"]["said_at"]) or 0)


def fact(item: Item) -> KnownFact:
    old = item["old_fact"]
    began = at(old.get("valid_from")) or at(item["old"]["said_at"]) or 0
    return KnownFact("f1", old["subject"], old["attribute"], old["object"], old["text"], old["kind"], began)


def trap(item: Item) -> Item:
    """What a careless extraction makes of a look-alike."""
    found: Item = item["trap"] if "trap" in item else item["new_fact"]
    return found


def draft(new: Item) -> FactDraft:
    return FactDraft(
        new["subject"],
        new["attribute"],
        new["object"],
        new["text"],
        new["kind"],
        valid_from=at(new.get("valid_from")),
        valid_to=at(new.get("valid_to")),
    )


def right(item: Item) -> bool:
    found, turn, known = draft(item["new_fact"]), said(item), [fact(item)]
    ruling = rule(found, turn, known, propose(found, turn, known))
    expected = item["expected"]
    return (ruling.decision.operation, ruling.decision.mode, ruling.closes) == (
        expected["operation"],
        expected["mode"],
        expected["closes"],
    )


def test_enough_is_right_without_a_model() -> None:
    asked = Counter(item["split"] for item in items())
    hits = Counter(item["split"] for item in items() if right(item))
    share = hits.total() / asked.total()
    figures = ", ".join(f"{split} {hits[split]}/{count}" for split, count in asked.items())
    print(f"supersession without a model: {share:.1%} ({figures})")
    assert share >= 0.85, figures
    assert all(hits[split] / count >= 0.75 for split, count in asked.items()), figures


def test_rules_close_nothing_that_is_to_stay_open() -> None:
    wrong: list[str] = []
    for item in items():
        found, turn, known = draft(item["new_fact"]), said(item), [fact(item)]
        if not item["expected"]["closes"] and rule(found, turn, known, propose(found, turn, known)).closes:
            wrong.append(item["id"])
    assert wrong == []


def spans(text: str) -> st.SearchStrategy[str]:
    """Any run of a text's words, or all of it."""
    words = [match.span() for match in re.finditer(r"\S+", text)]
    ends = st.tuples(st.integers(0, len(words) - 1), st.integers(0, len(words) - 1)).map(sorted)
    return st.one_of(st.just(text), ends.map(lambda pair: text[words[pair[0]][0] : words[pair[1]][1]]))


def decisions(text: str) -> st.SearchStrategy[Decision]:
    return st.builds(
        Decision,
        operation=st.sampled_from(["ADD", "UPDATE", "DELETE", "NOOP"]),
        mode=st.sampled_from([None, "refine", "change", "ended", "retracted"]),
        target=st.sampled_from(["f1", "f1", "f1", "f2", None]),
        reason=st.just(""),
        quote=st.one_of(st.just(""), spans(text), spans(text), st.text(max_size=10)),
    )


def hostile(item: Item) -> st.SearchStrategy[FactDraft]:
    """Drafts that want the old fact gone: of its subject and attribute, with any value that the turn could give."""
    old, new, tempting = item["old_fact"], item["new_fact"], trap(item)
    text = item["new"]["text"]
    values = st.one_of(st.sampled_from([new["object"], tempting["object"], old["object"]]), spans(text))
    return st.builds(
        FactDraft,
        subject=st.sampled_from([old["subject"], old["subject"], new["subject"], tempting["subject"]]),
        attribute=st.sampled_from([old["attribute"], old["attribute"], new["attribute"]]),
        object=values,
        text=st.one_of(values, st.sampled_from([new["text"], tempting["text"]])),
        kind=st.sampled_from([old["kind"], new["kind"]]),
        quote=spans(text),
    )


@pytest.mark.parametrize("item", look_alikes(), ids=lambda item: str(item["id"]))
def test_no_look_alike_is_closed_by_every_plain_attack(item: Item) -> None:
    old, turn, known = item["old_fact"], said(item), fact(item)
    claims = [draft(item["new_fact"]), draft(trap(item))]
    values = {claim.object for claim in claims} | {old["object"], turn.text}
    claims += [FactDraft(old["subject"], old["attribute"], value, value, old["kind"]) for value in values]
    for claim in claims:
        for mode in CLOSING:
            for operation in OPERATIONS:
                for quote in ("", turn.text):
                    attack = Decision(operation, mode, "f1", quote=quote)
                    assert not rule(claim, turn, [known], attack).closes, (claim, attack)


@given(data=st.data())
def test_no_look_alike_is_closed_whatever_is_drafted_and_decided(data: st.DataObject) -> None:
    item = data.draw(st.sampled_from(look_alikes()))
    claim, decision = data.draw(hostile(item)), data.draw(decisions(item["new"]["text"]))
    ruling = rule(claim, said(item), [fact(item)], decision)
    assert not ruling.closes, item["id"]
    assert ruling.decision.operation in ("ADD", "NOOP", "UPDATE")
    assert ruling.decision.mode in (None, "refine")
