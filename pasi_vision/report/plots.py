"""Plots of courses and of agreement: PNG for papers, SVG for the report."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pasi_vision.storage import write_bytes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["Limits", "agreement_plot", "course_plot", "png_of", "svg_of"]

_COLOURS = ("#2a6f97", "#e07a5f", "#3d9970", "#8f5db7", "#b08900", "#6b7280")
_MODEL_COLOUR = "#111827"


@dataclass(frozen=True)
class Limits:
    """Agreement of two raters on one measure, as numbers that `agree` computed.

    Attributes:
        rater, reference: difference = rater minus reference.
        means, differences: One value per visit.
        bias, low, high: Mean difference and 95 % limits of agreement; None where too few visits allow none (then `reason`).
    """

    rater: str
    reference: str
    means: Sequence[float]
    differences: Sequence[float]
    bias: float | None
    low: float | None
    high: float | None
    n_subjects: int
    reason: str = ""


def _figure(width: float, height: float) -> tuple[Figure, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=150, layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e5e7eb", linewidth=0.8)
    axes.set_axisbelow(True)
    return figure, axes


def course_plot(scores: pd.DataFrame, subject: str, model: str) -> Figure:
    """One subject's PASI over days: each rater's scores, the model's with its bounds.

    Args:
        scores: A scores table.
        subject: Whose course.
        model: The rater that is drawn with bounds.
    """
    figure, axes = _figure(6.4, 3.0)
    rows = scores[scores["subject_id"] == subject]
    raters = [r for r in rows["rater"].unique() if r != model]
    for number, rater in enumerate(raters):
        mine = rows[(rows["rater"] == rater) & (rows["reading"] == 1)].sort_values("day")
        axes.plot(
            mine["day"],
            mine["pasi"],
            "o-",
            color=_COLOURS[number % len(_COLOURS)],
            linewidth=1.2,
            markersize=4,
            label=rater,
        )
    mine = rows[rows["rater"] == model].sort_values("day")
    axes.vlines(mine["day"], mine["pasi_low"], mine["pasi_high"], color=_MODEL_COLOUR, linewidth=6, alpha=0.18)
    axes.plot(
        mine["day"], mine["pasi"], "D-", color=_MODEL_COLOUR, linewidth=1.6, markersize=5, label=f"{model} with bounds"
    )
    axes.set(xlabel="day", ylabel="PASI (0-72)", title=subject)
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, fontsize=8)
    return figure


def agreement_plot(limits: Limits, measure: str = "PASI") -> Figure:
    """Bland-Altman plot: difference against mean, with bias and limits of agreement where they can be given."""
    figure, axes = _figure(4.6, 3.2)
    axes.axhline(0, color="#9ca3af", linewidth=0.8)
    axes.plot(limits.means, limits.differences, "o", color=_COLOURS[0], markersize=5, alpha=0.85)
    for value, name, style in (
        (limits.bias, "bias", "-"),
        (limits.low, "lower 95 % limit", "--"),
        (limits.high, "upper 95 % limit", ":"),
    ):
        if value is not None:
            axes.axhline(value, color=_COLOURS[1], linestyle=style, linewidth=1.2, label=f"{name} {value:+.1f}")
    axes.set(
        xlabel=f"mean {measure} of both",
        ylabel=f"{limits.rater} minus {limits.reference}",
        title=f"{measure}, n = {len(limits.means)} visits",
    )
    if limits.bias is not None:
        axes.legend(frameon=False, fontsize=8)
    return figure


def png_of(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, whole or not at all."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    write_bytes(path, buffer.getvalue())


def svg_of(figure: Figure) -> str:
    """A figure as an SVG element to put into HTML."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]
