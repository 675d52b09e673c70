"""Figures of an audit of agreement: Bland-Altman, matrix of pairs, ridge of differences, confusion, drift."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["bland_altman", "confusion_matrix", "drift_plot", "pair_matrix", "ridge"]

Floats = NDArray[np.float64]

_POINT, _LINE, _GREY, _OUT = "#2a6f97", "#c2410c", "#9ca3af", "#b42318"


def _figure(width: float, height: float) -> tuple[Figure, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    return figure, axes


def bland_altman(
    means: Floats,
    differences: Floats,
    lines: Mapping[str, tuple[float, float | None, float | None]],
    names: tuple[str, str],
) -> Figure:
    """Differences against means, with bias and limits and the interval of each as a band.

    Args:
        means, differences: (n,) one per item.
        lines: bias, loa_low and loa_high, each value, low, high.
        names: Rater and reference.
    """
    figure, axes = _figure(4.8, 3.1)
    axes.axhline(0, color=_GREY, linewidth=0.8)
    alpha = float(np.clip(30 / np.sqrt(max(len(means), 1)), 0.15, 0.8))
    axes.scatter(means, differences, s=12, color=_POINT, alpha=alpha, linewidths=0)
    for name, (value, low, high) in lines.items():
        if low is not None and high is not None:
            axes.axhspan(low, high, color=_LINE, alpha=0.12, linewidth=0)
        axes.axhline(value, color=_LINE, linewidth=1.2, linestyle="-" if name == "bias" else "--")
        axes.text(
            1.01, value, f"{value:+.3g}", transform=axes.get_yaxis_transform(), va="center", fontsize=8, color=_LINE
        )
    axes.set_xlabel("mean of both", fontsize=8)
    axes.set_ylabel(f"{names[0]} minus {names[1]}", fontsize=8)
    return figure


def pair_matrix(names: Sequence[str], values: Floats, title: str) -> Figure:
    """A coefficient of every pair of raters: (k, k), NaN where there is none; the scale of colours is 0 to 1."""
    size = float(np.clip(0.55 * len(names) + 1.4, 2.6, 9.0))
    figure, axes = _figure(size, size)
    axes.imshow(np.ma.masked_invalid(values), vmin=0, vmax=1, cmap="BuGn")
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right", fontsize=8)
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.spines[:].set_visible(False)
    for row in range(len(names)):
        for column in range(len(names)):
            if np.isfinite(values[row, column]):
                ink = "white" if values[row, column] > 0.7 else "black"
                axes.text(column, row, f"{values[row, column]:.2f}", ha="center", va="center", fontsize=7, color=ink)
    axes.set_title(title, fontsize=9)
    return figure


def ridge(differences: Mapping[str, Floats]) -> Figure:
    """Each rater's differences from the others as one smoothed line above the other, on one axis."""
    figure, axes = _figure(6.0, 0.45 * len(differences) + 1.1)
    everything = np.concatenate(list(differences.values()))
    low, high = np.quantile(everything, [0.002, 0.998])
    pad = 0.1 * (high - low) or 1.0
    grid = np.linspace(low - pad, high + pad, 300)
    axes.axvline(0, color=_GREY, linewidth=0.8)
    for place, (_, values) in enumerate(reversed(list(differences.items()))):
        width = max(1.06 * float(np.std(values)) * len(values) ** -0.2, (grid[-1] - grid[0]) / 150)
        sample = values if len(values) <= 2000 else values[:: len(values) // 2000]
        density = np.exp(-0.5 * ((grid[:, None] - sample) / width) ** 2).mean(axis=1)
        axes.fill_between(grid, place, place + 0.9 * density / density.max(), color=_POINT, alpha=0.35, linewidth=0)
        axes.plot(np.median(values), place + 0.05, "|", color=_LINE, markersize=9, markeredgewidth=2)
    axes.set_yticks(np.arange(len(differences)) + 0.25, list(reversed(list(differences))), fontsize=8)
    axes.set_xlabel("rater minus the others (bar: median)", fontsize=8)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    return figure


def confusion_matrix(table: NDArray[np.int64], labels: Sequence[str], names: tuple[str, str]) -> Figure:
    """Counts of each pair of categories: rows the rater, columns the reference."""
    size = float(np.clip(0.5 * len(labels) + 1.4, 2.6, 8.0))
    figure, axes = _figure(size, size)
    axes.imshow(np.sqrt(table), cmap="Blues")
    axes.set_xticks(range(len(labels)), labels, fontsize=8)
    axes.set_yticks(range(len(labels)), labels, fontsize=8)
    axes.set_xlabel(names[1], fontsize=8)
    axes.set_ylabel(names[0], fontsize=8)
    axes.spines[:].set_visible(False)
    top = np.sqrt(table.max()) if table.size else 0
    if len(labels) <= 12:
        for row in range(len(labels)):
            for column in range(len(labels)):
                ink = "white" if np.sqrt(table[row, column]) > 0.6 * top else "black"
                axes.text(column, row, str(table[row, column]), ha="center", va="center", fontsize=8, color=ink)
    return figure


def drift_plot(days: Floats, means: Floats, low: Floats, high: Floats, name: str) -> Figure:
    """Mean difference of a rater from the others over days, with 3-sigma control limits; points outside stand out."""
    figure, axes = _figure(4.8, 2.4)
    axes.axhline(0, color=_GREY, linewidth=0.8)
    axes.fill_between(days, low, high, color=_POINT, alpha=0.12, linewidth=0)
    axes.plot(days, means, "-", color=_POINT, linewidth=1)
    out = (means < low) | (means > high)
    axes.plot(days[~out], means[~out], "o", color=_POINT, markersize=4)
    axes.plot(days[out], means[out], "D", color=_OUT, markersize=6)
    axes.set_xlabel("day", fontsize=8)
    axes.set_ylabel(f"{name} minus the others", fontsize=8)
    return figure
