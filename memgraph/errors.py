"""Every error that memgraph raises, split by who must act.

    AgentMemoryError
    ├── UsageError (ValueError)            the developer: the call is wrong
    │   ├── InvalidScope                   an id, or a missing user
    │   ├── InvalidInput                   a message, a time, a limit
    │   ├── InvalidFilter                  a filter key or value
    │   ├── ForeignStore                   a node found another store, or none
    │   ├── UndoRefused                    an operation that was undone, or that a later one built on
    │   ├── NoRecall                       with_memory on a state without `recalled`
    │   └── ReadOnlyNamespace              a put where a store shows facts
    ├── LoopBlocked (RuntimeError)         the developer: a sync call on memgraph's own loop thread
    ├── ScopeDenied (PermissionError)      the caller: this scope is not theirs
    ├── NotFound (LookupError)             the caller: no such turn or trace in this scope
    ├── MissingExtra (ImportError)         the operator: install an extra
    ├── EmbedderError                      the operator: the embedder
    │   ├── EmbedderMismatch               another model than the one stored with the data
    │   └── EmbedderUnavailable            it failed, was too slow, or gave no usable vectors
    ├── ModelError                         the operator: the model
    │   ├── ModelUnavailable               it raised, was out of reach, or refused the call
    │   └── ModelOutputInvalid             its answer was unusable, and again after a repair
    └── StoreError                         the operator: the file
        ├── StoreBusy (TimeoutError)       locked by somebody else
        ├── StoreFull (OSError)            no space left
        ├── StoreUnreadable (OSError)      the disk failed, or the file may not be written
        ├── StoreCorrupt                   the file is damaged
        ├── NotAMemoryFile                 not a database of ours, or a key is missing or wrong
        ├── EncryptionUnavailable          the SQLite in use has no ciphers
        ├── StoreTooNew                    written by a newer memgraph
        └── StoreClosed                    used after close()

Messages say what was wrong, the value seen and what to do. They never contain a memory's text or a key.
"""

from __future__ import annotations


class AgentMemoryError(Exception):
    """The root of every error of this package."""


class UsageError(AgentMemoryError, ValueError):
    """The call is wrong and will stay wrong: fix the code that makes it."""


class InvalidScope(UsageError):
    """An id of a scope is missing or malformed. Raised before anything is read or written."""


class InvalidInput(UsageError):
    """A message, a time or a limit can't be taken. Raised before anything is written."""


class InvalidFilter(UsageError):
    """A filter names an unknown or unsafe key, or a value of the wrong type."""


class ForeignStore(UsageError):
    """A memgraph node ran in a graph whose store is not `memory.store`."""


class UndoRefused(UsageError):
    """An operation can't be undone: it was already, or a later one changed the same fact. Nothing was changed."""


class NoRecall(UsageError):
    """`with_memory` was given a state in which `retrieve` left nothing."""


class ReadOnlyNamespace(UsageError):
    """A put into the namespaces where `memory.store` shows facts. Nothing of the batch was written."""


class LoopBlocked(AgentMemoryError, RuntimeError):
    """A synchronous method was called on memgraph's own loop thread, where waiting would never end."""


class ScopeDenied(AgentMemoryError, PermissionError):
    """Two sources claim different users, or a thread belongs to somebody else."""


class NotFound(AgentMemoryError, LookupError):
    """No such object in this scope. The same error whether it never existed or is another's."""


class MissingExtra(AgentMemoryError, ImportError):
    """An optional dependency is not installed.

    Args:
        feature: What was asked for, as the user knows it.
        extra: The extra of this distribution that brings it.
    """

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f'{feature} needs an extra: pip install "langgraph-memory-nodes[{extra}]"')
        self.feature = feature
        self.extra = extra


class EmbedderError(AgentMemoryError):
    """Something is wrong with the embedder. Words are kept and found lexically all the same."""


class EmbedderMismatch(EmbedderError):
    """The file's vectors were made by another model.

    Attributes:
        stored: Name and dimension of the model that made the vectors.
        given: Name (and dimension, where known) of the model given now.
    """

    def __init__(self, stored: str, given: str) -> None:
        super().__init__(
            f"this file's vectors were made by `{stored}`, the embedder given now is `{given}`. Open it with the "
            f"stored one, or rebuild: open with embedder=None and call memory.reindex(embedder=...)"
        )
        self.stored = stored
        self.given = given


class EmbedderUnavailable(EmbedderError):
    """The embedder raised, was too slow, or answered with vectors that can't be used."""


class ModelError(AgentMemoryError):
    """Something is wrong with the chat model. Turns are kept and found all the same; their facts wait."""


class ModelUnavailable(ModelError):
    """The chat model raised. The message names the class of what it raised, never its words: they may quote a turn."""


class ModelOutputInvalid(ModelError):
    """The chat model's answer was not of the form asked for, and after a repair with the faults shown still was not."""


class StoreError(AgentMemoryError):
    """The database file can't do what was asked."""


class StoreBusy(StoreError, TimeoutError):
    """The file is locked by another process or handle. What was asked did not happen; try again."""


class StoreFull(StoreError, OSError):
    """No space is left. What was asked did not happen; reading still works."""


class StoreUnreadable(StoreError, OSError):
    """The disk failed, or the file may not be read or written. What was asked did not happen."""


class StoreCorrupt(StoreError):
    """The file is damaged. Restore a backup; memgraph never replaces it with an empty one."""


class NotAMemoryFile(StoreError):
    """The file is not a memgraph database, or its key is missing or wrong (the two look the same from outside)."""


class EncryptionUnavailable(StoreError):
    """A key was given, but the SQLite in use has no ciphers and would write plaintext."""


class StoreTooNew(StoreError):
    """The file was written by a newer memgraph: upgrade the package."""


class StoreClosed(StoreError):
    """The memory was used after `close()`."""
