"""Write the locks: requirements/dev.txt (all extras and the tools) and requirements/uv.txt, with hashes.

Usage: scripts/lock.py [--upgrade]. Without it, what is locked stays unless pyproject.toml asks for something else.
The locks serve every platform and every Python from 3.11, and name no package index.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OPTIONS = [
    "--quiet",
    "--system-certs",
    "--universal",
    "--python-version=3.11",
    "--generate-hashes",
    "--no-emit-index-url",
    "--no-annotate",
    "--custom-compile-command=make lock",
]


def compile_lock(target: str, *sources: str, text: str = "", upgrade: bool = False) -> None:
    """Resolve `sources` into the lock `target`."""
    command = [sys.executable, "-m", "uv", "pip", "compile", *OPTIONS, *sources, "--output-file", target]
    if upgrade:
        command.append("--upgrade")
    subprocess.run(command, cwd=ROOT, input=text, text=True, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    upgrade = "--upgrade" in sys.argv[1:]
    compile_lock("requirements/dev.txt", "pyproject.toml", "--all-extras", "--group=dev", upgrade=upgrade)
    compile_lock("requirements/uv.txt", "-", text="uv\n", upgrade=upgrade)
