"""Figures on the pages are those that the code gives today."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


def script(name: str) -> ModuleType:
    """A script of the repository as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("name", "page"), [("nct03265613", "nct03265613.md"), ("worked_example_uvb", "worked-example-uvb.md")]
)
def test_the_page_is_what_its_script_writes(name: str, page: str) -> None:
    assert script(name).page() == (ROOT / "docs" / page).read_text(encoding="utf-8")


def test_figures_of_the_uvb_page_are_those_of_the_paper() -> None:
    """Watson 2021: PASI-75 in 81 %, PASI-90 in 41 %, median final PASI 1.0 (abstract; 78 and 39 of 96 in its data)."""
    text = (ROOT / "docs" / "worked-example-uvb.md").read_text(encoding="utf-8")
    assert "78 of 96 (81 %" in text
    assert "39 of 96 (41 %" in text
    assert "median PASI 1.0" in text
