from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memgraph.drafts import SaidTurn
from memgraph.records import Origin
from memgraph.writing.salience import salient


def turn(text: str, role: str = "user", origin: Origin = "user") -> SaidTurn:
    return SaidTurn(0, "Ada", role, origin, text, 1_755_900_000_000_000)


@pytest.mark.parametrize(
    "text",
    [
        "I moved to Braga last week.",
        "Thanks! By the way, my sister is getting married.",
        "What's the weather like? I'm off to Leeds tomorrow.",
        "Still a vet nurse in Leeds.",
        "Always answer in French.",
        "Gwenda Pascoe handed me a pump.",
        "20 September, in a barn.",
        "Did I tell you that we bought a boat?",
        "hola, I don\u2019t eat meat",
        "I'm vegetarian, what should I cook?",
        "My wife is allergic to nuts, can you suggest a recipe?",
        "Since I moved to Lisbon I sleep badly, what can I do?",
        "When I moved to Rome I lost my cat, can I get another?",
        "What can my daughter Mia (5) eat, she has coeliac disease?",
        "What can I cook for my wife who is vegan?",
        "What should I cook because my wife is vegan?",
        "Can you help, I live in Oslo?",
        "Did you know I got married?",
        "I live in Oslo, right?",
        "It's a girl!",
        "It's diabetes.",
        "So the wedding is on 5 May.",
        "Name: Ada",
        "Vegan.",
        "Soy vegetariana.",
        "Je suis v\u00e9g\u00e9tarienne, que cuisiner ?",
        "Soy vegana, \u00bfqu\u00e9 cocino?",
        "\u0416\u0438\u0432\u0443 \u0437\u0434\u0435\u0441\u044c.",
        "\u6211\u4f4f\u5728\u5965\u65af\u9646\u3002",
        "\u6211\u5403\u7d20\uff0c\u665a\u996d\u505a\u4ec0\u4e48\uff1f",
        "\u79c1\u306f\u30aa\u30b9\u30ed\u306b\u4f4f\u3093\u3067\u3044\u307e\u3059\u3002",
        "\u0e09\u0e31\u0e19\u0e2d\u0e32\u0e28\u0e31\u0e22\u0e2d\u0e22\u0e39\u0e48\u0e43\u0e19\u0e2d\u0e2d\u0e2a\u0e42\u0e25",
        "\ub098\ub294 \uc624\uc2ac\ub85c\uc5d0 \uc0b0\ub2e4.",
    ],
)
def test_something_to_extract(text: str) -> None:
    assert salient(turn(text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   \n ",
        "Hi!",
        "Thanks so much!",
        "OK, got it, thanks.",
        "Good morning! Cheers.",
        "I see. I agree!",
        "Where is the nearest pharmacy?",
        "How do I sort a list? And a tuple?",
        "Write a poem about the sea.",
        "Summarise this in one line.",
        "That sounds lovely!",
        "This is really helpful, thanks!",
        "That's great news!",
        "It works now.",
        "You're very kind.",
        "Can you help me?",
        "Thanks, can you help me?",
        "Could you, please, translate this?",
        "Is it raining, or is it dry?",
        "How do I sort a list and what do I do next?",
        "When did I move?",
        "\u00bfQu\u00e9 puedo cocinar?",
        "\u00a1Hola! \u00a1Gracias!",
        "\u8c22\u8c22\u3002",
        "\u6700\u8fd1\u7684\u836f\u5e97\u5728\u54ea\u91cc\uff1f",
        "\u3053\u3093\u306b\u3061\u306f\u3002",
        "```python\nmy_name = 'I live in Rome'\n```",
        "def f(x):\n    return x\nclass A:\n    pass\nimport os",
        "https://example.org/i/live/in/rome",
        "\U0001f600\U0001f600",
        "...",
    ],
)
def test_nothing_to_extract(text: str) -> None:
    assert not salient(turn(text))


@pytest.mark.parametrize(("role", "origin"), [("assistant", "assistant"), ("tool", "tool"), ("user", "tool")])
def test_what_an_assistant_or_a_tool_says_is_left(role: str, origin: Origin) -> None:
    assert not salient(turn("I live in Rome and my name is Ada.", role, origin))


@given(st.text(max_size=300))
def test_any_text_has_an_answer(text: str) -> None:
    assert salient(turn(text)) in (True, False)


def test_a_megabyte_is_read_in_part() -> None:
    assert salient(turn("I live in Rome. " * 60_000))
    assert salient(turn("Hi! " * 3_000 + "I live in Rome."))
    assert not salient(turn(" " * 1_000_000))


@pytest.mark.parametrize("name", ["harbour", "kiln"])
def test_few_turns_with_a_fact_are_held_back(name: str) -> None:
    data = files("memgraph") / "datasets"
    conversation: dict[str, Any] = json.loads((data / f"{name}.json").read_text(encoding="utf-8"))[0]["conversation"]
    labels = [json.loads(line) for line in (data / f"{name}-facts.jsonl").read_text(encoding="utf-8").splitlines()]
    telling = {turn_id for label in labels if label["pattern"] for turn_id in label["evidence"]}
    sessions: list[list[dict[str, Any]]] = [part for part in conversation.values() if isinstance(part, list)]
    said = [one for session in sessions for one in session]
    own: list[str] = [one["text"] for one in said if one["dia_id"] in telling and one.get("role", "user") == "user"]
    kept = sum(salient(turn(text)) for text in own)
    assert kept >= 0.95 * len(own)
