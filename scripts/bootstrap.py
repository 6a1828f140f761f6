"""Make the virtual environment that every make target uses, from the committed locks.

Usage: PYTHON scripts/bootstrap.py FOLDER [WHEEL]. This package goes in editable, or as the wheel if one is named.
Runs on the bare interpreter, so it uses the standard library only.
"""

import os
import ssl
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NEEDED = (3, 11)


def main(folder: Path, *package: str) -> None:
    """Make `folder` a virtual environment with what the locks name, and install `package` (arguments for uv)."""
    if sys.version_info < NEEDED:
        found = ".".join(map(str, sys.version_info[:3]))
        sys.exit(f"memgraph needs Python 3.11 or newer; {sys.executable} is {found}. Try: make PYTHON=python3.13 ...")
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not _is_ours(folder, python):
        _make(folder)
    pip = (python, "-m", "pip", "--quiet", "--disable-pip-version-check")
    _run(*pip, "install", "--require-hashes", "-r", "requirements/uv.txt")
    options = ("--quiet", "--python", python, *(("--system-certs",) if _has_certificates() else ()))
    uv = (python, "-m", "uv", "pip")
    _run(*uv, "sync", *options, "--require-hashes", "requirements/dev.txt", "requirements/uv.txt")
    _run(*uv, "install", *options, "--no-deps", "--no-build-isolation", *package)


def _is_ours(folder: Path, python: Path) -> bool:
    """Whether `folder` holds a working environment of this interpreter's version, with pip."""
    if not (folder / "pyvenv.cfg").is_file():
        return False
    probe = "import sys, pip; print(sys.version_info[:2])"
    found = subprocess.run([python, "-c", probe], capture_output=True, text=True, check=False)
    return found.returncode == 0 and found.stdout.strip() == str(sys.version_info[:2])


def _has_certificates() -> bool:
    """Whether the machine has root certificates: then these count, as for pip, and not those that uv brings."""
    paths = ssl.get_default_verify_paths()
    return bool(paths.cafile or (paths.capath and any(Path(paths.capath).iterdir())))


def _make(folder: Path) -> None:
    """Make an environment; where Python's own parts for that are missing, say what to install."""
    print(f"making {folder} (once)", flush=True)
    result = subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=False)
    if result.returncode != 0:
        version = ".".join(map(str, sys.version_info[:2]))
        sys.exit(
            f"{sys.executable} can't make a virtual environment. On Debian and Ubuntu its parts are packages of their "
            f"own: apt-get install python{version}-venv (or python3-venv). Then run make again."
        )


def _run(*command: "str | Path") -> None:
    """Run a command in the repository's root; end with its exit status if it fails."""
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    result = subprocess.run([str(part) for part in command], cwd=ROOT, env=environment, check=False)
    if result.returncode != 0:
        sys.exit(f"set-up failed ({result.returncode}): {' '.join(str(part) for part in command[1:])}")


if __name__ == "__main__":
    arguments = [os.path.abspath(name) for name in sys.argv[1:]]
    if len(arguments) not in (1, 2):
        sys.exit(__doc__)
    main(Path(arguments[0]), *(arguments[1:] or ["--editable", "."]))
