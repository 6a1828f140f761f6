"""A chat model that answers at once, and the talk that it understands: ten turns that say five things."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.utils.function_calling import convert_to_openai_tool

from _stages import Meter
from memgraph.nodes.answers import compact
from memgraph.ranking.budget import count_tokens

SPEAKER: Final = "Ada"
_TURNS: Final = (
    "I moved from Oslo to {place}.",
    "How was the journey, with all those boxes of {thing}?",
    "I am allergic to {food}.",
    "Good to know before the {thing}, thanks!",
    "My sister is called {sister}.",
    "Will the two of you come by train to {place}?",
    "I like {drink}.",
    "So there will be some, and a little {thing} beside it.",
    "My brother is called {brother}.",
    "See you at the {thing} then!",
)
"""What is said: every other turn states a fact, in words that rules read too."""

_FORMS: Final[dict[str, tuple[str, str, str, str | None]]] = {
    r"I live in (.+)\.": ("residence", "lives in", "place", "lives_in"),
    r"I moved from Oslo to (.+)\.": ("residence", "lives in", "place", "lives_in"),
    r"I am allergic to (.+)\.": ("allergy", "is allergic to", "thing", None),
    r"My sister is called (.+)\.": ("family", "has a sister called", "person", "sibling_of"),
    r"My brother is called (.+)\.": ("family", "has a brother called", "person", "sibling_of"),
    r"I like (.+)\.": ("likes", "likes", "thing", "likes"),
}
"""Statements: attribute, verb, what kind of thing is named, and how it stands to who says it."""

_LINE: Final = re.compile(r'Turn (\d+), [^"]*"[^"]*"[^"]*: "(.*)"')
_DRAFT: Final = re.compile(r"Draft (\d+), turn \d+, ([\w*]+)")
_KNOWN: Final = re.compile(r"(f\d+), ([\w*]+), ")
_SYLLABLES: Final = ("ba", "do", "fi", "gu", "ka", "le", "mo", "ni", "pa", "ru", "so", "ta", "ve", "zu")


def word(number: int) -> str:
    """Return a made-up word, another one for each number, which no stemmer cuts."""
    syllables: list[str] = []
    for _ in range(4):
        number, at = divmod(number, len(_SYLLABLES))
        syllables.append(_SYLLABLES[at])
    return "".join(syllables) + "ko"


def said(number: int) -> list[dict[str, Any]]:
    """Return ten turns of two people, five of which state a fact; other ones for each number."""
    words = {name: word(6 * number + place) for place, name in enumerate(("thing", "food", "drink"))}
    names = {
        name: word(6 * number + place).capitalize() for place, name in enumerate(("place", "sister", "brother"), 3)
    }
    return [
        {"role": "user", "name": SPEAKER if place % 2 == 0 else "Ben", "content": text.format(**words, **names)}
        for place, text in enumerate(_TURNS)
    ]


def known(count: int) -> list[dict[str, Any]]:
    """Return turns that state `count` facts, one each: where she lives, and what she likes and can't eat."""
    forms = ("I like {}.", "I am allergic to {}.")
    texts = ["I live in Oslo.", *(forms[i % 2].format(f"{word(i)}sk") for i in range(count - 1))]
    return [{"role": "user", "name": SPEAKER, "content": text} for text in texts]


class Instant(BaseChatModel):
    """Answers both questions of the write path by looking at the form of what it is shown. Its time is counted."""

    meter: Any

    @property
    def _llm_type(self) -> str:
        return "instant"

    def bind_tools(
        self, tools: Sequence[Any], *, tool_choice: str | None = None, **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Return the model with tools."""
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], tool_choice=tool_choice, **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        meter: Meter = self.meter
        with meter.away():
            [tool] = kwargs["tools"]
            shown = messages[-1].text
            meter.model_calls += 1
            meter.prompt_tokens += count_tokens(compact(tool)) + sum(count_tokens(one.text) for one in messages)
            meter.prompt_tokens -= sum(count_tokens(text) for _, text in _LINE.findall(shown))
            name = tool["function"]["name"]
            answer = {"facts": _facts(shown)} if name == "Facts" else {"decisions": _decisions(shown)}
            message = AIMessage("", tool_calls=[{"name": name, "args": answer, "id": "1"}])
            return ChatResult(generations=[ChatGeneration(message=message)])

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return self._generate(messages, stop, **kwargs)


def _facts(shown: str) -> list[dict[str, Any]]:
    facts: list[dict[str, Any]] = []
    for number, text in _LINE.findall(shown):
        for form, (attribute, verb, kind, relation) in _FORMS.items():
            if found := re.fullmatch(form, text):
                facts.append(_fact(int(number), text, found[1], attribute, verb, kind, relation))
    return facts


def _fact(
    number: int, text: str, named: str, attribute: str, verb: str, kind: str, relation: str | None
) -> dict[str, Any]:
    related = [] if relation is None else [{"source": SPEAKER, "type": relation, "target": named}]
    return {
        "subject": SPEAKER,
        "attribute": attribute,
        "object": named,
        "text": f"{SPEAKER} {verb} {named}.",
        "kind": "state",
        "confidence": 0.9,
        "importance": 0.6,
        "from": "",
        "to": "",
        "turns": [number],
        "quote": text,
        "entities": [{"name": SPEAKER, "type": "person"}, {"name": named, "type": kind}],
        "relations": related,
    }


def _decisions(shown: str) -> list[dict[str, Any]]:
    """Change the one residence; let everything else stand beside what is known."""
    decisions: list[dict[str, Any]] = []
    heads = list(_DRAFT.finditer(shown))
    ends = [*(head.start() for head in heads[1:]), len(shown)]
    for head, end in zip(heads, ends, strict=True):
        block = shown[head.end() : end]
        aliases = [alias for alias, attribute in _KNOWN.findall(block) if attribute == head[2] == "residence*"]
        action = {"action": "change", "target": aliases[0], "reason": "new_value"} if aliases else {}
        beside = {"action": "add", "target": "", "reason": "beside"}
        decisions.append({"draft": int(head[1]), "quote": "", **(action or beside)})
    return decisions
