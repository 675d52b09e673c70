"""The report of a scoring run: one self-contained HTML file (no network, prints well, light and dark)."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pasi_vision.anatomy import Region, Sign, View
from pasi_vision.records import CalibrationStatus, Masks, PhotoResult, Verdict, preview_size
from pasi_vision.report.overlay import REGION_COLOURS, mask_path
from pasi_vision.report.plots import Limits, agreement_plot, course_plot, png_of, svg_of
from pasi_vision.storage import output_folder, write_text

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["StudyReport", "render", "write_report"]

_TAGS = {
    "scored": ("good", "scored"),
    "partial": ("warn", "bounds only"),
    "not_scorable": ("bad", "not scorable"),
    "accept": ("good", "good"),
    "accept with warning": ("warn", "usable"),
    "retake": ("bad", "retake"),
    "unreadable": ("bad", "unreadable"),
}


@dataclass(frozen=True)
class StudyReport:
    """Everything a report shows.

    Attributes:
        title: Heading.
        photos: What became of every photograph.
        masks_folder: Where masks and previews of `photos` lie.
        findings, scores: Tables of all raters.
        model: The rater name of the model.
        required: Views that every visit should have.
        run: The run record (run.json).
        agreement: The model against each rater, computed elsewhere.
    """

    title: str
    photos: Sequence[PhotoResult]
    masks_folder: Path
    findings: pd.DataFrame
    scores: pd.DataFrame
    model: str
    required: Sequence[View]
    run: Mapping[str, Any]
    agreement: Sequence[Limits] = field(default_factory=tuple)


def write_report(path: Path, report: StudyReport) -> None:
    """Write `path` (HTML) and, beside it, `plots/*.png` for papers."""
    plots = output_folder(path.parent / "plots")
    for subject in _subjects(report):
        png_of(course_plot(report.scores, subject, report.model), plots / f"course_{_anchor(subject)}.png")
    for limits in report.agreement:
        png_of(agreement_plot(limits), plots / f"agreement_{_anchor(limits.reference)}.png")
    write_text(path, render(report))


def render(report: StudyReport) -> str:
    """The report as one HTML document."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("pasi_vision.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters.update(known=_known, between=_between, tag=_tag)
    source = environment.loader.get_source(environment, "style.css")[0] if environment.loader else ""
    return environment.get_template("study.html.j2").render(
        title=report.title,
        style=Markup(source),
        run=report.run,
        run_rows=_run_rows(report.run),
        model=report.model,
        regions=list(Region),
        region_colours=REGION_COLOURS,
        signs=[str(sign) for sign in Sign],
        scores=_score_rows(report),
        agreement=[{"svg": Markup(svg_of(agreement_plot(a))), "text": _agreement_text(a)} for a in report.agreement],
        refused=[photo for photo in report.photos if not photo.used],
        missing=[
            {"subject_id": subject, "visit": visit, "view": view}
            for (subject, visit), photos in _visits(report).items()
            for view in _missing(report, photos)
        ],
        subjects=[_subject(report, name) for name in _subjects(report)],
    )


def _subject(report: StudyReport, name: str) -> dict[str, Any]:
    from markupsafe import Markup

    visits = []
    for (subject, visit), photos in _visits(report).items():
        if subject != name:
            continue
        rows = report.findings[(report.findings["subject_id"] == subject) & (report.findings["visit"] == visit)]
        visits.append(
            {
                "name": visit,
                "day": photos[0].day,
                "findings": _finding_rows(rows),
                "photos": [_photo(report, photo) for photo in photos],
                "missing": _missing(report, photos),
            }
        )
    course = Markup(svg_of(course_plot(report.scores, name, report.model)))
    return {"name": name, "anchor": _anchor(name), "visits": visits, "course": course}


def _photo(report: StudyReport, photo: PhotoResult) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "view": photo.view.label,
        "used": photo.used,
        "data": "",
        "id": photo.key,
    }
    shown["verdict"] = photo.quality.verdict.value if photo.quality else "unreadable"
    shown["caption"] = _caption(photo)
    preview = report.masks_folder / f"{photo.key}.preview.jpg"
    if not photo.key or not preview.is_file():
        return shown
    masks = Masks.load(report.masks_folder, photo.key)
    small = preview_size(*photo.size)
    shown.update(
        data="data:image/jpeg;base64," + base64.b64encode(preview.read_bytes()).decode("ascii"),
        width=small[0],
        height=small[1],
        lesion=mask_path(masks.lesion, *small),
        outline=mask_path(masks.outline, *small),
        regions={code: mask_path(masks.regions == code, *small, tolerance=1.5) for code in REGION_COLOURS},
    )
    return shown


