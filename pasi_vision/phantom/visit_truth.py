"""What is known of a phantom's visit: its exact truth, kept as a file, and the findings that truth and clinicians write."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from pasi_vision.anatomy import Region, Sign
from pasi_vision.errors import InputError
from pasi_vision.phantom.body import Body
from pasi_vision.phantom.clinician import assess, draw_clinician
from pasi_vision.phantom.plaques import Plaque
from pasi_vision.phantom.truth import RegionTruth, true_regions
from pasi_vision.records import Finding
from pasi_vision.storage import write_json


def visit_truth(path: Path, body: Body, plaques: Sequence[Plaque]) -> dict[Region, RegionTruth]:
    """The visit's truth; read from `path` where it was written before, so that running again need not sample the surface.

    Raises:
        InputError: The file is damaged.
    """
    if path.exists():
        try:
            return _read(path)
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"not a truth file ({error})", where=str(path), fix="Delete it and run again.") from error
    truth = {region: _rounded(found) for region, found in true_regions(body, plaques).items()}
    write_json(
        path,
        {
            region.value: {**asdict(found), "grades": {sign.value: grade for sign, grade in found.grades.items()}}
            for region, found in truth.items()
        },
    )
    return truth


def truth_rows(visit: Finding, truth: Mapping[Region, RegionTruth]) -> list[Finding]:
    """Findings of the rater "truth": area by the outline, the exact area beside it, mean grades over the affected skin."""
    rows = []
    for region, found in truth.items():
        erythema, induration, scaling = (round(min(found.grades[sign], 4.0), 3) for sign in Sign)
        rows.append(
            replace(
                visit,
                rater="truth",
                reading=1,
                region=region,
                area_percent=round(min(found.outline_percent, 100.0), 4),
                erythema=erythema,
                induration=induration,
                scaling=scaling,
                area_percent_exact=round(min(found.lesion_percent, 100.0), 4),
                coverage=1.0,
            )
        )
    return rows


def clinician_rows(
    number: int, visit: Finding, truth: Mapping[Region, RegionTruth], *, ita_deg: float, key: tuple[int, int, int]
) -> list[Finding]:
    """Two readings each of `number` simulated clinicians; `key` is (seed, patient, visit)."""
    seed, patient, which = key
    rows = []
    for index in range(number):
        rater = draw_clinician(f"clinician_{index + 1}", np.random.default_rng([seed, 900 + index]))
        stream = [seed, 901, index, patient, which]
        for reading in (1, 2):
            rows += assess(
                rater,
                truth,
                replace(visit, reading=reading),
                ita_deg=ita_deg,
                shared=np.random.default_rng(stream),
                own=np.random.default_rng([*stream, reading]),
            )
    return rows


def _rounded(found: RegionTruth) -> RegionTruth:
    return RegionTruth(
        round(found.surface_mm2, 1),
        round(found.lesion_mm2, 2),
        round(found.outline_mm2, 2),
        {sign: round(grade, 4) for sign, grade in found.grades.items()},
    )


def _read(path: Path) -> dict[Region, RegionTruth]:
    stored = json.loads(path.read_text(encoding="utf-8"))
    return {
        Region(name): RegionTruth(
            float(row["surface_mm2"]),
            float(row["lesion_mm2"]),
            float(row["outline_mm2"]),
            {Sign(sign): float(grade) for sign, grade in row["grades"].items()},
        )
        for name, row in stored.items()
    }
