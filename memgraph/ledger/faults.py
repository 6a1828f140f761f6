"""Named points of the write path at which a test may kill the process or raise.

A fault test sets `reached` to its own function in a process of its own. Nothing else ever does.
"""

from __future__ import annotations

from collections.abc import Callable


def _nothing(point: str) -> None:
    """Let the point pass."""


reached: Callable[[str], None] = _nothing
"""Called with the name of each point that is passed: accept.begin, accept.written, accept.committed, job.leased,
job.embedded, job.committed, facts.extracted, facts.drafted, facts.planned, facts.decided, facts.applied,
facts.committed, erase.deleted, erase.committed, erase.truncated."""


def point(name: str) -> None:
    """Pass the point `name`."""
    reached(name)
