"""The uncertainty of every scored visit of a findings table: intervals of PASI and BSA from draws, and the probability of each response."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pasi_vision.score.regions import REGIONS
from pasi_vision.score.response import RESPONSES, reaches
from pasi_vision.score.settings import DEFAULT_STUDY, StudySettings
from pasi_vision.score.table import arrays_of_table, score_findings, visits_of_table
from pasi_vision.score.uncertainty import DrawSettings, draw

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["score_uncertainty"]

_VISITS_AT_ONCE = 64


def score_uncertainty(
    findings: pd.DataFrame, study: StudySettings = DEFAULT_STUDY, settings: DrawSettings | None = None, seed: int = 1
) -> pd.DataFrame:
    """Draw every visit that is scored; unscored visits stand with a reason.

    Returns:
        One row per visit, rater and reading: keys, pasi, pasi_draws_low, pasi_draws_high (at the study's `interval`), bsa_draws_low and
        _high, `p_pasi50` ... against the same rater's visit on the baseline day, and `p_band_<region>`, the probability of
        the region's most probable area score (low: near a band edge).
    """
    import pandas as pd

    settings = settings or DrawSettings(level=study.interval)
    scores = score_findings(findings, study)
    visits, _, columns = visits_of_table(findings)
    arrays = arrays_of_table(findings, visits, columns, len(scores))
    usable = np.flatnonzero(
        scores["pasi"].notna().to_numpy()
        & ~np.isnan(arrays.area).any(axis=1)
        & ~np.isnan(arrays.grades).any(axis=(1, 2))
    )
    generator = np.random.default_rng(seed)
    pasi = np.zeros((settings.draws, len(scores)), np.int16)
    told = pd.DataFrame(
        {name: scores[name].astype(object) for name in ("subject_id", "visit", "day", "rater", "reading", "pasi")}
    )
    numbers: dict[str, NDArray[np.float64]] = {
        name: np.full(len(scores), np.nan)
        for name in (
            *("pasi_draws_low", "pasi_draws_high", "bsa_draws_low", "bsa_draws_high"),
            *(f"p_band_{region}" for region in REGIONS),
        )
    }
    for start in range(0, len(usable), _VISITS_AT_ONCE):
        rows = usable[start : start + _VISITS_AT_ONCE]
        chunk = np.zeros(len(scores), bool)
        chunk[rows] = True
        draws = draw(arrays.rows(chunk), generator, settings, study)
        pasi[:, rows] = draws.pasi
        numbers["pasi_draws_low"][rows], numbers["pasi_draws_high"][rows] = draws.pasi_interval(study.interval)
        tails = [(1 - study.interval) / 2, (1 + study.interval) / 2]
        numbers["bsa_draws_low"][rows], numbers["bsa_draws_high"][rows] = np.quantile(draws.bsa_percent, tails, axis=0)
        certain = draws.band_probabilities().max(axis=-1)
        for column, region in enumerate(REGIONS):
            numbers[f"p_band_{region}"][rows] = certain[:, column]
    for name, values in numbers.items():
        told[name] = np.round(values, 6)
    for k, probability in _responses(told, pasi, usable, study.endpoints.baseline_day).items():
        told[f"p_pasi{k}"] = probability
    drawn = np.isin(np.arange(len(scores)), usable)
    told["reason"] = np.where(drawn, "", "not scored with a percentage and all grades: see the bounds")
    return told


def _responses(
    told: pd.DataFrame, pasi: NDArray[np.int16], usable: NDArray[np.int64], baseline_day: int
) -> dict[int, NDArray[np.float64]]:
    """P(PASI-k) of each visit against its course's baseline; NaN without a drawn baseline above 0."""
    course = list(zip(told["subject_id"], told["rater"], told["reading"], strict=True))
    days = told["day"].tolist()
    base = {course[row]: row for row in usable if days[row] == baseline_day}
    found = {k: np.full(len(told), np.nan) for k in RESPONSES}
    for row in usable:
        first = base.get(course[row])
        if first is None or first == row:
            continue
        before, after = pasi[:, first].astype(np.int64), pasi[:, row].astype(np.int64)
        above = before > 0
        if above.any():
            for k in RESPONSES:
                found[k][row] = round(float(reaches(before[above], after[above], k).mean()), 6)
    return found
