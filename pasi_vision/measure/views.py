"""How much of each region's surface the views show, and how much each view counts where several show the same skin.

The surface of a region is cut into cells by which set of protocol views shows it (`configs/view_coverage.json`, measured on phantom
bodies). Skin that two photographs show is one cell: its share is divided between them and counted once. Cells that no photograph at
hand shows are unseen: they lower the coverage and are never taken for clear.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from pasi_vision.anatomy import Region, View
from pasi_vision.errors import SettingsError
from pasi_vision.storage import resource

__all__ = ["Cell", "ViewCoverage", "load_view_coverage"]


@dataclass(frozen=True)
class Cell:
    """A part of a region's surface: the views that show it and its share (0-1) of that surface."""

    views: frozenset[View]
    share: float


@dataclass(frozen=True)
class ViewCoverage:
    """The cells of every region; the shares of a region sum to 1."""

    cells: Mapping[Region, tuple[Cell, ...]]

    def coverage(self, region: Region, views: Collection[View]) -> float:
        """Share (0-1) of the region's surface that at least one of `views` shows."""
        seen = frozenset(views)
        return min(1.0, sum(cell.share for cell in self.cells[region] if cell.views & seen))

    def weights(self, region: Region, views: Collection[View]) -> dict[View, float]:
        """Share of the region's surface that each of `views` stands for; skin that several show is divided between them.

        The weights sum to `coverage`. A view that shows nothing of the region has weight 0.
        """
        seen = frozenset(views)
        weights = dict.fromkeys(seen, 0.0)
        for cell in self.cells[region]:
            showing = cell.views & seen
            for view in showing:
                weights[view] += cell.share / len(showing)
        return weights


def load_view_coverage(path: Path | None = None) -> ViewCoverage:
    """Read the cells; without a path, those of the package.

    Raises:
        SettingsError: A region is missing, a view is unknown, or the shares of a region do not sum to 1.
    """
    source = path or resource("configs", "view_coverage.json")
    content = json.loads(source.read_text(encoding="utf-8"))
    cells: dict[Region, tuple[Cell, ...]] = {}
    for region in Region:
        try:
            rows = content["regions"][region.value]
            cells[region] = tuple(Cell(frozenset(View(v) for v in row["views"]), float(row["share"])) for row in rows)
        except (KeyError, ValueError) as error:
            raise SettingsError(f"bad or missing cells ({error})", where=f"{source} regions.{region.value}") from error
        total = sum(cell.share for cell in cells[region])
        if abs(total - 1.0) > 1e-3:
            raise SettingsError(f"shares sum to {total:.4f}, not 1", where=f"{source} regions.{region.value}")
    return ViewCoverage(cells)
