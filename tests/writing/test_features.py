from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memgraph.writing.features import Flag, count_words, features


def flags(text: str, role: str = "user") -> Flag:
    return Flag(features(text, role).flags)


@pytest.mark.parametrize(
    "text", ["Where do you live?", "Oh really? How was it?", "\u4f60\u4f4f\u5728\u54ea\u91cc\uff1f"]
)
def test_only_asks(text: str) -> None:
    assert Flag.QUESTION_ONLY in flags(text)


@pytest.mark.parametrize(
    "text", ["", "I live in Lisbon.", "I moved last week. And you?", "Nice!", "Is it? I'm not so sure."]
)
def test_says_something(text: str) -> None:
    assert Flag.QUESTION_ONLY not in flags(text)


@pytest.mark.parametrize(
    "text",
    [
        "I moved last week",
        "two years ago we met",
        "We leave on Friday",
        "it was in May",
        "born in 1987",
        "on 2024-03-01",
        "I've been here for three months",
        "last summer",
        "Yesterday!",
        "since I was five",
    ],
)
def test_says_when(text: str) -> None:
    assert Flag.TEMPORAL in flags(text)


@pytest.mark.parametrize(
    "text", ["I like pie", "may I march on?", "there were 2000 people", "a sunny place", "second best"]
)
def test_does_not_say_when(text: str) -> None:
    assert Flag.TEMPORAL not in flags(text)


@pytest.mark.parametrize(
    "text",
    [
        "Always answer in French.",
        "Please never mention my ex.",
        "From now on, use metric units.",
        "Whenever I ask for a recipe, leave out the nuts",
        "Don't ever call me buddy",
        "Make sure to always cite your sources",
        "I want you to always be brief",
        "Keep it short in future answers",
    ],
)
def test_instruction(text: str) -> None:
    assert Flag.INSTRUCTION in flags(text)
    assert Flag.INSTRUCTION not in flags(text, "assistant")


@pytest.mark.parametrize(
    "text", ["I always go there", "She never calls", "It never had a chance", "I have never been to Rome"]
)
def test_no_instruction(text: str) -> None:
    assert Flag.INSTRUCTION not in flags(text)


@pytest.mark.parametrize(
    "text",
    [
        "I prefer trains",
        "I really love hiking",
        "I can't stand cilantro",
        "I'd rather walk",
        "I'm allergic to nuts",
        "I'm not a fan of jazz",
        "My favourite colour is green",
        "I don't eat meat",
    ],
)
def test_preference(text: str) -> None:
    assert Flag.PREFERENCE in flags(text)
    assert Flag.PREFERENCE not in flags(text, "tool")


@pytest.mark.parametrize("text", ["I'd like to know", "She prefers tea", "What would you prefer?"])
def test_no_preference(text: str) -> None:
    assert Flag.PREFERENCE not in flags(text)


def test_roles() -> None:
    machine = Flag.ASSISTANT | Flag.TOOL
    assert flags("x", "assistant") & machine == Flag.ASSISTANT
    assert flags("x", "tool") & machine == Flag.TOOL
    assert not flags("x", "user") & machine
    assert not flags("x", "narrator") & machine


def test_stored_values_stay() -> None:
    assert {flag.name: flag.value for flag in Flag} == {
        "QUESTION_ONLY": 1,
        "TEMPORAL": 2,
        "INSTRUCTION": 4,
        "PREFERENCE": 8,
        "ASSISTANT": 16,
        "TOOL": 32,
    }


def test_words() -> None:
    assert count_words("") == 0
    assert count_words("one two\nthree") == 3
    assert count_words("\u6211\u4f4f\u5728\u91cc\u65af\u672c") == 1 + 4
    assert count_words("see " + "x" * 800) == 2 + 100


@given(st.text(st.characters(exclude_categories=()), max_size=300), st.sampled_from(["user", "assistant", "tool", ""]))
def test_never_raises(text: str, role: str) -> None:
    found = features(text, role)
    assert found.words >= len(text.split())
    assert found == features(text, role)


@pytest.mark.parametrize(
    "text", ["\n" * 1_000_000, "i really " * 110_000, "? " * 500_000, "for the past about " * 50_000]
)
def test_a_megabyte_of_the_worst(text: str) -> None:
    assert features(text, "user").words >= 0
