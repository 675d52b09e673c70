"""Ratings: who rated what, how often, on which scale; built from findings, scores or the long form, and cut into subsets.

An **item** is one thing that raters rate: a subject at a visit (and of a region and a sign, where the table has them). Items of one
subject belong together: whatever is resampled is resampled by subject.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pasi_vision.agree.record import Basis
from pasi_vision.agree.scale import Scale
from pasi_vision.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ITEM_COLUMNS", "Cells", "Floats", "Grid", "Integers", "Ratings", "assemble"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

ITEM_COLUMNS = ("subject_id", "visit", "region", "sign")
"""The columns that together name an item."""


@dataclass(frozen=True)
class Grid:
    """One value per item and rater: each rater's first reading.

    Attributes:
        values: (items, raters) float64, NaN where a rater did not rate.
        item_subject: (items,) position of each item's subject in 0 .. n_subjects - 1.
        basis: What was used, and what was not and why.
    """

    values: Floats
    item_subject: Integers
    basis: Basis

    @property
    def n_subjects(self) -> int:
        """Number of subjects with at least one rating."""
        return self.basis.n_subjects

    @property
    def one_item_each(self) -> bool:
        """Whether items are independent: one item per subject."""
        return len(self.values) == self.n_subjects

    @property
    def is_complete(self) -> bool:
        """Whether every rater rated every item."""
        return not np.isnan(self.values).any()

    def by_subject(self, parts: Floats) -> Floats:
        """Sum (items, p) over the items of each subject: (n_subjects, p)."""
        total = np.zeros((self.n_subjects, parts.shape[1]))
        np.add.at(total, self.item_subject, parts)
        return total


@dataclass(frozen=True)
class Cells:
    """All readings of every item by every rater, summed up.

    Attributes:
        mean: (items, raters) mean of the readings, NaN where there are none.
        count: (items, raters) number of readings.
        squares: (items, raters) sum of squared deviations of the readings from their mean.
        item_subject: (items,) position of each item's subject.
        n_subjects: Number of subjects.
    """

    mean: Floats
    count: Floats
    squares: Floats
    item_subject: Integers
    n_subjects: int


@dataclass(frozen=True)
class Ratings:
    """All ratings of one kind of value on one scale.

    Attributes:
        scale: As declared.
        subjects, raters: Names, in natural order; the codes below point into them.
        subject, rater, item, reading: (n,) integers; items are 0 .. n_items - 1, readings 1, 2 ...
        value: (n,) float64, finite.
        columns: Other columns by name, (n,) objects (visit, day, region, sign, skin_tone ...).
        low, high: (n,) a rater's own interval, NaN where it gave none.
        n_dropped: Rows that were read and hold no value.
        notes: Why they were dropped.
        subset: Name of the part that this is; None for the whole.
    """

    scale: Scale
    subjects: tuple[str, ...]
    raters: tuple[str, ...]
    subject: Integers
    rater: Integers
    item: Integers
    reading: Integers
    value: Floats
    columns: Mapping[str, NDArray[np.object_]] = field(default_factory=dict)
    low: Floats | None = None
    high: Floats | None = None
    n_dropped: int = 0
    notes: tuple[str, ...] = ()
    subset: str | None = None

    @property
    def n_ratings(self) -> int:
        """Number of values."""
        return len(self.value)

    @cached_property
    def item_subject(self) -> Integers:
        """(n_items,) the subject of each item."""
        owner = np.zeros(int(self.item.max()) + 1 if len(self.item) else 0, dtype=np.int64)
        owner[self.item] = self.subject
        return owner

    def rater_position(self, name: str) -> int:
        """Position of a rater.

        Raises:
            InputError: There is no such rater.
        """
        if name not in self.raters:
            known = ", ".join(self.raters[:12])
            raise InputError(f"there is no rater {name!r}", fix=f"The raters are {known}.")
        return self.raters.index(name)

    def part(self, keep: NDArray[np.bool_], subset: str | None) -> Ratings:
        """The ratings where `keep` (n,) holds, with subjects, raters and items that no longer occur left out."""
        subject, subjects = _recode(self.subject[keep], self.subjects)
        rater, raters = _recode(self.rater[keep], self.raters)
        _, item = np.unique(self.item[keep], return_inverse=True)
        return replace(
            self,
            subjects=subjects,
            raters=raters,
            subject=subject,
            rater=rater,
            item=item.astype(np.int64),
            reading=self.reading[keep],
            value=self.value[keep],
            columns={name: values[keep] for name, values in self.columns.items()},
            low=None if self.low is None else self.low[keep],
            high=None if self.high is None else self.high[keep],
            subset=subset,
            n_dropped=0 if subset is not None else self.n_dropped,
            notes=() if subset is not None else self.notes,
        )

    def of_raters(self, names: tuple[str, ...] | list[str], subset: str | None = None) -> Ratings:
        """The ratings of some raters."""
        return self.part(np.isin(self.rater, [self.rater_position(name) for name in names]), subset)

    @cached_property
    def grid(self) -> Grid:
        """Each rater's first reading of every item."""
        cells = _cell_codes(self)
        order = np.lexsort((self.reading, cells))
        first = order[np.r_[True, np.diff(cells[order]) > 0]] if len(order) else order
        values = np.full((len(self.item_subject), len(self.raters)), np.nan)
        values[self.item[first], self.rater[first]] = self.value[first]
        further = self.n_ratings - len(first)
        note = (
            (f"{further} further readings by the same rater are used for the intra-rater figures only",)
            if further
            else ()
        )
        basis = Basis(self.subset, len(self.subjects), len(first), self.n_dropped + further, (*self.notes, *note))
        return Grid(values, self.item_subject, basis)

    @cached_property
    def cells(self) -> Cells:
        """All readings of every item by every rater."""
        shape = (len(self.item_subject), len(self.raters))
        at = _cell_codes(self)
        size = shape[0] * shape[1]
        count = np.bincount(at, minlength=size).astype(float)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.bincount(at, weights=self.value, minlength=size) / count
        squares = np.bincount(at, weights=(self.value - mean[at]) ** 2, minlength=size).astype(float)
        return Cells(
            mean.reshape(shape), count.reshape(shape), squares.reshape(shape), self.item_subject, len(self.subjects)
        )

    @property
    def basis(self) -> Basis:
        """What a statistic of all readings is computed from."""
        return Basis(self.subset, len(self.subjects), self.n_ratings, self.n_dropped, self.notes)


