"""What to do with new statements beside what is known, by a chat model. The closing gate still rules on it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Final, Literal

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import RunnableConfig
from pydantic import BaseModel, WrapValidator, field_validator

from memgraph.drafts import Decision, FactDraft, KnownFact, Mode, Operation, SaidTurn
from memgraph.nodes.answers import Broken, kept
from memgraph.nodes.grounding import located
from memgraph.nodes.prompting import Prompt, load
from memgraph.nodes.showing import TURN_TOKENS, around, line, size
from memgraph.nodes.structured import BUDGET, Sleep, Usage, ask, model_name
from memgraph.ranking.budget import count_tokens
from memgraph.ranking.rendering import quoted
from memgraph.records import OPEN, from_us
from memgraph.writing.attributes import single

Asked = tuple[int, FactDraft, SaidTurn, Sequence[KnownFact]]
"""A draft by its number, the turn that says it, and the facts that it could concern."""

Action = Literal["add", "same", "refine", "change", "ended", "retracted"]
Reason = Literal[
    "new_topic",
    "beside",
    "earlier_time",
    "said_again",
    "more_detail",
    "new_value",
    "said_ended",
    "never_true",
]
"""The codes that a model may give as a reason, so that no words of its own are stored. The schema lists them."""

CONTENT_TOKENS: Final = 5_500
"""Room for turns, drafts and facts; drafts beyond it are left to the rules."""

_BESIDE: Final = 2_000
"""Prompt tokens of a message beside its turns: both prompts and schemas, and the context that extraction is shown."""

_TURN_TOKENS: Final = 300
_LEAST_OF_A_TURN: Final = 60
_FACTS: Final = (12, 6, 3)
"""Facts shown with a draft at most; fewer where there is no room for more."""

_QUOTE: Final = 600
_ACTIONS: Final[dict[Action, tuple[Operation, Mode | None]]] = {
    "add": ("ADD", None),
    "same": ("NOOP", None),
    "refine": ("UPDATE", "refine"),
    "change": ("UPDATE", "change"),
    "ended": ("DELETE", "ended"),
    "retracted": ("DELETE", "retracted"),
}


class Decided(BaseModel):
    """What to do with one draft."""

    draft: int
    action: Action
    target: str
    quote: str
    reason: Reason

    @field_validator("target", "quote", mode="before")
    @classmethod
    def _none(cls, value: Any) -> Any:
        return "" if value is None else value


class Decisions(BaseModel):
    """What to do with each draft."""

    decisions: list[Annotated[Decided, WrapValidator(kept)]]


def prompt() -> Prompt:
    """Return the instructions for decisions."""
    return load("consolidate")


async def decide(
    model: BaseChatModel,
    asked: Sequence[Asked],
    turns: Sequence[SaidTurn] = (),
    *,
    config: RunnableConfig | None = None,
    sleep: Sleep = asyncio.sleep,
) -> tuple[dict[int, Decision], Usage]:
    """Ask a model what to do with drafts.

    Extraction has read their turns before. What it took of `BUDGET` is not here: drafts beyond that are left to the
    rules, and where the turns were too long for it to be shown whole, a faulty answer is not repaired.

    Args:
        model: Any LangChain chat model.
        asked: The drafts that need it, numbered; an alias may stand for another fact with another draft.
        turns: All turns that extraction read for them; without any, those of the drafts.
        config: For the run; None takes the surrounding run's.
        sleep: Waits between tries.

    Returns:
        Decisions by draft: each targets a fact shown with that draft, and one that ends or takes back a fact quotes
        the turn word for word. A draft that is not in it is left to the rules. And what it cost.

    Raises:
        ModelUnavailable: The model raised.
        ModelOutputInvalid: It answered no such list, nor when asked again.
    """
    asking = prompt()
    read = size(turns or list({turn.index: turn for _, _, turn, _ in asked}.values()))
    text, shown = content(asked, BUDGET - _BESIDE - read)
    if not shown:
        return {}, Usage(model_name(model), asking.hash)
    reader = _Reader(shown)
    answer, usage = await ask(
        model,
        asking,
        text,
        Decisions,
        check=reader.faults,
        config=config,
        name="memgraph.consolidate",
        partial=True,
        budget=BUDGET if read < TURN_TOKENS else 0,
        sleep=sleep,
    )
    decisions, dropped = reader.decisions(answer)
    return decisions, replace(usage, dropped=dropped)


def content(asked: Sequence[Asked], tokens: int = CONTENT_TOKENS) -> tuple[str, list[Asked]]:
    """Return what a model is shown, and which drafts with which facts are in it, within `tokens`."""
    room = min(tokens, CONTENT_TOKENS)
    share = min(max(room // (2 * max(len(asked), 1)), _LEAST_OF_A_TURN), _TURN_TOKENS)
    lines: list[str] = []
    shown: list[Asked] = []
    seen: dict[int, str] = {}
    for number, draft, turn, known in asked:
        said = line(turn, around(turn.text, draft.quote, share))
        head = [] if seen.get(turn.index) == said else [said]
        mark = _attribute(draft.attribute)
        head.append(f"Draft {number}, turn {turn.index}, {mark}: {quoted(draft.text[:300])}")
        for most in _FACTS:  # the likest come first
            block = head + [_fact(fact) for fact in known[:most]]
            if (cost := count_tokens("\n".join(block)) + 1) <= room:
                room -= cost
                seen[turn.index] = said
                lines += block
                shown.append((number, draft, turn, known[:most]))
                break
    return "\n".join(lines), shown


def _fact(fact: KnownFact) -> str:
    until = "" if fact.valid_to == OPEN else f" to {from_us(fact.valid_to):%Y-%m-%d}"
    untrusted = ", untrusted" if fact.untrusted else ""
    since = f"{from_us(fact.valid_from):%Y-%m-%d}"
    return f"{fact.alias}, {_attribute(fact.attribute)}, {since}{until}{untrusted}: {quoted(fact.text[:300])}"


def _attribute(name: str) -> str:
    return f"{name}*" if single(name) else name


class _Refused(Exception):
    """A decision that is not taken, and why, without its words."""


class _Reader:
    """Makes decisions of an answer, by what was shown."""

    def __init__(self, shown: Sequence[Asked]) -> None:
        self.shown = {number: (turn, {fact.alias for fact in known}) for number, _, turn, known in shown}

    def faults(self, answer: Decisions) -> list[str]:
        """Return what is wrong with an answer, as lines for the model."""
        found: list[str] = []
        for place, decided in enumerate(answer.decisions[: 2 * len(self.shown)]):
            try:
                self.decision(decided, strict=True)
            except _Refused as refused:
                found += [f"decisions.{place}.{fault}" for fault in refused.args]
        return found

    def decisions(self, answer: Decisions) -> tuple[dict[int, Decision], int]:
        """Return the first decision that stands for each draft, and the number of those that do not."""
        kept: dict[int, Decision] = {}
        dropped = 0
        for decided in answer.decisions:
            try:
                number, decision = self.decision(decided)
            except _Refused:
                dropped += 1
            else:
                kept.setdefault(number, decision)
        return kept, dropped

    def decision(self, decided: Decided | Broken, *, strict: bool = False) -> tuple[int, Decision]:
        """Make a decision of what a model says.

        Args:
            decided: What it says.
            strict: Whether a quote that is no words of the turn is a fault also where none is needed.

        Raises:
            _Refused: It has not the form, or names what was not shown, or quotes what was not said.
        """
        if isinstance(decided, Broken):
            raise _Refused(*decided.faults)
        if decided.draft not in self.shown:
            raise _Refused("draft: no such draft")
        turn, aliases = self.shown[decided.draft]
        operation, mode = _ACTIONS[decided.action]
        target = decided.target if operation != "ADD" else ""
        if target not in aliases and (target or operation not in ("ADD", "NOOP")):
            raise _Refused("target: no fact shown with this draft")
        quote = located(decided.quote, turn.text) if len(decided.quote) <= _QUOTE else ""
        if not quote and (operation == "DELETE" or (decided.quote and strict)):
            raise _Refused("quote: not the words of the turn")
        return decided.draft, Decision(operation, mode, target or None, decided.reason, quote)
