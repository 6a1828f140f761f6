"""Many short lives of a process for the price of one start: a script that forks for each case.

rcs = forks.run_each('''
    def case(path, point):
        ...
''', [(path, "accept.begin"), (path, "accept.written")])

The children run one after another. The parent has imported what `IMPORTS` names and has opened nothing.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence

from support import crash

IMPORTS = """
import threading, time, traceback, json
import apsw
from langchain_core.messages import HumanMessage
from langgraph.graph import START, StateGraph
from memgraph import Memory, MemoryContext, MemoryState, Scope
from memgraph.ledger import faults
from memgraph.nodes import remember
from support.fakes import HashEmbeddings

ada, bob = Scope("ada"), Scope("bob")

def die_at(point):
    def reached(name):
        if name == point:
            os.kill(os.getpid(), signal.SIGKILL)
    faults.reached = reached
"""

_RUN = """
for args in json.loads(sys.stdin.readline()):
    sys.stdout.flush()
    child = os.fork()
    if not child:
        try:
            case(*args)
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)
        sys.stdout.flush()
        os._exit(0)
    print("@ended", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def run_each(script: str, cases: Sequence[Sequence[object]], *, timeout: float = 240) -> list[crash.Finished]:
    """Run a script's function `case` with each of `cases` as arguments (text or numbers), each in a process of its own.

    Returns:
        How each ended, in order; `stderr` is that of all together.
    """
    with crash.start(IMPORTS + textwrap.dedent(script) + _RUN) as process:
        given = json.dumps([[str(value) for value in case] for case in cases])
        stdout, stderr = process.communicate(given + "\n", timeout=timeout)
    assert process.returncode == 0, stderr
    ended: list[crash.Finished] = []
    said: list[str] = []
    for line in stdout.splitlines(keepends=True):
        before, mark, rc = line.partition("@ended")
        said.append(before)
        if mark:
            ended.append(crash.Finished(int(rc), "".join(said), stderr))
            said.clear()
    assert len(ended) == len(cases), stderr
    return ended
