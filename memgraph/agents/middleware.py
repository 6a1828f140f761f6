"""`MemoryMiddleware`: the nodes `retrieve` and `remember` around an agent of LangChain's `create_agent`."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Final, NotRequired, cast

from langchain.agents.middleware import AgentMiddleware, AgentState, ModelRequest, ModelResponse
from langchain.agents.middleware.types import PrivateStateAttr
from langchain_core.messages import AnyMessage, BaseMessage

from memgraph.errors import StoreClosed, StoreError
from memgraph.messages import said_by_user
from memgraph.nodes.node import ScopeOf, current_run
from memgraph.nodes.remember import remember
from memgraph.nodes.retrieve import retrieve
from memgraph.state import NodeState, Recalled, merge_marks, with_memory

if TYPE_CHECKING:
    from collections.abc import Generator

    from langgraph.runtime import Runtime

log: Final = logging.getLogger(__name__)


class MemoryAgentState(AgentState[Any]):
    """What the middleware adds to an agent's state: the nodes' two channels.

    Attributes:
        recalled: What was recalled for the last user message; neither taken from callers nor handed back to them.
        memory_seq: The mark.
    """

    recalled: NotRequired[Annotated[Recalled, PrivateStateAttr]]
    memory_seq: NotRequired[Annotated[dict[str, int], merge_marks]]


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
        deadline: Seconds for the recall.
        include_shared: Search the team's memory too.
        remembers: Whether to remember. Not in a subagent: what an agent tells it would be taken for the user's words.
        strict: Raise where memory fails or is too slow. Otherwise the agent goes on with less of it, or without.

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
        self._strict = strict

    @property
    def name(self) -> str:
        """What its nodes are called by. Not by the class: others have such a one, and a name may stand once only."""
        return "memgraph"

    def before_agent(self, state: MemoryAgentState, runtime: Runtime[Any]) -> dict[str, Any] | None:
        """Recall."""
        return self._retrieve.invoke(cast(NodeState, state)) if _is_new(state) else None

    async def abefore_agent(self, state: MemoryAgentState, runtime: Runtime[Any]) -> dict[str, Any] | None:
        """Recall."""
        return await self._retrieve.ainvoke(cast(NodeState, state)) if _is_new(state) else None

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        """Put the user's words on the disk, and call the model with what was recalled."""
        if self._remembers and (said := _unanswered(request.state["messages"])):
            run = current_run(None, self._scope)
            with self._failing_open():
                run.memory.live().wait(self._remember.accept(said, run))
        return handler(_recalling(request))

    async def awrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
    ) -> ModelResponse[Any]:
        """Put the user's words on the disk, and call the model with what was recalled."""
        if self._remembers and (said := _unanswered(request.state["messages"])):
            with self._failing_open():
                await self._remember.accept(said, current_run(None, self._scope))
        return await handler(_recalling(request))

    def after_agent(self, state: MemoryAgentState, runtime: Runtime[Any]) -> dict[str, Any] | None:
        """Remember."""
        if self._remembers:
            with self._failing_open():
                return self._remember.invoke(cast(NodeState, state))
        return None

    async def aafter_agent(self, state: MemoryAgentState, runtime: Runtime[Any]) -> dict[str, Any] | None:
        """Remember."""
        if self._remembers:
            with self._failing_open():
                return await self._remember.ainvoke(cast(NodeState, state))
        return None

    @contextmanager
    def _failing_open(self) -> Generator[None]:
        """Let the agent go on where the file can't be written: the thread's next run tries again."""
        try:
            yield
        except StoreClosed:
            raise  # used after close(): a mistake of the program, not of the outside
        except StoreError as error:
            if self._strict:
                raise
            log.warning("not remembered for now: %s", type(error).__name__)


def _unanswered(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """Return what the user said since the model last spoke."""
    spoke = [place for place, message in enumerate(messages) if message.type == "ai"]
    return [message for message in messages[spoke[-1] + 1 if spoke else 0 :] if said_by_user(message)]


def _is_new(state: MemoryAgentState) -> bool:
    """Tell whether a recall is due: a run may also go on with an earlier message, by a tool's result from outside."""
    return "recalled" not in state or bool(_unanswered(state["messages"]))


def _recalling(request: ModelRequest[Any]) -> ModelRequest[Any]:
    """Return a request to the model with what was recalled."""
    recalled = cast(MemoryAgentState, request.state).get("recalled")
    if recalled is None:
        return request
    shown = with_memory({"messages": request.messages, "recalled": recalled})
    return request.override(messages=cast("list[AnyMessage]", shown))
