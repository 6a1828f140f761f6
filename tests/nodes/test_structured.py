"""One question to a chat model: tools or text, checked, repaired once, never a word of it in an error."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig
from pydantic import BaseModel

from memgraph.errors import AgentMemoryError, ModelError, ModelOutputInvalid, ModelUnavailable
from memgraph.nodes import prompting, structured
from memgraph.nodes.answers import MOST, read, wire_schema
from memgraph.nodes.prompting import Prompt
from memgraph.nodes.structured import ask, transient
from support.fakes import ScriptedChatModel

SECRET = "the heron nests at noon"
PROMPT = Prompt("Count what is named.")


class Count(BaseModel):
    """How many."""

    number: int


def fine(answer: Count) -> list[str]:
    return [] if answer.number < 100 else ["number: too large"]


def calls(**arguments: Any) -> AIMessage:
    return AIMessage("", tool_calls=[{"name": "Count", "args": arguments, "id": "c1", "type": "tool_call"}])


async def count(model: Any, **options: Any) -> Any:
    return await ask(model, PROMPT, SECRET, Count, check=fine, config=None, name="memgraph.count", **options)


def chain(error: BaseException) -> list[BaseException]:
    """Return an error and all that hang on it, as its causes or as what was being handled when it was raised."""
    found = [error]
    for one in found:
        found += [other for other in (one.__cause__, one.__context__) if other is not None and other not in found]
    return found


class Waits:
    """Stands in for sleep."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


async def test_a_tool_call_is_the_answer() -> None:
    model = ScriptedChatModel.of(calls(number=3))
    answer, usage = await count(model)
    assert answer == Count(number=3)
    assert (usage.calls, usage.repaired, usage.prompt, usage.model) == (1, False, PROMPT.hash, "ScriptedChatModel")
    (tool,) = model.options[0]["tools"]
    assert tool["function"]["name"] == "Count"
    assert [message.type for message in model.calls[0]] == ["system", "human"]


@pytest.mark.parametrize(
    "text",
    [
        '{"number": 3}',
        '```json\n{"number": 3}\n```',
        'Sure! Here {as you like} it is:\n{"number": 3}\nAnything else?',
        '{"number": 3} {"number": 4}',
    ],
)
async def test_an_answer_in_text_is_read(text: str) -> None:
    with_tools, without = ScriptedChatModel.of(text), FakeListChatModel(responses=[text])
    for model in (with_tools, without):
        answer, usage = await count(model)
        assert answer.number == 3
        assert usage.calls == 1


@pytest.mark.parametrize(
    "text",
    ["", "I can't do that.", '{"number": 3', '{"number": NaN}', '{"number": "' + "9" * 5000 + '"}', '{"a":' * 9000],
)
async def test_what_is_no_answer_is_repaired_once_and_then_refused(text: str) -> None:
    model = ScriptedChatModel.of(text, '{"number": 5}')
    answer, usage = await count(model)
    assert (answer.number, usage.calls, usage.repaired) == (5, 2, True)
    model = ScriptedChatModel.of(text, text, '{"number": 5}')
    with pytest.raises(ModelOutputInvalid) as raised:
        await count(model)
    assert len(model.calls) == 2
    assert chain(raised.value) == [raised.value]
    assert isinstance(raised.value, ModelError)
    assert isinstance(raised.value, AgentMemoryError)


async def test_the_repair_shows_the_answer_and_what_is_wrong_with_it() -> None:
    model = ScriptedChatModel.of(calls(number="many"), calls(number=700), calls(number=7))
    with pytest.raises(ModelOutputInvalid, match="number: too large"):
        await count(model)
    system, human, echo, repair = model.calls[1]
    assert (system.text, human.text) == (PROMPT.text, SECRET)
    assert (echo.type, json.loads(echo.text)) == ("ai", {"number": "many"})
    assert "number: int_parsing" in repair.text


async def test_a_long_refused_answer_is_shown_in_part() -> None:
    model = ScriptedChatModel.of("\u6f22" * 50_000, calls(number=1))
    await count(model)
    assert 100 < len(model.calls[1][2].text) <= 4 * structured.ECHO_TOKENS


@pytest.mark.parametrize(("budget", "asked"), [(0, 1), (200, 1), (8_000, 2)])
async def test_a_repair_beyond_the_budget_is_not_asked_for(budget: int, asked: int) -> None:
    model = ScriptedChatModel.of("no" * 1_000, calls(number=700), calls(number=7))
    with pytest.raises(ModelOutputInvalid, match="unusable"):
        await count(model, budget=budget)
    assert len(model.calls) == asked
    model = ScriptedChatModel.of(calls(number=700), calls(number=700))
    answer, usage = await count(model, budget=budget, partial=True)
    assert (answer.number, usage.calls, usage.repaired) == (700, min(budget, 1) + 1, budget > 0)


async def test_a_caller_that_can_drop_faults_gets_the_answer_with_them() -> None:
    answer, usage = await count(ScriptedChatModel.of(calls(number=700), calls(number=800)), partial=True)
    assert (answer.number, usage.repaired) == (800, True)
    with pytest.raises(ModelOutputInvalid):
        await count(ScriptedChatModel.of("no", "no"), partial=True)


async def test_a_model_without_tools_is_told_the_schema() -> None:
    class Bare(FakeListChatModel):
        seen: list[Any] = []

        def _call(self, messages: Any, *args: Any, **kwargs: Any) -> str:
            self.seen.append(messages)
            return super()._call(messages, *args, **kwargs)

    model = Bare(responses=['{"number": 1}'])
    await count(model)
    system = model.seen[0][0].text
    assert system.startswith(PROMPT.text)
    assert json.loads(system.rpartition("\n")[2]) == wire_schema(Count)


