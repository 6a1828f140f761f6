"""kill -9 at every named point of the write path, and in the midst of writes from many threads."""

from __future__ import annotations

from pathlib import Path

import pytest
from langchain_core.messages import HumanMessage

from memgraph import Memory, Scope
from memgraph.ledger import jobs
from memgraph.ledger.schema import MIGRATIONS
from support import crash
from support.fixtures import OpenMemory, Say
from support.memories import ADA, BOB, found, query, texts
from support.scan import holding

UNACKNOWLEDGED = {"accept.begin", "accept.written"}
ACCEPT = ["accept.begin", "accept.written", "accept.committed", "job.leased", "job.embedded", "job.committed"]
ERASE = ["erase.deleted", "erase.committed", "erase.truncated"]

_OPEN = """
    from langchain_core.messages import HumanMessage
    from memgraph import Memory, Scope
    from memgraph.ledger import faults
    from support.fakes import HashEmbeddings

    def die(point):
        if point == sys.argv[2]:
            os.kill(os.getpid(), signal.SIGKILL)

    memory = Memory.open(sys.argv[1], embedder=HashEmbeddings())
    ada = Scope("ada")
"""

_ADD = _OPEN + """
    print(memory.add([HumanMessage(sys.argv[3], id="message-with-a-unique-id-0")], ada, thread_id="t").ids[0])
    memory.settle(20)
    faults.reached = die
    memory.add([HumanMessage(sys.argv[4], id="message-with-a-unique-id-1")], ada, thread_id="t", background={background})
    memory.settle(20)
"""

_REMEMBER = _OPEN + """
    from langgraph.graph import START, StateGraph
    from memgraph import MemoryContext, MemoryState
    from memgraph.nodes import remember

    graph = StateGraph(MemoryState, context_schema=MemoryContext).add_node("remember", remember())
    graph = graph.add_edge(START, "remember").compile(store=memory.store)

    def run(text, id):
        state = {"messages": [HumanMessage(text, id=id)]}
        graph.invoke(state, {"configurable": {"thread_id": "t"}}, context=MemoryContext(user_id="ada"))

    run(sys.argv[3], "message-with-a-unique-id-0")
    faults.reached = die
    run(sys.argv[4], "message-with-a-unique-id-1")
"""

_ERASE = _OPEN + """
    faults.reached = die
    memory.erase({"session_id": "s"}, ada)
"""

WAYS = {
    "add": _ADD.format(background=False),
    "add in the background": _ADD.format(background=True),
    "remember": _REMEMBER,
}


def vectors(memory: Memory) -> int:
    return len(query(memory, "select row from vectors where owner = 2"))


