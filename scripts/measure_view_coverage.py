"""Measure on phantom bodies which share of each region's surface each view shows, and how far flat photographs are from the surface truth.

    python scripts/measure_view_coverage.py --bodies 200 --out configs/view_coverage.json --table docs/data/view_coverage.csv

The first file is what `measure/` weighs views by; the second holds, per patient and region, the affected area by
surface truth and by three ways of counting pixels of the required views with perfect masks: pooled, weighed by view,
and weighed by view with foreshortening undone; and which share of this very body's region those views show. Beside it,
`view_coverage_by_build.csv` sums this up by region and build (thin, average, heavy: below 0.4, 0.4-0.7, above 0.7 of the
shape space, where 0.5 is average and 1 obese).
"""

from __future__ import annotations

import argparse
import io
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pasi_vision.anatomy import Region, View
from pasi_vision.measure.views import Cell, ViewCoverage
from pasi_vision.phantom.cohort import load_cohort
from pasi_vision.phantom.coverage import PROTOCOL_VIEWS, Shown, cells, seen_by, shown_in
from pasi_vision.phantom.garments import covered
from pasi_vision.phantom.hair import CLOSED_FROM
from pasi_vision.phantom.patient import draw_patient
from pasi_vision.phantom.truth import true_regions
from pasi_vision.phantom.views import protocol_shots
from pasi_vision.storage import write_json, write_text

SMALLEST = 0.001  # cells below this share are added to what is seen by the fewest of their views


def main() -> None:
    """Run over the bodies and write the files; bodies that the cache holds are not done again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bodies", type=int, default=200)
    parser.add_argument("--seed", type=int, default=20261123)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--table", type=Path, required=True)
    parser.add_argument(
        "--cache", type=Path, help="one line of JSON per finished body: stopped and run again, it goes on"
    )
    wanted = parser.parse_args()
    kept = wanted.cache.read_text(encoding="utf-8").splitlines() if wanted.cache and wanted.cache.is_file() else []
    done = [json.loads(line) for line in kept][: wanted.bodies]
    for number in range(len(done), wanted.bodies):
        done.append(_body(wanted.seed, number))
        if wanted.cache:
            with wanted.cache.open("a", encoding="utf-8") as file:
                file.write(json.dumps(done[-1]) + "\n")
        if number % 5 == 4:
            print(f"{number + 1} bodies", flush=True)
    total: dict[Region, dict[int, float]] = {region: defaultdict(float) for region in Region}
    for body in done:
        for region in Region:
            for bits, share in body["cells"][region.value].items():
                total[region][int(bits)] += share / len(done)
    coverage = _as_cells(total)
    write_json(wanted.out, _document(coverage, len(done), wanted.seed))
    table = _table(done, ViewCoverage(coverage))
    write_text(wanted.table, table)
    write_text(wanted.table.with_name("view_coverage_by_build.csv"), by_build(table))


def _body(seed: int, number: int) -> dict[str, Any]:
    """One patient: the region's cells by the set of views that see them, true area, and what each view counts."""
    preset = load_cohort("careful")
    patient, body = draw_patient(seed, number, preset, visits=1)
    rng = np.random.default_rng([seed, number, 77])
    hair, clothes = patient.hair > CLOSED_FROM, covered(patient.garments)
    shots = protocol_shots(body, PROTOCOL_VIEWS, long_side_px=360, rng=rng, clothes=clothes)
    own = cells(body, seen_by(list(shots.values()), hair=hair))
    asked = sum(1 << index for index, view in enumerate(PROTOCOL_VIEWS) if view in preset.views)
    truth = true_regions(body, patient.plaques, spacing_mm=3.0)
    shown = {view: shown_in(shots[view], patient.plaques, hair=hair) for view in preset.views}
    return {
        "subject_id": patient.subject_id,
        "female": patient.shape.female,
        "build": patient.shape.build,
        "form": patient.form,
        "cells": {region.value: {str(bits): share for bits, share in shares.items()} for region, shares in own.items()},
        "seen": {region.value: sum(s for bits, s in shares.items() if bits & asked) for region, shares in own.items()},
        "truth": {region.value: (truth[region].lesion_percent, truth[region].surface_mm2) for region in Region},
        "shown": {view.value: {r.value: asdict(part) for r, part in found.items()} for view, found in shown.items()},
    }


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


def _table(rows: Sequence[dict[str, Any]], coverage: ViewCoverage) -> str:
    lines = [
        "subject_id,female,build,form,region,surface_percent,seen_percent_pooled,seen_percent_by_view,"
        "seen_percent_by_view_unforeshortened,coverage,own_coverage,region_mm2"
    ]
    for body in rows:
        for region in Region:
            seen_in = {View(view): Shown(**found[region.value]) for view, found in body["shown"].items()}
            parts = {view: part for view, part in seen_in.items() if part.skin_px > 0}
            if not parts:
                continue
            weights = coverage.weights(region, set(parts))
            seen = sum(weights.values())  # of the average body
            pooled = 100 * sum(p.lesion_px for p in parts.values()) / sum(p.skin_px for p in parts.values())
            by_view = 100 * sum(weights[v] * p.lesion_px / p.skin_px for v, p in parts.items()) / seen
            undone = 100 * sum(weights[v] * p.lesion_area / p.skin_area for v, p in parts.items()) / seen
            true_percent, surface_mm2 = body["truth"][region.value]
            lines.append(
                f"{body['subject_id']},{body['female']:.0f},{body['build']:.2f},{body['form']},{region.value},"
                f"{true_percent:.4f},{pooled:.4f},{by_view:.4f},{undone:.4f},{seen:.4f},"
                f"{body['seen'][region.value]:.4f},{surface_mm2:.0f}"
            )
    return "\n".join(lines) + "\n"


BUILDS = {"thin": (-1.0, 0.4), "average": (0.4, 0.7), "heavy": (0.7, 2.0)}
WAYS = {
    "pooled": "seen_percent_pooled",
    "weighed": "seen_percent_by_view",
    "unforeshortened": "seen_percent_by_view_unforeshortened",
}


def by_build(table: str) -> str:
    """Mean coverage, and bias and mean absolute error of the three ways, by region (and body surface affected) and build; CSV."""
    found = pd.read_csv(io.StringIO(table))
    share = found["region_mm2"] / found.groupby("subject_id")["region_mm2"].transform("sum")
    weighed = found.assign(**{name: found[name] * share for name in ("surface_percent", *WAYS.values())})
    body = weighed.groupby("subject_id")[["surface_percent", *WAYS.values()]].sum().reset_index()
    first = found.groupby("subject_id")[["build"]].first().reset_index()
    body = body.merge(first, on="subject_id").assign(region="body_surface", own_coverage=np.nan)
    everything = pd.concat([found, body], ignore_index=True)
    lines = ["region,build,patients,own_coverage," + ",".join(f"{way}_bias,{way}_mae" for way in WAYS)]
    for region in [*(region.value for region in Region), "body_surface"]:
        for build, (low, high) in {"all": (-1.0, 2.0), **BUILDS}.items():
            here = everything[
                (everything["region"] == region) & everything["build"].between(low, high, inclusive="left")
            ]
            if here.empty:
                continue
            parts = [region, build, str(len(here)), f"{here['own_coverage'].mean():.3f}"]
            for column in WAYS.values():
                off = here[column] - here["surface_percent"]
                parts += [f"{off.mean():.2f}", f"{off.abs().mean():.2f}"]
            lines.append(",".join(parts))
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
