"""Causes that the blind sets found, on sentences that stand in none of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from memgraph.drafts import Decision, FactDraft, KnownFact, Mode, Operation, Ruling, SaidTurn
from memgraph.writing import names, nearness, remembered
from memgraph.writing.assertions import cued, fits
from memgraph.writing.attributes import ATTRIBUTES, single
from memgraph.writing.clauses import clauses, stem_set
from memgraph.writing.entities import Entity, same
from memgraph.writing.extractor import PatternExtractor
from memgraph.writing.gate import rule
from memgraph.writing.planning import propose

DAY = 86_400_000_000
OLD = 19_000 * DAY
NOW = OLD + 300 * DAY
CLOSING: tuple[tuple[Operation, Mode], ...] = (("UPDATE", "change"), ("DELETE", "ended"), ("DELETE", "retracted"))


def fact(attribute: str, value: str, text: str, subject: str = "Ada") -> KnownFact:
    return KnownFact("f1", subject, attribute, value, text, "plan" if attribute == "plan" else "state", OLD)


def said(text: str) -> SaidTurn:
    return SaidTurn(0, "Ada", "user", "user", text, NOW)


def decided(known: KnownFact, value: str, text: str) -> Ruling:
    draft = FactDraft(known.subject, known.attribute, value, f"{known.subject}: {value}.", known.kind)
    return rule(draft, said(text), [known], propose(draft, said(text), [known]))


LOOK_ALIKES = [
    ("diet", "meat", "I never gave up eating fish, whatever the neighbours tell you."),
    ("residence", "Oslo", "There is this tune, the one that goes I live in Ghent now and the rain is mine."),
    ("residence", "Oslo", "He kept singing I moved to Ghent and I'm happy."),
    ("occupation", "nurse", "Glued the chair, so obviously I'm a carpenter now."),
    ("occupation", "nurse", "I burnt the toast again, that makes me a baker."),
    ("marital_status", "married", "I made the opening of the speech shorter for you."),
    ("marital_status", "married", "Call the caterer, the seating plan is wrong."),
    ("age", "41", "My age group is the noisy one now."),
    ("phone", "0171 55", "My phone number is a mess now, call me whenever."),
    ("birthplace", "Ghent", "I'm from Leeds now, more or less, that is where my friends are."),
    ("employer", "Acme", "They mixed up the badges, I work at Nordlys on paper."),
]


@pytest.mark.parametrize(("attribute", "value", "text"), LOOK_ALIKES)
def test_nothing_is_closed(attribute: str, value: str, text: str) -> None:
    known, turn, words = fact(attribute, value, f"Ada: {value}."), said(text), text.split()
    runs = {" ".join(words[at:end]) for at in range(len(words)) for end in range(at + 1, min(at + 6, len(words)) + 1)}
    for run in sorted({*runs, value, text}):
        draft = FactDraft("Ada", attribute, run, run)
        for operation, mode in CLOSING:
            for quote in ("", text):
                assert not rule(draft, turn, [known], Decision(operation, mode, "f1", quote=quote)).closes, (run, mode)
    assert not decided(known, value, text).closes


@pytest.mark.parametrize(
    ("attribute", "value", "about", "new", "text", "mode"),
    [
        ("residence", "my cousin's in Bath", "Ada stays with a cousin.", "my cousin's", "I'm no longer at my cousin's.",
         "ended"),
        ("employer", "Acme", "Ada works at Acme.", "Acme", "Acme let me go with half the team.", "ended"),
        ("likes", "lamb", "Ada likes lamb.", "lamb", "I gave up lamb when the baby came along.", "ended"),
        ("partner", "Tom", "Ada is with Tom.", "Tom", "Me and Tom broke up.", "ended"),
        ("medication", "insulin", "Ada takes insulin.", "insulin", "No insulin any more.", "ended"),
        ("pet", "two goats", "Ada has two goats.", "the goats", "I gave the goats away.", "ended"),
        ("plan", "flying to Lima", "Ada flies to Lima.", "The Lima trip", "The Lima trip has been cancelled.", "ended"),
        ("phone", "4410", "Ada's number ends in 4410.", "4470", "I mistyped: my number ends in 4470.", "retracted"),
        ("health", "asthma", "Ada has asthma.", "asthma", "They mixed up the files. I never had asthma at all.",
         "retracted"),
        ("residence", "Oslo", "Ada lives in Oslo.", "Hull", "I got posted to Hull last week.", "change"),
    ],
)  # fmt: skip
def test_what_is_plainly_said_closes(attribute: str, value: str, about: str, new: str, text: str, mode: str) -> None:
    ruling = decided(fact(attribute, value, about), new, text)
    assert (ruling.decision.mode, ruling.closes) == (mode, True)


def test_a_correction_is_of_the_value_that_it_names() -> None:
    text = "I got it wrong about Ben, he's from Slovenia."
    ruling = decided(fact("birthplace", "Slovakia", "Ben comes from Slovakia.", "Ben"), "Slovenia", text)
    assert (ruling.decision.mode, ruling.closes) == ("retracted", True)
    job = FactDraft("Ben", "occupation", "Slovenia", "Ben: Slovenia.")
    known = fact("occupation", "baker", "Ben is a baker.", "Ben")
    assert not rule(job, said(text), [known], Decision("DELETE", "retracted", "f1", quote=text)).closes
    assert not decided(known, "Slovenia", text.replace("he's", "she's a cook and he's")).closes


def test_an_end_is_no_detail() -> None:
    assert decided(fact("diet", "eat meat", "Ada eats meat."), "stopped eating meat",
                   "I haven't stopped eating meat.").decision.operation == "NOOP"  # fmt: skip


def test_without_cues_or_the_form_of_a_value_nothing_changes() -> None:
    clause = clauses("I have been single since May.")[0]
    assert all(not cued(name, clause) for name in ATTRIBUTES if not single(name))
    for attribute, value in (
        ("phone", "a mess"),
        ("email", "the old one"),
        ("age", "young"),
        ("marital_status", "my wife"),
    ):
        assert not fits(FactDraft("Ada", attribute, value, ""))
    for attribute, value in (
        ("phone", "+44 17"),
        ("email", "a@b.org"),
        ("age", "forty-one"),
        ("marital_status", "widowed"),
    ):
        assert fits(FactDraft("Ada", attribute, value, ""))


@pytest.mark.parametrize(
    ("one", "other", "context", "also", "kind", "are"),
    [
        (
            "Perth",
            "Perth",
            "She grew up at Perth in Scotland.",
            "He surfs near Perth, Western Australia.",
            "place",
            False,
        ),
        ("Perth", "Perth", "She grew up at Perth in Scotland.", "We went to Perth in March.", "place", True),
        ("Nina", "Nina", "Nina from the gym lifts more than me.", "My aunt Nina is ninety.", "person", False),
        ("Nina", "Nina", "Nina from the gym lifts more than me.", "Nina has a new car.", "person", True),
        ("Jürgen Höß", "Juergen Hoess", "Jürgen Höß is a cook.", "Juergen Hoess rang.", "person", True),
        ("Señor Ruiz", "Sra. Ruiz", "Señor Ruiz is in.", "Sra. Ruiz is out.", "person", False),
        ("Mt. Etna", "Etna", "Mt. Etna smokes.", "Etna smokes again.", "place", True),
    ],
)
def test_names_that_look_alike(one: str, other: str, context: str, also: str, kind: str, are: bool) -> None:
    a, b = Entity(one, kind, (), context), Entity(other, kind, (), also)
    assert (same(a, b) is not None) == (same(b, a) is not None) == are


@pytest.mark.parametrize(
    ("text", "attribute", "value"),
    [
        ("I drive a crane for a living.", "occupation", "drive a crane"),
        ("I take ramipril for my heart.", "medication", "ramipril"),
        ("I've got a bad left knee.", "health", "bad left knee"),
        ("I stopped taking the codeine in May.", "medication", "codeine"),
        ("I don't like olives, is that odd?", "dislikes", "olives"),
        ("Back in 2012 I lived in Ghent for a year.", "residence", "Ghent"),
        ("My boss is a woman of fifty called Uta.", "colleague", "boss Uta"),
        ("I cook with Uta, that's my sister.", "family", "sister Uta"),
        ("We're expecting our second child in May.", "plan", "expecting our second child in May"),
    ],
)
def test_what_rules_extract(text: str, attribute: str, value: str) -> None:
    drafts = PatternExtractor().extract([said(text)])
    assert (attribute, value) in {(draft.attribute, draft.object) for draft in drafts}


@pytest.mark.parametrize(
    "text",
    ["Joke of the week: I've married a pear tree.", "We're expecting rain on Friday.", "I stopped taking the bus.",
     "Should I sell the car, is it worth it?", "I take the train for my commute."],
)  # fmt: skip
def test_what_rules_leave(text: str) -> None:
    drafts = PatternExtractor().extract([said(text)])
    assert not {"plan", "medication", "event", "possession", "marital_status"} & {draft.attribute for draft in drafts}


def test_what_was_worked_out_of_texts_can_be_forgotten() -> None:
    before = stem_set("a very private boat")
    assert stem_set("a very private boat") is before
    remembered.forget()
    assert stem_set("a very private boat") is not before
    name, look = names.parse("Ada Very Private"), nearness._look("Ada Very Private")  # pyright: ignore[reportPrivateUsage]
    remembered.forget()
    assert names.parse("Ada Very Private") is not name
    assert nearness._look("Ada Very Private") is not look  # pyright: ignore[reportPrivateUsage]
    known = fact("residence", "Oslo", "Ada lives in Oslo.")
    assert decided(replace(known, valid_from=OLD), "Ghent", "I moved to Ghent.").closes


def test_a_quoted_line_hides_only_itself() -> None:
    for quoted in ("> so you said", "    indented"):
        drafts = PatternExtractor().extract([SaidTurn(1, "Ada", "user", "user", f"{quoted}\nI live in Oslo.", 10**15)])
        assert [draft.object for draft in drafts] == ["Oslo"]
