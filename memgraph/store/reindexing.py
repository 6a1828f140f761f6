"""Indexing a store's items anew, for another embedder."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Final

from memgraph.core import Core
from memgraph.embedding import Embedder
from memgraph.ledger import items
from memgraph.store.index import item_terms, texts

_BATCH: Final = 64


async def reindex(
    core: Core, embedder: Embedder, fields: Sequence[str], progress: Callable[[int, int], None] | None
) -> int:
    """Index the items that lack an embedder's vectors, a batch a commit. Returns how many it were. On the host's loop.

    Args:
        core: The file's parts.
        embedder: Makes them.
        fields: What an item is indexed by that was put where there was no index.
        progress: Called with (done, total) items.

    Raises:
        EmbedderUnavailable: It failed; what was done is kept.
    """
    model = (embedder.name, len((await embedder.documents(["dimension"]))[0]))
    total = await core.ledger.read(items.count_without_vectors, *model)
    done = after = looked_at = 0
    while found := await core.ledger.read(items.without_vectors, *model, after, _BATCH):
        after = found[-1].item
        said = [texts(json.loads(one.value), fields if one.fields is None else one.fields) for one in found]
        vectors = iter(await embedder.documents([text for of_one in said for _, _, text in of_one]))
        made = [
            (
                one,
                item_terms(core.ledger.pepper, of_one),
                [(path, number, next(vectors)) for path, number, _ in of_one],
            )
            for one, of_one in zip(found, said, strict=True)
            if of_one
        ]
        await core.ledger.write(items.replace_vectors, made, model)
        done, looked_at = done + len(made), looked_at + len(found)
        if progress is not None:
            progress(looked_at, total)
    return done
