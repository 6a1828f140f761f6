"""What a result depends on, written beside it."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, ConfigDict

from memgraph.evals.dialogs import CATEGORIES
from memgraph.evals.statistics import RESAMPLES

if TYPE_CHECKING:
    from memgraph.evals.locomo import Dataset

PACKAGES: Final = (
    "langgraph-memory-nodes",
    "langgraph",
    "langchain-core",
    "apsw-sqlite3mc",
    "numpy",
    "PyStemmer",
    "onnxruntime",
    "tokenizers",
)
"""Packages that a ranking passes through."""


class Manifest(BaseModel):
    """What was measured, with what.

    Attributes:
        data: Name of the file, without its folder.
        identity: What file it is, in words.
        sha256: Of the file.
        counts: What it holds, as the loader counted it.
        categories: What the category numbers mean.
        embedder: The embedder's model, None for none.
        packages: Version by package, of those installed.
        python: Version of Python.
        ks: Ranks at which recall was taken.
        limit: How many questions were asked at most; None for all.
        seed: Of the bootstrap.
        resamples: Of the bootstrap.
    """

    model_config = ConfigDict(frozen=True)

    data: str
    identity: str
    sha256: str
    counts: dict[str, int]
    categories: dict[int, str]
    embedder: str | None
    packages: dict[str, str]
    python: str
    ks: tuple[int, ...]
    limit: int | None
    seed: int
    resamples: int


def manifest(dataset: Dataset, *, embedder: str | None, ks: Sequence[int], limit: int | None, seed: int) -> Manifest:
    """Describe a run."""
    return Manifest(
        data=dataset.path.name,
        identity=dataset.identity,
        sha256=dataset.sha256,
        counts={name: getattr(dataset.counts, name) for name in dataset.counts.__slots__},
        categories=dict(CATEGORIES),
        embedder=embedder,
        packages={name: found for name in PACKAGES if (found := _version(name)) is not None},
        python=platform.python_version(),
        ks=tuple(ks),
        limit=limit,
        seed=seed,
        resamples=RESAMPLES,
    )


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
