"""Measure on phantom bodies which share of each region's surface each view shows, and how far flat photographs are from the surface truth.

    python scripts/measure_view_coverage.py --bodies 200 --out configs/view_coverage.json --table docs/data/view_coverage.csv

The first file is what `measure/` weighs views by; the second holds, per patient and region, the affected area by
surface truth and by three ways of counting pixels of the required views with perfect masks: pooled, weighed by view,
and weighed by view with foreshortening undone.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np

from pasi_vision.anatomy import Region
from pasi_vision.measure.views import Cell, ViewCoverage
from pasi_vision.phantom.cohort import load_cohort
from pasi_vision.phantom.coverage import PROTOCOL_VIEWS, cells, seen_by, shown_in
from pasi_vision.phantom.garments import covered
from pasi_vision.phantom.patient import draw_patient
from pasi_vision.phantom.truth import true_regions
from pasi_vision.phantom.views import protocol_shots
from pasi_vision.storage import write_json, write_text

SMALLEST = 0.001  # cells below this share are added to what is seen by the fewest of their views
HAIRY = 0.3


def main() -> None:
    """Run over the bodies and write both files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bodies", type=int, default=200)
    parser.add_argument(
        "--patients", type=int, default=200, help="of these bodies, how many get a disease for the second file"
    )
    parser.add_argument("--seed", type=int, default=20261123)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--table", type=Path, required=True)
    wanted = parser.parse_args()
    preset = load_cohort("careful")
    total: dict[Region, dict[int, float]] = {region: defaultdict(float) for region in Region}
    rows = []
    for number in range(wanted.bodies):
        diseased = preset if number < wanted.patients else preset.model_copy(update={"clear": 1.0})
        patient, body = draw_patient(wanted.seed, number, diseased, visits=1)
        rng = np.random.default_rng([wanted.seed, number, 77])
        hair, clothes = patient.hair > HAIRY, covered(patient.garments)
        shots = protocol_shots(body, PROTOCOL_VIEWS, long_side_px=360, rng=rng, clothes=clothes)
        for region, shares in cells(body, seen_by(list(shots.values()), hair=hair)).items():
            for bits, share in shares.items():
                total[region][bits] += share / wanted.bodies
        if number < wanted.patients:
            truth = true_regions(body, patient.plaques, spacing_mm=3.0)
            rows.append(
                (patient, truth, {view: shown_in(shots[view], patient.plaques, hair=hair) for view in preset.views})
            )
        if number % 5 == 4:
            print(f"{number + 1} bodies", flush=True)
    coverage = _as_cells(total)
    write_json(wanted.out, _document(coverage, wanted.bodies, wanted.seed))
    write_text(wanted.table, _table(rows, ViewCoverage(coverage)))


def _as_cells(total: dict[Region, dict[int, float]]) -> dict[Region, tuple[Cell, ...]]:
    result = {}
    for region, shares in total.items():
        merged: dict[int, float] = defaultdict(float)
        large = [bits for bits, share in shares.items() if share >= SMALLEST]
        for bits, share in shares.items():
            home = (
                bits if share >= SMALLEST else max((b for b in large if b & ~bits == 0), key=int.bit_count, default=0)
            )
            merged[home] += share
        whole = sum(merged.values())
        result[region] = tuple(
            Cell(frozenset(view for index, view in enumerate(PROTOCOL_VIEWS) if bits >> index & 1), share / whole)
            for bits, share in sorted(merged.items(), key=lambda item: -item[1])
        )
    return result


def _document(coverage: dict[Region, tuple[Cell, ...]], bodies: int, seed: int) -> dict[str, object]:
    shares = {
        region.value: {
            view.value: round(sum(cell.share for cell in found if view in cell.views), 4) for view in PROTOCOL_VIEWS
        }
        for region, found in coverage.items()
    }
    regions = {
        region.value: [
            {"views": [view.value for view in PROTOCOL_VIEWS if view in cell.views], "share": round(cell.share, 5)}
            for cell in found
        ]
        for region, found in coverage.items()
    }
    return {
        "source": f"scripts/measure_view_coverage.py --bodies {bodies} --seed {seed}: phantom bodies with underwear and hair",
        "shares_by_view": shares,
        "regions": regions,
    }


def _table(rows: list, coverage: ViewCoverage) -> str:
    lines = [
        "subject_id,female,build,form,region,surface_percent,seen_percent_pooled,seen_percent_by_view,seen_percent_by_view_unforeshortened,coverage"
    ]
    for patient, truth, shown in rows:
        for region in Region:
            parts = {view: found[region] for view, found in shown.items() if found[region].skin_px > 0}
            if not parts:
                continue
            weights = coverage.weights(region, set(parts))
            seen = sum(weights.values())
            pooled = 100 * sum(p.lesion_px for p in parts.values()) / sum(p.skin_px for p in parts.values())
            by_view = 100 * sum(weights[v] * p.lesion_px / p.skin_px for v, p in parts.items()) / seen
            undone = 100 * sum(weights[v] * p.lesion_area / p.skin_area for v, p in parts.items()) / seen
            shape = patient.shape
            lines.append(
                f"{patient.subject_id},{shape.female:.0f},{shape.build:.2f},{patient.form},{region.value},"
                f"{truth[region].lesion_percent:.4f},{pooled:.4f},{by_view:.4f},{undone:.4f},{seen:.4f}"
            )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
