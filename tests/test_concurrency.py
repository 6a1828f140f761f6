"""One handle serves any number of loops, threads and, after a fork, processes; any number of handles share a file."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from memgraph import Memory, MemoryContext, Scope, with_memory
from memgraph.ledger import writer
from memgraph.nodes import remember, retrieve
from memgraph.state import MemoryState
from support import crash
from support.fakes import HashEmbeddings
from support.fixtures import OpenMemory
from support.memories import ADA, chain, found, in_threads, query, texts

Graph = Any
"""A compiled graph."""

MATRIX = {
    "test_matrix[invoke]",
    "test_matrix[ainvoke]",
    "test_matrix[invoke inside a running loop]",
    "test_matrix[two asyncio.run in turn]",
    "test_matrix[16 threads]",
    "test_matrix[after fork]",
}


def agent(state: MemoryState) -> dict[str, Any]:
    return {"messages": [AIMessage(f"heard: {with_memory(state)[-1].text}")]}


def build(memory: Memory) -> Graph:
    return chain(
        ("retrieve", retrieve()),
        ("agent", agent),
        ("remember", remember()),
        store=memory.store,
        checkpointer=memory.checkpointer,
    )


def call(user: str, text: str, thread: str) -> dict[str, Any]:
    return {
        "input": {"messages": [("user", text)]},
        "config": {"configurable": {"thread_id": thread}},
        "context": MemoryContext(user_id=user),
    }


def ask(graph: Graph, user: str = "ada") -> None:
    """Tell the agent something in one thread and ask for it in another, by `invoke`."""
    graph.invoke(**call(user, f"{user} lives in Lisbon.", f"{user}-one"))
    state = graph.invoke(**call(user, "Who lives in Lisbon?", f"{user}-two"))
    assert f"{user} lives in Lisbon." in state["recalled"]["text"]
    assert state["recalled"]["degraded"] == {}


async def aask(graph: Graph, user: str = "ada") -> None:
    await graph.ainvoke(**call(user, f"{user} lives in Lisbon.", f"{user}-one"))
    state = await graph.ainvoke(**call(user, "Who lives in Lisbon?", f"{user}-two"))
    assert f"{user} lives in Lisbon." in state["recalled"]["text"]
    assert state["recalled"]["degraded"] == {}


def by_invoke(memory: Memory) -> None:
    ask(build(memory))


def by_ainvoke(memory: Memory) -> None:
    asyncio.run(aask(build(memory)))


def inside_a_running_loop(memory: Memory) -> None:
    async def cell_of_a_notebook() -> None:
        ask(build(memory))
        memory.add("And in Porto.", ADA)
        assert found(memory, "Porto")[0] == "And in Porto."

    asyncio.run(cell_of_a_notebook())


def two_runs_in_turn(memory: Memory) -> None:
    graph = build(memory)
    asyncio.run(aask(graph, "ada"))
    asyncio.run(aask(graph, "bob"))


def sixteen_threads(memory: Memory) -> None:
    graph = build(memory)

    def work(number: int) -> None:
        if number % 2:
            ask(graph, f"user{number}")
        else:
            asyncio.run(aask(graph, f"user{number}"))

    in_threads(16, work)


def in_a_child(work: Callable[[], None]) -> None:
    """Fork, run `work` in the child, and fail if it failed there."""
    read, write = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of Python 3.12: a fork beside threads, which is the point
        pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        except BaseException:
            os.write(write, traceback.format_exc().encode())
        finally:
            os._exit(status)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        said = pipe.read().decode()
    _, ended = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(ended) == 0, said


def after_fork(memory: Memory) -> None:
    memory.add("Ada lives in Lisbon.", ADA)

    def child() -> None:
        assert found(memory, "who lives in Lisbon")[0] == "Ada lives in Lisbon."
        memory.add("Said in the child.", ADA)
        assert "Said in the child." in found(memory, "said in the child")
        ask(build(memory), "child")
        memory.close()

    in_a_child(child)
    in_a_child(child)
    assert texts(memory) == ["Ada lives in Lisbon.", "Said in the child.", "Said in the child."]
    assert "Said in the child." in found(memory, "said in the child")  # another process's write is seen
    memory.add("And in the parent.", ADA)
    assert memory.doctor(deep=True)["integrity"] == []


@pytest.mark.parametrize(
    "run",
    [
        pytest.param(by_invoke, id="invoke"),
        pytest.param(by_ainvoke, id="ainvoke"),
        pytest.param(inside_a_running_loop, id="invoke inside a running loop"),
        pytest.param(two_runs_in_turn, id="two asyncio.run in turn"),
        pytest.param(sixteen_threads, id="16 threads"),
        pytest.param(after_fork, id="after fork"),
    ],
)
def test_matrix(run: Callable[[Memory], None], open_memory: OpenMemory) -> None:
    run(open_memory())


def test_the_whole_matrix_is_tested(request: pytest.FixtureRequest) -> None:
    [mark] = [mark for mark in test_matrix.pytestmark if mark.name == "parametrize"]  # type: ignore[attr-defined]  # set by the decorator
    assert {f"test_matrix[{case.id}]" for case in mark.args[1]} == MATRIX
    collected = {item.name for item in request.session.items if item.path == request.path}
    if len(collected) > 1:  # not where this test was asked for by its name
        assert collected >= MATRIX


# The plain methods in the same places


async def test_both_faces_in_one_loop(open_memory: OpenMemory) -> None:
    memory = open_memory()
    await memory.aadd("I live in Lisbon.", ADA)
    assert (await memory.asearch("Lisbon", ADA))[0].text == memory.search("Lisbon", ADA)[0].text


async def test_many_at_once_in_one_loop(open_memory: OpenMemory) -> None:
    memory = open_memory()
    await asyncio.gather(*(memory.aadd(f"Number {n}.", Scope(f"u{n % 5}")) for n in range(40)))
    pages = await asyncio.gather(*(memory.alist(Scope(f"u{n}"), limit=100) for n in range(5)))
    assert [len(page.items) for page in pages] == [8] * 5


def test_one_owners_turns_from_many_threads(open_memory: OpenMemory) -> None:
    memory = open_memory()
    in_threads(8, lambda n: [memory.add(f"Thread {n}, turn {m}.", ADA) for m in range(10)])
    said = texts(memory)
    assert len(said) == len(set(said)) == 80
    seqs = [
        seq
        for (seq,) in query(
            memory,
            "select c.seq from commits c join owners o using (owner) where o.key = ?",
            memory.core.owner_key(ADA),
        )
    ]
    assert sorted(seqs) == list(range(1, len(seqs) + 1))
    for n in range(8):  # each thread's own order is kept
        assert [text for text in said if text.startswith(f"Thread {n},")] == [
            f"Thread {n}, turn {m}." for m in range(10)
        ]


def test_the_same_message_from_many_threads_is_one_turn(open_memory: OpenMemory) -> None:
    memory = open_memory()
    message = {"role": "user", "content": "I live in Lisbon.", "id": "0193f2c4-7b1e-7c3a-9d52-0b6f2f0a1b2c"}
    added = in_threads(16, lambda _: memory.add(message, ADA, thread_id="t"))
    assert sum(len(one.ids) for one in added) == 1
    assert texts(memory) == ["I live in Lisbon."]


def test_a_cancelled_caller_leaves_all_or_nothing(open_memory: OpenMemory) -> None:
    memory = open_memory()

    async def cancelled(n: int) -> None:
        task = asyncio.create_task(memory.aadd([f"First {n}.", f"Second {n}."], ADA))
        for _ in range(n):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    for n in range(12):
        asyncio.run(cancelled(n))
    memory.settle()
    said = texts(memory)
    assert [text for text in said if text.startswith("First")] == [
        text.replace("Second", "First") for text in said if text.startswith("Second")
    ]
    memory.add("Afterwards.", ADA)
    assert texts(memory)[-1] == "Afterwards."


# Handles and processes on one file


def test_two_handles_on_one_file_share_one_writer(open_memory: OpenMemory, tmp_path: Path) -> None:
    one, other = open_memory(), open_memory(plant=False)
    os.symlink(tmp_path / "memory.db", tmp_path / "link.db")
    third = open_memory(tmp_path / "link.db", plant=False)
    assert one.core.ledger.writer is other.core.ledger.writer is third.core.ledger.writer
    in_threads(6, lambda n: (one, other, third)[n % 3].add(f"Number {n}.", ADA))
    for memory in (one, other, third):
        assert sorted(texts(memory)) == [f"Number {n}." for n in range(6)]
    one.close()
    other.add("Number 6.", ADA)
    other.close()
    third.add("Number 7.", ADA)
    third.close()
    assert str((tmp_path / "memory.db").resolve()) not in writer._writers  # pyright: ignore[reportPrivateUsage]  # that it is gone is the point


OTHER = """
from memgraph import Memory, Scope
from support.fakes import HashEmbeddings
with Memory.open(sys.argv[1], embedder=HashEmbeddings()) as memory:
    print("READY")
    for line in sys.stdin:
        word = line.strip()
        if word.startswith("add "):
            memory.add(word[4:], Scope("ada"))
            print("ADDED")
        else:
            print("|".join(sorted(hit.text for hit in memory.search(word, Scope("ada")))))
