"""Every example in the docstrings of this part runs and gives what it says."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import pasi_vision.score

MODULES = [m.name for m in pkgutil.iter_modules(pasi_vision.score.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    result = doctest.testmod(importlib.import_module(f"pasi_vision.score.{name}"))
    assert result.failed == 0


def test_there_are_examples() -> None:
    modules = [importlib.import_module(f"pasi_vision.score.{name}") for name in MODULES]
    assert sum(len(test.examples) for m in modules for test in doctest.DocTestFinder().find(m)) > 25
