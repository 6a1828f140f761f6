"""`memory_tools`: memory that a model asks for itself, in any `ToolNode`.

Whose memory is not the model's to say: its arguments are a question, a note, an id; the scope comes from the run.
"""

# Annotations are types here, not their names: LangChain before 1.6 finds a tool's runtime by nothing else.
import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, cast
from uuid import UUID

from langchain_core.messages import BaseMessage, ToolMessage
from langchain_core.tools import BaseTool, StructuredTool
from langgraph.prebuilt import ToolRuntime
from pydantic import BaseModel, Field

from memgraph.errors import InvalidInput, NotFound, StoreClosed, StoreError
from memgraph.messages import BLOCK_MARK, finite, positive, said_by_user
from memgraph.nodes.node import Run, ScopeOf, current_run
from memgraph.nodes.remember import Remember, remember
from memgraph.nodes.retrieve import places
from memgraph.ranking.budget import answer, count_tokens
from memgraph.read_path.lookups import believed
from memgraph.state import state_value

_MOST: Final = 20
_ID: Final = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE)
_TEAMS: Final = "(the team's) "


class SearchMemory(BaseModel):
    """Arguments of `search_memory`."""

    query: str = Field(description="What to look for, in plain words.")
    limit: int = Field(default=5, ge=1, le=_MOST, description="Memories at most.")


class SaveMemory(BaseModel):
    """Arguments of `save_memory`."""

    text: str = Field(description="One statement that is understood alone: who, what, when.", min_length=1)


class ForgetMemory(BaseModel):
    """Arguments of `forget_memory`."""

    memory_id: str = Field(description="The id in square brackets, as search_memory or save_memory tells it.")
    reason: str | None = Field(default=None, description="Why, in a few words.", max_length=1_000)


Answer = Callable[[Run, ToolRuntime[Any, Any], Any], Awaitable[str]]
"""What a tool does: of the run, the tool's runtime and its arguments, to what the model is told."""


def memory_tools(
    *,
    scope: ScopeOf | None = None,
    budget_tokens: int = 1_000,
    deadline: float = 5.0,
    include_shared: bool = False,
) -> list[BaseTool]:
    """Make three tools: `search_memory`, `save_memory` and `forget_memory`.

    They find the memory through the graph's store, and work in `invoke` and `ainvoke`. What they answer is marked, so
    that `remember` passes it over. A memory that fails is told to the model; a wrong user is raised.

    Args:
        scope: Says whose memory, of LangGraph's runtime. Default: the server's user, then any fields of a scope's names
            in the context, then those in the config.
        budget_tokens: Room of a search's answer, about 4 characters a token.
        deadline: Seconds for a search.
        include_shared: Search the team's memory too. What is the team's is marked so, and can't be forgotten here.

    Raises:
        InvalidInput: An argument is out of range, or `scope` no function.
    """
    does = _Tools(
        positive("budget_tokens", budget_tokens),
        finite("deadline", deadline),
        include_shared,
        remember(background=True, scope=scope),
    )
    return [
        _tool(
            "search_memory",
            "Search long-term memory: what was said in earlier conversations, and facts noted of it.",
            SearchMemory,
            does.search,
            scope,
        ),
        _tool(
            "save_memory",
            "Save one statement to long-term memory, for later conversations.",
            SaveMemory,
            does.save,
            scope,
        ),
        _tool(
            "forget_memory",
            "Withdraw one memory that is wrong or that the user wants forgotten. Search for its id first.",
            ForgetMemory,
            does.forget,
            scope,
        ),
    ]


