"""Fair comparison: each contestant in a process of its own, short rounds in turn, medians, one form of result."""

from __future__ import annotations

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

HERE: Final = Path(__file__).resolve().parent
BLAS: Final = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "GOTO_NUM_THREADS")
"""Variables that set how many threads a matrix product takes. A program that uses memgraph sets none of them."""

CLIENTS: Final = 16


class Worker:
    """A contestant: a script of this folder that answers calls, one JSON line each, until its input ends.

    Args:
        script: Its file's name.
        one_blas_thread: Whether its environment limits BLAS to one thread (the floor's); else no variable is set.
        python: The interpreter that runs it.
        options: Keyword arguments of the contestant, JSON values.
    """

    def __init__(
        self, script: str, *, one_blas_thread: bool = False, python: str = sys.executable, **options: Any
    ) -> None:
        environment = {key: value for key, value in os.environ.items() if key not in BLAS}
        if one_blas_thread:
            environment |= dict.fromkeys(BLAS, "1")
        self._process = subprocess.Popen(
            [python, str(HERE / script), "--serve", json.dumps(options)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._script = script

    def call(self, method: str, **arguments: Any) -> Any:
        """Call a method of the contestant and wait for its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([method, arguments]) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self._script} ended at `{method}` with status {self._process.wait()}")
        return json.loads(line)

    def __enter__(self) -> Self:
        """Return the worker."""
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        """End its input, so that it ends."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def serve(make: Callable[..., Any]) -> None:
    """Be a worker: make the contestant from the options of the command line and answer calls."""
    contestant = make(**json.loads(sys.argv[2]))
    for line in sys.stdin:
        method, arguments = json.loads(line)
        print(json.dumps(getattr(contestant, method)(**arguments)), flush=True)


def timed(call: Callable[[Any], object], jobs: Sequence[Any]) -> list[float]:
    """Return how long each call took, ms."""
    spans: list[float] = []
    for job in jobs:
        begin = time.perf_counter()
        call(job)
        spans.append((time.perf_counter() - begin) * 1e3)
    return spans


def per_second(call: Callable[[Any], object], jobs: Sequence[Any], clients: int = CLIENTS) -> float:
    """Return how many calls a second `clients` threads get through."""
    ready = threading.Barrier(clients)

    def client(mine: Sequence[Any]) -> None:
        ready.wait()
        for job in mine:
            call(job)

    with ThreadPoolExecutor(clients) as pool:
        begin = time.perf_counter()
        for done in [pool.submit(client, jobs[i::clients]) for i in range(clients)]:
            done.result()
        return len(jobs) / (time.perf_counter() - begin)


def in_turn(
    rounds: int, contestants: Mapping[str, Callable[[int], list[float] | float]]
) -> dict[str, list[list[float]]]:
    """Run rounds of all contestants in turn, another one first each time.

    Args:
        rounds: How many.
        contestants: By name: given the round's number, one round's figures.

    Returns:
        By name the figures of each round.
    """
    names = list(contestants)
    found: dict[str, list[list[float]]] = {name: [] for name in names}
    for number in range(rounds):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            figures = contestants[name](number)
            found[name].append(figures if isinstance(figures, list) else [figures])
    return found


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` of the values don't exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def figure(rounds: Sequence[Sequence[float]]) -> dict[str, float]:
    """Return median and 95th percentile of all figures, and how far the rounds' medians lie apart."""
    everything = [value for values in rounds for value in values]
    medians = [statistics.median(values) for values in rounds]
    return {
        "p50": statistics.median(everything),
        "p95": percentile(everything, 0.95),
        "n": len(everything),
        "lowest_round": min(medians),
        "highest_round": max(medians),
    }


def row(
    what: str,
    unit: str,
    ours: Sequence[Sequence[float]],
    others: Mapping[str, Sequence[Sequence[float]]],
    *,
    bar: str = "",
    met: Callable[[dict[str, Any]], bool] | None = None,
) -> dict[str, Any]:
    """Return one row of a result.

    Args:
        what: What is measured.
        unit: Of the figures.
        ours: Figures by round.
        others: The same of those beside us. A ratio is taken round by round and its median given: what else the
            machine does then falls on both.
        bar: What is asked of us, in words.
        met: Whether it is met, told from the row.
    """
    made: dict[str, Any] = {"what": what, "unit": unit, "ours": figure(ours)}
    made["others"] = {name: figure(rounds) for name, rounds in others.items()}
    made["ratio"] = {
        name: {
            "p50": _ratio(ours, rounds),
            "p95": made["ours"]["p95"] / made["others"][name]["p95"],
        }
        for name, rounds in others.items()
    }
    made["bar"] = bar
    made["met"] = None if met is None else met(made)
    return made


def _ratio(ours: Sequence[Sequence[float]], theirs: Sequence[Sequence[float]]) -> float:
    if len(ours) != len(theirs):
        return figure(ours)["p50"] / figure(theirs)["p50"]
    return statistics.median(statistics.median(a) / statistics.median(b) for a, b in zip(ours, theirs, strict=True))


def emit(benchmark: str, rows: Sequence[dict[str, Any]], notes: Sequence[str], *, as_json: bool) -> None:
    """Print a result, as a table or as JSON."""
    machine = {"python": platform.python_version(), "cores": os.cpu_count(), "system": platform.system()}
    if as_json:
        print(json.dumps({"benchmark": benchmark, "machine": machine, "rows": rows, "notes": list(notes)}, indent=1))
        return
    lines: list[tuple[str, ...]] = [("", "p50", "p95", "beside", "its p50", "its p95", "ratio p50", "p95", "bar", "")]
    for made in rows:
        ours = made["ours"]
        head = (f"{made['what']}, {made['unit']}", _number(ours["p50"]), _number(ours["p95"]))
        tail = (made["bar"], {None: "", True: "met", False: "MISSED"}[made["met"]])
        beside = [
            (name, _number(of["p50"]), _number(of["p95"]), *(f"{made['ratio'][name][p]:.2f}" for p in ("p50", "p95")))
            for name, of in made["others"].items()
        ] or [("", "", "", "", "")]
        for i, cells in enumerate(beside):
            lines.append((*head, *cells, *tail) if i == 0 else ("", "", "", *cells, "", ""))
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    for line in lines:
        padded = zip(line, widths, (True, False, False, True, False, False, False, False, True, True), strict=True)
        cells_of_line = [cell.ljust(width) if left else cell.rjust(width) for cell, width, left in padded]
        print("  ".join(cells_of_line).rstrip())
    for note in notes:
        print(f"  {note}")


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.3f}"


def rss_mb() -> float:
    """Return the most memory that this process was resident in so far, MB."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1 << 20 if sys.platform == "darwin" else 1 << 10)
