"""Memory as nodes of your own state graph: `retrieve` before the agent, `remember` after it.

`remember` is `extract`, `consolidate` and `merge_graph` in one; each of them is a node too.
"""

from memgraph.nodes.consolidate import consolidate
from memgraph.nodes.extract import extract
from memgraph.nodes.merge_graph import merge_graph
from memgraph.nodes.remember import remember
from memgraph.nodes.retrieve import retrieve

__all__ = ["consolidate", "extract", "merge_graph", "remember", "retrieve"]
