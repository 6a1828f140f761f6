"""Measuring memory: conversations with questions whose evidence is known, systems that look for it, and one table.

    report = run_retrieval("conversations.json")
    render(report, Console())

No evaluation framework is used. Importing this loads nothing but itself; a run loads what it needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from memgraph.evals.locomo import Dataset, load
    from memgraph.evals.report import Report
    from memgraph.evals.run import arun_retrieval, run_retrieval
    from memgraph.evals.shapes import InvalidDataset
    from memgraph.evals.systems import Ranking, System
    from memgraph.evals.table import render

__all__ = [
    "Dataset",
    "InvalidDataset",
    "Ranking",
    "Report",
    "System",
    "arun_retrieval",
    "load",
    "render",
    "run_retrieval",
]

_HOMES: Final = {
    "Dataset": "locomo",
    "InvalidDataset": "shapes",
    "Ranking": "systems",
    "Report": "report",
    "System": "systems",
    "arun_retrieval": "run",
    "load": "locomo",
    "render": "table",
    "run_retrieval": "run",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"memgraph.evals.{_HOMES[name]}"), name)
