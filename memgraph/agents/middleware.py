"""`MemoryMiddleware`: the nodes `retrieve` and `remember` around an agent of LangChain's `create_agent`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any, Final, NotRequired, cast

from langchain.agents.middleware import AgentMiddleware, AgentState, ModelRequest, ModelResponse
from langchain.agents.middleware.types import OmitFromInput, PrivateStateAttr
from langchain_core.messages import AnyMessage, BaseMessage

from memgraph.errors import StoreBusy, StoreClosed, StoreError
from memgraph.messages import said_by_user
from memgraph.nodes.node import Run, ScopeOf, current_run
from memgraph.nodes.remember import remember
from memgraph.nodes.retrieve import retrieve
from memgraph.read_path.lookups import believed
from memgraph.state import NodeState, Recalled, merge_marks, with_memory

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from langgraph.runtime import Runtime

log: Final = logging.getLogger(__name__)


class MemoryAgentState(AgentState[Any]):
    """What the middleware adds to an agent's state: the nodes' two channels.

    Attributes:
        recalled: What was recalled for the last user message; neither taken from callers nor handed back to them.
        memory_seq: The mark.
    """

    recalled: NotRequired[Annotated[Recalled, PrivateStateAttr]]
    memory_seq: NotRequired[Annotated[dict[str, int], OmitFromInput, merge_marks]]


class MemoryMiddleware(AgentMiddleware[MemoryAgentState, Any, Any]):
    """Recalls once a user message, shows the model what was recalled, remembers what was said.

    The model sees one marked message before the last user message, which is not stored with the others. The user's
    words are on the disk before the model is called on them, the rest when the agent is done; vectors and facts follow
    in the background.

    Args:
        scope: Says whose memory, of LangGraph's runtime. Default: the server's user, then any fields of a scope's names
            in the context, then those in the config.
        limit: Turns and facts looked at, best first.
        budget_tokens: Room of the recall, about 4 characters a token.
        deadline: Seconds for the recall, and for each time that something is put on the disk; what takes longer is
            stored in the background.
        include_shared: Search the team's memory too.
        remembers: Whether to remember. Not in a subagent: what an agent tells it would be taken for the user's words.
        strict: Raise where memory fails or is too slow; what could not be written in time is stored all the same.
            Otherwise the agent goes on with less of it, or without.

    Raises:
        InvalidInput: An argument is out of range.
    """

    state_schema = MemoryAgentState

    def __init__(
        self,
        *,
        scope: ScopeOf | None = None,
        limit: int = 20,
        budget_tokens: int = 1_000,
        deadline: float = 0.5,
        include_shared: bool = False,
        remembers: bool = True,
        strict: bool = False,
    ) -> None:
        super().__init__()
        self._scope = scope
        self._retrieve = retrieve(
            limit=limit,
            budget_tokens=budget_tokens,
            deadline=deadline,
            include_shared=include_shared,
            strict=strict,
            scope=scope,
        )
        self._remember = remember(background=True, scope=scope)
        self._remembers = remembers
        self._include_shared = include_shared
        self._deadline = deadline
        self._strict = strict

    @property
    def name(self) -> str:
        """What its nodes are called by. Not by the class: others have such a one, and a name may stand once only."""
        return "memgraph"

    # Before the model, not before the agent: what another middleware has redacted by then reaches no embedder.

    def before_model(self, state: MemoryAgentState, runtime: Runtime[Any]) -> dict[str, Any] | None:
        """Recall."""
        run = current_run(None, self._scope)
        return run.memory.live().wait(self._recall(state, run))

    async def abefore_model(self, state: MemoryAgentState, runtime: Runtime[Any]) -> dict[str, Any] | None:
        """Recall."""
        return await self._recall(state, current_run(None, self._scope))

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        """Put what was said on the disk, and call the model with what was recalled."""
        run = current_run(None, self._scope)
        recalled = run.memory.live().wait(self._prepared(request, run))
        return handler(_showing(request, recalled))

    async def awrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
    ) -> ModelResponse[Any]:
        """Put what was said on the disk, and call the model with what was recalled."""
        run = current_run(None, self._scope)
        return await handler(_showing(request, await self._prepared(request, run)))

    def after_agent(self, state: MemoryAgentState, runtime: Runtime[Any]) -> dict[str, Any] | None:
        """Remember."""
        if not self._remembers:
            return None
        run = current_run(None, self._scope)
        return run.memory.live().wait(self._remembered(state, run))

    async def aafter_agent(self, state: MemoryAgentState, runtime: Runtime[Any]) -> dict[str, Any] | None:
        """Remember."""
        return await self._remembered(state, current_run(None, self._scope)) if self._remembers else None

    async def _recall(self, state: MemoryAgentState, run: Run) -> dict[str, Any] | None:
        """Recall for what the user has said, or anew where something of the last recall was erased or forgotten."""
        recalled = state.get("recalled")
        if recalled is None or _unanswered(state["messages"]) or not await self._holds(recalled, run):
            return await self._retrieve.run(cast(NodeState, state), run)
        return None

    async def _prepared(self, request: ModelRequest[Any], run: Run) -> Recalled | None:
        """Store the messages where the user has said something new. Returns what the model is shown."""
        messages = request.state["messages"]
        if self._remembers and _unanswered(messages):
            async with self._failing_open(messages, run):
                # All of them: those that an earlier run could not store come before what was said now.
                await self._remember.accept(messages, run)
        recalled = cast(MemoryAgentState, request.state).get("recalled")
        if recalled is None or await self._holds(recalled, run):
            return recalled
        # Something of it was erased since: a run that was cut short here may go on much later.
        return cast(Recalled, (await self._retrieve.run(cast(NodeState, request.state), run))["recalled"])

    async def _holds(self, recalled: Recalled, run: Run) -> bool:
        scopes = [run.scope]
        if self._include_shared and not run.scope.is_shared:
            scopes.append(run.scope.team())
        try:
            found = await run.memory.live().call(believed(run.memory.core, recalled["ids"], scopes, self._deadline))
        except StoreClosed:
            raise
        except StoreError:
            return False  # what can't be looked up now can't be shown
        return found.issuperset(recalled["ids"])

    async def _remembered(self, state: MemoryAgentState, run: Run) -> dict[str, Any] | None:
        update: dict[str, Any] | None = None
        async with self._failing_open(state["messages"], run):
            update = await self._remember.run(cast(NodeState, state), run)
        return update

    @asynccontextmanager
    async def _failing_open(self, messages: Sequence[BaseMessage], run: Run) -> AsyncGenerator[None]:
        """Let the agent go on where the file can't be written, or not in time.

        What takes longer is stored in the background. Where that fails, the thread's next run tries again.
        """
        try:
            async with asyncio.timeout(self._deadline):
                yield
        except StoreClosed:
            raise  # used after close(): a mistake of the program, not of the outside
        except StoreError as error:  # before the other: a StoreBusy is a TimeoutError too
            if self._strict:
                raise
            log.warning("not remembered for now: %s", type(error).__name__)
        except TimeoutError:
            if self._strict:
                raise StoreBusy(f"what was said could not be written within {self._deadline} s") from None
            # Cut short, it may not have come as far as the writer. Messages that have are known again.
            self._remember.leave(messages, run)
            log.warning("what was said is not on the disk after %s s; it goes there in the background", self._deadline)


def _unanswered(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """Return what the user said since the model last spoke."""
    spoke = [place for place, message in enumerate(messages) if message.type == "ai"]
    return [message for message in messages[spoke[-1] + 1 if spoke else 0 :] if said_by_user(message)]


def _showing(request: ModelRequest[Any], recalled: Recalled | None) -> ModelRequest[Any]:
    """Return a request to the model with what was recalled, the request itself where that is nothing."""
    if recalled is None or not recalled["text"]:
        return request
    shown = with_memory({"messages": request.messages, "recalled": recalled})
    return request.override(messages=cast("list[AnyMessage]", shown))
