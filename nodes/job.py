"""The channel by which the stages hand a job on to each other in anybody's graph."""

from __future__ import annotations

from typing import Any, NotRequired

from memgraph.nodes.node import MemoryNode
from memgraph.state import NodeState


class JobState(NodeState):
    """What the stage nodes declare: the other nodes' channels, and the job.

    Attributes:
        memory_job: Number of the job that makes facts of the turns, None if there is nothing to do.
    """

    memory_job: NotRequired[int | None]


class JobNode(MemoryNode):
    """A node that also brings the channel `memory_job`."""

    def __call__(self, state: JobState) -> dict[str, Any]:  # type: ignore[override]  # LangGraph reads the annotation
        """Run the node. LangGraph reads the annotation: so the node brings its own channels."""
        return self.invoke(state)
