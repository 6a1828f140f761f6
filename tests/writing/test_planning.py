"""Decisions by rules alone, and that the gate lets through what is right in them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memgraph.drafts import FactDraft, Kind, KnownFact, SaidTurn
from memgraph.writing.gate import rule
from memgraph.writing.planning import all_ended, candidates, fact_hash, late_end, propose, settled

DAY = 86_400_000_000
OLD = 19_000 * DAY
NOW = OLD + 300 * DAY

ROWS = (Path(__file__).parent.parent / "data" / "decided.txt").read_text(encoding="utf-8").splitlines()[1:]


def kind_of(attribute: str) -> Kind:
    return "plan" if attribute == "plan" else "state"


def known(attribute: str, value: str, text: str, *, subject: str = "Ada", alias: str = "f1") -> KnownFact:
    return KnownFact(alias, subject, attribute, value, text, kind_of(attribute), OLD)


def said(text: str, speaker: str = "Ada") -> SaidTurn:
    return SaidTurn(0, speaker, "user", "user", text, NOW)


def draft(attribute: str, value: str, *, subject: str = "Ada", text: str | None = None) -> FactDraft:
    return FactDraft(subject, attribute, value, text or f"{subject}: {value}.", kind_of(attribute))


@pytest.mark.parametrize("row", ROWS)
def test_decided_and_let_through(row: str) -> None:
    expected, old, value, about, turn, new, new_value, text = row.split(" | ")
    fact, found = known(old, value, about), draft(new, new_value, text=text)
    ruling = rule(found, said(turn), [fact], propose(found, said(turn), [fact]))
    assert (ruling.decision.mode or ruling.decision.operation.lower()) == expected
    assert ruling.closes == (expected in ("change", "ended", "retracted"))


@pytest.mark.parametrize(
    ("one", "other"),
    [("the council", "Council"), ("chess", "playing chess"), ("6th August", "6 August"), ("a dog", "dogs")],
)
def test_the_same_statement(one: str, other: str) -> None:
    assert fact_hash(draft("other", one)) == fact_hash(draft("other", other))
    fact = known("other", one, one)
    decision = propose(draft("other", other), said(f"Yes, {other}."), [fact])
    assert (decision.operation, decision.target) == ("NOOP", "f1")


def test_other_statements() -> None:
    digests = {
        fact_hash(draft(attribute, value, subject=subject))
        for subject in ("Ada", "Ada Lovelace")
        for attribute in ("likes", "dislikes")
        for value in ("tea", "coffee", "!", "?", "")
    }
    assert len(digests) == 20


def test_events_of_two_days_are_two() -> None:
    fact = KnownFact("f1", "Ada", "visited", "Rome", "Ada was in Rome.", "event", OLD)
    again = FactDraft("Ada", "visited", "Rome", "Ada was in Rome.", "event", valid_from=OLD + 90 * DAY)
    assert settled(again, [fact]) is None
    assert propose(again, said("We were in Rome again."), [fact]).operation != "NOOP"
    assert settled(FactDraft("Ada", "visited", "Rome", "", "event", valid_from=OLD), [fact]) is not None


def test_nothing_known_needs_no_model() -> None:
    decision = settled(draft("residence", "Ghent"), [known("residence", "Oslo", "Ben lives in Oslo.", subject="Ben")])
    assert decision is not None
    assert decision.operation == "ADD"


def test_candidates_share_subject_and_attribute_or_topic() -> None:
    facts = [
        known("likes", "chicken wings", "Ada likes chicken wings.", alias="wings"),
        known("residence", "Oslo", "Ada lives in Oslo.", alias="home"),
        known("likes", "steak", "Ben likes steak.", subject="Ben", alias="ben"),
        known("diet", "everything", "Ada eats everything.", alias="diet"),
    ]
    assert [fact.alias for fact in candidates(draft("diet", "no meat"), facts)] == ["wings", "diet"]


def test_every_dish_is_ended() -> None:
    facts = [
        known("likes", "chicken wings", "Ada likes chicken wings.", alias="wings"),
        known("likes", "steak", "Ada likes steak.", alias="steak"),
        known("likes", "salmon", "Ada likes salmon.", alias="salmon"),
    ]
    decisions = all_ended(draft("diet", "no meat"), said("I stopped eating meat."), facts)
    assert [decision.target for decision in decisions] == ["wings", "steak"]


def test_an_end_that_another_draft_is_about_is_left_to_it() -> None:
    fact = known("likes", "chicken wings", "Ada likes chicken wings.")
    turn = said("I stopped eating meat and I adopted a parrot.")
    assert propose(draft("pet", "parrot"), turn, [fact]).operation == "ADD"


def test_late_news_ends_where_the_newer_begins() -> None:
    fact = known("residence", "Oslo", "Ada lives in Oslo.")
    rome = FactDraft("Ada", "residence", "Rome", "Ada lived in Rome.", valid_from=OLD - 900 * DAY)
    turn = said("Years before Oslo I lived in Rome.")
    assert late_end(rome, turn, [fact]) == OLD
    assert late_end(draft("residence", "Rome"), turn, [fact]) is None
    ruling = rule(rome, turn, [fact], propose(rome, turn, [fact]))
    assert (ruling.decision.operation, ruling.closes) == ("ADD", False)


@given(text=st.text(max_size=200), attribute=st.text(max_size=20), value=st.text(max_size=40))
def test_never_raises(text: str, attribute: str, value: str) -> None:
    facts = [known("residence", value, text), known(attribute, "meat", "Ada eats meat.", alias="f2")]
    found = FactDraft("Ada", attribute, value, text)
    decision = propose(found, said(text), facts)
    assert decision.target in (None, "f1", "f2")
    rule(found, said(text), facts, decision)
