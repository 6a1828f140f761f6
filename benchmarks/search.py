"""How fast a search is, beside its floor and beside LangGraph's InMemoryStore, in one run.

    python benchmarks/search.py [--json] [--million] [--facts-every TURNS]

The embedder takes no time. Each contestant runs in a process of its own, in short rounds in turn; ours sets no BLAS
variable. One turn in ten states a fact, none with `--facts-every 0`. `--million` adds 1,000 users of 1,000 turns each
in one file, most of them not in the cache (takes minutes).
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any, Final

import _ours
import _rounds

CACHE: Final = 256 << 20


def one_user(folder: Path, turns: int, every: int, rounds: int, searches: int) -> list[dict[str, Any]]:
    """One user with a long history, all of it in memory; beside it the same history without its facts."""
    path, plain = str(folder / "one.db"), str(folder / "plain.db")
    _ours.load(path, 1, turns, every)
    _ours.load(plain, 1, turns)
    with (
        _rounds.Worker("floor.py", one_blas_thread=True, users=1, turns=turns) as floor,
        _rounds.Worker("_ours.py", path=path, users=1, turns_each=turns, facts=every > 0) as ours,
        _rounds.Worker("_ours.py", path=plain, users=1, turns_each=turns) as without,
        _rounds.Worker("_peer.py", users=1, turns=turns) as peer,
    ):
        for worker in (floor, ours, without, peer):
            worker.call("search", seed=999, count=searches)
        found = _rounds.in_turn(
            rounds,
            {
                "floor": lambda i: floor.call("search", seed=i, count=searches),
                "ours": lambda i: ours.call("search", seed=i, count=searches),
                "without": lambda i: without.call("search", seed=i, count=searches),
                "loop": lambda i: floor.call("through_loop", seed=i, count=searches),
                "peer": lambda i: peer.call("search", seed=i, count=max(1, searches // 10)),
            },
        )
        for worker in (ours, without):
            worker.call("search_after_add", seed=998, count=2)
        added = _rounds.in_turn(
            rounds,
            {
                "after": lambda i: ours.call("search_after_add", seed=100 + i, count=max(1, searches // 2)),
                "warm": lambda i: ours.call("search", seed=200 + i, count=max(1, searches // 2)),
                "without": lambda i: without.call("search_after_add", seed=100 + i, count=max(1, searches // 2)),
            },
        )
        statements = ours.call("statements", seed=500, count=searches)
        for worker in (ours, without, floor):
            worker.call("close")
    name = f"search, 1 user, {turns:,} turns, {_facts(turns, every)}"
    return [
        _rounds.row(
            name,
            "ms",
            found["ours"],
            {
                "floor": found["floor"],
                "floor through a loop": found["loop"],
                "without facts": found["without"],
                "InMemoryStore": found["peer"],
            },
            bar="p50 and p95 <= 3 x floor",
            met=lambda made: max(made["ratio"]["floor"].values()) <= 3,
        ),
        _rounds.row(
            f"{name}, after an add",
            "ms",
            added["after"],
            {"warm": added["warm"], "without facts": added["without"]},
            bar="p50 <= 1.5 x warm",
            met=lambda made: bool(made["ratio"]["warm"]["p50"] <= 1.5),
        ),
        *(
            _rounds.row(
                f"SQL statements of a {name}, {when}",
                "a search",
                [counts],
                {},
                bar="<= 6",
                met=lambda made: bool(made["ours"]["p95"] <= 6),
            )
            for when, counts in statements.items()
        ),
    ]


def many_users(folder: Path, users: int, turns: int, every: int, rounds: int, searches: int) -> list[dict[str, Any]]:
    """Many users in one file, all in memory; one client and 16."""
    path = str(folder / "many.db")
    _ours.load(path, users, turns, every)
    with (
        _rounds.Worker("floor.py", one_blas_thread=True, users=users, turns=turns) as floor,
        _rounds.Worker("_ours.py", path=path, users=users, turns_each=turns, cache_bytes=CACHE) as ours,
        _rounds.Worker("_peer.py", users=users, turns=turns) as peer,
    ):
        ours.call("warm")
        for worker in (floor, ours, peer):
            worker.call("search", seed=999, count=searches)
        found = _rounds.in_turn(
            rounds,
            {
                "floor": lambda i: floor.call("search", seed=i, count=searches),
                "ours": lambda i: ours.call("search", seed=i, count=searches),
                "peer": lambda i: peer.call("search", seed=i, count=max(1, searches // 10)),
            },
        )
        clients = _rounds.in_turn(
            rounds,
            {
                "floor": lambda i: floor.call("clients", seed=300 + i, count=4 * searches),
                "ours": lambda i: ours.call("clients", seed=300 + i, count=4 * searches),
                "peer": lambda i: peer.call("clients", seed=300 + i, count=max(1, searches // 2)),
            },
        )
        memory, theirs = ours.call("memory"), peer.call("memory")
        ours.call("close")
        floor.call("close")
    name = f"{users:,} users x {turns:,} turns, {_facts(users * turns, every)}"
    most = CACHE / (1 << 20) + 150
    return [
        _rounds.row(
            f"search, {name}",
            "ms",
            found["ours"],
            {"floor": found["floor"], "InMemoryStore": found["peer"]},
            bar="p50 <= 4 x floor",
            met=lambda made: bool(made["ratio"]["floor"]["p50"] <= 4),
        ),
        _rounds.row(
            f"{_rounds.CLIENTS} clients, {name}",
            "searches/s",
            clients["ours"],
            {"floor through a loop": clients["floor"], "InMemoryStore": clients["peer"]},
            bar="p50 >= 0.25 x floor",
            met=lambda made: bool(made["ratio"]["floor through a loop"]["p50"] >= 0.25),
        ),
        _rounds.row(
            f"resident memory at most, {name} (cache holds {memory['cache']:.0f})",
            "MB",
            [[memory["rss"]]],
            {"InMemoryStore": [[theirs["rss"]]]},
            bar=f"<= {most:.0f}",
            met=lambda made: bool(made["ours"]["p50"] <= most),
        ),
    ]


def a_million(folder: Path, users: int, turns: int, every: int, rounds: int, searches: int) -> list[dict[str, Any]]:
    """More users than the cache holds: most searches load their owner from the file first."""
    path = str(folder / "million.db")
    _ours.load(path, users, turns, every)
    with (
        _rounds.Worker("floor.py", one_blas_thread=True, users=users, turns=turns) as floor,
        _rounds.Worker("_ours.py", path=path, users=users, turns_each=turns, cache_bytes=CACHE) as ours,
    ):
        for worker in (floor, ours):
            worker.call("search", seed=999, count=searches)
        found = _rounds.in_turn(
            rounds,
            {
                "floor": lambda i: floor.call("search", seed=i, count=searches),
                "ours": lambda i: ours.call("search", seed=i, count=searches),
            },
        )
        memory = ours.call("memory")
        ours.call("close")
        floor.call("close")
    name = f"{users:,} users x {turns:,} turns, {_facts(users * turns, every)}"
    most = CACHE / (1 << 20) + 150
    return [
        _rounds.row(
            f"search, {name}, users at random",
            "ms",
            found["ours"],
            {"floor, always warm": found["floor"]},
            bar="p95 <= 15 ms",
            met=lambda made: bool(made["ours"]["p95"] <= 15),
        ),
        _rounds.row(
            f"resident memory at most, {name} (cache holds {memory['cache']:.0f})",
            "MB",
            [[memory["rss"]]],
            {},
            bar=f"<= {most:.0f}",
            met=lambda made: bool(made["ours"]["p50"] <= most),
        ),
    ]


def _facts(turns: int, every: int) -> str:
    return f"{turns // every:,} facts" if every else "no facts"


def main() -> None:
    """Measure what the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--million", action="store_true", help="also 1M turns of 1,000 users")
    parser.add_argument("--only", choices=("one", "many", "million"), help="one part alone")
    parser.add_argument("--turns", type=int, default=10_000, help="of the one user")
    parser.add_argument("--users", type=int, default=100)
    parser.add_argument("--each", type=int, default=1_000, help="turns of each of the many users")
    parser.add_argument("--million-users", type=int, default=1_000)
    parser.add_argument("--facts-every", type=int, default=10, metavar="TURNS", help="turns for one fact; 0: no facts")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--searches", type=int, default=40, help="a round")
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    size = (options.facts_every, options.rounds, options.searches)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.only in (None, "one"):
            rows += one_user(folder, options.turns, *size)
        if options.only in (None, "many"):
            rows += many_users(folder, options.users, options.each, *size)
        if options.million or options.only == "million":
            rows += a_million(folder, options.million_users, options.each, *size)
    notes = [
        f"{options.rounds} rounds of {options.searches} searches in turn; ratio p50: median of the rounds' ratios.",
        "With facts each add states one, which the search after it reads too.",
        "Without the embedder's time. The floor ranks by two arms in arrays; what it leaves out is in README.md.",
    ]
    _rounds.emit("search", rows, notes, as_json=options.json)


if __name__ == "__main__":
    main()
