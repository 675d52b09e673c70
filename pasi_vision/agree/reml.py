"""REML of the two-way model with missing cells, for all bootstrap replicates at once.

The model of a rating is y = mu + item + rater + residual, all random. Items are integrated out analytically, so the likelihood needs
only sums over items that were rated equally often, and a matrix of raters x raters (Searle, Casella & McCulloch 1992, ch. 6; the
sums below are their mixed-model equations with the items absorbed). A subject adds its sums, so a replicate is a weighted sum.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

__all__ = ["Fit", "Layout", "fit_one_way", "fit_two_way", "item_sums"]

Floats = NDArray[np.float64]

_LOWEST, _HIGHEST = -14.0, 14.0  # of the logarithm of a variance ratio: a component at the lower end is zero
_STEP = 1e-3
_ROUNDS = 40


@dataclass(frozen=True)
class Layout:
    """Where each sum stands in a row of totals.

    Attributes:
        counts: The numbers of ratings per item that occur, as (g,) floats.
        k: Number of raters.
    """

    counts: Floats
    k: int

    def unpack(self, totals: Floats) -> _Sums:
        """Totals (..., p) as named sums."""
        g, k = len(self.counts), self.k
        sizes = [g, g * k, g * k * k, g, g, g * k, k, 1]
        ends = np.cumsum(sizes)
        cut = [totals[..., end - size : end] for size, end in zip(sizes, ends, strict=True)]
        lead = totals.shape[:-1]
        return _Sums(
            self.counts,
            items=cut[0],
            seen=cut[1].reshape(*lead, g, k),
            together=cut[2].reshape(*lead, g, k, k),
            total=cut[3],
            squared_total=cut[4],
            seen_total=cut[5].reshape(*lead, g, k),
            by_rater=cut[6],
            squares=cut[7][..., 0],
        )


@dataclass(frozen=True)
class _Sums:
    counts: Floats
    items: Floats
    seen: Floats
    together: Floats
    total: Floats
    squared_total: Floats
    seen_total: Floats
    by_rater: Floats
    squares: Floats

    def take(self, which: NDArray[np.bool_]) -> _Sums:
        names = ("items", "seen", "together", "total", "squared_total", "seen_total", "by_rater", "squares")
        return _Sums(self.counts, **{name: getattr(self, name)[which] for name in names})


@dataclass(frozen=True)
class Fit:
    """Variance components and the rater effects (..., k), centred."""

    item: Floats
    rater: Floats
    residual: Floats
    effects: Floats


def item_sums(values: Floats) -> tuple[Layout, Floats]:
    """What each item of (items, raters) values adds: the layout and (items, p) sums. Values should be centred."""
    seen = ~np.isnan(values)
    y = np.where(seen, values, 0.0)
    n_items, k = values.shape
    number = seen.sum(axis=1)
    counts = np.unique(number)
    group = (number[:, None] == counts).astype(np.float64)
    seen_f = seen.astype(np.float64)
    total = y.sum(axis=1)
    by_group = group[:, :, None] * seen_f[:, None, :]
    parts = [
        group,
        by_group.reshape(n_items, -1),
        (by_group[:, :, :, None] * seen_f[:, None, None, :]).reshape(n_items, -1),
        group * total[:, None],
        group * total[:, None] ** 2,
        (by_group * total[:, None, None]).reshape(n_items, -1),
        y,
        np.sum(y**2, axis=1, keepdims=True),
    ]
    return Layout(counts.astype(np.float64), k), np.concatenate(parts, axis=1)


def fit_two_way(layout: Layout, totals: Floats, start: tuple[float, float] | None = None) -> Fit:
    """REML components of item, rater and residual for (B, p) totals."""
    sums = layout.unpack(totals)
    begin = np.log(start) if start is not None else np.array([0.0, -2.0])
    place = np.tile(begin, (len(totals), 1))
    place = _minimise(lambda part, at: _criterion(part, at[:, 0], at[:, 1])[0], sums, place)
    _, residual, effects = _criterion(sums, place[:, 0], place[:, 1])
    ratio = np.where(place <= _LOWEST + 1, 0.0, np.exp(place))
    return Fit(ratio[:, 0] * residual, ratio[:, 1] * residual, residual, effects)


def fit_one_way(layout: Layout, totals: Floats) -> Fit:
    """REML components of item and residual (raters not told apart) for (B, p) totals."""
    sums = layout.unpack(totals)
    place = np.zeros((len(totals), 1))
    place = _minimise(lambda part, at: _criterion_one_way(part, at[:, 0])[0], sums, place)
    _, residual = _criterion_one_way(sums, place[:, 0])
    ratio = np.where(place[:, 0] <= _LOWEST + 1, 0.0, np.exp(place[:, 0]))
    return Fit(ratio * residual, np.zeros_like(residual), residual, np.zeros((len(totals), layout.k)))


def _absorbed(sums: _Sums, log_item: Floats) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """log|I + aZZ'|, 1'M1, 1'My, y'My and the shrink factors c(n) with the items integrated out."""
    a = np.exp(log_item)[:, None]
    grow = 1 + a * sums.counts
    c = a / grow
    log_det = np.sum(sums.items * np.log(grow), axis=1)
    ones = np.sum(sums.items * sums.counts / grow, axis=1)
    ones_y = np.sum(sums.total / grow, axis=1)
    y_y = sums.squares - np.sum(c * sums.squared_total, axis=1)
    return log_det, ones, ones_y, y_y, c


def _criterion_one_way(sums: _Sums, log_item: Floats) -> tuple[Floats, Floats]:
    log_det, ones, ones_y, y_y, _ = _absorbed(sums, log_item)
    degrees = np.sum(sums.items * sums.counts, axis=1) - 1
    residual = np.maximum((y_y - ones_y**2 / ones) / degrees, 1e-300)
    return log_det + np.log(ones) + degrees * np.log(residual), residual


def _criterion(sums: _Sums, log_item: Floats, log_rater: Floats) -> tuple[Floats, Floats, Floats]:
    """-2 log REML likelihood (up to a constant), the profiled residual variance, and the rater effects (fixed, centred)."""
    log_det, ones, ones_y, y_y, c = _absorbed(sums, log_item)
    k = sums.by_rater.shape[-1]
    eye = np.eye(k)
    seen = sums.seen.sum(axis=1)
    block = seen[:, :, None] * eye - np.einsum("bg,bgij->bij", c, sums.together)
    rater_ones = np.sum(sums.seen / (1 + np.exp(log_item)[:, None] * sums.counts)[:, :, None], axis=1)
    rater_y = sums.by_rater - np.einsum("bg,bgk->bk", c, sums.seen_total)
    b = np.exp(log_rater)[:, None, None]
    inner = eye + b * block
    right = np.stack([rater_ones, rater_y], axis=-1)
    solved = b * np.linalg.solve(inner, right)
    one_one = ones - np.einsum("bk,bk->b", rater_ones, solved[..., 0])
    one_y = ones_y - np.einsum("bk,bk->b", rater_ones, solved[..., 1])
    quadratic = y_y - np.einsum("bk,bk->b", rater_y, solved[..., 1]) - one_y**2 / one_one
    degrees = np.sum(sums.items * sums.counts, axis=1) - 1
    residual = np.maximum(quadratic / degrees, 1e-300)
    value = log_det + np.linalg.slogdet(inner)[1] + np.log(one_one) + degrees * np.log(residual)
    return value, residual, _effects(block, rater_ones, ones, rater_y, ones_y)


def _effects(block: Floats, rater_ones: Floats, ones: Floats, rater_y: Floats, ones_y: Floats) -> Floats:
    """Generalised least squares rater effects with mu swept out, centred over raters."""
    k = block.shape[-1]
    swept = block - rater_ones[:, :, None] * rater_ones[:, None, :] / ones[:, None, None]
    right = rater_y - rater_ones * (ones_y / ones)[:, None]
    # The sum of the effects is free: adding a constant matrix pins it to zero without touching the differences.
    pin = np.trace(swept, axis1=1, axis2=2)[:, None, None] / k**2 + 1e-12
    effects = np.linalg.solve(swept + pin * np.ones((k, k)) + 1e-12 * np.eye(k), right[..., None])[..., 0]
    return np.asarray(effects - effects.mean(axis=1, keepdims=True))


def _minimise(criterion: Callable[[_Sums, Floats], Floats], sums: _Sums, place: Floats) -> Floats:
    """Damped Newton steps for each row of `place` (B, 1 or 2), with numerical derivatives, within the bounds."""
    width = place.shape[1]
    place = place.copy()
    value = criterion(sums, place)
    active = np.ones(len(place), dtype=bool)
    damping = np.full(len(place), 1e-3)
    for _ in range(_ROUNDS):
        if not active.any():
            break
        part, here = sums.take(active), place[active]
        slope, curve = _derivatives(partial(criterion, part), here, value[active])
        at_floor = (here <= _LOWEST + 1e-9) & (slope > 0)
        slope = np.where(at_floor, 0.0, slope)
        scale = np.abs(np.diagonal(curve, axis1=1, axis2=2)) + 1e-8
        matrix = curve + np.eye(width) * (damping[active][:, None] * scale + _repair(curve)[:, None])[:, :, None]
        step = np.clip(-np.linalg.solve(matrix, slope[..., None])[..., 0], -3.0, 3.0)
        trial = np.clip(here + np.where(at_floor, 0.0, step), _LOWEST, _HIGHEST)
        tried = criterion(part, trial)
        better = tried <= value[active] + 1e-12 * np.abs(value[active])
        moved = np.abs(trial - here).max(axis=1)
        place[active] = np.where(better[:, None], trial, here)
        gain = value[active] - tried
        value[active] = np.where(better, tried, value[active])
        damping[active] = np.where(better, np.maximum(damping[active] / 10, 1e-9), damping[active] * 10)
        done = (better & ((moved < 1e-7) | ((gain < 1e-10) & (moved < 1e-4)))) | (damping[active] > 1e6)
        active[np.flatnonzero(active)[done]] = False
    return place


def _repair(curve: Floats) -> Floats:
    """How much to add to the diagonal so that a Hessian is positive definite."""
    lowest = np.linalg.eigvalsh(curve)[:, 0]
    return np.where(lowest <= 1e-6, 1e-3 - 1.1 * np.minimum(lowest, 0.0), 0.0)


def _derivatives(criterion: Callable[[Floats], Floats], place: Floats, value: Floats) -> tuple[Floats, Floats]:
    width = place.shape[1]
    slope = np.zeros_like(place)
    curve = np.zeros((len(place), width, width))
    ups = []
    for at in range(width):
        nudge = np.zeros(width)
        nudge[at] = _STEP
        up, down = criterion(place + nudge), criterion(place - nudge)
        ups.append((up, down))
        slope[:, at] = (up - down) / (2 * _STEP)
        curve[:, at, at] = (up - 2 * value + down) / _STEP**2
    if width == 2:
        both = criterion(place + _STEP) + criterion(place - _STEP)
        mixed = (both - ups[0][0] - ups[0][1] - ups[1][0] - ups[1][1] + 2 * value) / (2 * _STEP**2)
        curve[:, 0, 1] = curve[:, 1, 0] = mixed
    return slope, curve
