"""Closing, being closed, leaving without closing, forking."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from memgraph import Memory
from memgraph.errors import LoopBlocked, StoreClosed
from support import crash
from support.fakes import BlockingEmbeddings, HashEmbeddings
from support.fixtures import OpenMemory, Say
from support.memories import ADA, in_threads, query, texts

USES: dict[str, Callable[[Memory], Any]] = {
    "add": lambda memory: memory.add("text", ADA),
    "search": lambda memory: memory.search("text", ADA),
    "get": lambda memory: memory.get("id", ADA),
    "list": lambda memory: memory.list(ADA),
    "facts": lambda memory: memory.list(ADA, kind="fact"),
    "why": lambda memory: memory.why("id", ADA),
    "update": lambda memory: memory.update("id", ADA, text="text"),
    "undo": lambda memory: memory.undo("id", ADA),
    "operations": lambda memory: memory.operations(ADA),
    "graph": lambda memory: memory.graph(ADA),
    "retry_failed": lambda memory: memory.retry_failed(),
    "forget": lambda memory: memory.forget("id", ADA),
    "erase": lambda memory: memory.erase("everything", ADA),
    "trace": lambda memory: memory.trace("id", ADA),
    "settle": lambda memory: memory.settle(),
    "reindex": lambda memory: memory.reindex(),
    "rekey": lambda memory: memory.rekey(None),
    "doctor": lambda memory: memory.doctor(),
    "asearch": lambda memory: asyncio.run(memory.asearch("text", ADA)),
}


@pytest.mark.parametrize("name", USES)
def test_use_after_close_is_an_error(open_memory: OpenMemory, name: str) -> None:
    memory = open_memory()
    memory.close()
    memory.close()
    with pytest.raises(StoreClosed):
        USES[name](memory)


def test_closing_at_once_from_many_threads(open_memory: OpenMemory, tmp_path: Path, say: Say) -> None:
    memory, other = open_memory(), open_memory(plant=False)
    in_threads(8, lambda _: memory.close())
    # Another handle on the file is as it was: the writer that they share was given back once.
    other.add(say("still there"), ADA)
    assert texts(other) == [say("still there")]


def test_closing_while_others_write_hangs_nobody(open_memory: OpenMemory, say: Say) -> None:
    memory = open_memory()
    acknowledged: list[str] = []
    begun = threading.Barrier(5)

    def work(number: int) -> str:
        if number == 4:
            begun.wait(30)
            memory.close()
            return "closed"
        memory.add(say(f"first of {number}"), ADA)
        begun.wait(30)
        try:
            while True:
                acknowledged.extend(memory.add(say(f"of {number}"), ADA).ids)
        except StoreClosed:
            return "told"

    assert sorted(in_threads(5, work)) == ["closed", "told", "told", "told", "told"]
    memory = open_memory(plant=False)
    there = {turn.id for turn in memory.list(ADA, limit=1_000).items}
    assert set(acknowledged) <= there
    memory.settle(60)
    assert memory.doctor()["without_vectors"] == 0


async def test_a_task_that_waits_while_the_memory_closes_is_told(open_memory: OpenMemory, say: Say) -> None:
    embedder = BlockingEmbeddings(armed=False)
    memory = open_memory(embedder=embedder)
    embedder.armed = True
    waiting = asyncio.ensure_future(memory.aadd(say("in the midst"), ADA))
    await asyncio.to_thread(embedder.entered.wait, 30)
    await memory.aclose()
    with pytest.raises(StoreClosed):
        await waiting
    embedder.release()


def test_closing_with_a_job_under_way_gives_it_back(open_memory: OpenMemory, tmp_path: Path, say: Say) -> None:
    embedder = BlockingEmbeddings(armed=False)
    memory = open_memory(embedder=embedder)
    embedder.armed = True
    memory.add(say("to be indexed later"), ADA, background=True)
    assert embedder.entered.wait(30)
    memory.close()
    memory = open_memory(embedder=HashEmbeddings(model="hash"), plant=False)
    memory.settle(60)  # the lease was given back, nobody waits for its end
    assert memory.doctor()["without_vectors"] == 0
    assert texts(memory) == [say("to be indexed later")]
    embedder.release()


def test_a_call_that_is_given_up_leaves_no_job_behind(open_memory: OpenMemory, say: Say) -> None:
    """Cancelled at every await in turn: whole or absent, and what is left is finished at once."""
    memory = open_memory()
    said: list[str] = []

    async def give_up(text: str, after: int) -> bool:
        task = asyncio.get_running_loop().create_task(memory.aadd(text, ADA, idempotency_key=text))
        for _ in range(after):
            await asyncio.sleep(0)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            return False
        return True

    for after in range(0, 400, 4):
        text = say(f"given up after {after}")
        finished = memory.host.wait(give_up(text, after))
        memory.settle(60)
        there = texts(memory)
        assert there in ([*said, text], [*said, text] if finished else said)
        memory.add(text, ADA, idempotency_key=text)
        said.append(text)
        assert texts(memory) == said
        memory.settle(60)  # given up before it was stored, it may have been stored since
        assert memory.doctor()["without_vectors"] == 0
        if finished:
            break


def test_closing_on_its_own_loop_is_refused(open_memory: OpenMemory) -> None:
    memory = open_memory()

    async def close() -> None:
        memory.close()

    with pytest.raises(LoopBlocked):
        memory.host.wait(close())
    assert texts(memory) == []


@pytest.mark.parametrize("blocked", [False, True], ids=["queued", "an embedder that never answers"])
def test_leaving_without_closing_loses_nothing_and_ends_at_once(
    open_memory: OpenMemory, tmp_path: Path, say: Say, blocked: bool
) -> None:
    script = """
    from memgraph import Memory, Scope
    from support.fakes import BlockingEmbeddings, HashEmbeddings

    path, text, blocked = sys.argv[1:]
    embedder = BlockingEmbeddings(model="hash") if blocked == "True" else HashEmbeddings()
    memory = Memory.open(path, embedder=embedder)
    for n in range(100):
        print(memory.add(f"{text} {n}", Scope("ada"), background=True).ids[0])
    print("LEAVING")
    """
    path = tmp_path / "memory.db"
    with crash.start(script, path, say("queued"), blocked) as process:
        assert process.stdout is not None and process.stderr is not None
        ids = [line.strip() for line in itertools.takewhile(lambda line: line != "LEAVING\n", process.stdout)]
        assert process.wait(60) == 0, process.stderr.read()  # no wait for what hangs
    memory = open_memory(path, embedder=HashEmbeddings())
    assert [turn.id for turn in memory.list(ADA, limit=1_000).items] == ids
    memory.settle(60)
    assert memory.doctor()["without_vectors"] == 0


def test_fork_while_background_work_runs(open_memory: OpenMemory, tmp_path: Path, say: Say) -> None:
    script = """
    import threading, warnings
    warnings.simplefilter("ignore", DeprecationWarning)
    from memgraph import Memory, Scope
    from memgraph.ledger import engine
    from support.fakes import HashEmbeddings

    engine.WRITER_PATIENCE_MS = 60_000  # a slow disk keeps who waits for the others longer than the default
    path, text = sys.argv[1:]
    memory = Memory.open(path, embedder=HashEmbeddings())
    ada = Scope("ada")
    stop = threading.Event()

    def busy(number):
        n = 0
        while not stop.is_set():
            memory.add(f"{text} parent {number} {n}", ada, background=True)
            memory.search("parent", ada)
            n += 1
            stop.wait(0.01)

    memory.add("loads what is loaded at the first use: a fork amid an import is beyond us", Scope("nobody"))
    threads = [threading.Thread(target=busy, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    children = []
    for child in range(12):
        pid = os.fork()
        if not pid:
            signal.alarm(60)  # a child that hangs is killed, and counted
            memory.add(f"{text} child {child}", ada)
            assert any(hit.text.endswith(f"child {child}") for hit in memory.search(f"child {child}", ada))
            if child % 2:
                memory.close()
            os._exit(0)
        children.append(pid)
        if child % 4 == 3:
            for pid in children:
                status = os.waitpid(pid, 0)[1]
                print(os.waitstatus_to_exitcode(status))
            children.clear()
    stop.set()
    for thread in threads:
        thread.join()
    memory.settle(60)
    memory.close()
    """
    path = tmp_path / "memory.db"
    done = crash.run(script, path, say("says the"), check=True, timeout=240)
    assert done.lines == ["0"] * 12, done.stderr
    memory = open_memory(path)
    said = [turn.text for turn in memory.list(ADA, limit=1_000).items]
    for child in range(12):
        assert said.count(f"{say('says the')} child {child}") == 1
    memory.settle(60)
    assert memory.doctor(deep=True)["integrity"] == []
    assert memory.doctor()["without_vectors"] == 0
    numbers = [n for (n,) in query(memory, "select seq from commits where owner = (select owner from turns limit 1)")]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))


def test_a_child_keeps_the_log_that_its_parent_leaves(open_memory: OpenMemory, tmp_path: Path, say: Say) -> None:
    """The last connection removes the log: a child that only believes to hold a lock would lose it."""
    script = """
    import threading, warnings
    warnings.simplefilter("ignore", DeprecationWarning)
    from memgraph import Memory, Scope

    path, text = sys.argv[1:]
    ada = Scope("ada")
    memory = Memory.open(path, embedder=None)
    memory.add(f"{text} before", ada)
    parent, child = os.pipe(), os.pipe()
    pid = os.fork()
    if not pid:
        signal.alarm(60)
        memory.add(f"{text} in the child", ada)
        os.write(child[1], b"1")
        os.read(parent[0], 1)
        memory.add(f"{text} in the child when the parent has left", ada)
        os._exit(0)  # it closes nothing: what was acknowledged is on the disk
    os.read(child[0], 1)
    memory.close()
    Memory.open(path, embedder=None).close()
    os.write(parent[1], b"1")
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    """
    path = tmp_path / "memory.db"
    assert crash.run(script, path, say("said"), check=True).lines == ["0"]
    memory = open_memory(path)
    assert texts(memory) == [
        say("said") + end for end in (" before", " in the child", " in the child when the parent has left")
    ]
