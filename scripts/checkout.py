"""What belongs to this repository: its files, and where its code lies. Used by the other scripts and by tests."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

PARTS = {
    "memgraph": "memgraph",
    "nodes": "memgraph/nodes",
    "checkpointers": "memgraph/checkpointers",
    "evals": "memgraph/evals",
    "datasets": "memgraph/datasets",
}
"""Root folder of a part -> where it lies in the one import package."""


def files() -> list[Path]:
    """Return the repository's files and links, relative to its root: all that git tracks or would not ignore."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    present = {Path(name) for name in listed.split("\0") if name}
    return sorted(path for path in present if (ROOT / path).exists() or (ROOT / path).is_symlink())


def copy_to(target: Path) -> Path:
    """Copy the repository's files to the folder `target`, links as links, nothing else; return it."""
    for path in files():
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, target / path, follow_symlinks=False)
    return target


def packaged() -> dict[str, Path]:
    """Return the files of the import package: name in the package -> path from the root."""
    return {
        f"{PARTS[path.parts[0]]}/{'/'.join(path.parts[1:])}": path
        for path in files()
        if path.parts[0] in PARTS and not (ROOT / path).is_symlink()
    }
