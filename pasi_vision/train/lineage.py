"""What a model was trained on, through all the runs it went on from: `training` of a model.json, where each run keeps the one `before`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["data_of", "runs_of"]

Run = Mapping[str, Any]


def runs_of(training: Run) -> list[Run]:
    """The last run and all that it went on from, the first one last."""
    runs = [training]
    while "before" in runs[-1]:
        runs.append(runs[-1]["before"])
    return runs


def data_of(runs: Iterable[Run], key: str) -> list[Any]:
    """Each folder that any of the runs names under `key` ("data", "validation_data"), once."""
    found: list[Any] = []
    for run in runs:
        found += [one for one in run.get(key, []) if one not in found]
    return found
