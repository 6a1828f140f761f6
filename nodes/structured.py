"""One question to a chat model, answered as data: by its tools where it has some, else as JSON in its text.

The answer is checked, repaired once with the faults shown, and else refused. No error made here holds a word of what
was asked or answered.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

from langchain_core.exceptions import OutputParserException
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.config import patch_config
from pydantic import BaseModel, ValidationError
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from memgraph.errors import ModelOutputInvalid, ModelUnavailable
from memgraph.nodes.answers import compact, kinds, read, wire_schema
from memgraph.nodes.prompting import Prompt
from memgraph.ranking.budget import count_tokens

Answer = TypeVar("Answer", bound=BaseModel)
Sleep = Callable[[float], Awaitable[None]]

ATTEMPTS: Final = 3
"""Calls at most where the model can't be reached: the first and two more."""

BUDGET: Final = 8_000
"""Prompt tokens that facts of one message, or of one batch of short ones, may take over all calls of both stages."""

ECHO_TOKENS: Final = 800
"""Of a refused answer, shown again with its faults: enough for about twenty facts."""

_SHOWN_FAULTS: Final = 12
_TRANSIENT_STATUS: Final = frozenset((408, 409, 425, 429, 500, 502, 503, 504, 529))
_TRANSIENT_NAMES: Final = frozenset(
    "APITimeoutError APIConnectionError RateLimitError InternalServerError OverloadedError ServiceUnavailableError"
    " ServiceUnavailable ResourceExhausted DeadlineExceeded TooManyRequests ThrottlingException ConnectError"
    " ConnectTimeout ReadError ReadTimeout WriteTimeout PoolTimeout RemoteProtocolError".split()
)
_UNREADABLE: Final = (ValidationError, OutputParserException, json.JSONDecodeError)


@dataclass(frozen=True, slots=True)
class Usage:
    """What an answer cost.

    Attributes:
        model: Name of the model.
        prompt: Content hash of the prompt, hex.
        prompt_tokens: Tokens asked over all calls, as the model counts them, else estimated. `answer_tokens`: answered.
        calls: Calls that were answered: 1, or 2 with a repair.
        repaired: Whether the first answer was refused.
        dropped: Statements or decisions left out because they were still wrong after the repair.
    """

    model: str
    prompt: str
    prompt_tokens: int = 0
    answer_tokens: int = 0
    calls: int = 0
    repaired: bool = False
    dropped: int = 0


class _Talk:
    """A question and what came of it so far, to one model that answers by one schema."""

    def __init__(self, model: BaseChatModel, prompt: Prompt, content: str, schema: type[BaseModel]) -> None:
        wire = wire_schema(schema)
        self.name = schema.__name__
        self.runnable: Runnable[LanguageModelInput, Any] = model
        system = prompt.text
        try:
            self.runnable = model.with_structured_output(wire, include_raw=True)
        except NotImplementedError:
            system += f"\n\nAnswer with one JSON object by this schema and nothing else:\n{compact(wire)}"
            self.overhead = 0
        else:
            self.overhead = count_tokens(compact(wire))
        self.messages: list[BaseMessage] = [SystemMessage(system), HumanMessage(content)]
        self.asked = self.answered = self.calls = 0

    async def call(self, config: RunnableConfig | None, name: str, sleep: Sleep) -> Any:
        """Return what the model answers, as data where it is any: a mapping, or what `read` makes of its text.

        Raises:
            ModelUnavailable: It raised, and again where trying again made sense.
        """
        options = patch_config(config, run_name=name)
        options.pop("run_id", None)  # it names one run; a repair is another
        tries = AsyncRetrying(
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_random_exponential(multiplier=0.5, max=8),
            retry=retry_if_exception(transient),
            sleep=sleep,
            reraise=True,
        )
        result: Any = None
        failed = ""
        try:
            result = await tries(self.runnable.ainvoke, self.messages, options)
        except _UNREADABLE:  # some models validate by themselves, and raise
            result = AIMessage("")
        except Exception as error:  # the model is somebody else's code and raises what it likes
            failed = _name(error)
        if failed:  # raised out here, since the model's error may quote the prompt: no cause, no context holds it
            raise ModelUnavailable(f"the chat model failed: {failed}")
        return self._taken(result)

    def _taken(self, result: Any) -> Any:
        """Count an answer, keep it for the repair, return its data or None."""
        mapping = cast("dict[str, Any]", result) if isinstance(result, dict) else {}
        raw = mapping.get("raw", result)
        raw = raw if isinstance(raw, AIMessage) else AIMessage("")
        data = mapping.get("parsed")
        if isinstance(data, BaseModel):
            data = data.model_dump(by_alias=True)
        calls = [call["args"] for call in raw.tool_calls if call["name"] == self.name]
        if data is None and calls:
            data = calls[0]
        spoken = raw.text
        if data is None:
            data = read(spoken)
        self.calls += 1
        shown = spoken if data is None else compact(data)
        usage = raw.usage_metadata
        self.asked += usage["input_tokens"] if usage else self.size()
        self.answered += usage["output_tokens"] if usage else count_tokens(shown)
        self.echo = _cut(shown) or "(nothing)"
        return data

    def size(self) -> int:
        """Return the prompt tokens of the next call, as we count them."""
        return self.overhead + sum(count_tokens(message.text) for message in self.messages)

    def refuse(self, faults: Sequence[str]) -> None:
        """Show the model its answer and what is wrong with it."""
        listed = "\n".join(f"- {fault}" for fault in faults[:_SHOWN_FAULTS])
        more = f"\n- and {len(faults) - _SHOWN_FAULTS} more" if len(faults) > _SHOWN_FAULTS else ""
        asked = f"Refused:\n{listed}{more}\nGive the whole answer again, corrected; leave out what you can't correct."
        self.messages += [AIMessage(self.echo), HumanMessage(asked)]


