"""Views of one region joined into one area: each weighs what share of the region's surface it shows, overlap counted once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pasi_vision.errors import InputError

__all__ = ["JoinedArea", "ViewArea", "join_views"]


@dataclass(frozen=True)
class ViewArea:
    """One view of a region: the affected percentage of what it shows (with its interval) and the share (0-1) of the region it shows."""

    area_percent: float
    share: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class JoinedArea:
    """The affected percentage of all the skin seen, its interval, and the share (0-1) of the region's surface seen."""

    area_percent: float
    low: float
    high: float
    coverage: float


def join_views(views: Sequence[ViewArea], overlaps: Mapping[tuple[int, int], float] | None = None) -> JoinedArea:
    """Join views of one region.

    Args:
        views: At least one view with a share above 0.
        overlaps: Share (0-1) of the region that two views, by their places, both show (no surface is shown three times); none if None.

    Returns:
        A mean weighted by the surface of each view, of which overlapping surface counts half for each of the two; the interval joins the
        views' ends with the same weights (views are taken to err together: the widest case).

    Raises:
        InputError: No view shows anything, a share is off its scale, or overlaps exceed what a view shows.

    >>> join_views([ViewArea(20, 0.5), ViewArea(40, 0.5)], {(0, 1): 0.2})
    JoinedArea(area_percent=30.0, low=30.0, high=30.0, coverage=0.8)
    """
    weights = [view.share for view in views]
    if any(not 0 <= share <= 1 for share in weights) or not sum(weights):
        raise InputError(f"shares {weights} show nothing or are off the scale", fix="Shares lie between 0 and 1.")
    for (first, second), shared in (overlaps or {}).items():
        if shared < 0 or shared > min(views[first].share, views[second].share):
            raise InputError(f"views {first} and {second} overlap by {shared:g}, more than one of them shows")
        weights[first] -= shared / 2
        weights[second] -= shared / 2
    total = sum(weights)
    if min(weights) < 0 or total > 1 + 1e-9:
        raise InputError("the overlaps do not fit the shares", fix="Measure the shares again.")

    def mean(values: Sequence[float]) -> float:
        return round(sum(w * v for w, v in zip(weights, values, strict=True)) / total, 9)

    return JoinedArea(
        mean([view.area_percent for view in views]),
        mean([view.area_percent if view.low is None else view.low for view in views]),
        mean([view.area_percent if view.high is None else view.high for view in views]),
        round(min(total, 1.0), 9),
    )
