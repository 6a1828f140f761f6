"""How long a program waits before memgraph answers: importing it, and the first search of a fresh process.

    python benchmarks/imports.py [--json]

Each figure is taken inside a fresh interpreter, from its first statement on; contestants take turns.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import _official
import _ours
import _rounds
import _world

_TIMED: Final = """
import time
begin = time.perf_counter()
{code}
print((time.perf_counter() - begin) * 1e3)
"""

_EMBEDDER: Final = f"""
from langchain_core.embeddings import Embeddings
class Fixed(Embeddings):
    model = "prepared"
    def embed_query(self, text):
        return [1.0] + [0.0] * {_world.DIMS - 1}
    def embed_documents(self, texts):
        return [[1.0 + i / 1e6] + [i / 1e3 % 1.0] * {_world.DIMS - 1} for i, _ in enumerate(texts)]
"""

_OURS: Final = """
from memgraph import Memory, Scope
{embedder}
memory = Memory.open({path!r}, embedder=Fixed())
assert memory.search("what was said about it", Scope("user-0"))
"""

_SQLITE: Final = """
from langgraph.store.sqlite import SqliteStore
{embedder}
with SqliteStore.from_conn_string({path!r}, index={{"dims": {dims}, "embed": Fixed(), "fields": ["text"]}}) as store:
    assert store.search(("user-0",), query="what was said about it", limit=10)
"""

_FILL_SQLITE: Final = """
import sys
sys.path.insert(0, {here!r})
import _world
from langgraph.store.base import PutOp
from langgraph.store.sqlite import SqliteStore
index = {{"dims": {dims}, "embed": _world.Prepared(), "fields": ["text"]}}
with SqliteStore.from_conn_string({path!r}, index=index) as store:
    store.setup()
    for user in range({users}):
        talk = _world.talk(user, {turns})
        puts = [PutOp((_world.name(user),), str(i), {{"text": talk.text(i)}}) for i in range({turns})]
        for start in range(0, {turns}, 500):
            store.batch(puts[start:start + 500])
"""

_IN_MEMORY: Final = """
from langgraph.store.base import PutOp
from langgraph.store.memory import InMemoryStore
{embedder}
store = InMemoryStore(index={{"dims": {dims}, "embed": Fixed(), "fields": ["text"]}})
for user in range({users}):
    puts = [PutOp((f"user-{{user}}",), str(i), {{"text": f"said {{i}}"}}) for i in range({turns})]
    for start in range(0, {turns}, 500):
        store.batch(puts[start:start + 500])
assert store.search(("user-0",), query="what was said about it", limit=10)
"""


def run(code: str) -> list[float]:
    """Return how long the code took in a fresh interpreter, ms."""
    done = subprocess.run(
        [sys.executable, "-c", _TIMED.format(code=code)], stdout=subprocess.PIPE, text=True, check=True
    )
    return [float(done.stdout.split()[-1])]


def imports(rounds: int) -> list[dict[str, Any]]:
    """Import times."""
    found = _rounds.in_turn(
        rounds,
        {
            "ours": lambda _: run("import memgraph"),
            "core": lambda _: run("from memgraph import Memory, Scope"),
            "base": lambda _: run("import numpy, pydantic"),
            "langgraph": lambda _: run("from langgraph.graph import StateGraph"),
        },
    )
    beside = {"import numpy, pydantic": found["base"]}
    return [
        _rounds.row(
            "import memgraph",
            "ms",
            found["ours"],
            beside,
            bar="p50 <= 1.3 x",
            met=lambda made: bool(made["ratio"]["import numpy, pydantic"]["p50"] <= 1.3),
        ),
        _rounds.row(
            "from memgraph import Memory, Scope",
            "ms",
            found["core"],
            {**beside, "import langgraph": found["langgraph"]},
        ),
    ]


def cold_start(folder: Path, users: int, turns: int, rounds: int) -> tuple[list[dict[str, Any]], list[str]]:
    """Import, open, first search."""
    size = {"users": users, "turns": turns, "dims": _world.DIMS, "embedder": _EMBEDDER}
    path = str(folder / "ours.db")
    _ours.load(path, users, turns)
    ours = _OURS.format(path=path, **size)
    try:
        _official.official()
    except _official.Lacking as lacking:
        name, theirs = "InMemoryStore", _IN_MEMORY.format(**size)
        notes = [f"SqliteStore: {lacking}.", "InMemoryStore keeps nothing: its cold start fills it again."]
    else:
        peer = str(folder / "peer.db")
        run(_FILL_SQLITE.format(path=peer, here=str(_rounds.HERE), **size))
        name, theirs, notes = "SqliteStore", _SQLITE.format(path=peer, **size), []
    sqlite = name == "SqliteStore"
    found = _rounds.in_turn(
        rounds, {"ours": lambda _: run(ours), **({"theirs": lambda _: run(theirs)} if sqlite else {})}
    )
    if not sqlite:
        found["theirs"] = [run(theirs)]  # once: it takes many seconds
    made = _rounds.row(
        f"import, open, first search: {users:,} users x {turns:,} turns",
        "ms",
        found["ours"],
        {name: found["theirs"]},
        bar="p50 <= SqliteStore's + 300 ms",
        met=(lambda row: bool(row["ours"]["p50"] <= row["others"][name]["p50"] + 300)) if sqlite else None,
    )
    return [made], notes


def main() -> None:
    """Measure what the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--users", type=int, default=100)
    parser.add_argument("--each", type=int, default=1_000, help="turns of each user")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    run("import memgraph, numpy, pydantic, langgraph.graph")  # compiled and in the disk's cache
    rows = imports(2 * options.rounds)
    with tempfile.TemporaryDirectory() as name:
        more, notes = cold_start(Path(name), options.users, options.each, options.rounds)
    _rounds.emit("imports", rows + more, notes, as_json=options.json)


if __name__ == "__main__":
    main()
