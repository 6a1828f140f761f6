from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memgraph.drafts import FactDraft, SaidTurn
from memgraph.records import Origin
from memgraph.writing.assertions import asserts
from memgraph.writing.clauses import clauses, key, unquoted

NOW = 1_750_000_000_000_000


def mood(
    text: str, value: str = "Ghent", *, subject: str = "Ada", attribute: str = "residence", role: str = "user"
) -> str:
    origin: Origin = "assistant" if role == "assistant" else "user"
    turn = SaidTurn(0, "Ada", role, origin, text, NOW)
    return asserts(FactDraft(subject, attribute, value, f"{subject}: {value}."), turn).mood


@pytest.mark.parametrize(
    "text",
    [
        "I live in Ghent.",
        "We moved to Ghent on Monday and I haven't found the kettle yet.",
        "Unpacked the last box. Living in Ghent now!",
        "Did I tell you that I've moved to Ghent?",
        "I live in Ghent now, can you believe it?",
        "My new address is Kerkstraat 9, Ghent.",
        "I've been living in Ghent for three months.",
        "I moved in with my sister in Ghent.",
        "I've moved to Ghent, so come and see us if you like.",
    ],
)
def test_said_plainly(text: str) -> None:
    assert mood(text) == ""


@pytest.mark.parametrize(
    ("why", "text"),
    [
        ("question", "Should I live in Ghent?"),
        ("question", "Do I live in Ghent"),
        ("hypothesis", "If I lived in Ghent I'd cycle."),
        ("hypothesis", "I might live in Ghent one day."),
        ("hypothesis", "I live in Ghent, in theory."),
        ("hypothesis", "I wish I lived in Ghent."),
        ("plan", "I'm moving to Ghent."),
        ("plan", "We're going to live in Ghent."),
        ("plan", "I move to Ghent in May."),
        ("past", "I used to live in Ghent."),
        ("past", "In 2009 I lived in Ghent."),
        ("past", "When I was a student I was in Ghent."),
        ("temporary", "I'm in Ghent for the weekend."),
        ("temporary", "I'm visiting Ghent."),
        ("temporary", "I live in Ghent until Sunday."),
        ("report", "Tom says I live in Ghent."),
        ("report", "Apparently I live in Ghent."),
        ("quote", 'Tom said: "I live in Ghent".'),
        ("quote", "Tom said: \u2018I live in Ghent\u2019."),
        ("quote", "> I live in Ghent"),
        ("joke", "I live in Ghent now, haha."),
        ("joke", "I dreamt that I live in Ghent."),
        ("joke", "Since the row I live in the doghouse of Ghent, just kidding."),
        ("negated", "I don't live in Ghent."),
        ("negated", "I no longer live in Ghent."),
        ("other person", "My cousin Marek lives in Ghent."),
        ("other person", "Marek lives in Ghent."),
        ("other person", "He lives in Ghent."),
        ("other person", "Marek packed up. Moved to Ghent on Sunday."),
        ("not said", "I live in Bruges."),
        ("not said", ""),
    ],
)
def test_not_said_plainly(why: str, text: str) -> None:
    assert mood(text) == why


def test_an_assistant_asserts_nothing_of_anybody() -> None:
    assert mood("I live in Ghent.", role="assistant") == "assistant"


@pytest.mark.parametrize(
    "text",
    [
        "Ben moved to Ghent.",
        "Ben's gone and moved to Ghent!",
        "My friend Ben has moved to Ghent.",
        "Ben is well. He lives in Ghent now.",
        "Ben says he lives in Ghent now.",
    ],
)
def test_of_somebody_else_by_name(text: str) -> None:
    assert mood(text, subject="Ben") == ""


@pytest.mark.parametrize(
    "text",
    [
        "I moved to Ghent.",
        "Ben's sister moved to Ghent.",
        "Ben Carter moved to Ghent.",
        "Ben called, and Anna moved to Ghent.",
        "Anna and Tom called. They moved to Ghent.",
    ],
)
def test_of_another_than_the_one_named(text: str) -> None:
    assert mood(text, subject="Ben") == "other person"


def test_a_part_of_a_name_is_the_name_only_where_it_stands_alone() -> None:
    assert mood("Anna moved to Ghent.", subject="Anna Keller") == ""
    assert mood("Anna Brandt moved to Ghent.", subject="Anna Keller") == "other person"


def test_quotes_leave_positions_alone() -> None:
    text = "She said \u201cI\u2019m off\u201d and left; I\u2019m still here."
    assert len(unquoted(text)) == len(text)
    assert "off" not in unquoted(text)
    for clause in clauses(text):
        assert text[clause.start : clause.end].replace("\u2019", "'")[-4:] == clause.text[-4:]


def test_names_are_compared_without_dress() -> None:
    assert key("The  Irish Lights") == key("irish lights")
    assert key("Anna") != key("Anna Keller")


@given(text=st.text(max_size=300), value=st.text(max_size=40), subject=st.text(max_size=20))
def test_never_raises(text: str, value: str, subject: str) -> None:
    mood(text, value, subject=subject)
    for clause in clauses(text):
        assert 0 <= clause.start < clause.end <= len(text)
