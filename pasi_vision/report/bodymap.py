"""Affected area per region as colour on a body outline: front view, drawn from simple shapes so that it prints at any size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pasi_vision.anatomy import Region

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["region_heat_map"]

# Left half of the outline in units of a body 100 high, feet at 0; mirrored at x = 0.
_SHAPES: dict[Region, list[list[tuple[float, float]]]] = {
    Region.HEAD_NECK: [
        [(0, 100), (-3.5, 99), (-5.2, 95), (-5, 90.5), (-3.4, 87), (-2.6, 85.6), (-2.8, 83.4), (0, 83.2)],
    ],
    Region.TRUNK: [
        [(0, 82.8), (-3.2, 83), (-9.6, 80.6), (-10.2, 74), (-8.8, 66), (-8.4, 60), (-9.6, 53), (-5.4, 49.4), (0, 48)],
    ],
    Region.UPPER_LIMBS: [
        [(-10.2, 80.4), (-13, 78.6), (-14, 72), (-15.4, 62), (-17.2, 52), (-18.6, 47), (-17.6, 43.4), (-15.6, 44.2),
         (-14.8, 50), (-12.4, 60), (-11, 70), (-10.8, 74)],
    ],
    Region.LOWER_LIMBS: [
        [(-0.5, 47.4), (-5.6, 48.9), (-9.8, 52.2), (-10.2, 44), (-8.8, 30), (-8.4, 20), (-6.8, 6), (-8.6, 1.6), (-7.4, 0), (-3.8, 0.4),
         (-3.6, 6), (-2.6, 18), (-2.8, 28), (-1, 40)],
    ],
}  # fmt: skip


def region_heat_map(findings: pd.DataFrame, visits: list[str]) -> Figure:
    """Mean affected percentage of each region at some visits, one body per visit.

    Args:
        findings: FINDINGS rows of one rater and reading.
        visits: Which visits, in order; at most five are drawn.
    """
    from matplotlib.figure import Figure

    shown = visits[:5]
    figure = Figure(figsize=(1.5 * len(shown) + 1.2, 3.4), dpi=150, layout="constrained")
    axes = figure.subplots(1, len(shown), squeeze=False)[0]
    mappable: Any = None
    for ax, visit in zip(axes, shown, strict=True):
        mappable = _body(ax, findings[(findings["visit"] == visit).to_numpy()], visit)
    bar = figure.colorbar(mappable, ax=list(axes), shrink=0.75)
    bar.set_label("Mean area (%)", fontsize=8)
    return figure


def _body(ax: Any, rows: pd.DataFrame, visit: str) -> Any:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.patches import Polygon

    mappable = ScalarMappable(Normalize(0, 100), cmap="magma_r")
    for region, shapes in _SHAPES.items():
        area = rows.loc[(rows["region"] == region.value).to_numpy(), "area_percent"].to_numpy(dtype=float)
        known = area[~np.isnan(area)]
        mean = float(known.mean()) if len(known) else None
        colour = "#ffffff" if mean is None else mappable.to_rgba(np.array([mean]))[0]
        hatch = None if mean is not None else "////"
        for corners in (corners for points in shapes for corners in _outlines(points)):
            ax.add_patch(
                Polygon(corners, closed=True, facecolor=colour, edgecolor="#374151", linewidth=0.7, hatch=hatch)
            )
        x, y = {"head_neck": (11, 92), "upper_limbs": (23, 62), "trunk": (0, 67), "lower_limbs": (14, 24)}[region]
        dark = mean is not None and mean > 45 and region is Region.TRUNK
        text = "–" if mean is None else f"{mean:.1f}"
        ax.text(x, y, text, ha="center", va="center", fontsize=7, color="#ffffff" if dark else "#111827")
    ax.set(xlim=(-21, 27), ylim=(-2, 102), aspect="equal")
    ax.axis("off")
    ax.set_title(f"{visit}", fontsize=8)
    return mappable


def _outlines(points: list[tuple[float, float]]) -> list[list[tuple[float, float]]]:
    """A left half and its mirror image: one outline where they meet in the middle, two where they do not."""
    mirrored = [(-x, y) for x, y in points]
    if points[0][0] == points[-1][0] == 0:
        return [points + mirrored[::-1]]
    return [points, mirrored]
