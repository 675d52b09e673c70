"""The independent slow implementation and the conformance vectors."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def module_of(path: Path) -> ModuleType:
    """A Python file as a module, without a package around it."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def slow() -> ModuleType:
    """The independent slow implementation in fractions."""
    return module_of(Path(__file__).with_name("slow.py"))


@pytest.fixture(scope="session")
def vectors() -> dict[str, Any]:
    """The conformance vectors by file name."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in (ROOT / "conformance").glob("*.json")}
