"""Patterns that are looked for only where their words stand find what they would find without looking first."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memgraph.writing import moods, retractions
from memgraph.writing.clauses import clauses
from memgraph.writing.enders import ENDERS
from memgraph.writing.patterns import Index, Phrases, lowered, needed

ALL = {
    **{f"ender {at}, {ender.form}": ender.pattern for at, ender in enumerate(ENDERS)},
    **{name: found for module in (moods, retractions) for name, found in vars(module).items()
       if isinstance(found, Phrases)},
}  # fmt: skip
SOURCES = [(one, part.pattern) for one in ALL.values() for part in one.parts]


def said() -> list[str]:
    """Everything that is said in the labelled pairs and in the conversations."""
    texts: list[str] = []
    for name in ("supersession", "supersession-blind"):
        lines = (files("memgraph") / "datasets" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
        texts += [item[side]["text"] for item in map(json.loads, lines) for side in ("old", "new")]
    for name in ("harbour", "kiln", "orchard"):
        sample: Any = json.loads((files("memgraph") / "datasets" / f"{name}.json").read_text(encoding="utf-8"))[0]
        sessions = [part for key, part in sample["conversation"].items() if re.fullmatch(r"session_\d+", key)]
        texts += [turn["text"][:600] for session in sessions for turn in session]
    return [clause.text for text in texts for clause in clauses(text)]


def test_nothing_is_missed_in_what_was_said() -> None:
    for text in said():
        for name, one in ALL.items():
            matched = any(part.pattern.search(text) for part in one.parts)
            assert one.stands_in(text) == matched, (name, text)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_whatever_matches_has_a_word_that_is_needed(data: st.DataObject) -> None:
    phrases, pattern = data.draw(st.sampled_from(SOURCES))
    alphabet = st.characters(codec="ascii", exclude_categories=["Cc"])
    text = data.draw(st.from_regex(pattern, alphabet=alphabet))
    assert pattern.search(text) is None or phrases.stands_in(text)


@pytest.mark.parametrize(
    ("pattern", "words", "parts"),
    [
        (r"\b(?:gave|given) up\b", "gave given up", ""),
        (r"\b(?:no|not any) longer\b(?! than)", "no not any longer", ""),
        (r"\bno(?: more)? cats?\b", "no", "cat"),
        (r"\b(?:do|does)n't\b", "", "do does n't"),
        (r"\bhurt\w*\b", "", "hurt"),
    ],
)
def test_what_a_pattern_needs(pattern: str, words: str, parts: str) -> None:
    assert needed(pattern) == (frozenset(words.split()), tuple(parts.split()))


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


def test_small_letters_are_those_that_a_pattern_which_ignores_case_takes_them_for() -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    changed = {char: small for char in map(chr, range(0x110000)) if (small := lowered(char)) != char}
    assert len(changed) > 1_000
    for char, small in changed.items():
        assert len(small) == 1
        kinds = [[re.fullmatch(kind, one) is None for kind in (r"\w", r"\s", r"\d")] for one in (char, small)]
        assert kinds[0] == kinds[1]
        same = re.fullmatch(f"[{letters}]", char, re.IGNORECASE) is not None
        assert same == (small in letters)
        assert not same or re.fullmatch(small, char, re.IGNORECASE)