class APIConnectionError(Exception):
    """Named as the clients' own."""


class Limited(Exception):
    status_code = 429


class Denied(Exception):
    status_code = 401


@pytest.mark.parametrize("error", [TimeoutError(SECRET), ConnectionResetError(SECRET), APIConnectionError(), Limited()])
async def test_what_passes_is_tried_again(error: Exception) -> None:
    waits = Waits()
    model = ScriptedChatModel.of(error, error, calls(number=1))
    answer, usage = await count(model, sleep=waits)
    assert (answer.number, usage.calls, len(waits.seconds)) == (1, 1, 2)
    assert all(0 <= seconds <= 8 for seconds in waits.seconds)


async def test_a_model_that_stays_away_is_unavailable_and_its_words_stay_unsaid() -> None:
    waits = Waits()
    model = ScriptedChatModel.of(*[TimeoutError(SECRET)] * 4)
    with pytest.raises(ModelUnavailable, match="TimeoutError") as raised:
        await count(model, sleep=waits)
    assert (len(model.calls), len(waits.seconds)) == (3, 2)
    assert SECRET not in str(raised.value)
    assert chain(raised.value) == [raised.value]


@pytest.mark.parametrize("error", [ValueError(SECRET), Denied(SECRET)])
async def test_what_does_not_pass_is_not_tried_again(error: Exception) -> None:
    waits = Waits()
    model = ScriptedChatModel.of(error, calls(number=1))
    with pytest.raises(ModelUnavailable, match=type(error).__name__) as raised:
        await count(model, sleep=waits)
    assert (len(model.calls), waits.seconds, SECRET in str(raised.value)) == (1, [], False)
    assert chain(raised.value) == [raised.value]


async def test_a_model_that_validates_by_itself_and_raises_is_repaired() -> None:
    with pytest.raises(ValueError) as invalid:
        Count.model_validate({})
    model = ScriptedChatModel.of(invalid.value, calls(number=2))
    answer, usage = await count(model)
    assert (answer.number, usage.repaired) == (2, True)


async def test_cancellation_passes_through() -> None:
    entered = asyncio.Event()

    async def forever(seconds: float) -> None:
        entered.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(count(ScriptedChatModel.of(TimeoutError()), sleep=forever))
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_transient_by_status_before_name() -> None:
    class RateLimitError(Exception):
        status_code = 400

    assert not transient(RateLimitError())
    assert not transient(KeyboardInterrupt())
    assert not transient(KeyError("x"))


async def test_usage_is_what_the_model_counts() -> None:
    first, second = calls(number=700), calls(number=1)
    first.usage_metadata = {"input_tokens": 40, "output_tokens": 5, "total_tokens": 45}
    second.usage_metadata = {"input_tokens": 60, "output_tokens": 4, "total_tokens": 64}
    _, usage = await count(ScriptedChatModel.of(first, second))
    assert (usage.prompt_tokens, usage.answer_tokens) == (100, 9)


async def test_usage_is_estimated_where_the_model_does_not_count() -> None:
    schema = len(json.dumps(wire_schema(Count), separators=(",", ":")))
    _, usage = await count(ScriptedChatModel.of(calls(number=1)))
    expected = (len(PROMPT.text) + len(SECRET) + schema) / 4
    assert expected <= usage.prompt_tokens <= expected + 3
    assert usage.answer_tokens == len('{"number":1}') / 4


async def test_runs_are_named_and_their_callbacks_called() -> None:
    names: list[str] = []

    class Names(BaseCallbackHandler):
        def on_chain_start(self, serialized: Any, inputs: Any, **kwargs: Any) -> None:
            names.append(kwargs.get("name", ""))

    config = RunnableConfig(callbacks=[Names()])
    model = ScriptedChatModel.of("no", calls(number=1))
    await ask(model, PROMPT, SECRET, Count, check=fine, config=config, name="memgraph.count")
    assert [name for name in names if name.startswith("memgraph")] == ["memgraph.count", "memgraph.count.repair"]


def test_the_name_of_a_model_is_its_own_where_it_has_one() -> None:
    class Named(ScriptedChatModel):
        model_name: str = "heron-2"

    assert structured.model_name(Named()) == "heron-2"


def test_the_hash_of_a_prompt_follows_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "prompts"
    folder.mkdir()

    def files(package: str) -> Path:
        return tmp_path

    monkeypatch.setattr("importlib.resources.files", files)
    hashes: set[str] = set()
    for text in ("Take {{what}}.", "Take all {{what}}.", "Take {{what}}.\n"):
        (folder / "x.md").write_text(text, encoding="utf-8")
        hashes.add(prompting.load("x", what="facts").hash)
    assert len(hashes) == 2
    assert prompting.load("x", what="facts").text == "Take facts."
    assert all(len(digest) == 16 for digest in hashes)


def test_the_schema_is_sent_without_what_says_nothing() -> None:
    class Inner(BaseModel):
        """Words."""

        title: str = "x"

    class Outer(BaseModel):
        inner: list[Inner]

    wire = wire_schema(Outer)
    item = {"properties": {"title": {"type": "string"}}, "type": "object"}
    assert wire["properties"] == {"inner": {"items": item, "type": "array"}}
    assert wire["title"] == "Outer"


def test_an_object_inside_one_that_is_cut_short_is_not_the_answer() -> None:
    assert read('{"facts": [{"number": 1}, {"numb') is None
    assert read("x" * MOST + '{"number": 1}') is None
