"""Build the source distribution and from it the wheel, and compare the wheel with the repository.

Usage: scripts/check_wheel.py [FOLDER]. The wheel is left in FOLDER if one is named.
Checks: its only top-level name is `memgraph`; it holds the code folders' files, all of them and no others.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import checkout


def build(target: Path) -> Path:
    """Build from a clean copy (a stale build folder would leak into the wheel) and return the wheel's path."""
    with tempfile.TemporaryDirectory() as folder:
        source = checkout.copy_to(Path(folder))
        command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(target.resolve()), str(source)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"the wheel can't be built:\n{done.stdout}{done.stderr}")
    return max(target.glob("*.whl"), key=lambda path: path.stat().st_mtime)


def faults(names: set[str], expected: set[str]) -> list[str]:
    """Return what is wrong with a wheel that holds the files `names`, given the files of the import package."""
    inside = {name for name in names if ".dist-info/" not in name}
    tops = {name.split("/")[0] for name in inside}
    found = [f"top-level name beside memgraph: {top}" for top in sorted(tops - {"memgraph"})]
    found += [f"in the repository, not in the wheel: {name}" for name in sorted(expected - inside)]
    found += [f"in the wheel, not in the repository: {name}" for name in sorted(inside - expected)]
    return found


def main(target: Path) -> None:
    """Build into `target`, check, end with status 1 and a list if something is wrong."""
    wheel = build(target)
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
    expected = set(checkout.packaged())
    if found := faults(names, expected):
        print(*found, sep="\n")
        sys.exit(f"{wheel.name}: {len(found)} faults (packages and package-data stand in pyproject.toml)")
    code = sum(name.endswith(".py") for name in expected)
    print(f"{wheel.name}: {code} modules and {len(expected) - code} data files, as in the repository")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as scratch:
            main(Path(scratch))
