"""The report of a study's endpoints: one self-contained HTML file and its figures as PNG."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pasi_vision.report.bodymap import region_heat_map
from pasi_vision.report.endpoint_figures import relapse_plot, responder_plot, spaghetti, waterfall
from pasi_vision.report.plots import png_of, svg_of
from pasi_vision.storage import output_folder, write_text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["write_report"]


def write_report(
    folder: Path,
    visits: pd.DataFrame,
    courses: pd.DataFrame,
    summary: dict[str, Any],
    arms: pd.DataFrame | None = None,
    findings: pd.DataFrame | None = None,
) -> None:
    """Write report.html and figures/*.png into a folder.

    Args:
        folder: Where to.
        visits, courses: ENDPOINTS and COURSES tables.
        summary: What `score.summary.summarise` gave.
        arms: ARMS table, if there are arms.
        findings: FINDINGS table, for the region heat map; none is drawn without it.
    """
    pictures = output_folder(folder / "figures")
    arm_of = {str(s): "all" for s in courses["subject_id"].astype(object)}
    if arms is not None:
        arm_of |= dict(zip(arms["subject_id"], arms["arm"], strict=True))
    sections = []
    for rater in summary["raters"]:
        drawn = []
        for name, text, figure in _figures(rater, visits, courses, arm_of, findings):
            stem = f"{_safe(rater['rater'])}_{rater['reading']}_{name}"
            png_of(figure, pictures / f"{stem}.png")
            drawn.append({"text": text, "svg": svg_of(figure)})
        sections.append({**rater, "figures": drawn})
    write_text(folder / "report.html", _page(summary, sections))


def _figures(
    rater: dict[str, Any],
    visits: pd.DataFrame,
    courses: pd.DataFrame,
    arm_of: dict[str, str],
    findings: pd.DataFrame | None,
) -> Iterator[tuple[str, str, Figure]]:
    mine = _of(visits, rater)
    own = _of(courses, rater)
    own = own[own["baseline_pasi"].to_numpy(dtype=float) > 0]
    if len(own):
        yield "waterfall", "Best percent change of PASI from baseline, one bar per subject.", waterfall(own, arm_of)
    yield "courses", "PASI of every subject.", spaghetti(mine, arm_of)
    if rater["visits"]:
        for k in (75, 90):
            yield f"pasi{k}", f"PASI-{k} over time with intervals.", responder_plot(rater["visits"], k)
    if rater["time_to_relapse"]["arms"]:
        yield (
            "relapse",
            "Time to relapse (Kaplan-Meier); bars mark censored courses.",
            relapse_plot(rater["time_to_relapse"]),
        )
    if findings is not None and len(_of(findings, rater)):
        rows = _of(findings, rater)
        order = rows.groupby(rows["visit"].astype(object), sort=False)["day"].median().sort_values()
        yield "regions", "Mean affected area of each region.", region_heat_map(rows, [str(v) for v in order.index])


def _of(frame: pd.DataFrame, rater: dict[str, Any]) -> pd.DataFrame:
    same = (frame["rater"] == rater["rater"]).to_numpy()
    rows: pd.DataFrame = frame[same & (frame["reading"] == rater["reading"]).to_numpy(dtype=bool)]
    return rows


def _safe(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in name)


def _page(summary: dict[str, Any], sections: list[dict[str, Any]]) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("pasi_vision.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["percent"] = lambda value: "–" if value is None else f"{100 * value:.1f}"
    environment.filters["svg"] = Markup
    style = environment.loader.get_source(environment, "style.css")[0] if environment.loader else ""
    return environment.get_template("endpoints.html.j2").render(
        style=Markup(style), summary=summary, sections=sections, responses=(50, 75, 90, 100)
    )
