"""Plans for batches of drafts: what is added, closed, confirmed and dropped, and what no decision can bring about."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memgraph.drafts import Decision, FactDraft, KnownFact, SaidTurn, Step
from memgraph.records import OPEN, Origin
from memgraph.writing.attributes import single
from memgraph.writing.clauses import key, stem_set
from memgraph.writing.consolidation import SHOWN, plan, questions, shown
from memgraph.writing.gate import rule

DAY = 86_400_000_000
OLD = 19_000 * DAY
NOW = OLD + 300 * DAY
HOME = KnownFact("f1", "Ada", "residence", "Oslo", "Ada lives in Oslo.", "state", OLD)
WINGS = KnownFact("f2", "Ada", "likes", "chicken wings", "Ada likes chicken wings.", "state", OLD)
STEAK = KnownFact("f3", "Ada", "likes", "steak", "Ada likes steak.", "state", OLD)
FIRM = KnownFact("f4", "Ada", "employer", "Acme", "Ada works at Acme.", "state", OLD)


def said(text: str, index: int = 0, *, origin: Origin = "user", at: int = NOW) -> SaidTurn:
    return SaidTurn(index, "Ada", "tool" if origin == "tool" else "user", origin, text, at)


def draft(attribute: str, value: str, turn: SaidTurn, **more: int | None) -> FactDraft:
    made = FactDraft("Ada", attribute, value, f"Ada: {value}.", evidence=(turn.index,), quote=turn.text)
    return replace(made, valid_from=more.get("first"), valid_to=more.get("last"))


def alone(attribute: str, value: str, text: str, *known: KnownFact, answer: Decision | None = None) -> list[Step]:
    turn = said(text)
    return plan([draft(attribute, value, turn)], [turn], known, {0: answer} if answer else None)


def brief(steps: list[Step]) -> list[tuple[str, str | None, str | None, bool]]:
    return [(step.operation, step.mode, step.target, step.adds) for step in steps]


def apply(known: dict[str, KnownFact], drafts: list[FactDraft], turns: list[SaidTurn], steps: list[Step],
          links: set[frozenset[str]], names: str = "n") -> None:  # fmt: skip
    """What a store does with a plan, written a second time; `names` names what is added."""
    when = {turn.index: turn for turn in turns}
    for step in steps:
        alias = f"{names}{step.draft}"
        target = step.target if step.target in known or step.target is None else f"{names}{step.target[1:]}"
        if target is not None:
            old = known[target]
            if step.close_at is not None:
                assert old.valid_from <= step.close_at <= old.valid_to or step.mode == "retracted"
                known[target] = replace(old, valid_to=step.close_at)
            if step.mode == "refine":
                known[target] = replace(old, object=drafts[step.draft].object, text=drafts[step.draft].text)
            if step.mode == "retracted":
                del known[target]
        if step.adds:
            new, turn = drafts[step.draft], when[drafts[step.draft].evidence[0]]
            begins = turn.said_at if new.valid_from is None else new.valid_from
            ends = OPEN if step.valid_to is None else step.valid_to
            assert begins <= ends
            known[alias] = KnownFact(alias, new.subject, new.attribute, new.object, new.text, new.kind, begins, ends,
                                     turn.origin in ("tool", "document"))  # fmt: skip
            renamed = [one if one in known else f"{names}{one[1:]}" for one in step.conflicts]
            assert all(one in known and one != alias for one in renamed)
            links |= {frozenset((alias, one)) for one in renamed}


def clashes(known: dict[str, KnownFact], links: set[frozenset[str]]) -> list[tuple[KnownFact, KnownFact]]:
    """Two values of a single attribute at one time of which no link tells."""
    states = [fact for fact in known.values() if fact.kind == "state" and single(fact.attribute) and key(fact.subject)]
    return [
        (one, other)
        for one, other in combinations(states, 2)
        if (key(one.subject), one.attribute) == (key(other.subject), other.attribute)
        and max(one.valid_from, other.valid_from) < min(one.valid_to, other.valid_to)
        and frozenset((one.alias, other.alias)) not in links
        # What a document said and the user too is one value.
        and not (one.untrusted != other.untrusted and (alike(one, other) or alike(other, one)))
    ]


def alike(one: KnownFact, other: KnownFact) -> bool:
    return stem_set(one.object) <= stem_set(other.object)


def test_what_concerns_nothing_is_added() -> None:
    assert brief(alone("residence", "Lisbon", "I live in Lisbon.")) == [("ADD", None, None, True)]


def test_the_same_again_is_one_more_evidence() -> None:
    assert brief(alone("residence", "Oslo", "I live in Oslo.", HOME)) == [("NOOP", None, "f1", False)]


def test_a_move_closes_and_adds() -> None:
    (step,) = alone("residence", "Lisbon", "I moved to Lisbon.", HOME, WINGS)
    assert brief([step]) == [("UPDATE", "change", "f1", True)]
    assert (step.close_at, step.gate, step.conflicts) == (NOW, "a", ())


def test_an_end_ends_every_dish() -> None:
    steps = alone("diet", "no meat", "I stopped eating meat.", HOME, WINGS, STEAK)
    assert brief(steps) == [
        ("DELETE", "ended", "f2", False),
        ("DELETE", "ended", "f3", False),
        ("ADD", None, None, True),
    ]
    assert all(step.quote == "I stopped eating meat." for step in steps[:2])


@pytest.mark.parametrize(
    ("attribute", "value", "text"),
    [
        ("employer", "Acme", "I no longer work at Acme."),
        ("employer", "Acme", "I left Acme in May."),
        ("employer", "Acme", "I quit my job at Acme."),
        ("diet", "meat", "I stopped eating meat in June."),
        ("habit", "smoking", "I quit smoking two years ago."),
        ("possession", "caravan", "I've sold the caravan."),
        ("pet", "dog", "I was joking about the dog."),
        ("residence", "Oslo", "I don't live in Oslo any more."),
        ("residence", "Rome", "If I moved to Rome I'd weigh twice as much."),
    ],
)
def test_what_is_over_or_not_said_is_not_added(attribute: str, value: str, text: str) -> None:
    assert brief(alone(attribute, value, text)) == [("NOOP", None, None, False)]
    added = Decision("ADD")
    fact = KnownFact("f9", "Ada", attribute, "another", "Ada has another.", "state", OLD)
    assert text.startswith("If") or not any(step.adds for step in alone(attribute, value, text, fact, answer=added))


@pytest.mark.parametrize(
    ("attribute", "value", "text"),
    [
        ("diet", "don't eat pork", "I don't eat pork."),
        ("diet", "no meat", "I don't eat meat any more."),
        ("habit", "stopped smoking", "I stopped smoking in May."),
        ("dislikes", "cilantro", "I can't stand cilantro."),
        ("marital_status", "divorced", "I've been divorced for two years."),
        ("employer", "Nordlys", "I quit my job at Acme and joined Nordlys."),
    ],
)
def test_what_is_said_by_a_negation_is_added(attribute: str, value: str, text: str) -> None:
    assert brief(alone(attribute, value, text)) == [("ADD", None, None, True)]


def test_an_end_without_news_adds_nothing() -> None:
    assert brief(alone("employer", "Acme", "I no longer work at Acme.", FIRM)) == [("DELETE", "ended", "f4", False)]


def test_late_news_ends_where_the_newer_begins() -> None:
    turn = said("In 2019 I moved to Rome.")
    (step,) = plan([draft("residence", "Rome", turn, first=OLD - 900 * DAY)], [turn], [HOME])
    assert (brief([step]), step.valid_to, step.conflicts) == ([("ADD", None, None, True)], OLD, ())


@pytest.mark.parametrize("text", ["I moved to Lisbon last week.", "I moved from Oslo to Lisbon last week."])
@pytest.mark.parametrize("later", [0, 1_000_000, DAY])
def test_a_move_told_after_the_old_home_was_said_stays_open(text: str, later: int) -> None:
    at = NOW + DAY // 3
    turns = [said("I live in Oslo.", at=at), said(text, 1, at=at + later)]
    moved = draft("residence", "Lisbon", turns[1], first=NOW - 7 * DAY)
    drafts = [draft("residence", "Oslo", turns[0]), moved]
    for steps in (plan(drafts, turns, []), plan(drafts[1:], turns, [replace(HOME, valid_from=at)])):
        assert (steps[-1].operation, steps[-1].mode, steps[-1].adds) == ("UPDATE", "change", True)
        assert (steps[-1].close_at, steps[-1].valid_to, steps[-1].conflicts) == (at, None, ())


def test_a_move_closes_nothing_that_is_dated_later_or_said_later() -> None:
    turn = said("I moved to Lisbon last week.", at=NOW + DAY // 3)
    moved = draft("residence", "Lisbon", turn, first=NOW - 7 * DAY)
    for known in (replace(HOME, valid_from=NOW - DAY), replace(HOME, valid_from=turn.said_at + DAY)):
        (step,) = plan([moved], [turn], [known])
        assert (brief([step]), step.valid_to) == ([("ADD", None, None, True)], known.valid_from)


def test_a_value_that_is_known_already_is_not_added_by_a_change() -> None:
    shop = KnownFact("f5", "Ada", "employer", "the Marlow shop", "Ada has a job in the Marlow shop.", "state", OLD)
    steps = alone("employer", "the Marlow shop", "I work in the Marlow shop now.", FIRM, shop)
    assert brief(steps) == [("DELETE", "ended", "f4", False), ("NOOP", None, "f5", False)]


def test_a_change_ends_all_that_contradicted_each_other() -> None:
    bergen = replace(HOME, alias="f6", object="Bergen", text="Ada lives in Bergen.")
    steps = alone("residence", "Lisbon", "I moved to Lisbon.", HOME, bergen)
    assert brief(steps) == [("DELETE", "ended", "f6", False), ("UPDATE", "change", "f1", True)]


def test_a_draft_without_a_turn_is_dropped() -> None:
    turn = said("I live in Lisbon.")
    drafts = [replace(draft("residence", "Lisbon", turn), evidence=evidence) for evidence in ((), (7,))]
    steps = plan(drafts, [turn], [])
    assert brief(steps) == [("NOOP", None, None, False)] * 2
    assert all(step.gate == "refused: no evidence" for step in steps)


def test_the_same_statement_twice_in_a_batch() -> None:
    turns = [said("I live in Lisbon."), said("As I said, I live in Lisbon.", 1)]
    steps = plan([draft("residence", "Lisbon", turn) for turn in turns], turns, [])
    assert brief(steps) == [("ADD", None, None, True), ("NOOP", None, "n0", False)]


def test_who_says_what_a_document_said_has_said_it() -> None:
    theirs = replace(HOME, untrusted=True)
    for text in ("I live in Oslo.", "Yes, I live in Oslo."):
        (step,) = alone("residence", "Oslo", text, theirs)
        assert (brief([step]), step.close_at) == ([("ADD", None, None, True)], None)
    for value in ("Oslo, Norway", "Oslo"):
        (step,) = alone("residence", value, f"I live in {value}.", replace(theirs, object="Oslo, Norway"))
        assert brief([step]) == [("ADD", None, None, True)]
    # It has been said now: once more is evidence for what was said, not a third fact.
    mine = replace(HOME, alias="f9")
    assert brief(alone("residence", "Oslo", "I live in Oslo.", theirs, mine)) == [("NOOP", None, "f9", False)]
    again = said("The register says Oslo.", origin="document")
    assert brief(plan([draft("residence", "Oslo", again)], [again], [theirs])) == [("NOOP", None, "f1", False)]
    (step,) = alone("residence", "Oslo", "I live in Oslo.", theirs, answer=Decision("NOOP", target="f1"))
    assert brief([step]) == [("ADD", None, None, True)]


def test_rules_decide_between_drafts_of_one_batch() -> None:
    turns = [said("I moved to Lisbon."), said("And now I've moved to Porto.", 1, at=NOW + DAY)]
    drafts = [draft("residence", "Lisbon", turns[0]), draft("residence", "Porto", turns[1])]
    change = Decision("UPDATE", "change", "f1")
    steps = plan(drafts, turns, [HOME], {0: change, 1: change})
    assert brief(steps) == [("UPDATE", "change", "f1", True), ("UPDATE", "change", "n0", True)]


def test_a_model_chooses_inside_the_gate() -> None:
    kept = alone("residence", "Lisbon", "I moved to Lisbon.", HOME, answer=Decision("ADD"))
    assert (brief(kept), kept[0].conflicts) == ([("ADD", None, None, True)], ("f1",))
    for target in ("f2", "f9", None):
        (step,) = alone("residence", "Lisbon", "I moved to Lisbon.", HOME, WINGS,
                        answer=Decision("DELETE", "ended", target))  # fmt: skip
        assert (step.operation, step.close_at, step.gate.split(":")[0]) == ("ADD", None, "refused")


def test_a_turn_is_no_evidence_for_another_statement() -> None:
    (step,) = alone("likes", "tofu", "I like tofu.", WINGS, answer=Decision("NOOP", target="f2"))
    assert brief([step]) in ([("NOOP", None, None, False)], [("ADD", None, None, True)])


@pytest.mark.parametrize("origin", ["tool", "document"])
@pytest.mark.parametrize("mode", ["refine", "change", "ended", "retracted"])
def test_untrusted_words_touch_nothing_of_the_users(origin: Origin, mode: str) -> None:
    for value in ("Lisbon", "Oslo", "Oslo, behind the harbour"):
        turn = said(f"I no longer live in Oslo, I moved to {value}. It was never true.", origin=origin)
        decision = Decision("DELETE" if mode in ("ended", "retracted") else "UPDATE", mode, "f1", quote=turn.text)  # type: ignore[arg-type]
        for answers in (None, {0: decision}):
            steps = plan([draft("residence", value, turn)], [turn], [HOME], answers)
            assert all(step.target is None for step in steps)


def test_older_turns_close_nothing_newer() -> None:
    turn = said("I no longer live in Oslo.", at=OLD - DAY)
    assert not any(step.close_at is not None for step in plan([draft("residence", "Oslo", turn)], [turn], [HOME]))


def test_a_dated_plan_is_known_again_and_can_be_called_off() -> None:
    race = KnownFact(
        "f7", "Ada", "plan", "trip to Crete", "Ada plans a trip to Crete.", "plan", NOW + DAY, NOW + 9 * DAY
    )
    again, off = said("I'm going on a trip to Crete."), said("We've cancelled the trip to Crete.", 1)
    drafts = [replace(draft("plan", "trip to Crete", turn), kind="plan") for turn in (again, off)]
    steps = plan(drafts, [again, off], [race])
    assert brief(steps) == [("NOOP", None, "f7", False), ("DELETE", "ended", "f7", False)]
    assert steps[1].close_at == race.valid_from


def test_a_model_is_asked_only_about_what_concerns_something() -> None:
    turns = [said("I moved to Lisbon."), said("I live in Oslo.", 1), said("I own a boat.", 2)]
    drafts = [
        draft("residence", "Lisbon", turns[0]),
        draft("residence", "Oslo", turns[1]),
        draft("possession", "boat", turns[2]),
        replace(draft("residence", "Rome", turns[0]), evidence=(9,)),
    ]
    assert questions(drafts, turns, [HOME]) == [0]


def test_what_is_shown_is_short_and_begins_with_the_likest() -> None:
    more = [replace(WINGS, alias=f"m{at}", object=f"chicken {at}", text="Ada likes chicken.") for at in range(20)]
    found = shown(draft("diet", "no chicken", said("No chicken.")), [HOME, *more, replace(FIRM, attribute="diet")])
    assert len(found) == SHOWN
    assert found[0].alias == "f4"
    assert {fact.alias for fact in found[1:]} < {fact.alias for fact in more}


TEXTS = (
    "I moved to Lisbon last week.",
    "I live in Oslo now.",
    "I no longer live in Lisbon.",
    "In 2019 I lived in Rome.",
    "I was joking about Rome, I never lived there.",
    "I moved to Porto and I work at Acme.",
    "I left Acme. I joined Nordlys.",
    "I work at Acme in Oslo, Norway.",
    "I stopped eating meat.",
    "I'm vegan now.",
    "My sister moved to Rome.",
)
VALUES = ("Lisbon", "Oslo", "Oslo, Norway", "Rome", "Porto", "Acme", "Nordlys", "vegan", "no meat", "meat", "", "a")
times = st.integers(0, 12).map(lambda at: OLD + at * 30 * DAY) | st.integers(0, 24).map(lambda at: OLD + at * 5 * DAY)
moments = st.tuples(times, st.sampled_from([0, 1, DAY // 3])).map(sum)
turn_lists = st.lists(
    st.builds(
        SaidTurn,
        st.just(0),
        st.sampled_from(["Ada", "Ada", "Ben"]),
        st.just("user"),
        st.sampled_from(["user", "user", "document", "assistant"]),
        st.sampled_from(TEXTS),
        moments,
    ),
    min_size=1,
    max_size=4,
).map(lambda turns: [replace(turn, index=at) for at, turn in enumerate(turns)])
draft_lists = st.lists(
    st.builds(
        FactDraft,
        subject=st.sampled_from(["Ada", "Ada", "Ada", "ada", "Ben", ""]),
        attribute=st.sampled_from([*["residence"] * 6, "employer", "diet", "likes", "plan", "nonsense"]),
        object=st.sampled_from(VALUES),
        text=st.sampled_from([*VALUES, *TEXTS]),
        kind=st.sampled_from([*["state"] * 6, "event", "plan"]),
        valid_from=st.none() | times,
        valid_to=st.none() | times,
        evidence=st.sampled_from([*[(0,)] * 6, (), (1,), (2,), (3,), (9,)]),
        quote=st.sampled_from(["", *TEXTS]),
    ),
    min_size=1,
    max_size=5,
)
decision_maps = st.none() | st.dictionaries(
    st.integers(0, 5),
    st.builds(
        Decision,
        operation=st.sampled_from(["ADD", "UPDATE", "DELETE", "NOOP"]),
        mode=st.sampled_from([None, "refine", "change", "ended", "retracted"]),
        target=st.sampled_from([None, "f0", "f0n0", "f0n1", "f1n0", "n0", "n1", "x"]),
        quote=st.sampled_from(["", *TEXTS]),
    ),
)
batches = st.lists(st.tuples(turn_lists, draft_lists, decision_maps), min_size=1, max_size=4)


@settings(max_examples=400, deadline=None)
@given(batches)
def test_no_single_attribute_has_two_values_unnoticed(
    given_batches: list[tuple[list[SaidTurn], list[FactDraft], dict[int, Decision] | None]],
) -> None:
    known: dict[str, KnownFact] = {}
    links: set[frozenset[str]] = set()
    for number, (turns, drafts, decisions) in enumerate(given_batches):
        before = dict(known)
        steps = plan(drafts, turns, list(known.values()), decisions)
        assert steps == plan(drafts, turns, list(known.values()), decisions)
        assert {step.draft for step in steps} == set(range(len(drafts)))
        when = {turn.index: turn for turn in turns}
        for step in steps:
            old = before.get(step.target or "")
            if step.close_at is not None:
                turn = when[drafts[step.draft].evidence[0]]
                assert step.gate in ("a", "b")
                assert turn.origin != "assistant"
                if old is not None:
                    assert key(old.subject) == key(drafts[step.draft].subject)
                    assert old.untrusted or turn.origin == "user"
        apply(known, drafts, turns, steps, links, f"f{number}n")
        assert clashes(known, links) == []


@settings(max_examples=200, deadline=None)
@given(turn_lists, draft_lists, decision_maps)
def test_nothing_is_closed_that_the_gate_would_not_close(
    turns: list[SaidTurn], drafts: list[FactDraft], decisions: dict[int, Decision] | None
) -> None:
    first = drafts[:1]
    for step in plan(first, turns, [HOME, WINGS, STEAK, FIRM], decisions):
        if step.close_at is not None and step.mode is not None:
            turn = next(turn for turn in turns if turn.index == first[0].evidence[0])
            tried = [
                rule(first[0], turn, [HOME, WINGS, STEAK, FIRM], Decision(operation, mode, step.target, quote=quote))
                for operation in ("UPDATE", "DELETE")
                for mode in ("change", "ended", "retracted")
                for quote in (step.quote, turn.text, "")
            ]
            assert any(ruling.closes and ruling.close_at == step.close_at for ruling in tried)
