"""Seconds and memory of scoring a million visits and of the endpoints of 100,000 patients, CSV in and CSV out; prints JSON.

Beside them stand a plain pandas apply and a naive Python loop on a part of the same visits, extrapolated. Each measurement runs in a
process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

PART = 20_000
"""Visits that the slow ways are given; their time grows in proportion."""


def write_findings(path: Path, visits: int) -> None:
    """Random findings: ten visits per subject, one rater, four regions."""
    import pandas as pd

    from pasi_vision.anatomy import Region
    from pasi_vision.tables import FINDINGS, write_table

    rng = np.random.default_rng(1)
    rows = np.arange(visits * 4)
    visit = rows // 4 % 10
    names = pd.Index([f"s{n:06d}" for n in range(visits // 10 + 1)])
    frame = pd.DataFrame(
        {
            "subject_id": pd.Categorical.from_codes(rows // 40, names),
            "visit": pd.Categorical.from_codes(visit, pd.Index([f"week_{n}" for n in range(10)])),
            "day": visit * 7 + 1,
            "rater": pd.Categorical(["dermatologist_a"]).take(np.zeros(len(rows), int)),
            "reading": 1,
            "region": pd.Categorical.from_codes(rows % 4, pd.Index([str(r) for r in Region])),
            "area_percent": np.round(rng.uniform(0, 100, len(rows)), 1),
            **{sign: rng.integers(0, 5, len(rows)).astype(float) for sign in ("erythema", "induration", "scaling")},
        }
    )
    write_table(path, frame, FINDINGS)


def engine(findings: Path, out: Path) -> None:
    """What `pasi-vision pasi` does."""
    from pasi_vision.score import score_findings
    from pasi_vision.tables import FINDINGS, SCORES, read_table, write_table

    write_table(out, score_findings(read_table(findings, FINDINGS, categories=True)), SCORES)


def pandas_only(findings: Path, out: Path) -> None:
    """The engine's way without pyarrow."""
    from pasi_vision.tables import files

    files._has_arrow = lambda: False
    engine(findings, out)


def endpoints(scores: Path, out: Path) -> None:
    """What `pasi-vision endpoints --no-figures` does."""
    from pasi_vision.score.endpoints import endpoints as derive
    from pasi_vision.score.summary import summarise
    from pasi_vision.tables import COURSES, ENDPOINTS, SCORES, read_table, write_table

    derived = derive(read_table(scores, SCORES, categories=True))
    write_table(out, derived.visits, ENDPOINTS)
    write_table(out.with_suffix(".courses.csv"), derived.courses, COURSES)
    out.with_suffix(".json").write_text(json.dumps(summarise(derived)), encoding="utf-8")


def band(percent: float) -> int:
    """Area score the plain way."""
    return 0 if percent <= 0 else 1 + sum(percent >= edge for edge in (10, 30, 50, 70, 90))


WEIGHTS = {"head_neck": 0.1, "upper_limbs": 0.2, "trunk": 0.3, "lower_limbs": 0.4}


def plain_apply(findings: Path, out: Path) -> None:
    """pandas as one would write it in a notebook."""
    import pandas as pd

    frame = pd.read_csv(findings)
    frame["part"] = frame.apply(
        lambda row: (
            WEIGHTS[row["region"]] * (row["erythema"] + row["induration"] + row["scaling"]) * band(row["area_percent"])
        ),
        axis=1,
    )
    frame.groupby(["subject_id", "visit", "rater", "reading"], sort=False)["part"].sum().to_csv(out)


def naive_loop(findings: Path, out: Path) -> None:
    """The csv module and dictionaries."""
    import csv

    scores: dict[tuple[str, ...], float] = {}
    with findings.open() as stream:
        for row in csv.DictReader(stream):
            key = (row["subject_id"], row["visit"], row["rater"], row["reading"])
            grades = float(row["erythema"]) + float(row["induration"]) + float(row["scaling"])
            scores[key] = scores.get(key, 0) + WEIGHTS[row["region"]] * grades * band(float(row["area_percent"]))
    with out.open("w") as stream:
        csv.writer(stream).writerows([*key, score] for key, score in scores.items())


WAYS = {f.__name__: f for f in (engine, pandas_only, endpoints, plain_apply, naive_loop)}


def measured(way: str, source: Path, out: Path) -> dict[str, float]:
    """Run one way in a process of its own, from start to end (imports counted)."""
    start = time.perf_counter()
    told = subprocess.run(
        [sys.executable, __file__, way, str(source), str(out)], check=True, capture_output=True, text=True
    )
    return {"seconds": round(time.perf_counter() - start, 2), **json.loads(told.stdout)}


def main(visits: int = 1_000_000) -> None:
    """Print one JSON object."""
    results: dict[str, Any] = {"visits": visits, "rows": visits * 4}
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        for name, count in (("whole", visits), ("tenth", visits // 10), ("part", min(PART, visits))):
            write_findings(base / f"{name}.csv", count)
        results["score"] = measured("engine", base / "whole.csv", base / "scores.csv")
        results["score_a_tenth"] = measured("engine", base / "tenth.csv", base / "tenth_scores.csv")
        results["score_without_pyarrow"] = measured("pandas_only", base / "whole.csv", base / "plain.csv")
        results["same_bytes_without_pyarrow"] = (base / "scores.csv").read_bytes() == (base / "plain.csv").read_bytes()
        results["endpoints"] = {
            "patients": visits // 10,
            **measured("endpoints", base / "scores.csv", base / "endpoints.csv"),
        }
        for way in ("plain_apply", "naive_loop"):
            told = measured(way, base / "part.csv", base / f"{way}.csv")
            results[way] = {
                "visits": min(PART, visits),
                **told,
                "seconds_for_all": round(told["seconds"] * visits / PART, 1),
            }
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    if len(sys.argv) == 4:
        WAYS[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
        used = resource.getrusage(resource.RUSAGE_SELF)
        memory = round(used.ru_maxrss / 2**20, 2)
        print(json.dumps({"cpu_seconds": round(used.ru_utime + used.ru_stime, 2), "peak_gib": memory}))
    else:
        main(*map(int, sys.argv[1:]))
