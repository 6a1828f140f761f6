"""What our nodes have in common: they find their memory and their user in the run, and work in both faces."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.config import ensure_config
from langgraph.runtime import Runtime, get_runtime

from memgraph.errors import ForeignStore, InvalidInput
from memgraph.scope import MemoryContext, Scope, as_scope, identify
from memgraph.state import NodeState
from memgraph.store import MemoryStore

if TYPE_CHECKING:
    from memgraph.memory import Memory


ScopeOf = Callable[[Runtime[Any]], Scope | MemoryContext]
"""Says whose memory a run is about, where its context does not by fields of a scope's names."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a node.

    Attributes:
        memory: The memory that the graph was compiled with.
        scope: Whose, as the run says.
        thread_id: The thread it runs in, None without one.
        config: The run's config, to hand to what runs below.
        runtime: LangGraph's runtime.
    """

    memory: Memory
    scope: Scope
    thread_id: str | None
    config: RunnableConfig
    runtime: Runtime[Any]

    @property
    def keeps_messages(self) -> bool:
        """Whether a checkpointer keeps the thread's messages, and so their ids, from run to run."""
        # LangGraph tells its nodes in no other way: `execution_info` has a thread's id without a checkpointer, too.
        return bool((self.config.get("configurable") or {}).get("__pregel_checkpointer"))

    @property
    def cause(self) -> dict[str, str]:
        """Thread, checkpoint and task: what a commit keeps as its cause."""
        info = self.runtime.execution_info
        names = ("thread_id", "checkpoint_id", "task_id")
        return {name: str(value) for name in names if (value := getattr(info, name, None))}

    def write(self, event: Mapping[str, Any]) -> None:
        """Send an event to `stream_mode="custom"`."""
        self.runtime.stream_writer(event)


def current_run(config: RunnableConfig | None, scope_of: ScopeOf | None = None) -> Run:
    """Return the run that a node, a tool or a middleware's hook is in.

    Args:
        config: The run's config; None for the one in force.
        scope_of: Says whose memory. Default: the server's user, then the fields of the context, then the config's.

    Raises:
        ForeignStore: The graph was compiled without `memory.store`.
        InvalidScope: Nobody names a user.
        ScopeDenied: Two sources name different users.
    """
    runtime = get_runtime()
    memory = memory_of(runtime.store)
    full = ensure_config(config)
    configurable = full.get("configurable") or {}
    if scope_of is not None:
        scope = as_scope(scope_of(runtime))
    else:
        server = runtime.server_info
        user = None if server is None else server.user
        scope = identify(
            authenticated=None if user is None else user.identity, context=runtime.context, configurable=configurable
        )
    info = runtime.execution_info
    thread_id = (None if info is None else info.thread_id) or configurable.get("thread_id")
    return Run(memory, scope, None if thread_id is None else str(thread_id), full, runtime)


def memory_of(store: object) -> Memory:
    """Return the memory that a store carries.

    Raises:
        ForeignStore: It is somebody else's store, or there is none.
    """
    if isinstance(store, MemoryStore):
        return store.memory
    found = "no store" if store is None else f"a {type(store).__name__}"
    raise ForeignStore(
        f"this graph was compiled with {found}: memgraph's nodes find their memory through its store, so compile it "
        "with builder.compile(store=memory.store), or make it with create_agent(..., store=memory.store)"
    )


def _check_scope(scope: object) -> None:
    """Raise where a factory was given something else than a function: it would fail in the middle of a run.

    Raises:
        InvalidInput: It can't be called, or is to be awaited.
    """
    if scope is None:
        return
    if not callable(scope):
        found = f"not a {type(scope).__name__}"
    elif inspect.iscoroutinefunction(scope) or inspect.iscoroutinefunction(type(scope).__call__):
        found = "not an async one"
    else:
        return
    raise InvalidInput(
        f"scope must be a function of LangGraph's runtime, {found}: write scope=lambda runtime: Scope(...), and await "
        "nothing there; leave it out where the run itself names the user"
    )


class MemoryNode(Runnable[NodeState, dict[str, Any]]):
    """A node: one async body, run on the caller's loop by `ainvoke` and on the memory's by `invoke`.

    Args:
        scope: Says whose memory, None for what the run says.

    Raises:
        InvalidInput: `scope` is no function, or an async one.
    """

    def __init__(self, scope: ScopeOf | None = None) -> None:
        _check_scope(scope)
        self._scope = scope

    async def run(self, state: NodeState, run: Run) -> dict[str, Any]:
        """Do the node's work.

        Args:
            state: The graph's state, or the part of it that nodes declare.
            run: Where it runs.

        Returns:
            What to write into the state.
        """
        raise NotImplementedError  # pragma: no cover  # an abstract method; both nodes have their own

    def __call__(self, state: NodeState) -> dict[str, Any]:
        """Run the node. LangGraph reads the annotation: so the node brings its own channels."""
        return self.invoke(state)

    def invoke(self, input: NodeState, config: RunnableConfig | None = None, **kwargs: Any) -> dict[str, Any]:
        """Run the node and wait for it, in any thread."""
        run = current_run(config, self._scope)
        return run.memory.live().wait(self.run(input, run))

    async def ainvoke(self, input: NodeState, config: RunnableConfig | None = None, **kwargs: Any) -> dict[str, Any]:
        """Run the node."""
        return await self.run(input, current_run(config, self._scope))
