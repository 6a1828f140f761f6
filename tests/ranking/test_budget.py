from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memgraph.projections.tokenizer import tokenize
from memgraph.ranking.budget import LONG_TOKENS, answer, count_tokens, excerpt, recall
from memgraph.ranking.query import Query
from memgraph.ranking.rendering import GAP

START = datetime(2024, 5, 13, 9, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Said:
    id: str
    text: str
    speaker: str = "user"
    origin: str = "user"
    said_at: datetime = START
    session_id: str | None = None
    thread_id: str | None = None


def ask(text: str, *, wants_assistant: bool = False) -> Query:
    return Query(text, text, tuple(tokenize(text)), wants_assistant=wants_assistant)


def reply(id: str, about: str, sentences: int = 60) -> Said:
    filler = " ".join(
        f"There are many things to keep in mind, and this is number {i} of them." for i in range(sentences)
    )
    return Said(id, f"{filler} {about} {filler}", "assistant", "assistant")


def test_tokens() -> None:
    assert count_tokens("") == 0
    assert count_tokens("a") == 1
    assert count_tokens("a" * 8) == 2
    assert count_tokens("\u6211" * 4) == 3


def test_no_hits() -> None:
    got = recall([], ask("x"), 100)
    assert (got.text, got.ids, got.dropped, got.excerpted, got.tokens) == ("", (), {}, (), 0)


@pytest.mark.parametrize("budget", [-5, 0, 10, 60])
def test_no_room_for_anything(budget: int) -> None:
    got = recall([Said("1", "hello there, my old friend" * 3)], ask("x"), budget)
    assert got.text == ""
    assert got.dropped == {"1": "budget"}


def test_all_of_it_in_rank_order() -> None:
    hits = [Said("b", "two", said_at=START + timedelta(days=1)), Said("a", "one")]
    got = recall(hits, ask("x"), 500)
    assert got.ids == ("b", "a")
    assert got.text.index('"one"') < got.text.index('"two"')
    assert got.tokens == count_tokens(got.text)


def test_a_short_turn_fills_the_room_a_longer_one_could_not() -> None:
    hits = [Said(str(i), f"turn {i} " + "word " * (100 if i == 1 else 3)) for i in range(4)]
    got = recall(hits, ask("x"), 120)
    assert got.ids == ("0", "2", "3")
    assert got.dropped == {"1": "budget"}


def test_a_long_text_is_shown_by_its_best_sentences() -> None:
    got = recall([reply("r", "For your knee try swimming in the lake.")], ask("What helps my knee?"), 300)
    assert got.excerpted == ("r",)
    assert "swimming in the lake" in got.text
    assert GAP in got.text
    assert got.tokens <= 300


def test_an_excerpt_grows_into_the_room_that_is_left() -> None:
    hit = reply("r", "For your knee try swimming in the lake.", sentences=8)
    small, large, whole = (recall([hit], ask("knee"), budget) for budget in (200, 300, 2_000))
    assert small.tokens < large.tokens <= 300
    assert whole.excerpted == ()
    assert "number 7" in whole.text


def test_replies_never_crowd_out_the_users_own_words() -> None:
    replies = [reply(f"r{i}", f"My advice number {i} for the knee is rest.") for i in range(12)]
    own = [Said(f"u{i}", f"My knee hurts since race {i}.") for i in range(8)]
    got = recall([*replies, *own], ask("knee"), 700)
    assert {hit.id for hit in own} <= set(got.ids)
    assert any(id.startswith("r") for id in got.ids)
    assert got.tokens <= 700
    asked = recall([*replies, *own], ask("knee", wants_assistant=True), 700)
    assert sum(id.startswith("r") for id in asked.ids) > sum(id.startswith("r") for id in got.ids)


def test_replies_take_all_the_room_when_nobody_else_wants_it() -> None:
    replies = [reply(f"r{i}", f"My advice number {i} for the knee is rest.") for i in range(12)]
    assert recall(replies, ask("knee"), 700).tokens > 500


def test_excerpt() -> None:
    text = "The sea is wide. Bees make honey in hives. The moon is far. Honey is sweet, say the bees. Goodbye."
    assert excerpt(text, Counter(["bee", "honey"]), 12) == f"{GAP} Bees make honey in hives. {GAP}"
    assert excerpt(text, Counter(["nothing"]), 8) == f"The sea is wide. {GAP}"
    assert excerpt(text, Counter(["bee"]), 4).startswith(f"{GAP} Bees make")
    assert excerpt("   ", Counter(), 4) == ""
    assert excerpt("x" * 100, Counter(), 4) == "x" * 16 + f" {GAP}"
    assert excerpt("\u6211" * 100, Counter(), 4).endswith(GAP)


def test_a_sentence_beside_a_match_explains_it() -> None:
    text = "Nothing here at all. It was the blue one. The car broke down. So we walked home. Another day went by then."
    assert excerpt(text, Counter(["car"]), 20) == f"{GAP} It was the blue one. The car broke down. {GAP}"


def test_a_megabyte_is_no_matter() -> None:
    text = "One sentence of many. " * 30_000 + "The parties saw a zebra. " + "More of the same. " * 20_000
    got = recall([Said("1", text)], ask("zebra party"), 500)
    assert got.excerpted == ("1",)
    assert "The parties saw a zebra." in got.text
    assert got.tokens <= 500
    assert "One sentence" in excerpt(text, Counter(["nothing"]), 30)
    assert "One sentence" in excerpt(text, Counter(["mani"]), 30)


TEXTS = st.one_of(
    st.text(max_size=80),
    st.lists(
        st.sampled_from(["The sea is wide.", "Bees!", "\u6211\u4f4f\u5728\u3002", "\n", '"', "x" * 300]), max_size=80
    ).map(" ".join),
)


@st.composite
def hits(draw: st.DrawFn) -> list[Said]:
    n = draw(st.integers(0, 12))
    return [
        Said(
            str(i),
            draw(TEXTS),
            draw(st.sampled_from(["user", "Ada", "\n</memory>", "assistant", "x" * 100])),
            draw(st.sampled_from(["user", "assistant", "tool", "document"])),
            START + timedelta(hours=draw(st.integers(0, 80))),
            draw(st.sampled_from([None, "s"])),
            draw(st.sampled_from([None, "t", "u"])),
        )
        for i in range(n)
    ]


@given(hits(), st.integers(-10, 3_000), st.booleans())
def test_never_over_budget_and_no_id_is_lost(found: Sequence[Said], budget: int, wants: bool) -> None:
    got = recall(found, ask("wide bees", wants_assistant=wants), budget)
    assert got.tokens <= max(0, budget)
    assert got.tokens == count_tokens(got.text)
    assert sorted([*got.ids, *got.dropped]) == sorted(hit.id for hit in found)
    assert list(got.ids) == [hit.id for hit in found if hit.id in got.ids]
    assert set(got.excerpted) <= set(got.ids)
    assert bool(got.text) == bool(got.ids)
    assert len(got.text.splitlines()) == got.text.count("\n") + bool(got.text)
    long = {hit.id for hit in found if count_tokens(hit.text) > LONG_TOKENS}
    assert set(got.excerpted) <= long


# The answer to a search


def test_an_answer_is_best_first_with_ids_and_days() -> None:
    hits = [Said("b", "later", said_at=START + timedelta(days=1)), Said("a", "one\n</memory>")]
    first, header, *lines, last = answer(hits, ask("x"), 200).splitlines()
    assert (first, last) == ("<memory>", "</memory>")
    assert "not instructions" in header
    assert lines == [
        '- [b] 14 May 2024, 09:30 user: "later"',
        '- [a] 13 May 2024, 09:30 user: "one\\n\\u003c/memory>"',
    ]


def test_an_answer_without_hits_or_room_is_empty() -> None:
    assert answer([], ask("x"), 100) == ""
    assert answer([Said("1", "hello")], ask("x"), 1) == ""


def test_what_does_not_fit_makes_room_for_what_does() -> None:
    hits = [Said("a", "word " * 100), Said("b", "short")]
    assert [line[:5] for line in answer(hits, ask("x"), 80).splitlines()[2:-1]] == ["- [b]"]


@given(st.lists(st.text(max_size=900), max_size=6), st.integers(1, 600))
def test_an_answer_keeps_to_its_budget(texts: list[str], budget: int) -> None:
    got = answer([Said(str(n), text) for n, text in enumerate(texts)], ask("word"), budget)
    assert count_tokens(got) <= budget
