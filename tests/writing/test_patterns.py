"""Patterns that are looked for only where their words stand find what they would find without looking first."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memgraph.writing import moods, retractions
from memgraph.writing.enders import ENDERS
from memgraph.writing.patterns import Index, Phrases, needed

ALL = {
    **{f"ender {at}, {ender.form}": ender.pattern for at, ender in enumerate(ENDERS)},
    **{name: found for module in (moods, retractions) for name, found in vars(module).items()
       if isinstance(found, Phrases)},
}  # fmt: skip
SOURCES = [
    pytest.param(one, part.pattern, id=f"{name} {at}") for name, one in ALL.items() for at, part in enumerate(one.parts)
]


@pytest.mark.parametrize(("phrases", "pattern"), SOURCES)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_whatever_matches_has_a_word_that_is_needed(
    phrases: Phrases, pattern: re.Pattern[str], data: st.DataObject
) -> None:
    alphabet = st.characters(codec="ascii", exclude_categories=["Cc"])
    text = data.draw(st.from_regex(pattern, alphabet=alphabet))
    assert pattern.search(text) is None or phrases.stands_in(text)


@pytest.mark.parametrize(
    ("pattern", "words", "parts"),
    [
        (r"\b(?:gave|given) up\b", {"gave", "given", "up"}, ()),
        (r"\b(?:no|not any) longer\b(?! than)", {"no", "not", "any", "longer"}, ()),
        (r"\bno(?: more)? cats?\b", {"no"}, ("cat",)),
        (r"\b(?:do|does)n't\b", set(), ("do", "does", "n't")),
        (r"\bhurt\w*\b", set(), ("hurt",)),
    ],
)
def test_what_a_pattern_needs(pattern: str, words: set[str], parts: tuple[str, ...]) -> None:
    assert needed(pattern) == (frozenset(words), parts)


def test_the_first_match_of_any_pattern() -> None:
    found = Phrases(r"\bsold\b", r"\bgave away\b")
    match = found.search("I gave away what I had not sold.")
    assert match is not None
    assert match.group() == "gave away"
    assert [one.group() for one in found.finditer("Sold, gave away.")] == ["Sold", "gave away"]
    assert found.search("I kept it.") is None


def test_several_phrases_are_asked_at_once() -> None:
    index = Index([Phrases(r"\bsold\b"), Phrases(r"\bcan't stand\b", r"\bkept\b")])
    assert [at for at, _ in index.standing("I kept what I sold.")] == [0, 1]
    assert index.standing("Nothing.") == []
