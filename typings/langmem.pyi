# What the tests use of langmem, which has types but doesn't say so.

from concurrent.futures import Future
from types import TracebackType
from typing import Any, Self

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.tools import BaseTool
from langgraph.store.base import BaseStore

class ReflectionExecutor:
    def __init__(self, reflector: Runnable[Any, Any], /, *, store: BaseStore | None = None) -> None: ...
    def submit(
        self, payload: dict[str, Any], /, config: RunnableConfig | None = None, *, thread_id: str | None = None
    ) -> Future[list[dict[str, Any]]]: ...
    def shutdown(self, wait: bool = True) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool: ...

def create_manage_memory_tool(
    namespace: tuple[str, ...], *, schema: type = ..., store: BaseStore | None = None
) -> BaseTool: ...
def create_search_memory_tool(namespace: tuple[str, ...], *, store: BaseStore | None = None) -> BaseTool: ...
def create_memory_searcher(
    model: BaseChatModel, *, namespace: tuple[str, ...] = ...
) -> Runnable[dict[str, Any], list[Any]]: ...
def create_memory_store_manager(
    model: BaseChatModel,
    /,
    *,
    default: str | None = None,
    enable_inserts: bool = True,
    enable_deletes: bool = False,
    query_model: BaseChatModel | None = None,
    query_limit: int = 5,
    namespace: tuple[str, ...] = ...,
    store: BaseStore | None = None,
    phases: list[dict[str, Any]] | None = None,
) -> Runnable[dict[str, Any], list[dict[str, Any]]]: ...