"""


def test_two_processes_see_each_others_writes(open_memory: OpenMemory, tmp_path: Path) -> None:
    here = open_memory()
    with crash.start(OTHER, tmp_path / "memory.db") as there:
        assert there.stdin is not None and there.stdout is not None

        def tell(line: str) -> str:
            assert there.stdin is not None and there.stdout is not None
            there.stdin.write(f"{line}\n")
            there.stdin.flush()
            return there.stdout.readline().strip()

        assert there.stdout.readline().strip() == "READY"
        here.add("Written here.", ADA)
        assert tell("written") == "Written here."
        assert tell("add Written there.") == "ADDED"
        assert sorted(found(here, "written")) == ["Written here.", "Written there."]
        here.forget(here.list(ADA).items[0].id, ADA)
        assert tell("written") == "Written there."
        assert tell("add Written again there.") == "ADDED"
        assert sorted(texts(here)) == ["Written again there.", "Written there."]
        there.stdin.close()
        assert there.wait(60) == 0
    assert here.doctor(deep=True)["integrity"] == []


def test_two_processes_write_at_once(open_memory: OpenMemory, tmp_path: Path) -> None:
    here = open_memory()
    script = """
    from memgraph import Memory, Scope
    from memgraph.ledger import engine

    engine.WRITER_PATIENCE_MS = 60_000  # a slow disk keeps who waits for the other longer than the default
    with Memory.open(sys.argv[1], embedder=None) as memory:
        print("READY"); sys.stdin.readline()
        for n in range(25):
            memory.add(f"There {n}.", Scope("ada"))
    """
    # Opened without an embedder: its turns wait for their vectors in the outbox, for whoever has one.
    with crash.start(script, tmp_path / "memory.db") as there:
        assert there.stdin is not None and there.stdout is not None
        assert there.stdout.readline().strip() == "READY"
        there.stdin.write("go\n")
        there.stdin.flush()
        for n in range(25):
            here.add(f"Here {n}.", ADA)
        assert there.wait(60) == 0
    said = texts(here)
    assert sorted(said) == sorted(f"{where} {n}." for where in ("Here", "There") for n in range(25))
    assert [text for text in said if text.startswith("There")] == [f"There {n}." for n in range(25)]


def test_a_child_leaves_the_parents_handles_alone(open_memory: OpenMemory) -> None:
    memory = open_memory(":memory:")
    memory.add("One.", ADA)

    def child() -> None:
        memory.close()  # never used here: nothing to wind up, and the parent's folder must stay

    in_a_child(child)
    assert Path(memory.core.ledger.path).exists()
    assert texts(memory) == ["One."]


def test_an_exit_with_queued_work_does_not_hang(tmp_path: Path) -> None:
    script = """
    from memgraph import Memory, Scope
    from support.fakes import BlockingEmbeddings
    memory = Memory.open(sys.argv[1], embedder=BlockingEmbeddings())
    memory.add("I live in Lisbon.", Scope("ada"), background=True)
    print("DONE")
    """
    done = crash.run(script, tmp_path / "m.db", check=True, timeout=100)  # never closed, and its embedder never answers
    assert done.lines == ["DONE"]
    with Memory.open(tmp_path / "m.db", embedder=HashEmbeddings()) as memory:
        memory.settle(60)
        [hit] = memory.search("Lisbon", ADA)
        assert "dense" in hit.arms


def test_no_thread_is_left_behind(open_memory: OpenMemory) -> None:
    before = {*threading.enumerate()}
    memory = open_memory(":memory:", embedder=None)
    memory.add("One.", ADA)
    memory.close()
    assert {*threading.enumerate()} <= before
    assert "memgraph" in sys.modules


@pytest.mark.parametrize("embedder", [None, HashEmbeddings()], ids=["words only", "with an embedder"])
def test_what_a_child_opens_is_like_what_it_inherited(open_memory: OpenMemory, embedder: Any) -> None:
    memory = open_memory(embedder=embedder)
    core = memory.core.reopened()
    assert core.ledger is not memory.core.ledger
    assert core.ledger.reader is not memory.core.ledger.reader
    assert (core.recipe, core.vectors, core.clock) == (memory.core.recipe, memory.core.vectors, memory.core.clock)
    assert core.cache.held.limit == memory.core.cache.held.limit
    core.ledger.close()