def assemble(frame: pd.DataFrame, scale: Scale, *, n_dropped: int = 0, notes: tuple[str, ...] = ()) -> Ratings:
    """Ratings from a checked long frame: subject_id, rater, reading, value (float64), any of the item columns, low, high and others."""
    named = [name for name in ITEM_COLUMNS if name in frame.columns]
    item = np.asarray(frame.groupby(named, sort=True, dropna=False).ngroup().to_numpy())
    subject, subjects = _codes(frame["subject_id"].astype(str).tolist())
    rater, raters = _codes(frame["rater"].astype(str).tolist())
    others = [name for name in frame.columns if name not in ("subject_id", "rater", "reading", "value", "low", "high")]
    return Ratings(
        scale=scale,
        subjects=subjects,
        raters=raters,
        subject=subject,
        rater=rater,
        item=item.astype(np.int64),
        reading=frame["reading"].to_numpy(dtype=np.int64),
        value=frame["value"].to_numpy(dtype=np.float64),
        columns={name: _objects(frame[name]) for name in others},
        low=frame["low"].to_numpy(dtype=np.float64) if "low" in frame.columns else None,
        high=frame["high"].to_numpy(dtype=np.float64) if "high" in frame.columns else None,
        n_dropped=n_dropped,
        notes=notes,
    )


def _objects(column: pd.Series[Any]) -> NDArray[np.object_]:
    """A column as objects, None where it is not known."""
    values = column.astype(object).to_numpy(copy=True)
    values[column.isna().to_numpy()] = None
    return values


def _cell_codes(ratings: Ratings) -> Integers:
    codes: Integers = ratings.item * len(ratings.raters) + ratings.rater
    return codes


def _natural(name: str) -> list[Any]:
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", name) if part]


def _codes(names: list[str]) -> tuple[Integers, tuple[str, ...]]:
    unique = sorted(set(names), key=_natural)
    place = {name: at for at, name in enumerate(unique)}
    return np.array([place[name] for name in names], dtype=np.int64), tuple(unique)


def _recode(codes: Integers, names: tuple[str, ...]) -> tuple[Integers, tuple[str, ...]]:
    kept, new = np.unique(codes, return_inverse=True)
    return new.astype(np.int64), tuple(names[at] for at in kept)
