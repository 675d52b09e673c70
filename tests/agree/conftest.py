"""Ways to write published tables of ratings as the long form."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd
import pytest

from pasi_vision.agree.record import Agreement

Rows = Sequence[Sequence[float | None]]


@pytest.fixture(scope="session")
def long() -> Callable[[Rows], pd.DataFrame]:
    """Subjects x raters as the long form; None is a missing cell (no row). Raters are r1, r2 ..."""

    def made(table: Rows) -> pd.DataFrame:
        rows = [
            (f"s{s}", f"r{r}", 1, value)
            for s, row in enumerate(table, start=1)
            for r, value in enumerate(row, start=1)
            if value is not None
        ]
        return pd.DataFrame(rows, columns=["subject_id", "rater", "reading", "value"])

    return made


@pytest.fixture(scope="session")
def pairs_of_counts() -> Callable[[Sequence[Sequence[int]]], list[list[int]]]:
    """A square table of counts (rows rater 1) as subjects x 2 raters."""

    def made(counts: Sequence[Sequence[int]]) -> list[list[int]]:
        return [[i, j] for i, row in enumerate(counts) for j, n in enumerate(row) for _ in range(n)]

    return made


@pytest.fixture(scope="session")
def by_name() -> Callable[[Sequence[Agreement]], dict[str, Agreement]]:
    """Records by statistic."""
    return lambda records: {record.statistic: record for record in records}