def _caption(photo: PhotoResult) -> str:
    """What the photograph shows, how its colours were calibrated, and what to mind."""
    main = photo.view.region
    parts = []
    for m in photo.regions:
        if m.region is main or main is None:
            parts.append(f"{m.outline_percent:.1f} % outlined, {m.lesion_percent:.1f} % exactly")
    if photo.calibration is not None and photo.calibration.status is not CalibrationStatus.FALLBACK:
        parts.append(f"colour: {photo.calibration.status.value}")
    if photo.reason and (photo.quality is None or photo.quality.verdict is not Verdict.ACCEPT or not photo.used):
        parts.append(photo.reason)
    return "; ".join(parts)


def _visits(report: StudyReport) -> dict[tuple[str, str], list[PhotoResult]]:
    visits: dict[tuple[str, str], list[PhotoResult]] = {}
    for photo in report.photos:
        visits.setdefault((photo.subject_id, photo.visit), []).append(photo)
    return visits


def _subjects(report: StudyReport) -> list[str]:
    return list(dict.fromkeys(photo.subject_id for photo in report.photos))


def _missing(report: StudyReport, photos: Sequence[PhotoResult]) -> list[str]:
    there = {photo.view for photo in photos}
    return [view.label for view in report.required if view not in there]


def _score_rows(report: StudyReport) -> list[dict[str, Any]]:
    rows = _plain(report.scores.sort_values(["subject_id", "day", "rater", "reading"], kind="stable"))
    seen: set[tuple[str, str]] = set()
    for row in rows:
        row["first"] = (row["subject_id"], row["visit"]) not in seen
        seen.add((row["subject_id"], row["visit"]))
        row["anchor"] = _anchor(row["subject_id"])
    return rows


def _finding_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    order = {region.value: number for number, region in enumerate(Region)}
    columns = ["area_percent", "area_percent_exact", "coverage", "status", "reason", *Sign]
    ordered = frame.assign(_region=frame["region"].map(order)).sort_values(
        ["_region", "rater", "reading"], kind="stable"
    )
    rows = _plain(ordered.drop(columns="_region"))
    seen: set[str] = set()
    for row in rows:
        for name in columns:
            row.setdefault(name, None)
        row["first"] = row["region"] not in seen
        seen.add(row["region"])
        row["region"] = Region(row["region"]).label
        row["status"] = row["status"] or "scored"
    return rows


def _plain(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as mappings, unknown values as None."""
    import pandas as pd

    return [
        {str(name): None if pd.isna(value) else value for name, value in row.items()}
        for row in frame.to_dict("records")
    ]


def _agreement_text(limits: Limits) -> str:
    if limits.bias is None or limits.low is None or limits.high is None:
        return f"Against {limits.reference}: {limits.reason}"
    return (
        f"Against {limits.reference}: bias {limits.bias:+.1f}, 95 % limits of agreement {limits.low:+.1f} to "
        f"{limits.high:+.1f} ({len(limits.means)} visits of {limits.n_subjects} subjects{'; ' + limits.reason if limits.reason else ''})"
    )


def _run_rows(run: Mapping[str, Any]) -> list[tuple[str, Any]]:
    model = run.get("model") or {}
    return [
        *((f"model {name}", value) for name, value in model.items()),
        *((f"setting {name}", value) for name, value in run["settings"].items()),
        *((f"input {name} (SHA-256)", value) for name, value in run["inputs"].items()),
        *((name, value) for name, value in run["versions"].items()),
        ("platform", run["platform"]),
    ]


def _known(value: Any, digits: int) -> str:
    """A number, or a dash where it is not known."""
    return "–" if value is None or (isinstance(value, float) and math.isnan(value)) else f"{value:.{digits}f}"


def _between(row: Mapping[str, Any], name: str, digits: int) -> str:
    low, high = row.get(f"{name}_low"), row.get(f"{name}_high")
    if low is None or high is None or low == high == row.get(name):
        return ""
    return f"{low:.{digits}f} to {high:.{digits}f}"


def _tag(word: Any) -> Any:
    from markupsafe import Markup

    kind, text = _TAGS.get(str(word), ("", str(word)))
    return Markup('<span class="tag {}">{}</span>').format(kind, text)


def _anchor(text: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in text)
