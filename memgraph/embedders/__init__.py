"""Embedders: any of LangChain's, or the offline default."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final, NamedTuple

from memgraph.errors import EmbedderError, InvalidInput, MissingExtra

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

_log: Final = logging.getLogger("memgraph")
_warned: Final[set[str]] = set()


class Resolved(NamedTuple):
    """An embedder and the name under which its vectors are stored.

    Attributes:
        embeddings: The embedder, None for search by words only.
        name: Its name, None together with `embeddings`.
    """

    embeddings: Embeddings | None
    name: str | None


def resolve(embedder: Embeddings | str | None) -> Resolved:
    """Turn what the user wrote into an embedder.

    Args:
        embedder: An object of LangChain's `Embeddings`; "local" for the offline default; "provider:model" for
            LangChain's `init_embeddings`; None for none. "local" without its extra is none too, and says so in the
            log, once a process.

    Returns:
        The embedder and its name: of an object its `model`, `model_name` or `model_id`, else its class; of a
        string the string.

    Raises:
        InvalidInput: It is none of these.
        MissingExtra: The package of the provider is not installed.
        EmbedderError: LangChain could not make the provider's embedder.
    """
    if embedder is None:
        return Resolved(None, None)
    if embedder == "local":
        return _local()
    if isinstance(embedder, str):
        return Resolved(_from_provider(embedder), embedder)
    from langchain_core.embeddings import Embeddings

    if not isinstance(embedder, Embeddings):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers are not all typed
        raise InvalidInput(
            f'embedder must be an object of LangChain\'s Embeddings, "local", "provider:model" or None, '
            f"not `{type(embedder).__name__}`"
        )
    return Resolved(embedder, _name(embedder))


def _local() -> Resolved:
    from memgraph.embedders import local

    try:
        return Resolved(local.LocalEmbeddings(), local.MODEL_NAME)
    except MissingExtra as error:
        if "local" not in _warned:
            _warned.add("local")
            _log.warning("searching by words only: %s", error)
        return Resolved(None, None)


def _from_provider(model: str) -> Embeddings:
    provider, colon, name = model.partition(":")
    if not (provider and colon and name):
        raise InvalidInput(f'embedder `{model}` is not known: write "local" or "provider:model"')
    try:
        from langchain.embeddings import init_embeddings
    except ImportError as error:
        raise MissingExtra(f"the embedder `{model}`", "all") from error
    try:
        made = init_embeddings(model)
    except ImportError as error:
        raise MissingExtra(f"the embedder `{model}`", provider) from error
    except Exception as error:
        # A provider's constructor raises what it likes (a missing key, an unknown model): all of it is the operator's.
        raise EmbedderError(f"the embedder `{model}` could not be made: {type(error).__name__}") from error
    return made


def _name(embedder: Embeddings) -> str:
    """Return the name under which an embedder's vectors are stored: its model's, else its class's."""
    for attribute in ("model", "model_name", "model_id"):
        name = getattr(embedder, attribute, None)
        if isinstance(name, str) and name:
            return name
    return type(embedder).__qualname__
