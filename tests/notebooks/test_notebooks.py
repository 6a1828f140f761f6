"""Every notebook runs from its first cell to its last, and shows what its file says that it shows."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError

import checkout
import memgraph
import run_notebooks

pytestmark = pytest.mark.checkout

NOTEBOOKS = run_notebooks.notebooks()
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)

GUARDED = [
    "--IPKernelApp.exec_lines="
    f"import sys; sys.path.append({str(checkout.ROOT / 'tests')!r}); "
    "from support.guards import NetworkGuard; NetworkGuard().install(); sys.path.pop()"
]
"""Kernel arguments that keep its connections on this machine, as those of every test are kept."""


def _notebook(*sources: str) -> Any:
    """Return a notebook with these cells of code."""
    blank: dict[str, Any] = {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": []}
    cells = [{**blank, "id": f"cell-{n}", "source": source} for n, source in enumerate(sources)]
    return nbformat.from_dict({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def test_there_is_one_to_begin_with() -> None:
    assert "first_steps.ipynb" in [path.name for path in NOTEBOOKS]


@each_notebook
def test_a_notebook_shows_what_it_says(path: Path) -> None:
    committed = run_notebooks.read(path)
    fresh = run_notebooks.run(committed, extra=GUARDED)
    changed = run_notebooks.differences(committed, fresh)
    assert not changed, f"run `make notebooks` and look at what changed:\n{changed}"


_OF_ONE_RUN = re.compile(
    r"(?<![\w.:/])/(?:home|mnt|opt|private|root|tmp|usr|var|Users)/"  # a path of one machine
    r"|\b[A-Z]:\\"
    r"|\b[0-9a-f]{8}-[0-9a-f]{4}-"  # an id
    r"|\bat 0x[0-9a-f]+"  # an object's address
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("opened /home/ada/memory.db", True),
        ("'/tmp/tmp1x/memory.db'", True),
        (r"C:\Users\ada", True),
        ("[0195f0a2-0000-7000-8000-000000000000] I live in Oslo.", True),
        ("<memgraph.memory.Memory object at 0x7f3a>", True),
        ("see ../docs/nodes.md, or https://example.org/home/page, on 2025-03-03", False),
    ],
)
def test_what_belongs_to_one_run_is_recognised(text: str, found: bool) -> None:
    assert bool(_OF_ONE_RUN.search(text)) is found


@each_notebook
def test_a_notebook_has_nothing_of_one_run_or_one_machine(path: Path) -> None:
    notebook = run_notebooks.read(path)
    assert path.read_text(encoding="utf-8") == run_notebooks.text(notebook), "run `make notebooks`"
    for cell in notebook.cells:
        shown = [output.get("text") or output["data"]["text/plain"] for output in cell.get("outputs", ())]
        assert [text for text in [cell.source, *shown] if _OF_ONE_RUN.search(text)] == [], cell.id
        assert re.fullmatch(r"[a-z][a-z-]*", cell.id), f"an id that stays, not `{cell.id}`"


def test_the_kernel_has_our_interpreter_and_our_memgraph_and_an_empty_folder() -> None:
    source = "import os, sys\nimport memgraph\nprint(sys.prefix, memgraph.__file__, os.listdir(), sep='\\n')"
    [cell] = run_notebooks.run(_notebook(source)).cells
    prefix, ours, listed = cell.outputs[0].text.splitlines()
    assert Path(prefix).samefile(sys.prefix)
    assert Path(ours).is_relative_to(checkout.ROOT) and Path(ours).samefile(memgraph.__file__)
    assert listed == "[]"


def test_a_cell_that_fails_is_noticed() -> None:
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        run_notebooks.run(_notebook("1 / 0"))


def test_a_connection_out_is_refused() -> None:
    with pytest.raises(CellExecutionError, match="tests stay on this machine"):
        run_notebooks.run(_notebook("import socket\nsocket.create_connection(('192.0.2.1', 80))"), extra=GUARDED)


def test_a_warning_is_noticed() -> None:
    # Of a kind that Python does not show unless it is asked to.
    source = "import warnings\nwarnings.warn('half of it is lost', ResourceWarning)"
    with pytest.raises(run_notebooks.NotebookFault, match=r"`cell-0` wrote on stderr:(?s:.*)half of it is lost"):
        run_notebooks.run(_notebook(source))


def test_another_output_is_noticed_and_written(tmp_path: Path) -> None:
    path = tmp_path / "small.ipynb"
    path.write_text(run_notebooks.text(_notebook("print('seven')", "6 + 1")), encoding="utf-8")
    before = run_notebooks.read(path)
    assert list(run_notebooks.main([path])) == [path]
    after = run_notebooks.read(path)
    assert '+      "seven\\n"' in run_notebooks.differences(before, after)
    assert [output.output_type for cell in after.cells for output in cell.outputs] == ["stream", "execute_result"]
    assert path.read_text(encoding="utf-8") == run_notebooks.text(after)


def test_what_a_run_leaves_behind_is_not_written() -> None:
    notebook = _notebook("6 + 1")
    clean = run_notebooks.text(notebook)
    notebook.metadata = {"language_info": {"name": "python", "version": "3.11.7"}}
    notebook.cells[0].execution_count = 3
    notebook.cells[0].metadata = {"execution": {"iopub.status.busy": "2025-03-03T18:00:00Z"}}
    assert run_notebooks.text(notebook) == clean


def test_a_file_that_is_no_notebook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "odd.ipynb"
    odd = _notebook("6 + 1")
    del odd.cells[0]["source"]
    path.write_text(nbformat.writes(odd), encoding="utf-8")
    with pytest.raises(nbformat.ValidationError):
        run_notebooks.read(path)
