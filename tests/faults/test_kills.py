"""kill -9 at every named point of the write path, and in the midst of writes from many threads."""

from __future__ import annotations

from pathlib import Path

import pytest
from langchain_core.messages import HumanMessage

from memgraph import Memory
from memgraph.ledger import jobs
from memgraph.ledger.schema import MIGRATIONS
from support import crash, forks
from support.fixtures import OpenMemory, Say
from support.memories import ADA, BOB, found, query, texts
from support.scan import holding

POINTS = ["accept.begin", "accept.written", "accept.committed", "job.leased", "job.embedded", "job.committed"]
UNACKNOWLEDGED = {"accept.begin", "accept.written"}
ERASE_POINTS = ["erase.deleted", "erase.committed", "erase.truncated"]
WAYS = ["add", "add in the background", "remember"]
FIRST, SECOND = "we met in Bergen", "it rained all week"
GONE, KEPT = ["xylograph", "quixotry"], "this stays"

_WRITE = """
def case(path, way, point, first, second):
    memory = Memory.open(path, embedder=HashEmbeddings())
    if way == "remember":
        graph = StateGraph(MemoryState, context_schema=MemoryContext).add_node("remember", remember())
        graph = graph.add_edge(START, "remember").compile(store=memory.store)

        def write(message):
            config = {"configurable": {"thread_id": "t"}}
            graph.invoke({"messages": [message]}, config, context=MemoryContext(user_id="ada"))
    else:
        def write(message):
            memory.add([message], ada, thread_id="t", background=way != "add")

    write(HumanMessage(first, id="message-with-a-unique-id-0"))
    memory.settle(60)
    die_at(point)
    write(HumanMessage(second, id="message-with-a-unique-id-1"))
    memory.settle(60)
"""

_ERASE = """
def case(path, point, first, second, kept):
    memory = Memory.open(path, embedder=HashEmbeddings())
    memory.add([first, second], Scope("ada", session_id="s"))
    memory.add(kept, ada)
    die_at(point)
    memory.erase({"session_id": "s"}, ada)
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Path]:
    """Files whose writer was killed, by way of writing and point."""
    files = {(way, point): tmp_path_factory.mktemp("killed") / "memory.db" for way in WAYS for point in POINTS}
    ended = forks.run_each(_WRITE, [(path, *case, FIRST, SECOND) for case, path in files.items()])
    assert {end.rc for end in ended} == {-9}
    return files


@pytest.fixture(scope="module")
def erasing(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Files in which an erasure was killed, by point."""
    files = {point: tmp_path_factory.mktemp("erasing") / "memory.db" for point in ERASE_POINTS}
    ended = forks.run_each(_ERASE, [(path, point, *GONE, KEPT) for point, path in files.items()])
    assert {end.rc for end in ended} == {-9}
    return files


def vectors(memory: Memory) -> int:
    return len(query(memory, "select t.row from vectors v join turns t on t.owner = v.owner and t.row = v.row"))


def sound(memory: Memory) -> bool:
    return not memory.doctor(deep=True)["integrity"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("point", POINTS)
def test_a_kill_loses_nothing_acknowledged_and_the_job_is_finished(
    open_memory: OpenMemory, killed: dict[tuple[str, str], Path], point: str, way: str
) -> None:
    memory = open_memory(killed[way, point], plant=False)
    there = [FIRST] if point in UNACKNOWLEDGED else [FIRST, SECOND]
    assert texts(memory) == there
    assert sound(memory)
    if len(there) == 2:
        assert SECOND in found(memory, "rained")
    memory.settle(60)
    assert vectors(memory) == len(there)
    # Sent again, it is stored once.
    memory.add(HumanMessage(SECOND, id="message-with-a-unique-id-1"), ADA, thread_id="t")
    assert texts(memory) == [FIRST, SECOND]
    assert vectors(memory) == 2
    assert memory.doctor()["jobs"] == []
    numbers = [seq for (seq,) in query(memory, "select seq from commits order by seq")]
    assert query(memory, "select seq from owners") == [(len(numbers),)]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("point", ERASE_POINTS)
def test_an_erasure_that_was_killed_is_finished_by_calling_it_again(
    open_memory: OpenMemory, erasing: dict[str, Path], point: str
) -> None:
    path = erasing[point]
    memory = open_memory(path, plant=False)
    assert sound(memory)
    # One transaction removes them: all or none are there.
    assert texts(memory) == ([*GONE, KEPT] if point == "erase.deleted" else [KEPT])
    receipt = memory.erase({"session_id": "s"}, ADA)
    assert receipt.turns == (2 if point == "erase.deleted" else 0)
    assert texts(memory) == [KEPT]
    assert holding([path.parent], GONE) == []
    assert holding([path.parent], [KEPT]) != []
    assert sound(memory)


def test_a_job_that_kills_whoever_runs_it_is_kept_as_failed(open_memory: OpenMemory, tmp_path: Path, say: Say) -> None:
    path, text = tmp_path / "memory.db", say("the poisonous one")
    script = """
    def case(path, text):
        memory = Memory.open(path, embedder=HashEmbeddings())
        die_at("job.embedded")
        if text:
            memory.add(text, ada)
        memory.settle(60)
    """
    cases = [(path, text), *[(path, "")] * jobs.MAX_ATTEMPTS]
    assert [end.rc for end in forks.run_each(script, cases)] == [-9] * jobs.MAX_ATTEMPTS + [0]
    memory = open_memory(path, plant=False)
    assert [(job["state"], job["error"], job["count"]) for job in memory.doctor()["jobs"]] == [("failed", "Crashed", 1)]
    # The words are found all the same, and other users' jobs go on.
    assert found(memory, "poisonous") == [text]
    memory.add(say("another's"), BOB)
    assert memory.doctor()["without_vectors"] == 1


def test_a_kill_amid_writes_of_four_threads_loses_nothing_acknowledged(
    open_memory: OpenMemory, tmp_path: Path, say: Say
) -> None:
    script = """
    import itertools, threading
    from memgraph import Memory, Scope
    from support.fakes import HashEmbeddings

    memory = Memory.open(sys.argv[1], embedder=HashEmbeddings())
    written = itertools.count(1)

    def add(thread):
        for n in range(10_000):
            added = memory.add(f"{sys.argv[2]} thread {thread} number {n}", Scope(f"user-{thread % 2}"))
            os.write(1, (added.ids[0] + "\\n").encode())
            if next(written) == 100:
                os.write(1, b"READY\\n")

    for thread in range(4):
        threading.Thread(target=add, args=(thread,), daemon=True).start()
    sys.stdin.read()
    """
    path = tmp_path / "memory.db"
    done = crash.kill_at("READY", script, path, say("text"))
    assert done.rc == -9
    acknowledged = {line for line in done.lines if len(line) == 36}  # the last line may be cut
    assert len(acknowledged) >= 100
    memory = open_memory(path)
    memory.settle(60)
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
    whole = {**dict.fromkeys(range(steps + 1), ""), steps + 1: "ab", steps + 2: "bc"}
    seen: set[int] = set()
    for _, version, tables, integrity in lines:
        assert integrity == "ok"
        assert tables == whole[int(version)]
        seen.add(int(version))
    assert seen == ({steps, steps + 1, steps + 2} if existing else set(whole))
