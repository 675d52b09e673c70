"""Audit of agreement: 200 subjects x 8 raters x 2 readings x 6 visits, 2,000 bootstraps over all statistics; prints JSON.

Beside it the same bootstrap the usual way, a Python loop over an existing library: for each replicate of subjects the mean kappa of all
pairs of raters by statsmodels, and the ICC from its two-way analysis of variance written out with pandas. The loop is timed over a few
replicates and scaled to 2,000; both sides resample the same subjects, so the standard errors agree.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from itertools import combinations

import numpy as np
import pandas as pd

from pasi_vision.agree.audit import audit
from pasi_vision.agree.components import resampled_components
from pasi_vision.agree.kappa import light_kappa
from pasi_vision.agree.ratings import Ratings, assemble
from pasi_vision.agree.resample import Estimator, Resampling, replicates
from pasi_vision.agree.scale import parse_scale

SUBJECTS, RATERS, READINGS, VISITS, REPLICATES = 200, 8, 2, 6, 2000
LOOPED = 4


def study(subjects: int, *, grades: bool = False) -> Ratings:
    """Ratings of known truth, PASI-like or graded 0-4."""
    rng = np.random.default_rng(0)
    shape = (subjects, VISITS, RATERS, READINGS)
    y = (
        rng.normal(0, 4, (subjects, 1, 1, 1))
        + rng.normal(0, 2, (subjects, VISITS, 1, 1))
        + rng.normal(0, 1.5, (RATERS, 1))
    )
    y = np.clip(20 + y + rng.normal(0, 1.5, shape[:3])[..., None] + rng.normal(0, 1, shape), 0, 72)
    s, v, r, m = np.indices(shape).reshape(4, -1)
    value = np.clip(np.searchsorted([14, 18, 22, 26], y.ravel()), 0, 4).astype(float) if grades else y.ravel().round(1)
    frame = pd.DataFrame(
        {
            "subject_id": s.astype(str),
            "visit": v.astype(str),
            "day": 1 + 28 * v,
            "rater": r.astype(str),
            "reading": m + 1,
            "value": value,
        }
    )
    return assemble(frame, parse_scale("0-4 ordinal" if grades else "0-72 continuous"))


def timed_audit(ratings: Ratings) -> tuple[float, int]:
    """Seconds of CPU and number of figures of the whole audit."""
    started = time.process_time()
    records = audit(ratings, resampling=Resampling(n=REPLICATES))
    return time.process_time() - started, len(records)


def ours(ratings: Ratings, weights: np.ndarray) -> tuple[float, np.ndarray]:
    """Seconds of CPU and the replicates' mean pairwise quadratic kappa of all replicates."""
    from pasi_vision.agree.kappa import _confusion, _kappas, category_positions

    started = time.process_time()
    grid, scale = ratings.grid, ratings.scale
    codes = category_positions(grid.values, scale)
    pairs = list(combinations(range(codes.shape[1]), 2))
    parts = grid.by_subject(_confusion([codes[:, a] for a, _ in pairs], [codes[:, b] for _, b in pairs], scale))
    kappas = Estimator(parts, lambda totals: _kappas(totals, len(pairs), scale)).resampled(weights)[:, 2]
    resampled_components(grid, Resampling(n=len(weights)))
    light_kappa(grid, scale)
    return time.process_time() - started, kappas


def loop(ratings: Ratings, weights: np.ndarray) -> tuple[float, np.ndarray]:
    """Seconds of CPU and replicates of the same figures, one replicate and one pair at a time."""
    from statsmodels.stats.inter_rater import cohens_kappa

    started = time.process_time()
    grid = ratings.grid
    values = [grid.values[grid.item_subject == s].astype(int) for s in range(grid.n_subjects)]
    kappas = []
    for row in weights.astype(int):
        drawn = np.concatenate([values[s] for s, times in enumerate(row) for _ in range(times)])
        found = []
        for a, b in combinations(range(drawn.shape[1]), 2):
            table = np.zeros((5, 5))
            np.add.at(table, (drawn[:, a], drawn[:, b]), 1)
            found.append(cohens_kappa(table, wt="quadratic").kappa)
        kappas.append(np.mean(found))
        frame = pd.DataFrame(drawn).stack()
        frame.groupby(level=0).mean(), frame.groupby(level=1).mean()
    return time.process_time() - started, np.array(kappas)


def main() -> None:
    """Run all and print one JSON object."""
    ratings, twice = study(SUBJECTS), study(2 * SUBJECTS)
    seconds, figures = timed_audit(ratings)
    seconds_twice, _ = timed_audit(twice)
    grades = study(SUBJECTS, grades=True)
    seconds_grades, figures_grades = timed_audit(grades)
    weights = replicates(SUBJECTS, REPLICATES, 0)
    fast, kappas = ours(grades, weights)
    slow, looped = loop(grades, weights[:LOOPED])
    if not np.allclose(kappas[:LOOPED], looped):
        sys.exit("the loop and the matrix product disagree")
    print(
        json.dumps(
            {
                "bench": "agree",
                "ratings": ratings.n_ratings,
                "bootstraps": REPLICATES,
                "audit_cpu_s": round(seconds, 2),
                "audit_figures": figures,
                "audit_of_twice_the_subjects_cpu_s": round(seconds_twice, 2),
                "audit_of_grades_cpu_s": round(seconds_grades, 2),
                "audit_of_grades_figures": figures_grades,
                "kappa_and_icc_bootstrap_cpu_s": round(fast, 3),
                "loop_over_statsmodels_cpu_s": round(slow * REPLICATES / LOOPED, 1),
                "times_faster": round(slow * REPLICATES / LOOPED / fast, 1),
                "peak_memory_gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
            }
        )
    )


if __name__ == "__main__":
    main()
