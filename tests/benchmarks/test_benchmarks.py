"""The benchmarks run and say what they measured; how fast it was is never asserted here."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"
TINY_SEARCH = ("--turns", "45", "--users", "3", "--each", "25", "--million", "--million-users", "4")

pytestmark = pytest.mark.checkout


RUNS: dict[str, tuple[tuple[str, ...], int]] = {
    "search.py": ((*TINY_SEARCH, "--rounds", "2", "--searches", "4"), 9),
    "store.py": (("--sizes", "12", "36", "--namespaces", "3", "--rounds", "2", "--calls", "2"), 22),
    "imports.py": (("--rounds", "1", "--users", "2", "--each", "25"), 3),
    "pipeline.py": (("--rounds", "1", "--adds", "1", "--each", "1"), 48),
    "add.py": (("--rounds", "2", "--adds", "2"), 6),
    "floor.py": (("--turns", "60", "--searches", "3", "--rounds", "2"), 7),
}
"""Arguments of each script, and the rows that it gives; the longest first."""


def run(script: str) -> subprocess.CompletedProcess[str]:
    arguments, _ = RUNS[script]
    return subprocess.run(
        [sys.executable, str(FOLDER / script), "--json", *arguments], capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def running() -> Iterator[dict[str, Future[subprocess.CompletedProcess[str]]]]:
    """Every script, two at a time: most of it is starting processes, and the figures are of no concern here."""
    with ThreadPoolExecutor(2) as pool:
        yield {script: pool.submit(run, script) for script in RUNS}


@pytest.mark.parametrize("script", RUNS)
def test_a_benchmark_says_what_it_measured(
    script: str, running: dict[str, Future[subprocess.CompletedProcess[str]]]
) -> None:
    done = running[script].result()
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    assert result["benchmark"] == Path(script).stem
    assert len(result["rows"]) == RUNS[script][1]
    for row in result["rows"]:
        assert row["what"]
        assert row["unit"]
        assert (row["met"] is None) or row["bar"]
        for figure in (row["ours"], *row["others"].values()):
            assert figure["n"] > 0
            assert 0 <= figure["p50"] <= figure["p95"]
            assert figure["lowest_round"] <= figure["highest_round"]
        assert set(row["ratio"]) == set(row["others"])


def test_a_python_that_was_named_for_the_official_store_and_cannot_run_it_is_an_error(tmp_path: Path) -> None:
    arguments = ("--sqlite-python", str(tmp_path / "absent"))
    done = subprocess.run(
        [sys.executable, str(FOLDER / "store.py"), *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "can't run, No such file or directory" in done.stderr


def test_ours_sets_no_blas_variable_and_the_floor_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    import _rounds

    environments: list[dict[str, str]] = []

    def start(*_: object, env: dict[str, str], **__: object) -> None:
        environments.append(env)

    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "7")
    monkeypatch.setattr(subprocess, "Popen", start)
    _rounds.Worker("_ours.py")
    _rounds.Worker("floor.py", one_blas_thread=True)
    ours, floor = environments
    assert not set(ours) & set(_rounds.BLAS)
    assert {floor[name] for name in _rounds.BLAS} == {"1"}
