"""The npm packages that the portal's tests use, installed once per session from their lock file."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "browser"


def missing() -> str:
    """Why they cannot be used here; "" where they can."""
    absent = [name for name in ("node", "npm") if not shutil.which(name)]
    return f"{absent[0]} is not installed" if absent else ""


@cache
def installed() -> Path:
    """A folder with `node_modules` and the tests' own scripts."""
    folder = Path(tempfile.mkdtemp(prefix="portal-node-"))
    for name in ("package.json", "package-lock.json", "send.js"):
        shutil.copy(FOLDER / name, folder)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=300)
    return folder
