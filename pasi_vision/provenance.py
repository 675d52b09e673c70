"""run.json: what made a result, so that it can be made again (versions, model, settings, input hashes, seed, device)."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

__all__ = ["DEFAULT_MODEL", "package_version", "run_record", "write_run"]

DEFAULT_MODEL = "phantom-lite2"
"""The model that this version was released with; what scores unless another is named."""

_NAMED = ("numpy", "scipy", "pandas", "opencv-python-headless", "onnxruntime", "torch", "embreex")


def package_version() -> str:
    """Version of the installed pasi-vision."""
    try:
        return metadata.version("pasi-vision")
    except metadata.PackageNotFoundError:  # a bare checkout on the path
        return "0+unknown"


def run_record(
    command: str,
    *,
    inputs: Mapping[str, Path | str] | None = None,
    settings: Mapping[str, Any] | None = None,
    model: Mapping[str, Any] | None = None,
    seed: int | None = None,
    device: str = "cpu",
) -> dict[str, Any]:
    """A JSON-ready record of one run.

    Args:
        command: What was run, such as "score".
        inputs: Name -> path (hashed here) or an already known SHA-256.
        settings: Every choice that can move a result (area convention, band policy, limits ...).
        model: Name, version and hash of the model, if one was used.
        seed: Seed of the one random generator, if one was used.
        device: Where the network ran.
    """
    from pasi_vision.storage import sha256_of

    versions = {}
    for name in _NAMED:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return {
        "command": command,
        "pasi_vision": package_version(),
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": sys.version.split()[0],
        "platform": platform.platform(terse=True),
        "versions": versions,
        "settings": dict(settings or {}),
        "model": dict(model) if model else None,
        "seed": seed,
        "device": device,
        "inputs": {k: sha256_of(v) if isinstance(v, Path) else v for k, v in (inputs or {}).items()},
    }


def write_run(path: str | Path, record: Mapping[str, Any]) -> None:
    """Write a run record whole or not at all."""
    from pasi_vision.storage import write_json

    write_json(path, record)
