"""Adjacency of one owner: entities and the facts that mention them, walked breadth first within caps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Protocol


class Adjacency(Protocol):
    """What a search needs of a graph projection."""

    def reach(
        self,
        start: Iterable[int],
        *,
        hops: int,
        fan_out: int,
        limit: int,
        passable: Callable[[int], bool] | None = None,
    ) -> dict[int, tuple[int, ...]]:
        """Return the nodes within `hops` of `start` and a shortest path to each, the node itself last."""
        ...


class ListAdjacency:
    """Undirected edges as lists, in the order they were added."""

    def __init__(self) -> None:
        self._neighbours: defaultdict[int, dict[int, None]] = defaultdict(dict)

    def add(self, edges: Iterable[tuple[int, int]]) -> None:
        """Add edges; one that is there already changes nothing."""
        for one, other in edges:
            self._neighbours[one][other] = None
            self._neighbours[other][one] = None

    def remove(self, edges: Iterable[tuple[int, int]]) -> None:
        """Remove edges; one that is not there changes nothing."""
        for one, other in edges:
            self._neighbours[one].pop(other, None)
            self._neighbours[other].pop(one, None)

    def degree(self, node: int) -> int:
        """Return how many neighbours a node has."""
        return len(self._neighbours.get(node, ()))

    def reach(
        self,
        start: Iterable[int],
        *,
        hops: int,
        fan_out: int,
        limit: int,
        passable: Callable[[int], bool] | None = None,
    ) -> dict[int, tuple[int, ...]]:
        """Return the nodes within `hops` of `start` and a shortest path to each, the node itself last.

        Args:
            start: Where to begin; unknown nodes reach themselves alone.
            hops: Edges a path may have.
            fan_out: Neighbours followed per node: a hub of ten thousand edges costs no more than this.
            limit: Nodes returned at most, the nearest first.
            passable: Which nodes may be stepped on; None for all. It does not concern `start`.
        """
        paths: dict[int, tuple[int, ...]] = {}
        for node in start:
            if len(paths) < limit:
                paths.setdefault(node, (node,))
        level = list(paths)
        for _ in range(hops):
            following: list[int] = []
            for node in level:
                neighbours = self._neighbours.get(node, {})
                for other in list(neighbours)[:fan_out]:
                    if len(paths) >= limit:
                        return paths
                    if other not in paths and (passable is None or passable(other)):
                        paths[other] = (*paths[node], other)
                        following.append(other)
            level = following
        return paths
