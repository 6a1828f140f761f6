from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memgraph.sittings import context_gate
from memgraph.writing.features import count_words
from memgraph.writing.parts import (
    PASSAGE_LIMIT,
    PASSAGE_OVERLAP,
    PASSAGE_WORDS,
    pair_text,
    passage_spans,
    passages,
)


@pytest.mark.parametrize(
    ("before", "words", "expected"), [(1, 1, True), (60, 100, True), (61, 5, False), (5, 101, False), (0, 0, True)]
)
def test_only_short_talk_is_context(before: int, words: int, expected: bool) -> None:
    assert context_gate(before, words) is expected


def test_pair() -> None:
    assert pair_text(None, "twice") == "twice"
    assert pair_text("How often?", "twice") == "How often?\ntwice"


def test_a_short_text_is_its_own_passage() -> None:
    for text in ("", "  ", "hello there", " padded ", "word " * PASSAGE_WORDS):
        assert passages(text) == [text]


def test_a_long_text_is_cut_at_sentences_with_overlap() -> None:
    sentences = [f"This is sentence number {i} of a long story about the sea." for i in range(60)]
    found = passages(" ".join(sentences))
    assert len(found) > 3
    for passage, after in zip(found, found[1:], strict=False):
        assert passage.endswith(".")
        assert 0 < len(set(passage.split(". ")[-4:]) & set(after.split(". ")[:4]))
    assert all(any(sentence in passage for passage in found) for sentence in sentences)


def test_scripts_without_spaces_and_long_runs_are_cut_too() -> None:
    for text in ("\u6211\u4f4f\u5728\u91cc\u65af\u672c\u3002" * 200, "x" * 5_000):
        found = passages(text)
        assert len(found) > 1
        assert all(count_words(passage) <= PASSAGE_WORDS + 2 for passage in found)


def test_the_number_is_capped() -> None:
    assert len(passages("word " * 200_000)) == PASSAGE_LIMIT
    assert len(passages("\u6211" * 1_000_000)) == PASSAGE_LIMIT


WORDS = st.lists(
    st.sampled_from(["yes.", "sea", "a" * 40, "b" * 700, "\u6211\u4f4f" * 30, "\n\n", "ok!"]), max_size=500
)


@given(WORDS.map(" ".join))
def test_passages_cover_the_text_in_order(text: str) -> None:
    found = passage_spans(text)
    assert 1 <= len(found) <= PASSAGE_LIMIT
    covered = 0
    for start, end in found:
        assert not text[covered:start].strip()
        assert end > covered or not text
        covered = end
    assert len(found) == PASSAGE_LIMIT or not text[covered:].strip()


@given(WORDS.map(" ".join))
def test_a_text_in_passages_is_never_context_and_has_none(text: str) -> None:
    if len(passages(text)) > 1:
        assert not context_gate(count_words(text), 1)
        assert not context_gate(1, count_words(text))


@given(WORDS.map(" ".join))
def test_a_passage_fits_an_encoder(text: str) -> None:
    found = passages(text)
    if len(found) > 1:
        assert all(count_words(passage) <= PASSAGE_WORDS * 1.2 + PASSAGE_OVERLAP for passage in found)
