"""Making the vectors of a store's items anew, for another embedder."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Final

from memgraph.core import Core
from memgraph.embedding import Embedder
from memgraph.ledger import items
from memgraph.store.index import texts

_BATCH: Final = 64


async def lacking(core: Core, embedder: Embedder) -> int:
    """Return how many indexed items have no vector by an embedder. On the host's loop, as all here."""
    return await core.ledger.read(items.count_without_vectors, embedder.name)


async def reindex(core: Core, embedder: Embedder, fields: Sequence[str], told: Callable[[int], None]) -> int:
    """Make the vectors that indexed items lack, a batch a commit. Returns how many items it were.

    Args:
        core: The file's parts.
        embedder: Makes them.
        fields: What an item is indexed by that does not know it itself, having come with an early version.
        told: Is told how many more are done.

    Raises:
        EmbedderUnavailable: It failed; what was done is kept.
    """
    done = after = 0
    while found := await core.ledger.read(items.without_vectors, embedder.name, after, _BATCH):
        after = found[-1].item
        said = [texts(json.loads(one.value), fields if one.fields is None else one.fields) for one in found]
        vectors = iter(await embedder.documents([text for of_one in said for _, _, text in of_one]))
        made = [
            (one, [(path, number, next(vectors)) for path, number, _ in of_one])
            for one, of_one in zip(found, said, strict=True)
        ]
        await core.ledger.write(items.replace_vectors, made, embedder.name)
        done += len(found)
        told(len(found))
    return done