async def ask(
    model: BaseChatModel,
    prompt: Prompt,
    content: str,
    schema: type[Answer],
    *,
    check: Callable[[Answer], list[str]],
    config: RunnableConfig | None = None,
    name: str,
    partial: bool = False,
    budget: int = BUDGET,
    sleep: Sleep = asyncio.sleep,
) -> tuple[Answer, Usage]:
    """Ask once, and once more if the answer is faulty.

    Args:
        model: Any LangChain chat model.
        prompt: What to do.
        content: What to do it with.
        schema: The form of the answer.
        check: What is wrong with an answer of that form, as short lines that quote nothing.
        config: Callbacks, so that the run nests; None takes the surrounding run's.
        name: Of the run.
        partial: Whether an answer of the right form that still has faults is returned, for the caller to drop them.
        budget: Prompt tokens of both calls, as we count them: a repair that would take more is not asked for.
        sleep: Waits between tries.

    Returns:
        The answer, and what it cost.

    Raises:
        ModelUnavailable: The model raised.
        ModelOutputInvalid: The last answer was faulty too.
    """
    talk = _Talk(model, prompt, content, schema)
    first = talk.size()
    answer, faults = _validated(schema, await talk.call(config, name, sleep), check)
    if faults:
        talk.refuse(faults)
    repaired = bool(faults) and first + talk.size() <= budget
    if repaired:
        answer, faults = _validated(schema, await talk.call(config, f"{name}.repair", sleep), check)
    if answer is None or (faults and not partial):
        shown = "; ".join(faults[:3])
        tried = "after a repair" if repaired else "and too long a conversation to be repaired"
        raise ModelOutputInvalid(f"the answer of `{model_name(model)}` to {name} is unusable {tried}: {shown}")
    return answer, Usage(model_name(model), prompt.hash, talk.asked, talk.answered, talk.calls, repaired)


def _validated(
    schema: type[Answer], data: Any, check: Callable[[Answer], list[str]]
) -> tuple[Answer | None, list[str]]:
    """Return the answer, None if it has not the form, and its faults."""
    if data is None:
        return None, ["no JSON object, or one cut short"]
    try:
        answer = schema.model_validate(data)
    except ValidationError as error:
        return None, kinds(error)
    except RecursionError:
        return None, ["nested too deep"]
    return answer, check(answer)


def transient(error: BaseException) -> bool:
    """Tell whether a model that raised this may answer if it is asked again."""
    if isinstance(error, (TimeoutError, ConnectionError)):
        return True
    if not isinstance(error, Exception):
        return False
    response = getattr(error, "response", None)
    codes = (getattr(error, "status_code", None), getattr(response, "status_code", None), getattr(error, "code", None))
    known = [code for code in codes if isinstance(code, int)]
    if known:
        return known[0] in _TRANSIENT_STATUS
    return any(kind.__name__ in _TRANSIENT_NAMES for kind in type(error).__mro__)


def _name(error: Exception) -> str:
    return type(error).__name__[:80]


def model_name(model: BaseChatModel) -> str:
    """Return what a chat model calls itself: its model's name, else its class's."""
    for attribute in ("model_name", "model", "model_id"):
        name = getattr(model, attribute, None)
        if isinstance(name, str) and name:
            return name[:100]
    return type(model).__name__


def _cut(text: str) -> str:
    """Return as much of the beginning as `ECHO_TOKENS` allow."""
    shown = text[: ECHO_TOKENS * 4]
    while (size := count_tokens(shown)) > ECHO_TOKENS:
        shown = shown[: len(shown) * ECHO_TOKENS // (size + 1)]
    return shown.encode("utf-8", "replace").decode()
