"""Run the notebooks and write their outputs anew.

Usage: scripts/run_notebooks.py [FILE ...]. Without one: all of notebooks/.

Each runs from its first cell to its last in a kernel of its own: this interpreter, this checkout's memgraph, an empty
folder, nobody's settings. A cell that fails or writes on stderr ends it with status 1; that file stays as it was.
"""

from __future__ import annotations

import asyncio
import difflib
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

import checkout

FOLDER: Final = checkout.ROOT / "notebooks"

TIMEOUT_S: Final = 120
"""Seconds for one cell: only a hang takes them."""

_METADATA: Final = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


class NotebookFault(Exception):
    """A notebook ran to its end, but a cell wrote on stderr: a warning, or what its reader should not see."""


def notebooks() -> list[Path]:
    """Return the repository's notebooks."""
    return sorted(FOLDER.glob("*.ipynb"))


def read(path: Path) -> Any:
    """Return a notebook, checked against the format.

    Raises:
        nbformat.ValidationError: It is no valid notebook of version 4.
    """
    notebook = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
    nbformat.validate(notebook)
    return notebook


def text(notebook: Any) -> str:
    """Return a notebook as its file should be: what a run leaves behind (counters, versions, times) is taken out."""
    tidy = nbformat.from_dict({**notebook, "metadata": _METADATA})
    for cell in tidy.cells:
        cell.metadata = {}
        if cell.cell_type == "code":
            cell.execution_count = None
            for output in cell.outputs:
                if output.output_type == "execute_result":
                    output.execution_count = None
    return nbformat.writes(tidy).rstrip("\n") + "\n"


def run(notebook: Any, *, extra: Sequence[str] = ()) -> Any:
    """Run a notebook's cells in an empty folder and return a copy with the outputs.

    Args:
        notebook: As `read` returns it.
        extra: Arguments for the kernel.

    Raises:
        CellExecutionError: A cell failed.
        NotebookFault: A cell wrote on stderr.
    """
    copy = nbformat.from_dict(notebook)
    with tempfile.TemporaryDirectory(prefix="notebook-") as folder:
        asyncio.run(_run(copy, Path(folder), extra))
    for cell in copy.cells:
        for output in cell.get("outputs", ()):
            if output.get("name") == "stderr":
                raise NotebookFault(f"cell `{cell.id}` wrote on stderr:\n{output.text}")
    return copy


async def _run(notebook: Any, folder: Path, extra: Sequence[str]) -> None:
    manager = AsyncKernelManager(
        # This interpreter's own kernel, whichever others this machine's user has installed.
        kernel_spec_manager=KernelSpecManager(kernel_dirs=[]),
        # Sockets that are files: no port that another process may take first.
        transport="ipc",
        connection_file=str(folder / "kernel.json"),
    )
    client = NotebookClient(
        notebook,
        km=manager,
        timeout=TIMEOUT_S,
        startup_timeout=TIMEOUT_S,
        iopub_timeout=TIMEOUT_S,
        raise_on_iopub_timeout=True,  # otherwise an output that comes late is lost without a word
        record_timing=False,
        coalesce_streams=True,
        extra_arguments=list(extra),
    )
    here = folder / "here"
    here.mkdir()
    await client.async_execute(cleanup_kc=True, cwd=str(here), env=_environment(folder))


def _environment(folder: Path) -> dict[str, str]:
    """Return the kernel's environment: this checkout first, every warning shown, nobody's settings, nothing sent."""
    own = ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("MEMGRAPH_", "JUPYTER_"))},
        **{name: str(folder / "settings") for name in own},
        "PYTHONPATH": str(checkout.ROOT),
        "PYTHONWARNINGS": "default",
        "LANGSMITH_TRACING": "false",
        "LANGCHAIN_TRACING_V2": "false",
        "HF_HUB_OFFLINE": "1",
    }


def differences(committed: Any, fresh: Any) -> str:
    """Return a diff of two notebooks as their files should be, "" where they are the same."""
    old, new = (text(notebook).splitlines() for notebook in (committed, fresh))
    return "\n".join(difflib.unified_diff(old, new, "committed", "fresh", lineterm=""))


def main(paths: Sequence[Path]) -> Iterator[Path]:
    """Run the notebooks at `paths`, and yield each whose file was written anew."""
    for path in paths:
        fresh = text(run(read(path)))
        if fresh != path.read_text(encoding="utf-8"):
            path.write_text(fresh, encoding="utf-8")
            yield path


if __name__ == "__main__":
    chosen = [Path(name) for name in sys.argv[1:]] or notebooks()
    for changed in main(chosen):
        print(f"{changed.name} has other outputs now")
    print(f"{len(chosen)} run")
