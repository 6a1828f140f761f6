"""Break the code in known ways and see that the tests notice.

Usage: scripts/mutants.py [-j JOBS] [WORD ...]. With words: only mutants whose file or reason contains one of them.

tests/mutants.toml lists them:

    [[mutant]]
    file = "memgraph/ledger/turns.py"
    find = "WHERE owner = ? AND id = ?"          # must stand in the file exactly once
    replace = "WHERE id = ? AND id = ?"
    tests = ["tests/test_scope.py::test_another_owner_sees_nothing"]
    why = "one user reads another's turn"

Each is applied to a copy of the repository, and only its tests run there. A mutant counts as killed if each test that
it names fails (of a parametrised one: at least one case). Failures of this script: a mutant that lives, a `find` that
does not match exactly once, a test that does not exist or fails without any mutant, code that can't even be imported.
"""

from __future__ import annotations

import argparse
import os
import queue
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import checkout

TIMEOUT = 180
"""Seconds for the tests of one mutant. One that hangs them has been noticed."""

_OUTCOMES = ("PASSED", "FAILED", "ERROR")


@dataclass(frozen=True)
class Mutant:
    """One way to break the code: see the module's docstring."""

    file: str
    find: str
    replace: str
    tests: tuple[str, ...]
    why: str

    def apply(self, text: str) -> str:
        """Return `text` broken.

        Raises:
            ValueError: `find` does not stand in it exactly once, or nothing would change.
        """
        if (count := text.count(self.find)) != 1:
            raise ValueError(f"`find` matches {count} times, not once")
        if self.find == self.replace:
            raise ValueError("`replace` changes nothing")
        return text.replace(self.find, self.replace)


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant: "killed", "lives" or "broken", and what to know about it."""

    mutant: Mutant
    state: str
    note: str
    seconds: float


def load(path: Path) -> list[Mutant]:
    """Read a list of mutants; a missing, empty or unknown key is an error."""
    entries: list[dict[str, Any]] = tomllib.loads(path.read_text(encoding="utf-8"))["mutant"]
    mutants = [Mutant(tests=tuple(entry.pop("tests")), **entry) for entry in entries]
    for mutant in mutants:
        if not (mutant.find and mutant.tests and mutant.why):
            raise ValueError(f"{mutant.file}: `find`, `tests` and `why` must not be empty")
    return mutants


def run_tests(root: Path, tests: Iterable[str], timeout: float) -> tuple[int | None, str]:
    """Run tests in the copy `root`, not in the installed package; return status (None: too slow) and output."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(root),
        "PYTHONDONTWRITEBYTECODE": "1",  # bytecode is matched by time and size, and a mutant may change neither
    }
    command = [sys.executable, "-m", "pytest", "-q", "-rfEp", "--tb=line", "-p", "no:cacheprovider", *tests]
    process = subprocess.Popen(
        command,
        cwd=root,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return None, process.communicate()[0]
    return process.returncode, output


def outcomes(output: str, test: str) -> set[str]:
    """Return the outcomes of `test` (a node id: a case, a test, a class or a file) in a run's summary."""
    found: set[str] = set()
    for line in output.splitlines():
        outcome, _, rest = line.partition(" ")
        if outcome in _OUTCOMES and rest.startswith(test) and rest[len(test) :][:1] in {"", " ", "[", ":"}:
            found.add(outcome)
    return found


def judge(mutant: Mutant, root: Path) -> Verdict:
    """Apply one mutant in the copy `root`, run its tests, take it back."""
    started = time.monotonic()
    path = root / mutant.file
    whole = path.read_text(encoding="utf-8")
    try:
        path.write_text(mutant.apply(whole), encoding="utf-8")
        status, output = run_tests(root, mutant.tests, TIMEOUT)
    except ValueError as error:
        return Verdict(mutant, "broken", str(error), 0.0)
    finally:
        path.write_text(whole, encoding="utf-8")
    seconds = time.monotonic() - started
    if status is None:
        return Verdict(mutant, "killed", f"no end within {TIMEOUT} s", seconds)
    if status not in (0, 1):
        return Verdict(mutant, "broken", f"pytest ended with {status}:\n{output}", seconds)
    blind = [test for test in mutant.tests if not outcomes(output, test) & {"FAILED", "ERROR"}]
    if blind:
        return Verdict(mutant, "lives", "not noticed by " + ", ".join(blind), seconds)
    return Verdict(mutant, "killed", "", seconds)


def check_baseline(mutants: list[Mutant], root: Path) -> None:
    """Run the tests of all mutants once without any; end if one does not exist or fails."""
    probe = "import memgraph, sys; sys.exit(not memgraph.__file__.startswith(sys.argv[1]))"
    command = [sys.executable, "-c", probe, str(root)]
    if subprocess.run(command, cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, check=False).returncode != 0:
        sys.exit("the tests would not run against the copy")
    tests = sorted({test for mutant in mutants for test in mutant.tests})
    status, output = run_tests(root, tests, TIMEOUT * 5)
    blind = [test for test in tests if outcomes(output, test) != {"PASSED"}]
    if status != 0 or blind:
        sys.exit(f"{output}\nwithout a mutant pytest ended with {status}; not passed: {', '.join(blind) or 'none'}")


def judge_all(mutants: list[Mutant], jobs: int) -> list[Verdict]:
    """Judge mutants, `jobs` at a time, each worker in a copy of its own."""
    with tempfile.TemporaryDirectory() as folder:
        roots: queue.SimpleQueue[Path] = queue.SimpleQueue()
        for number in range(jobs):
            roots.put(checkout.copy_to(Path(folder).resolve() / str(number)))
        first = roots.get()
        check_baseline(mutants, first)
        roots.put(first)

        def work(mutant: Mutant) -> Verdict:
            root = roots.get()
            try:
                verdict = judge(mutant, root)
            finally:
                roots.put(root)
            print(f"{verdict.state:7} {verdict.seconds:6.1f} s  {mutant.file}: {mutant.why}", flush=True)
            return verdict

        with ThreadPoolExecutor(jobs) as pool:
            return list(pool.map(work, mutants))


def main() -> None:
    """Read the command line, judge, end with status 1 if a mutant lives or is broken."""
    parser = argparse.ArgumentParser(description="Break the code in known ways and see that the tests notice.")
    parser.add_argument("-j", "--jobs", type=int, default=2)
    parser.add_argument("words", nargs="*", help="only mutants whose file or reason contains one of these")
    options = parser.parse_args()
    mutants = load(checkout.ROOT / "tests" / "mutants.toml")
    if options.words:
        mutants = [m for m in mutants if any(word in f"{m.file} {m.why}" for word in options.words)]
    if not mutants:
        sys.exit("no mutants")
    verdicts = judge_all(mutants, max(1, min(options.jobs, len(mutants))))
    bad = [verdict for verdict in verdicts if verdict.state != "killed"]
    for verdict in bad:
        print(f"\n{verdict.state}: {verdict.mutant.file}: {verdict.mutant.why}\n{verdict.note}")
    print(f"\n{len(verdicts) - len(bad)} mutants killed, {len(bad)} not")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
