"""Memory as nodes of your own state graph: `retrieve` before the agent, `remember` after it."""

from memgraph.nodes.remember import remember
from memgraph.nodes.retrieve import retrieve

__all__ = ["remember", "retrieve"]
