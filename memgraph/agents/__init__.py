"""Memory for agents: tools for any `ToolNode`, and a middleware for LangChain's `create_agent`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from memgraph.agents.tools import memory_tools
from memgraph.errors import MissingExtra

if TYPE_CHECKING:
    from memgraph.agents.middleware import MemoryMiddleware

__all__ = ["MemoryMiddleware", "memory_tools"]


def __getattr__(name: str) -> Any:
    """Load the middleware when it is asked for: the tools work without LangChain's `langchain`."""
    if name != "MemoryMiddleware":
        raise AttributeError(f"module `memgraph.agents` has no attribute `{name}`")
    try:
        from memgraph.agents.middleware import MemoryMiddleware
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "langchain":
            raise
        raise MissingExtra("MemoryMiddleware", "agents") from error
    return MemoryMiddleware