def sound(memory: Memory) -> bool:
    return not memory.doctor(deep=True)["integrity"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("point", ACCEPT)
def test_a_kill_loses_nothing_acknowledged_and_the_job_is_finished(
    open_memory: OpenMemory, tmp_path: Path, say: Say, point: str, way: str
) -> None:
    first, second = say("we met in Bergen"), say("it rained all week")
    path = tmp_path / "memory.db"
    open_memory(path).close()
    assert crash.run(WAYS[way], path, point, first, second).rc == -9

    memory = open_memory(path, plant=False)
    there = [first] if point in UNACKNOWLEDGED else [first, second]
    assert texts(memory) == there
    assert sound(memory)
    if len(there) == 2:
        assert second in found(memory, "rained")
    memory.settle(20)
    assert vectors(memory) == len(there)
    # Sent again, it is stored once.
    memory.add(HumanMessage(second, id="message-with-a-unique-id-1"), ADA, thread_id="t")
    assert texts(memory) == [first, second]
    assert vectors(memory) == 2
    assert memory.doctor()["jobs"] == []
    numbers = [seq for (seq,) in query(memory, "select seq from commits where owner = 2 order by seq")]
    assert query(memory, "select seq from owners where owner = 2") == [(len(numbers),)]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("point", ERASE)
def test_an_erasure_that_was_killed_is_finished_by_calling_it_again(
    open_memory: OpenMemory, tmp_path: Path, say: Say, canary: str, point: str
) -> None:
    path = tmp_path / "memory.db"
    memory = open_memory(path)
    words = ["xylograph", "quixotry"]
    memory.add([say(words[0]), say(words[1])], Scope("ada", session_id="s"))
    kept = say("this stays")
    memory.add(kept, ADA)
    memory.close()
    assert crash.run(_ERASE, path, point).rc == -9

    memory = open_memory(path, plant=False)
    assert sound(memory)
    # One transaction removes them: all or none are there.
    assert texts(memory) == ([say(words[0]), say(words[1]), kept] if point == "erase.deleted" else [kept])
    receipt = memory.erase({"session_id": "s"}, ADA)
    assert receipt.turns == (2 if point == "erase.deleted" else 0)
    assert texts(memory) == [kept]
    assert holding([tmp_path], words) == []
    assert sound(memory)
    assert holding([tmp_path], ["this stays"]) != []


@pytest.mark.parametrize("point", ["job.leased", "job.embedded"])
def test_a_job_that_kills_whoever_runs_it_is_kept_as_failed(
    open_memory: OpenMemory, tmp_path: Path, say: Say, point: str
) -> None:
    path, text = tmp_path / "memory.db", say("the poisonous one")
    script = _OPEN + """
    faults.reached = die
    if sys.argv[3]:
        memory.add(sys.argv[3], ada)
    memory.settle(20)
    """
    for attempt in range(jobs.MAX_ATTEMPTS):
        assert crash.run(script, path, point, "" if attempt else text).rc == -9
    memory = open_memory(path, plant=False)
    memory.settle(20)
    assert [(job["state"], job["error"], job["count"]) for job in memory.doctor()["jobs"]] == [("failed", "Crashed", 1)]
    # The words are found all the same, and other users' jobs go on.
    assert found(memory, "poisonous") == [text]
    memory.add(say("another's"), BOB)
    assert memory.doctor()["without_vectors"] == 1


def test_a_kill_amid_writes_of_four_threads_loses_nothing_acknowledged(
    open_memory: OpenMemory, tmp_path: Path, say: Say
) -> None:
    script = _OPEN + """
    import threading

    def add(thread):
        for n in range(10_000):
            added = memory.add(f"{sys.argv[3]} thread {thread} number {n}", Scope(f"user-{thread % 2}"))
            os.write(1, (added.ids[0] + "\\n").encode())
            if thread == 0 and n == 25:
                os.write(1, b"READY\\n")

    for thread in range(4):
        threading.Thread(target=add, args=(thread,), daemon=True).start()
    sys.stdin.read()
    """
    path = tmp_path / "memory.db"
    done = crash.kill_at("READY", script, path, "none", say("text"))
    assert done.rc == -9
    acknowledged = {line for line in done.lines if len(line) == 36}  # the last line may be cut
    assert len(acknowledged) > 50
    memory = open_memory(path)
    memory.settle(20)
    there = {id for (id,) in query(memory, "select lower(hex(id)) from turns")}
    assert {id.replace("-", "") for id in acknowledged} <= there
    assert memory.doctor()["without_vectors"] == 0
    assert sound(memory)


_MIGRATE = """
    import apsw, shutil
    from memgraph import Memory
    from memgraph.ledger import schema, writer

    schema.MIGRATIONS = (
        *schema.MIGRATIONS[: int(sys.argv[2])],
        *("create table a(x); insert into a values (1); create table b(x);", "create table c(x); drop table a;"),
    )
    migrate = schema.migrate
    statements = 0

    def traced(connection, path):
        def trace(cursor, sql, bindings):
            global statements
            statements += 1
            if statements == deadly:
                os.kill(os.getpid(), signal.SIGKILL)
            return True

        connection.exec_trace = trace
        migrate(connection, path)

    writer.migrate = traced
    deadly = 0
    while True:
        deadly += 1
        path = f"{sys.argv[1]}-{deadly}"
        if os.path.exists(sys.argv[1]):
            shutil.copy(sys.argv[1], path)
        child = os.fork()
        if not child:
            Memory.open(path, embedder=None).close()
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        file = apsw.Connection(path)
        tables = {name for (name,) in file.execute("select name from sqlite_schema where type = 'table'")} & {*"abc"}
        print(deadly, file.pragma("user_version"), "".join(sorted(tables)), file.pragma("integrity_check"), sep=",")
        file.close()
        if status == 0:
            break
        assert status == signal.SIGKILL, status
"""


@pytest.mark.parametrize("existing", [True, False], ids=["from schema 1", "from nothing"])
def test_a_migration_that_was_killed_leaves_the_old_schema_or_the_new(
    open_memory: OpenMemory, tmp_path: Path, existing: bool
) -> None:
    path, steps = tmp_path / "memory.db", len(MIGRATIONS)
    if existing:
        open_memory(path).close()
    lines = [line.split(",") for line in crash.run(_MIGRATE, path, steps, check=True).lines]
    whole = {0: "", steps: "", steps + 1: "ab", steps + 2: "bc"}
    seen: set[int] = set()
    for _, version, tables, integrity in lines:
        assert integrity == "ok"
        assert tables == whole[int(version)]
        seen.add(int(version))
    assert seen == ({steps, steps + 1, steps + 2} if existing else set(whole))
