from __future__ import annotations

import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memgraph.projections.tokenizer import LONGEST, STOP_WORDS, tokenize

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=200)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", []),
        ("the and of", []),
        ("She was running three races", ["run", "three", "race"]),
        ("Ada's dog", ["ada", "dog"]),
        ("Ada\u2019s dog", ["ada", "dog"]),
        ("Don't! O'Brien won't.", ["obrien"]),
        ("not never no", ["not", "never", "no"]),
        ("room 101, 3.5 km, 10,000 steps", ["room", "101", "3.5", "km", "10000", "step"]),
        ("2023-05-12 at 7:30", ["2023", "05", "12", "7", "30"]),
        ("snake_case e-mail a\0b", ["snake", "case", "e", "mail", "b"]),
        ("Z\u00fcrich CAF\u00c9 na\u00efve", ["zurich", "cafe", "naiv"]),
        ("\ufb01ne \uff21\uff22\uff23", ["fine", "abc"]),
        ("party \U0001f389\U0001f389", ["parti", "\U0001f389", "\U0001f389"]),
        ("\u05e9\u05b8\u05c1\u05dc\u05d5\u05b9\u05dd", ["\u05e9\u05dc\u05d5\u05dd"]),
        ("\u0645\u064f\u062d\u064e\u0645\u0651\u064e\u062f", ["\u0645\u062d\u0645\u062f"]),
        ("\u0939\u093f\u0928\u094d\u0926\u0940", ["\u0939\u093f\u0928\u094d\u0926\u0940"]),
        ("\u91cc\u65af\u672c", ["\u91cc", "\u65af", "\u672c", "\u91cc\u65af", "\u65af\u672c"]),
        ("\ud800x y", ["x", "y"]),
    ],
)
def test_terms(text: str, terms: list[str]) -> None:
    assert tokenize(text) == terms


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("running", "I ran out of runs"),
        ("\u91cc", "\u6211\u4f4f\u5728\u91cc\u65af\u672c"),
        ("\u91cc\u65af\u672c", "\u6211\u4f4f\u5728\u91cc\u65af\u672c\u7684\u5927\u623f\u5b50\u91cc"),
        ("zurich", "Z\u00dcRICH"),
        ("stra\u00dfe", "STRASSE"),
        ("\u30ab\u3099", "\u30ac"),
        ("\u0e44\u0e17\u0e22", "\u0e20\u0e32\u0e29\u0e32\u0e44\u0e17\u0e22"),
    ],
)
def test_a_question_finds_a_text(question: str, text: str) -> None:
    assert set(tokenize(question)) <= set(tokenize(text)) or set(tokenize(question)) & set(tokenize(text))


@given(ANY_TEXT)
def test_never_raises_and_is_deterministic(text: str) -> None:
    terms = tokenize(text)
    assert terms == tokenize(text)
    assert all(0 < len(term) <= LONGEST for term in terms)


@given(ANY_TEXT)
def test_case_does_not_matter(text: str) -> None:
    assert tokenize(text.casefold()) == tokenize(text)
    assert tokenize(text.lower()) == tokenize(text)


@given(st.text(st.characters(max_codepoint=127), max_size=200))
def test_a_plain_text_has_the_same_terms_beside_another_script(text: str) -> None:
    assert tokenize(text + " \u00e9") == [*tokenize(text), "e"]


@given(ANY_TEXT, ANY_TEXT)
def test_a_line_break_parts(one: str, other: str) -> None:
    assert tokenize(f"{one}\n{other}") == tokenize(one) + tokenize(other)


@pytest.mark.parametrize(
    "text",
    [
        "The quick brown fox jumps over 13 lazy dogs. " * 22_000,
        "a" * 1_000_000,
        "a" + "\u0301\u0316" * 500_000,
        "\u6211\u4f4f\u5728" * 110_000,
        "\u00e9'" * 500_000,
        "1," * 500_000,
    ],
    ids=["prose", "one word", "marks", "no spaces", "apostrophes", "numbers"],
)
def test_a_megabyte_is_read_to_its_end(text: str) -> None:
    assert tokenize(f"{text} zebra")[-1] == "zebra"


def test_a_long_word_finds_itself() -> None:
    assert tokenize("x" * 1000) == ["x" * LONGEST]


def test_stop_words_are_written_as_they_are_looked_up() -> None:
    assert all(word == word.lower() and "'" not in word for word in STOP_WORDS)


def test_threads_share_no_stemmer() -> None:
    words = [f"{a}{b}ing" for a in "bcdfghklmnprst" for b in ("alk", "est", "ound", "ick", "ill")]
    expected = [tokenize(word) for word in words]
    wrong: list[str] = []
    begun = threading.Barrier(9)

    def work() -> None:
        begun.wait()
        wrong.extend(
            word for _ in range(20) for word, terms in zip(words, expected, strict=True) if tokenize(word) != terms
        )

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    begun.wait()
    before = sys.getswitchinterval()
    # Only now: a thread that begins amid such switches can fail to install coverage's trace function (CPython 3.11).
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert wrong == []
