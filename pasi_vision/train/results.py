"""evaluation.json and its tables: everything that was compared, with what and on what, as a model card and a reader need it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pasi_vision.storage import sha256_of, write_json, write_text
from pasi_vision.train.calibrate import PHOTO_UNIT, VISIT_UNIT, coverage_figures
from pasi_vision.train.evaluate import Outcome, Row
from pasi_vision.train.figures import HUMAN_CEILING, Figure, Resample, confusions, figures_of
from pasi_vision.train.folder import DataFolder
from pasi_vision.train.visits import visit_figures

if TYPE_CHECKING:
    import pandas as pd

    from pasi_vision.segment import Model

__all__ = ["FORMAT_VERSION", "Comparison", "data_facts", "evaluation_of", "worst_cases", "write_evaluation"]

FORMAT_VERSION = 1


@dataclass(frozen=True)
class Comparison:
    """A model's findings and scores beside the true ones; see `visits.py` for the rows.

    Attributes:
        photos: Findings of single photographs, region by region.
        findings, visits, responses: Of whole visits; empty where the folder has none.
        agreement: Records of `agree` (ICC, SEM, limits) over visits.
        scores: Scores of truth and model; None without visits.
    """

    photos: list[Row]
    findings: list[Row] = field(default_factory=list)
    visits: list[Row] = field(default_factory=list)
    responses: list[Row] = field(default_factory=list)
    agreement: list[dict[str, Any]] = field(default_factory=list)
    scores: pd.DataFrame | None = None

    def rows(self, unit: str) -> list[Row]:
        """Findings of that unit; of single photographs where there are no visits."""
        return self.findings if unit == VISIT_UNIT and self.findings else self.photos


def data_facts(folder: DataFolder) -> dict[str, Any]:
    """What a data set is: its name, size and table's hash; preset and seed where it is a set of phantoms."""
    facts: dict[str, Any] = {
        "name": folder.name,
        "photographs": len(folder.photos),
        "patients": len(folder.patients),
        "sha256": sha256_of(folder.path / "photos.csv"),
    }
    for made in (folder.path / "set.json", folder.path / "close_ups.json"):
        if made.is_file():
            facts |= _origin(made)
    return facts


def _origin(made: Path) -> dict[str, Any]:
    """Preset and, where it is recorded, seed of a set of phantoms."""
    try:
        content = json.loads(made.read_text(encoding="utf-8"))
        preset = content.get("preset")
        facts = {"preset": preset["name"] if isinstance(preset, dict) else preset, "seed": content.get("seed")}
    except (ValueError, KeyError, AttributeError):
        return {"note": f"{made.name} is not readable"}
    return {name: value for name, value in facts.items() if value is not None}


def evaluation_of(
    folder: DataFolder, model: Model, outcomes: Sequence[Outcome], compared: Comparison, resample: Resample
) -> dict[str, Any]:
    """The content of evaluation.json.

    Args:
        folder: What was evaluated on.
        model: What was evaluated.
        outcomes: Of every photograph.
        compared: Findings and scores.
        resample: Interval of a statistic over patients.
    """
    figures = [
        *figures_of(outcomes, resample),
        *visit_figures(compared.findings, compared.visits, compared.responses, resample),
    ]
    if model.intervals:
        figures += coverage_figures(compared.findings, compared.visits, resample)
        figures += coverage_figures(compared.photos, [], resample, of=PHOTO_UNIT)
    record = model.folder.record
    return {
        "format_version": FORMAT_VERSION,
        "model": {"name": model.name, "version": model.version, "sha256": model.sha256},
        "thresholds": record.thresholds.model_dump(),
        "close_up_thresholds": record.thresholds_of(None).model_dump(),
        "data": data_facts(folder),
        "photographs": {
            "all": len(outcomes),
            "compared": sum(1 for outcome in outcomes if outcome.row),
            "not_used_by_score": sum(1 for outcome in outcomes if not outcome.used),
            "abstained": sum(1 for outcome in outcomes if outcome.row.get("abstained")),
        },
        "figures": [figure.to_json() for figure in figures],
        "tone_gaps": _tone_gaps(figures),
        "confusion": confusions(outcomes),
        "agreement": compared.agreement,
        "pasi75": _response_table(compared.responses),
        "intervals_of": model.intervals.get("unit"),
        "human_ceiling": [dict(row) for row in HUMAN_CEILING],
        "not_used": [{"path": o.photo.path, "reason": o.reason} for o in outcomes if not o.used],
    }


def write_evaluation(folder: Path, content: dict[str, Any], outcomes: Sequence[Outcome], compared: Comparison) -> None:
    """Write evaluation.json, figures.csv, photographs.csv, regions.csv and, where there are visits, visit_findings.csv and visits.csv.

    Raises:
        OutputError: A file cannot be written.
    """
    write_json(folder / "evaluation.json", content)
    tables = {
        "figures": content["figures"],
        "photographs": [o.row or {"path": o.photo.path, "reason": o.reason} for o in outcomes],
        "regions": [row for outcome in outcomes for row in outcome.regions],
        "visit_findings": compared.findings,
        "visits": compared.visits,
    }
    for name, rows in tables.items():
        if rows:
            write_text(folder / f"{name}.csv", _csv(rows))


def worst_cases(outcomes: Iterable[Outcome], count: int) -> list[Outcome]:
    """Photographs with the lowest Dice by outline (by lesion where there is no outline), worst first."""

    def quality(outcome: Outcome) -> float:
        value = outcome.row.get("dice_outline")
        value = outcome.row.get("dice_lesion") if value is None else value
        return 2.0 if value is None else float(value)

    ranked = sorted((o for o in outcomes if quality(o) <= 1), key=lambda o: (quality(o), o.photo.path))
    return ranked[:count]


def _tone_gaps(figures: Iterable[Figure]) -> dict[str, dict[str, Any]]:
    """Best skin-tone band minus the worst, of the Dice figures, over bands with five photographs or more."""
    bands: dict[str, list[Figure]] = {}
    for figure in figures:
        named = figure.group.startswith("skin_tone=") and not figure.group.endswith("not recorded")
        if named and figure.of == "photograph" and figure.metric.startswith("dice_") and figure.value is not None:
            bands.setdefault(figure.metric, []).append(figure)
    gaps = {}
    for metric, found in bands.items():
        usable = [f for f in found if f.n >= 5]
        if len(usable) > 1:
            worst, best = min(usable, key=_value), max(usable, key=_value)
            gap = round(_value(best) - _value(worst), 4)
            gaps[metric] = {"gap": gap, "worst": worst.group, "best": best.group, "n": sum(f.n for f in usable)}
    return gaps


def _value(figure: Figure) -> float:
    return figure.value if figure.value is not None else float("nan")


def _response_table(rows: Iterable[Row]) -> dict[str, int]:
    """Follow-up visits by true and predicted PASI-75."""
    table = {"both": 0, "truth only": 0, "model only": 0, "neither": 0}
    names = {(True, True): "both", (True, False): "truth only", (False, True): "model only", (False, False): "neither"}
    for row in rows:
        table[names[row["true_pasi75"], row["predicted_pasi75"]]] += 1
    return table


def _csv(rows: Sequence[Row]) -> str:
    """Rows as CSV: the columns of all rows in order of appearance, unknown values empty."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({k: round(v, 6) if isinstance(v, float) else v for k, v in row.items()} for row in rows)
    return stream.getvalue()
