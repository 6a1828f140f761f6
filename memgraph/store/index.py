"""By what a store's items are found: the fields that are read, and the embedder that reads them."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from langchain_core.embeddings import Embeddings
from langgraph.store.base import get_text_at_path

from memgraph.embedders import resolve
from memgraph.embedding import Embedder
from memgraph.errors import InvalidInput
from memgraph.faces import Host
from memgraph.projections.postings import pack_terms
from memgraph.projections.tokenizer import tokenize

if TYPE_CHECKING:
    from langgraph.store.base import IndexConfig

WHOLE: Final = ("$",)
"""The field that stands for the whole value, as JSON."""

_KEYS: Final = frozenset({"dims", "embed", "fields", "text_fields", "name", "distance_type"})


class ItemIndex(Protocol):
    """What a store indexes its items by."""

    @property
    def fields(self) -> Sequence[str]:
        """The paths in a value that are indexed unless a put says otherwise."""
        ...

    def embedder(self) -> Embedder | None:
        """Return what makes vectors of texts, None to go by words alone."""
        ...


class ConfiguredIndex:
    """An index as a developer configures it, in LangGraph's words.

    Args:
        config: `dims`, `embed`, and `fields` (or `text_fields`); also `name`, under which vectors are stored, for an
            `embed` that says none, and PostgresStore's `distance_type`, which can be "cosine" alone.
        host: The host on whose loop an async function runs.

    Raises:
        InvalidInput: It is malformed.
        MissingExtra: The embedder's package is not installed.
    """

    def __init__(self, config: IndexConfig, host: Callable[[], Host]) -> None:
        given = cast("Mapping[str, Any]", config)
        if not isinstance(given, Mapping) or not given.keys() <= _KEYS or "embed" not in given:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidInput("index is a dict of `embed`, and of `dims` and `fields` where you like")
        if given.get("distance_type", "cosine") != "cosine":
            raise InvalidInput(f"index['distance_type'] must be \"cosine\", not {given['distance_type']!r}")
        dims = given.get("dims")
        if dims is not None and (isinstance(dims, bool) or not isinstance(dims, int) or dims < 1):
            raise InvalidInput(f"index['dims'] must be a number of dimensions, not {dims!r}")
        self._dims: int | None = dims
        self.fields: Sequence[str] = paths(given.get("fields") or given.get("text_fields") or WHOLE)
        self._model, self._name = _embeddings(given["embed"], host)
        name = given.get("name")
        if name is not None:
            if not isinstance(name, str) or not 1 <= len(name) <= 256:
                raise InvalidInput("index['name'] must be text of 1 to 256 characters")
            self._name = name
        self._made: tuple[int, Embedder] | None = None

    def embedder(self) -> Embedder | None:
        """Return the embedder: another one after a fork, whose child has none of its threads."""
        if self._model is None:
            return None
        if self._made is None or self._made[0] != os.getpid():
            self._made = os.getpid(), Embedder(self._model, self._name, self._dims)
        return self._made[1]


def paths(fields: object) -> Sequence[str]:
    """Return the field paths of a configuration or of a put.

    Raises:
        InvalidInput: They are no list of texts.
    """
    several = cast("Sequence[object]", fields)
    if not isinstance(fields, (list, tuple)) or not all(isinstance(one, str) for one in several):
        raise InvalidInput("the fields of an index are a list of paths: ['text', 'notes[*].title'], or ['$'] for all")
    return tuple(cast("Sequence[str]", several))


Said = tuple[str, int, str]
"""(path, number at that path, text) of what is indexed."""


def item_terms(secret: bytes, said: Iterable[Said]) -> bytes:
    """Return the packed terms of all that is indexed of an item."""
    return pack_terms(secret, [term for _, _, text in said for term in tokenize(text)])


def texts(value: Mapping[str, Any], fields: Sequence[str]) -> list[Said]:
    """Return what a value says in some fields; nothing where it says nothing."""
    return [
        (path, number, text.encode("utf-8", "replace").decode())
        for path in dict.fromkeys(fields)
        for number, text in enumerate(get_text_at_path(value, path))
        if text.strip()
    ]


def _embeddings(embed: object, host: Callable[[], Host]) -> tuple[Embeddings | None, str]:
    if isinstance(embed, (str, Embeddings)):
        resolved = resolve(embed)
        return resolved.embeddings, resolved.name or ""
    if not callable(embed):
        raise InvalidInput(
            "index['embed'] is an object of LangChain's Embeddings, a function of a list of texts, or a text: "
            f'"local", "provider:model"; not {type(embed).__name__}'
        )
    made = embed if hasattr(embed, "__qualname__") else type(embed)
    return _Function(embed, host), f"{made.__module__}.{made.__qualname__}"


class _Function(Embeddings):
    """A function, plain or async, as embeddings; called in the embedder's threads.

    An async one runs on the store's own loop: its client stays bound to one loop, whichever face is called.
    """

    def __init__(self, function: Callable[[list[str]], Any], host: Callable[[], Host]) -> None:
        self._function = function
        self._host = host

    def embed_documents(self, texts: list[str]) -> Any:
        """Call the function; its answer is checked by the embedder."""
        answer = self._function(texts)
        return self._host().submit(answer).result() if inspect.iscoroutine(answer) else answer

    def embed_query(self, text: str) -> Any:
        """Call the function with one text."""
        return self.embed_documents([text])[0]
