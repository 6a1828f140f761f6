"""BM25 over arrays equals BM25 written plainly, however the turns came in."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memgraph.projections.postings import K1, ArrayPostings, B, pack_terms, term_hash

SECRET = b"pepper"
WORDS = [f"w{n}" for n in range(12)]
DOCUMENT = st.lists(st.sampled_from(WORDS), max_size=8)
DOCUMENTS = st.lists(st.tuples(DOCUMENT, st.none() | DOCUMENT), max_size=40)
QUERY = st.lists(st.sampled_from([*WORDS, "absent"]), max_size=5, unique=True)

Pair = tuple[list[str], list[str] | None]


def naive(documents: list[Pair], query: list[str]) -> list[float]:
    """Return the score of every document, its context's words counted as its own."""
    bags = [Counter(own) + Counter(before or []) for own, before in documents]
    lengths = [sum(bag.values()) for bag in bags]
    average = sum(lengths) / len(lengths) if lengths else 0
    scores: list[float] = []
    for bag, length in zip(bags, lengths, strict=True):
        score = 0.0
        for term in query:
            df = sum(term in other for other in bags)
            if tf := bag[term]:
                idf = math.log(1 + (len(bags) - df + 0.5) / (df + 0.5))
                score += idf * tf * (K1 + 1) / (tf + K1 * (1 - B + B * length / average))
        scores.append(score)
    return scores


def packed(pair: Pair) -> list[bytes]:
    own, before = pair
    return [pack_terms(SECRET, own)] if before is None else [pack_terms(SECRET, own), pack_terms(SECRET, before)]


def hashes(query: list[str]) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    return np.array(sorted(term_hash(SECRET, term) for term in query), np.uint64)


@given(DOCUMENTS, st.lists(st.integers(1, 9), max_size=40), QUERY)
def test_scores_equal_the_plain_formula(documents: list[Pair], sizes: list[int], query: list[str]) -> None:
    postings = ArrayPostings()
    left = list(documents)
    for size in sizes:
        postings.append([packed(pair) for pair in left[:size]])
        left = left[size:]
    postings.append([packed(pair) for pair in left])
    assert postings.scores(hashes(query)) == pytest.approx(naive(documents, query), rel=1e-4, abs=1e-6)


@given(DOCUMENTS, QUERY)
def test_appending_one_by_one_equals_loading_at_once(documents: list[Pair], query: list[str]) -> None:
    one, other = ArrayPostings(), ArrayPostings()
    one.append([packed(pair) for pair in documents])
    for pair in documents:
        other.append([packed(pair)])
    assert other.scores(hashes(query)).tolist() == pytest.approx(one.scores(hashes(query)).tolist(), rel=1e-6)


def test_segments_merge_so_that_a_search_asks_few() -> None:
    postings = ArrayPostings()
    most = 0
    for n in range(500):
        postings.append([packed(([f"w{n % 7}", f"x{n}"], None))])
        most = max(most, len(postings._segments))  # pyright: ignore[reportPrivateUsage]  # the count is the point
    assert most <= 2 + math.log2(500)
    assert postings.nbytes > 0


def test_a_term_that_occurs_nowhere_scores_nothing() -> None:
    postings = ArrayPostings()
    assert postings.scores(hashes(["w1"])).tolist() == []
    postings.append([packed(([], None))])
    assert postings.scores(hashes(["w1"])).tolist() == [0.0]
    postings.append([packed((["w1"], None))])
    assert postings.scores(hashes([])).tolist() == [0.0, 0.0]
    assert postings.scores(hashes(["absent"])).tolist() == [0.0, 0.0]


def test_a_packed_text_spells_no_word_and_depends_on_the_secret() -> None:
    blob = pack_terms(SECRET, ["lisbon", "lisbon", "figs"])
    assert len(blob) == 20
    assert b"lisbon" not in blob
    assert blob != pack_terms(b"other", ["lisbon", "lisbon", "figs"])
    assert pack_terms(SECRET, ["a"] * 70_000)[8:] == b"\xff\xff"  # the largest count there is room for


def test_a_turn_without_any_term_is_in_no_segments_way() -> None:
    postings = ArrayPostings()
    postings.append([packed((["oslo"], None))] * 3)
    postings.append([packed(([], None))])
    postings.append([packed(([], []))])
    scores = postings.scores(hashes(["oslo"]))
    assert scores[:3].min() > 0
    assert scores[3:].tolist() == [0.0, 0.0]


@given(DOCUMENTS, st.lists(st.integers(1, 9), max_size=8), st.data(), QUERY)
def test_what_stays_scores_as_if_the_others_had_never_been(
    documents: list[Pair], sizes: list[int], data: st.DataObject, query: list[str]
) -> None:
    postings, left = ArrayPostings(), list(documents)
    for size in sizes:
        postings.append([packed(pair) for pair in left[:size]])
        left = left[size:]
    postings.append([packed(pair) for pair in left])
    kept = data.draw(st.lists(st.booleans(), min_size=len(documents), max_size=len(documents)))
    postings.keep(np.array(kept, np.bool_))
    stay = [pair for pair, stays in zip(documents, kept, strict=True) if stays]
    assert postings.scores(hashes(query)) == pytest.approx(naive(stay, query), rel=1e-4, abs=1e-6)
    postings.append([packed((["w1", "w2"], None))])
    stay.append((["w1", "w2"], None))
    assert postings.scores(hashes(query)) == pytest.approx(naive(stay, query), rel=1e-4, abs=1e-6)


@given(DOCUMENTS, DOCUMENT)
def test_the_score_of_a_text_is_that_of_the_same_text_among_them(documents: list[Pair], text: list[str]) -> None:
    postings = ArrayPostings()
    postings.append([packed(pair) for pair in [*documents, (text, None)]])
    among = postings.scores(hashes([*dict.fromkeys(text)]))[-1]
    assert postings.score_of(packed((text, None))[0]) == pytest.approx(among, rel=1e-4, abs=1e-6)
