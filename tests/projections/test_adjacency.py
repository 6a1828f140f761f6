"""Breadth first, within caps."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from memgraph.projections.adjacency import ListAdjacency

EDGES = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=20)
WIDE = 1_000


def distances(edges: list[tuple[int, int]], start: int, hops: int) -> dict[int, int]:
    """Return how far each node is, found by trying every edge once a hop."""
    found = {start: 0}
    for hop in range(1, hops + 1):
        for one, other in edges:
            for a, b in ((one, other), (other, one)):
                if found.get(a) == hop - 1:
                    found.setdefault(b, hop)
    return found


@given(EDGES, st.integers(0, 9), st.integers(0, 4))
def test_every_node_is_reached_by_a_shortest_path(edges: list[tuple[int, int]], start: int, hops: int) -> None:
    graph = ListAdjacency()
    graph.add(edges)
    paths = graph.reach([start], hops=hops, fan_out=WIDE, limit=WIDE)
    assert {node: len(path) - 1 for node, path in paths.items()} == distances(edges, start, hops)
    known = {frozenset(edge) for edge in edges}
    for node, path in paths.items():
        assert (path[0], path[-1]) == (start, node)
        assert all(frozenset(step) in known for step in zip(path, path[1:], strict=False))


def test_a_hub_costs_no_more_than_its_fan_out() -> None:
    graph = ListAdjacency()
    graph.add((0, n) for n in range(1, 10_001))
    assert list(graph.reach([0], hops=1, fan_out=3, limit=WIDE)) == [0, 1, 2, 3]
    assert len(graph.reach([0], hops=2, fan_out=20_000, limit=50)) == 50


def test_the_limit_holds_for_the_start_too() -> None:
    assert list(ListAdjacency().reach([1, 2, 2, 3], hops=2, fan_out=9, limit=2)) == [1, 2]


def test_an_unknown_node_reaches_itself() -> None:
    assert ListAdjacency().reach([7], hops=3, fan_out=9, limit=9) == {7: (7,)}


def test_what_is_removed_is_walked_no_more() -> None:
    graph = ListAdjacency()
    graph.add([(1, 2), (2, 3), (1, 2)])
    graph.remove([(2, 1), (8, 9)])
    assert list(graph.reach([2], hops=2, fan_out=9, limit=9)) == [2, 3]
