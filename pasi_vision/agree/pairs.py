"""Two raters side by side: the items that both rated, as single readings and as all readings."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from pasi_vision.agree.ratings import Floats, Integers, Ratings
from pasi_vision.agree.record import Basis

__all__ = ["Pair", "Repeated", "all_pairs", "pair_name", "pair_of", "repeated_of"]


@dataclass(frozen=True)
class Pair:
    """Single readings of the items that two raters share.

    Attributes:
        rater, reference: Names; a difference is rater minus reference.
        y, x: (n,) values of the rater and of the reference.
        owner: (n,) position of each item's subject in 0 .. n_subjects - 1.
        item: (n,) position of each item in the ratings they come from.
        basis: What was used and what was not.
    """

    rater: str
    reference: str
    y: Floats
    x: Floats
    owner: Integers
    item: Integers
    basis: Basis

    @property
    def n_subjects(self) -> int:
        """Number of subjects."""
        return self.basis.n_subjects

    @property
    def one_item_each(self) -> bool:
        """Whether items are independent: one item per subject."""
        return len(self.x) == self.n_subjects

    def by_subject(self, parts: Floats) -> Floats:
        """Sum (n, p) over the items of each subject: (n_subjects, p)."""
        total = np.zeros((self.n_subjects, parts.shape[1]))
        np.add.at(total, self.owner, parts)
        return total

    @property
    def obstacle(self) -> str:
        """Why nothing can be said about this pair; "" when something can."""
        if self.n_subjects < 2:
            return f"too few: {self.rater} and {self.reference} share {self.n_subjects} subject{'s' * (self.n_subjects != 1)}"
        return ""


@dataclass(frozen=True)
class Repeated:
    """All readings of the items that two raters share.

    Attributes:
        rater, reference: Names.
        difference, average: (n,) rater minus reference, and their mean, of each item's mean readings.
        owner: (n,) position of each item's subject.
        counts: Two (n,) arrays: number of readings by the rater and by the reference.
        squares: For each of the two, the sum over items of squared deviations of readings from their item's mean.
        basis: What was used and what was not.
    """

    rater: str
    reference: str
    difference: Floats
    average: Floats
    owner: Integers
    counts: tuple[Floats, Floats]
    squares: tuple[float, float]
    basis: Basis


def pair_name(rater: str, reference: str) -> str:
    """The subset's name of a pair."""
    return f"{rater} vs {reference}"


def all_pairs(ratings: Ratings, reference: str | None = None) -> list[tuple[str, str]]:
    """Every pair (rater, reference); with a named reference, every other rater against it.

    Raises:
        InputError: The reference is not one of the raters.
    """
    if reference is not None:
        ratings.rater_position(reference)
        return [(name, reference) for name in ratings.raters if name != reference]
    return list(combinations(ratings.raters, 2))


def pair_of(ratings: Ratings, rater: str, reference: str) -> Pair:
    """Single readings of two raters on the items they share.

    Raises:
        InputError: One of them is not a rater.
    """
    grid = ratings.grid
    y, x = grid.values[:, ratings.rater_position(rater)], grid.values[:, ratings.rater_position(reference)]
    both = ~np.isnan(y) & ~np.isnan(x)
    subjects, owner = np.unique(grid.item_subject[both], return_inverse=True)
    further = int(np.isin(ratings.rater, [ratings.rater_position(rater), ratings.rater_position(reference)]).sum())
    single = int((~np.isnan(y)).sum() + (~np.isnan(x)).sum())
    alone = single - 2 * int(both.sum())
    notes = []
    if further > single:
        notes.append(f"{further - single} further readings are used for the intra-rater figures only")
    if alone:
        notes.append(f"{alone} ratings of items that the other rater did not rate")
    basis = Basis(
        _subset(ratings, rater, reference),
        len(subjects),
        2 * int(both.sum()),
        further - 2 * int(both.sum()),
        tuple(notes),
    )
    return Pair(rater, reference, y[both], x[both], owner.astype(np.int64), np.flatnonzero(both), basis)


def repeated_of(ratings: Ratings, rater: str, reference: str) -> Repeated:
    """All readings of two raters on the items they share.

    Raises:
        InputError: One of them is not a rater.
    """
    cells = ratings.cells
    at = (ratings.rater_position(rater), ratings.rater_position(reference))
    both = (cells.count[:, at[0]] > 0) & (cells.count[:, at[1]] > 0)
    y, x = cells.mean[both, at[0]], cells.mean[both, at[1]]
    subjects, owner = np.unique(cells.item_subject[both], return_inverse=True)
    used = int(cells.count[both][:, at].sum())
    unused = int(cells.count[:, at].sum()) - used
    notes = (f"{unused} ratings of items that the other rater did not rate",) if unused else ()
    basis = Basis(_subset(ratings, rater, reference), len(subjects), used, unused, notes)
    return Repeated(
        rater,
        reference,
        y - x,
        (y + x) / 2,
        owner.astype(np.int64),
        (cells.count[both, at[0]], cells.count[both, at[1]]),
        (float(cells.squares[both, at[0]].sum()), float(cells.squares[both, at[1]].sum())),
        basis,
    )


def _subset(ratings: Ratings, rater: str, reference: str) -> str:
    name = pair_name(rater, reference)
    return name if ratings.subset is None else f"{ratings.subset}; {name}"
