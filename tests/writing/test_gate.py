"""The gate holds whatever is decided: what the turn does not plainly say closes nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memgraph.drafts import Decision, FactDraft, Kind, KnownFact, Mode, Operation, SaidTurn
from memgraph.records import OPEN, ORIGINS, Origin
from memgraph.writing.attributes import ATTRIBUTES
from memgraph.writing.gate import brings, rule
from memgraph.writing.persons import same

DAY = 86_400_000_000
OLD = 19_000 * DAY
NOW = OLD + 300 * DAY
CLOSING: tuple[Mode, ...] = ("change", "ended", "retracted")
MODES: tuple[Mode, ...] = ("refine", *CLOSING)
OPERATIONS: tuple[Operation, ...] = ("UPDATE", "DELETE")

HOME = KnownFact("f1", "Ada", "residence", "Oslo", "Ada lives in Oslo.", "state", OLD)
WINGS = KnownFact("f2", "Ada", "likes", "chicken wings", "Ada enjoys chicken wings.", "state", OLD)
LISBON = FactDraft("Ada", "residence", "Lisbon", "Ada lives in Lisbon.")
MOVED = SaidTurn(0, "Ada", "user", "user", "I moved to Lisbon in May.", NOW)
NO_MEAT = FactDraft("Ada", "diet", "no meat", "Ada eats no meat.")
QUIT = SaidTurn(0, "Ada", "user", "user", "Big news: I stopped eating meat.", NOW)

ROWS = (Path(__file__).parent.parent / "data" / "unclosed.txt").read_text(encoding="utf-8").splitlines()[1:]


def hostile(target: str, text: str) -> list[Decision]:
    return [
        Decision(operation, mode, target, quote=quote)
        for operation in OPERATIONS
        for mode in CLOSING
        for quote in (text, "", text.split(".")[0], "the user said so")
    ]


@pytest.mark.parametrize("row", ROWS)
def test_closes_nothing(row: str) -> None:
    attribute, value, about, text, claimed = row.split(" | ")
    kind: Kind = "plan" if attribute == "plan" else "state"
    fact = KnownFact("f1", "Ada", attribute, value, about, kind, OLD)
    turn = SaidTurn(0, "Ada", "user", "user", text, NOW)
    for draft in (
        FactDraft("Ada", attribute, claimed, f"Ada: {claimed}.", kind),
        FactDraft("Ada", attribute, value, about, kind, quote=text),
        FactDraft("Ada", attribute, text, text, kind),
    ):
        for decision in hostile("f1", text):
            assert not rule(draft, turn, [fact], decision).closes, (draft.object, decision)


def test_a_change_closes_where_the_new_begins() -> None:
    begins = NOW - 30 * DAY
    ruling = rule(replace(LISBON, valid_from=begins), MOVED, [HOME, WINGS], Decision("UPDATE", "change", "f1"))
    assert (ruling.gate, ruling.closes, ruling.close_at, ruling.conflicts) == ("a", True, begins, ())
    assert ruling.decision.mode == "change"


def test_an_end_in_place_of_a_change_is_a_change() -> None:
    ruling = rule(LISBON, MOVED, [HOME], Decision("DELETE", "ended", "f1"))
    assert (ruling.decision.operation, ruling.decision.mode, ruling.close_at) == ("UPDATE", "change", NOW)


def test_a_quoted_end_closes() -> None:
    ruling = rule(NO_MEAT, QUIT, [WINGS], Decision("DELETE", "ended", "f2", quote="I stopped eating meat"))
    assert (ruling.gate, ruling.closes, ruling.close_at) == ("b", True, NOW)
    assert ruling.decision.quote in QUIT.text


def test_the_draft_may_bring_the_quote() -> None:
    draft = replace(NO_MEAT, quote="I stopped eating meat")
    assert rule(draft, QUIT, [WINGS], Decision("DELETE", "ended", "f2")).closes


@pytest.mark.parametrize("quote", ["", " ", "I gave up meat", "i stopped eating meat", "Big news", "meat."])
def test_other_words_than_the_turns_close_nothing(quote: str) -> None:
    ruling = rule(NO_MEAT, QUIT, [WINGS], Decision("DELETE", "ended", "f2", quote=quote))
    assert not ruling.closes
    assert ruling.conflicts == ("f2",)


def test_an_unknown_alias_is_no_target() -> None:
    for mode in MODES:
        ruling = rule(LISBON, MOVED, [HOME], Decision("UPDATE", mode, "f9"))
        assert (ruling.decision.operation, ruling.decision.target, ruling.closes) == ("ADD", None, False)
        assert ruling.conflicts == ("f1",)
    assert rule(LISBON, MOVED, [], Decision("NOOP", target="f9")).decision == Decision("NOOP")


def test_a_contradiction_outside_the_gate_is_linked() -> None:
    turn = replace(MOVED, text="My brother moved to Lisbon.")
    ruling = rule(LISBON, turn, [HOME], Decision("UPDATE", "change", "f1"))
    assert (ruling.decision.operation, ruling.closes, ruling.conflicts) == ("ADD", False, ("f1",))
    assert ruling.gate.startswith("refused: ")
    assert rule(LISBON, turn, [HOME], Decision("ADD")).conflicts == ("f1",)


@pytest.mark.parametrize("origin", ["tool", "document"])
def test_untrusted_words_close_nothing_of_the_users(origin: Origin) -> None:
    turn = replace(MOVED, origin=origin)
    ruling = rule(LISBON, turn, [HOME], Decision("UPDATE", "change", "f1"))
    assert (ruling.gate, ruling.closes, ruling.conflicts) == ("refused: untrusted origin", False, ("f1",))
    assert rule(LISBON, turn, [replace(HOME, untrusted=True)], Decision("UPDATE", "change", "f1")).closes


def test_an_assistant_closes_nothing() -> None:
    turn = replace(MOVED, role="assistant", origin="assistant")
    assert not rule(LISBON, turn, [HOME], Decision("UPDATE", "change", "f1")).closes


def test_late_news_closes_nothing_newer() -> None:
    late = replace(LISBON, valid_from=OLD - DAY)
    assert not rule(late, MOVED, [HOME], Decision("UPDATE", "change", "f1")).closes
    dated = replace(MOVED, text="In 2009 I moved to Lisbon.")
    assert not rule(LISBON, dated, [HOME], Decision("UPDATE", "change", "f1")).closes
    assert not rule(replace(LISBON, valid_to=NOW), MOVED, [HOME], Decision("UPDATE", "change", "f1")).closes
    assert not rule(replace(LISBON, valid_from=NOW + DAY), MOVED, [HOME], Decision("UPDATE", "change", "f1")).closes


def test_what_is_closed_stays_as_it_is() -> None:
    assert not rule(LISBON, MOVED, [replace(HOME, valid_to=NOW)], Decision("UPDATE", "change", "f1")).closes


def test_more_detail_is_no_change() -> None:
    alfama = replace(LISBON, object="Alfama, Lisbon")
    turn = replace(MOVED, text="I live in Alfama, Lisbon.")
    home = replace(HOME, object="Lisbon", text="Ada lives in Lisbon.")
    assert not rule(alfama, turn, [home], Decision("UPDATE", "change", "f1")).closes
    ruling = rule(alfama, turn, [home], Decision("UPDATE", "refine", "f1"))
    assert (ruling.decision.mode, ruling.closes, ruling.close_at) == ("refine", False, None)


def test_another_value_refines_nothing() -> None:
    ruling = rule(LISBON, MOVED, [HOME], Decision("UPDATE", "refine", "f1"))
    assert (ruling.decision.operation, ruling.conflicts) == ("ADD", ("f1",))


def test_only_what_is_taken_back_is_retracted() -> None:
    llama = KnownFact("f3", "Ada", "pet", "a llama", "Ada has a llama.", "state", OLD)
    none = FactDraft("Ada", "pet", "llama", "Ada has no llama.")
    said = replace(MOVED, text="I was joking about the llama.")
    ruling = rule(none, said, [llama], Decision("DELETE", "retracted", "f3", quote="I was joking about the llama"))
    assert (ruling.decision.mode, ruling.closes, ruling.close_at) == ("retracted", True, OLD)
    sold = replace(MOVED, text="I sold the llama.")
    assert not rule(none, sold, [llama], Decision("DELETE", "retracted", "f3", quote="I sold the llama")).closes


def test_an_end_may_bring_something_new() -> None:
    pixel = KnownFact("f4", "Ada", "possession", "Pixel", "Ada has a Pixel phone.", "state", OLD)
    assert brings(FactDraft("Ada", "possession", "Fairphone", "Ada has a Fairphone."), pixel)
    assert not brings(FactDraft("Ada", "possession", "phone", "Ada has no phone."), pixel)


WORDS = (
    "I we my Ada Ben Lisbon Oslo moved live to in from the no longer stopped eating meat not if would was joking and"
    " about sold left quit now he she said yesterday any more chicken wings don't never job works at"
).split() + ["?", ".", ",", '"', "\n"]
texts = st.one_of(st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join), st.text(max_size=60))
times = st.integers(-(2**62), 2**62)
names = st.one_of(st.sampled_from(["Ada", "ada", "Ben", "user", ""]), st.text(max_size=8))
attributes = st.one_of(st.sampled_from(sorted(ATTRIBUTES)), st.text(max_size=8))
kinds = st.sampled_from(["state", "event", "plan"])
facts = st.builds(
    KnownFact,
    alias=st.sampled_from(["f1", "f2", "f3", ""]),
    subject=names,
    attribute=attributes,
    object=texts,
    text=texts,
    kind=kinds,
    valid_from=times,
    valid_to=st.one_of(st.just(OPEN), times),
    untrusted=st.booleans(),
)
drafts = st.builds(
    FactDraft,
    subject=names,
    attribute=attributes,
    object=texts,
    text=texts,
    kind=kinds,
    valid_from=st.one_of(st.none(), times),
    valid_to=st.one_of(st.none(), times),
    quote=texts,
)
turns = st.builds(
    SaidTurn,
    index=st.just(0),
    speaker=names,
    role=st.sampled_from(["user", "assistant", "tool", ""]),
    origin=st.sampled_from(ORIGINS),
    text=texts,
    said_at=times,
)
decisions = st.builds(
    Decision,
    operation=st.sampled_from(["ADD", "UPDATE", "DELETE", "NOOP"]),
    mode=st.sampled_from([None, "refine", "change", "ended", "retracted"]),
    target=st.sampled_from([None, "f1", "f2", "f3", "f9", ""]),
    quote=texts,
)


@given(
    draft=drafts, turn=turns, known=st.lists(facts, max_size=3, unique_by=lambda fact: fact.alias), decision=decisions
)
def test_whatever_comes_the_ruling_is_sound(
    draft: FactDraft, turn: SaidTurn, known: list[KnownFact], decision: Decision
) -> None:
    # Half of the time the quote is the turn's.
    for tried in (decision, replace(decision, quote=turn.text)):
        ruling = rule(draft, turn, known, tried)
        shown = {fact.alias: fact for fact in known}
        assert set(ruling.conflicts) <= set(shown)
        assert ruling.decision.target is None or ruling.decision.target in shown
        assert ruling.closes == (ruling.close_at is not None) == (ruling.gate in ("a", "b"))
        assert ruling.closes == (ruling.decision.mode in CLOSING)
        if ruling.closes:
            assert ruling.decision.target is not None
            target = shown[ruling.decision.target]
            assert same(target.subject, draft.subject)
            assert ruling.close_at is not None
            assert ruling.close_at >= target.valid_from
            assert turn.role != "assistant"
            assert turn.origin in ("user", "tool", "document")
            assert target.untrusted or turn.origin == "user"
