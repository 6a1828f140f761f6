from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memgraph.ranking.query import Query, analyse

NOW_US = 1_715_774_400_000_000  # 2024-05-15


def ask(text: str, *speakers: str) -> Query:
    return analyse(text, speakers=speakers or ("Ada", "Bob"), now_us=NOW_US)


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("Where does Ada live?", "Where does live?"),
        ("What is Ada's dog called?", "What is dog called?"),
        ("What is Bob\u2019s job?", "What is job?"),
        ("where does ada live", "where does live"),
        ("Hey, can you please tell me where I parked?", "where I parked?"),
        ("Do you remember my sister's birthday?", "my sister's birthday?"),
        ("In our previous conversations, which wine was best?", "which wine was best?"),
        ("How many different cars were sold? Thanks!", "cars were sold?"),
        ("What did Ada and Bob plan?", "What did and plan?"),
    ],
)
def test_content(text: str, content: str) -> None:
    assert ask(text).content == content


@pytest.mark.parametrize(
    "text", ["Ada", "Ada?", "Ada and Bob", "Please tell me", "Do you remember?", "Hi", "when", "?!", "\U0001f389"]
)
def test_something_is_left(text: str) -> None:
    assert ask(text).content != ""


def test_a_blank_question_is_empty() -> None:
    assert ask(" \n ").content == ""
    assert ask("").terms == ()


def test_terms_are_of_the_content_if_it_has_any() -> None:
    assert ask("Please tell me where Ada's dogs sleep").terms == ("dog", "sleep")
    assert ask("Who is Ada?").terms == ("ada",)
    assert ask("Who are you?").terms == ()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Where does Ada live?", (0,)),
        ("Bob's car", (1,)),
        ("where does bob live", (1,)),
        ("where did I meet bob", (1,)),
        ("Did Ada call Bob?", ()),
        ("Where do you live?", ()),
        ("Where is Adam?", ()),
        ("an ada compiler for Bobs", ()),
    ],
)
def test_named(text: str, named: tuple[int, ...]) -> None:
    assert ask(text).named == named


def test_part_of_a_name_names() -> None:
    speakers = ("Ada Lovelace", "Bob Byron", "Annabella Byron")
    assert ask("What did Lovelace say?", *speakers).named == (0,)
    assert ask("What did Byron say?", *speakers).named == (1, 2)
    assert ask("What did Ada Lovelace say?", *speakers).content == "What did say?"


def test_roles_are_no_names() -> None:
    query = ask("What did the user tell the assistant?", "user", "assistant")
    assert query.named == ()
    assert query.content == "What did the user tell the assistant?"


def test_the_only_person_beside_an_assistant_is_named() -> None:
    assert ask("What does Ada like?", "Ada", "assistant").named == (0,)
    assert ask("What does Ada like?", "Ada").named == ()


def test_a_word_that_is_a_name_too() -> None:
    assert ask("Will the shop be open?", "Will", "Bob").named == ()
    assert ask("will it rain in may", "Will", "May").named == ()
    assert ask("Where does Will live?", "Will", "Bob").named == (0,)
    assert ask("Will's car", "Will", "Bob").named == (0,)


def test_names_in_any_script() -> None:
    assert ask("\u0433\u0434\u0435 \u0438\u0432\u0430\u043d?", "\u0418\u0432\u0430\u043d", "Bob").named == (0,)


def test_windows() -> None:
    assert len(ask("What did Ada do in May 2023?").windows) == 1
    assert ask("What did Ada do?").windows == ()


@pytest.mark.parametrize(
    "text", ["When did Ada move?", "What year was it?", "How long ago did he leave?", "so when is it"]
)
def test_wants_when(text: str) -> None:
    assert ask(text).wants_when


@pytest.mark.parametrize("text", ["What did she do when it rained?", "Where is it?", "Whenever"])
def test_does_not_want_when(text: str) -> None:
    assert not ask(text).wants_when


@pytest.mark.parametrize(
    "text",
    [
        "What did you recommend for my knee?",
        "Summarize what we said about Rome",
        "Which books had you suggested?",
        "What was your advice on the garden?",
        "You mentioned a hotel, which one?",
        "What did the assistant say about tax?",
    ],
)
def test_wants_assistant(text: str) -> None:
    assert ask(text).wants_assistant


@pytest.mark.parametrize(
    "text", ["What do I like?", "Where did I say I live?", "What advice does Ada give?", "Can you help me?"]
)
def test_does_not_want_assistant(text: str) -> None:
    assert not ask(text).wants_assistant


@pytest.mark.parametrize(
    "text",
    [
        "Can you write a poem?",
        "Recommend a film for tonight",
        "How do I cook rice?",
        "What should I wear?",
        "I'm planning a trip to Rome",
        "Help me with my essay",
        "I need a packing list",
        "Any ideas for dinner?",
    ],
)
def test_wants_action(text: str) -> None:
    assert ask(text).wants_action


@pytest.mark.parametrize(
    "text",
    [
        "When did Ada go?",
        "What did I plan?",
        "Do you remember what I need?",
        "How many plants did I want to buy?",
        "What kind of dish did Ada make?",
        "Who would like it?",
    ],
)
def test_does_not_want_action(text: str) -> None:
    assert not ask(text).wants_action


@given(st.text(st.characters(exclude_categories=()), max_size=200), st.lists(st.text(max_size=20), max_size=4))
def test_never_raises_and_is_deterministic(text: str, speakers: list[str]) -> None:
    query = analyse(text, speakers=speakers, now_us=NOW_US)
    assert query == analyse(text, speakers=speakers, now_us=NOW_US)
    assert bool(query.content) == bool(text.strip())
    assert all(0 <= index < len(speakers) for index in query.named)


@pytest.mark.parametrize(
    "piece", ["hi ", "please ", "Ada's ", "in our previous ", "two weeks before ", "\n", "3 ", "a,"]
)
def test_a_megabyte_is_no_matter(piece: str) -> None:
    assert ask((piece * 1_000_000)[:1_000_000]).text
