"""Our own conversations, remembered by rules alone: no true fact is closed, and nothing is added twice."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

import pytest

from memgraph.drafts import FactDraft, KnownFact, SaidTurn, Step
from memgraph.records import OPEN
from memgraph.writing.consolidation import plan
from memgraph.writing.extractor import PatternExtractor

NAMES = ("harbour", "kiln")
CLOSING = ("change", "ended", "retracted")
Label = dict[str, Any]


@dataclass
class Store:
    """What is believed, and where each fact was said."""

    facts: dict[str, KnownFact] = field(default_factory=dict[str, KnownFact])
    said_in: dict[str, str] = field(default_factory=dict[str, str])

    def apply(self, steps: list[Step], drafts: list[FactDraft], turns: dict[int, SaidTurn], names: list[str]) -> None:
        added: dict[str, str] = {}
        for step in steps:
            draft = drafts[step.draft]
            target = added.get(step.target or "", step.target)
            if target and step.mode == "retracted":
                del self.facts[target]
            elif target and step.close_at is not None:
                self.facts[target] = replace(self.facts[target], valid_to=step.close_at)
            elif target and step.mode == "refine":
                self.facts[target] = replace(self.facts[target], object=draft.object, text=draft.text)
            if step.adds:
                turn = turns[draft.evidence[0]]
                alias = added[f"n{step.draft}"] = f"f{len(self.said_in)}"
                begins = turn.said_at if draft.valid_from is None else draft.valid_from
                ends = OPEN if step.valid_to is None else step.valid_to
                self.facts[alias] = KnownFact(
                    alias, draft.subject, draft.attribute, draft.object, draft.text, draft.kind, begins, ends
                )
                self.said_in[alias] = names[turn.index]


@cache
def read(name: str) -> Any:
    return json.loads((files("memgraph") / "datasets" / f"{name}.json").read_text(encoding="utf-8"))


@cache
def labels(name: str) -> dict[str, Label]:
    text = (files("memgraph") / "datasets" / f"{name}-facts.jsonl").read_text(encoding="utf-8")
    return {label["id"]: label for label in map(json.loads, text.splitlines())}


def sessions(name: str) -> tuple[list[list[SaidTurn]], list[str]]:
    """Return the turns by session, and the name of each turn by its index."""
    parts = read(name)[0]["conversation"]
    found: list[list[SaidTurn]] = []
    names: list[str] = []
    while f"session_{len(found) + 1}" in parts:
        session = f"session_{len(found) + 1}"
        at = datetime.strptime(parts[f"{session}_date_time"], "%I:%M %p on %d %B, %Y").replace(tzinfo=UTC)
        found.append([])
        for turn in parts[session]:
            role = turn.get("role", "user")
            said = SaidTurn(len(names), turn["speaker"], role, role, turn["text"], int(at.timestamp()) * 1_000_000)
            found[-1].append(said)
            names.append(turn["dia_id"])
    return found, names


def words(text: str) -> set[str]:
    return set(re.findall(r"\w{3,}", text.lower()))


def states(label: Label, fact: KnownFact, said_in: str) -> bool:
    """Tell whether a label states what a fact does."""
    return (
        label["subject"] == fact.subject
        and label["attribute"] == fact.attribute
        and (said_in in label["evidence"] or words(label["object"]) == words(fact.object))
        and bool(words(label["object"]) & words(fact.object))
    )


@pytest.mark.parametrize("name", NAMES)
def test_only_what_the_labels_say_is_over_is_closed(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    store = Store()
    spoken, names = sessions(name)
    over = {label["supersedes"]: label for label in labels(name).values() if label["mode"] in CLOSING}
    counts: Counter[str] = Counter()
    closed: list[str] = []
    for turns in spoken:
        drafts = PatternExtractor().extract(turns)
        known = dict(store.facts)
        steps = plan(drafts, turns, list(known.values()))
        counts.update(step.mode or step.operation.lower() for step in steps)
        store.apply(steps, drafts, {turn.index: turn for turn in turns}, names)
        for step in steps:
            if step.close_at is None:
                continue
            fact = known[step.target or ""]
            said_in = names[drafts[step.draft].evidence[0]]
            closed.append(f"{fact.subject}, {fact.attribute}: {fact.object} ({said_in})")
            marks = [over[old["id"]] for old in labels(name).values() if old["id"] in over
                     and states(old, fact, store.said_in[fact.alias])]  # fmt: skip
            assert marks, f"{closed[-1]} was closed, but holds"
            assert any(mark["evidence"][0].split(":")[0] <= said_in.split(":")[0] for mark in marks), closed[-1]
    with capsys.disabled():
        figures = ", ".join(f"{kind} {count}" for kind, count in sorted(counts.items()))
        print(f"\n{name} replayed by rules: {figures}; {len(closed)} closed, all of them labelled", end="")
    assert len(store.facts) > 30
    assert name == "harbour" or len(closed) >= 6


@pytest.mark.parametrize("name", NAMES)
def test_a_second_replay_changes_nothing(name: str) -> None:
    store = Store()
    spoken, names = sessions(name)
    for replay in range(2):
        before = dict(store.facts)
        for turns in spoken:
            drafts = PatternExtractor().extract(turns)
            steps = plan(drafts, turns, list(store.facts.values()))
            assert replay == 0 or {step.operation for step in steps} <= {"NOOP"}
            store.apply(steps, drafts, {turn.index: turn for turn in turns}, names)
        assert replay == 0 or store.facts == before


@pytest.mark.parametrize("name", NAMES)
def test_batches_do_not_matter(name: str) -> None:
    spoken, names = sessions(name)
    everything = PatternExtractor().extract([turn for turns in spoken for turn in turns])
    ends: list[set[tuple[str, str, str, int]]] = []
    for batches in (spoken, [[turn] for turns in spoken for turn in turns]):
        store = Store()
        for turns in batches:
            here = {turn.index: turn for turn in turns}
            drafts = [draft for draft in everything if draft.evidence[0] in here]
            store.apply(plan(drafts, turns, list(store.facts.values())), drafts, here, names)
        ends.append({(fact.subject, fact.attribute, fact.object, fact.valid_to) for fact in store.facts.values()})
    assert ends[0] == ends[1]