@dataclass(frozen=True, slots=True)
class _Tools:
    """What the tools do.

    Attributes:
        room: Of a search's answer, in tokens.
        deadline: Seconds for a search.
        include_shared: Whether the team's memory is searched, too.
        remembers: What saves a note.
    """

    room: int
    deadline: float
    include_shared: bool
    remembers: Remember

    async def search(self, run: Run, runtime: ToolRuntime[Any, Any], asked: SearchMemory) -> str:
        # What was said since the user last spoke is before the model, and is no memory yet.
        messages = cast("list[BaseMessage]", state_value(runtime.state, "messages") or [])
        spoke = [place for place, message in enumerate(messages) if said_by_user(message)]
        present = places(messages[spoke[-1] :] if spoke else [], run.thread_id)
        hits, query = await run.memory.live().call(
            run.memory.find(
                asked.query, run.scope, asked.limit, None, None, None, self.include_shared, self.deadline, present
            )
        )
        if query is None or not hits:
            return "Nothing was found."
        teams = await _teams([hit.id for hit in hits], run) if self.include_shared else set[str]()
        text = answer(hits, query, self.room - count_tokens(_TEAMS) * len(teams))
        for id in teams:  # nothing quoted can begin a line
            text = text.replace(f"\n- [{id}] ", f"\n- [{id}] {_TEAMS}")
        return text or "Something was found, but there is no room to show it."

    async def save(self, run: Run, runtime: ToolRuntime[Any, Any], asked: SaveMemory) -> str:
        # The model's words, not the user's: never more trusted than what an assistant said.
        note = {"role": "assistant", "content": asked.text}
        added = await self.remembers.store([note], run, idempotency_key=_call(run, runtime, asked.text))
        if added.ids:
            return f"Saved as [{added.ids[0]}]."
        [skip] = added.skipped
        return f"Nothing to save: {skip.reason}."

    async def forget(self, run: Run, runtime: ToolRuntime[Any, Any], asked: ForgetMemory) -> str:
        id = _named(asked.memory_id)
        try:
            await run.memory.aforget(id, run.scope, reason=asked.reason)
        except NotFound:
            if self.include_shared and await _teams([id], run):
                raise InvalidInput("this memory is the team's, and can't be forgotten by one user") from None
            raise
        return "Forgotten."


def _named(text: str) -> str:
    """Return the id that a model gives, in whatever form it does: `[id].`, `id: ...`, in upper case.

    Raises:
        InvalidInput: It gives several.
    """
    ids = {str(UUID(found)) for found in _ID.findall(text)}
    if len(ids) > 1:
        raise InvalidInput("give one id at a time")
    return ids.pop() if ids else text.strip("[] ")


async def _teams(ids: list[str], run: Run) -> set[str]:
    """Return which memories are the team's rather than the user's."""
    if run.scope.is_shared:
        return set()
    return await run.memory.live().call(believed(run.memory.core, ids, [run.scope.team()]))


def _call(run: Run, runtime: ToolRuntime[Any, Any], text: str) -> str:
    """Name a call, so that one that runs again saves nothing twice. Ids of calls alone are not unique everywhere."""
    parts = (run.thread_id or "", runtime.tool_call_id or "", text)
    digest = hashlib.sha256()
    for part in parts:
        digest.update(f"{len(part)}:{part}".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _tool(name: str, description: str, arguments: type[BaseModel], body: Answer, scope: ScopeOf | None) -> BaseTool:
    """Make a tool of one async body, in both faces."""

    async def tell(run: Run, runtime: ToolRuntime[Any, Any], given: dict[str, Any]) -> ToolMessage:
        status = "success"
        try:
            text = await body(run, runtime, arguments(**given))
        except StoreClosed:
            raise  # used after close(): a mistake of the program, not of the outside
        except (InvalidInput, NotFound) as error:
            text, status = f"{error}", "error"
        except StoreError as error:
            text, status = f"Memory can't be reached now ({type(error).__name__}).", "error"
        return ToolMessage(
            text,
            name=name,
            tool_call_id=runtime.tool_call_id or "",
            status=status,
            additional_kwargs={BLOCK_MARK: name},
        )

    def sync(runtime: ToolRuntime[Any, Any], **given: Any) -> ToolMessage:
        run = current_run(runtime.config, scope)
        return run.memory.live().wait(tell(run, runtime, given))

    async def face(runtime: ToolRuntime[Any, Any], **given: Any) -> ToolMessage:
        return await tell(current_run(runtime.config, scope), runtime, given)

    return StructuredTool.from_function(
        sync, face, name=name, description=description, args_schema=arguments, infer_schema=False
    )
