"""What a turn bears out of what a model says: its object, its text, its subject."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage

from memgraph.drafts import SaidTurn
from memgraph.nodes.extraction import extract
from support.fakes import ScriptedChatModel

ROME = {"object": "Rome", "text": "Ada lives in Rome."}
OSLO = {"object": "Oslo", "text": "Ada lives in Oslo."}


def turn(index: int, text: str) -> SaidTurn:
    return SaidTurn(index, "Ada", "user", "user", text, 1_749_600_000_000_000)


async def taken(words: str, before: str = "", **changes: Any) -> float | None:
    """Return the confidence with which a fact is taken that a model insists on; None if it is not."""
    fact = {
        **{"subject": "Ada", "attribute": "residence", "kind": "state", "confidence": 0.9, "importance": 0.5},
        **{"turns": [1], "quote": words},
        **changes,
    }
    answer = AIMessage("", tool_calls=[{"name": "Facts", "args": {"facts": [fact]}, "id": "1"}])
    context = [turn(0, before)] if before else []
    drafts, _ = await extract(ScriptedChatModel.of(answer, answer), [turn(1, words)], context)
    return drafts[0].confidence if drafts else None


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("I like tea.", {"attribute": "health", "object": "cancer", "text": "Ada has cancer and likes tea."}),
        ("I like tea.", {"attribute": "likes", "object": "tea", "text": "Ada has cancer and likes tea."}),
        ("I like tea.", {"attribute": "likes", "object": "tea", "text": "Ada likes tea, a convicted criminal."}),
        ("My dog is Rex.", {"object": "Paris", "text": "Ada no longer lives in Oslo since dog Rex."}),
        ("My dog is Rex.", {"object": "dog Rex", "text": "Ada no longer lives in Oslo since dog Rex."}),
        ("My dog is Rex. We go to the park.", {"object": "Paris", "text": "Ada lives in Paris.", "quote": "Rex"}),
        ("Nice weather today, I think so.", {"attribute": "other", "object": "x", "text": "Ada was convicted today."}),
        ("I live in Oslo.", {"object": "Oslo", "text": "Ada is a convicted criminal in Oslo."}),
        ("I love Bo.", {"subject": "Bo", "object": "Moscow", "text": "Bo is a spy."}),
        ("Me gusta el t\u00e9.", {"attribute": "health", "object": "c\u00e1ncer", "text": "Ada tiene c\u00e1ncer."}),
        (
            "\u6211\u559c\u6b22\u8336\u3002",
            {"object": "\u5965\u65af\u9646", "text": "Ada\u4f4f\u5728\u5965\u65af\u9646\u3002"},
        ),
        ("My brother lives in Rome.", ROME),
        ("My brother lives in Rome.", ROME | {"quote": "lives in Rome"}),
        ("My brother lives in Rome.", ROME | {"subject": "the user"}),
        ("My sister Solveig lives in Rome and I like tea.", ROME),
        ("I think my brother lives in Rome.", ROME),
        ("Bo lives in Rome.", ROME),
        ("She lives in Rome.", ROME),
    ],
)
async def test_what_no_turn_says_is_not_taken(text: str, fact: dict[str, Any]) -> None:
    assert await taken(text, **fact) is None


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("I live in Oslo.", OSLO),
        ("Moved to Oslo in May!", OSLO | {"text": "Ada has lived in Oslo since May 2025.", "quote": "Moved to Oslo"}),
        ("My brother and I live in Oslo.", OSLO),
        ("Oslo is great. We moved there in May.", OSLO | {"quote": "We moved there"}),
        ("I quit smoking.", {"attribute": "habit", "object": "no longer smokes", "text": "Ada has not smoked."}),
        ("I turned thirty.", {"attribute": "age", "object": "30", "text": "Ada is 30 years old."}),
        ("I'm flying to Cork.", {"attribute": "plan", "object": "fly to Cork", "text": "Ada flies to Cork."}),
        ("My car is a Volvo.", {"attribute": "possession", "object": "Volvo", "text": "Ada drives a Volvo."}),
        ("My brother lives in Rome.", {"attribute": "family", "object": "brother", "text": "Ada has a brother."}),
        ("My brother lives in Rome.", {"attribute": "other", "object": "Rome", "text": "Ada's brother lives in Rome."}),
        ("My wife is called Anna.", {"attribute": "partner", "object": "Anna", "text": "Ada's wife is called Anna."}),
        ("My doctor diagnosed me with asthma.", {"attribute": "health", "object": "asthma", "text": "Ada has asthma."}),
        ("My boss made me team lead.", {"attribute": "occupation", "object": "team lead", "text": "Ada is team lead."}),
        ("Rex is my dog.", {"attribute": "pet", "object": "Rex", "text": "Ada has a dog called Rex."}),
        ("Vivo en Oslo.", OSLO | {"text": "Ada vive en Oslo."}),
        ("Ich lebe in Oslo.", OSLO | {"text": "Ada lebt in Oslo."}),
        ("Asun Oslossa.", OSLO),
        (
            "\u0416\u0438\u0432\u0443 \u0432 \u041e\u0441\u043b\u043e.",
            {
                "object": "\u041e\u0441\u043b\u043e",
                "text": "\u0410\u0434\u0430 \u0436\u0438\u0432\u0451\u0442 \u0432 \u041e\u0441\u043b\u043e.",
            },
        ),
        (
            "\u6211\u4f4f\u5728\u5965\u65af\u9646\u3002",
            {"object": "\u5965\u65af\u9646", "text": "Ada\u4f4f\u5728\u5965\u65af\u9646\u3002"},
        ),
        (
            "\u79c1\u306f\u30aa\u30b9\u30ed\u306b\u4f4f\u3093\u3067\u3044\u307e\u3059\u3002",
            {
                "object": "\u30aa\u30b9\u30ed",
                "text": "Ada\u306f\u30aa\u30b9\u30ed\u306b\u4f4f\u3093\u3067\u3044\u308b\u3002",
            },
        ),
        (
            "\u0e09\u0e31\u0e19\u0e2d\u0e22\u0e39\u0e48\u0e43\u0e19\u0e2d\u0e2d\u0e2a\u0e42\u0e25",
            {
                "object": "\u0e2d\u0e2d\u0e2a\u0e42\u0e25",
                "text": "Ada \u0e2d\u0e22\u0e39\u0e48\u0e43\u0e19\u0e2d\u0e2d\u0e2a\u0e42\u0e25",
            },
        ),
    ],
)
async def test_what_a_turn_says_is_taken_as_surely_as_the_model_says(text: str, fact: dict[str, Any]) -> None:
    assert await taken(text, **fact) == 0.9


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("\u0416\u0438\u0432\u0443 \u0432 \u041e\u0441\u043b\u043e.", OSLO),  # in another script
        ("\u6211\u4f4f\u5728\u5965\u65af\u9646\u3002", OSLO),
        (
            "Me gusta el t\u00e9.",
            {"attribute": "likes", "object": "t\u00e9", "text": "Ada tiene c\u00e1ncer y t\u00e9."},
        ),
        ("I got a kitten.", {"attribute": "pet", "object": "kitten", "text": "Ada adopted a kitten."}),
        ("I'm a vet nurse.", {"attribute": "occupation", "object": "veterinary nurse", "text": "Ada is a nurse."}),
        ("I like tea. Oslo is cold.", OSLO | {"quote": "I like tea"}),  # elsewhere in what was said
    ],
)
async def test_what_cannot_be_told_is_taken_as_unsure(text: str, fact: dict[str, Any]) -> None:
    assert await taken(text, **fact) == 0.4


async def test_an_answer_takes_its_object_from_the_question() -> None:
    assert await taken("Yes, at last.", before="Did you move to Oslo?", **OSLO) == 0.9
    assert await taken("Yes, at last.", before="Did you move to Bergen?", **OSLO) is None
