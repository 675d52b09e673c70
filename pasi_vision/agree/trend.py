"""How differences change with the mean: proportional bias, growing spread, limits as a function of the mean and as ratios."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pasi_vision.agree.pairs import Repeated
from pasi_vision.agree.record import Agreement, answered
from pasi_vision.agree.resample import Estimator, Resampling, bootstrap, delta

__all__ = ["spread_grows", "trend_records"]

Floats = NDArray[np.float64]

_SOURCE = "Bland & Altman, Stat Methods Med Res 1999;8:135-160, sections 3.1 and 3.2"
_SD_PER_ABSOLUTE = np.sqrt(np.pi / 2)  # of a normal variable: mean |x| is sd x sqrt(2 / pi)
_PLACES = {"p10": 0.1, "p50": 0.5, "p90": 0.9}
_FEWEST = 10


def spread_grows(pair: Repeated, resampling: Resampling) -> bool:
    """Whether the spread of the differences changes with the mean: the slope of |residual| on the mean is not zero."""
    if pair.basis.n_subjects < _FEWEST or np.ptp(pair.average) == 0:
        return False
    estimator = _estimator(pair)
    slope, error = float(estimator.value[3]), float(delta(estimator)[3])
    return bool(np.isfinite(error) and abs(slope) > resampling.t(pair.basis.n_subjects - 2) * error > 0)


def trend_records(pair: Repeated, grows: bool, resampling: Resampling) -> list[Agreement]:
    """proportional_bias and spread_slope; where the spread changes, limits at the 10th, 50th and 90th centile of the mean and as ratios."""
    basis, n = pair.basis, pair.basis.n_subjects
    if n < _FEWEST or np.ptp(pair.average) == 0:
        reason = (
            f"too few subjects ({n}) for a trend"
            if n < _FEWEST
            else "no variation: every mean of the two raters is the same"
        )
        return [
            answered(basis, name, (None, None, None), "regression on the mean", _SOURCE, caution=reason)
            for name in ("proportional_bias", "spread_slope")
        ]
    estimator = _estimator(pair)
    value, error = estimator.value, delta(estimator)
    half = resampling.t(n - 2) * error
    method = "regression of {} on the mean of both raters, linearised by subject, t interval"
    records = [
        answered(basis, name, (value[at], value[at] - half[at], value[at] + half[at]), method.format(what), _SOURCE)
        for name, at, what in (
            ("proportional_bias", 1, "the difference"),
            ("spread_slope", 3, "the standard deviation"),
        )
    ]
    return [*records, *_regression_form(pair, resampling), *_log_form(pair, resampling)] if grows else records


def _estimator(pair: Repeated) -> Estimator:
    """Totals -> intercept and slope of the difference, intercept and slope of its standard deviation, on the centred mean."""
    a = pair.average - pair.average.mean()
    d = pair.difference
    slope = np.sum(a * d) / np.sum(a**2)
    spread = _SD_PER_ABSOLUTE * np.abs(d - d.mean() - slope * a)
    parts = np.stack([np.ones_like(a), a, a**2, d, a * d, spread, a * spread], axis=1)
    total = np.zeros((pair.basis.n_subjects, 7))
    np.add.at(total, pair.owner, parts)
    return Estimator(total, _two_lines)


def _two_lines(totals: Floats) -> Floats:
    n, a, aa, d, ad, s, as_ = (totals[..., at] for at in range(7))
    with np.errstate(divide="ignore", invalid="ignore"):
        across = aa - a**2 / n
        slope_d = (ad - a * d / n) / across
        slope_s = (as_ - a * s / n) / across
        return np.stack([(d - slope_d * a) / n, slope_d, (s - slope_s * a) / n, slope_s], axis=-1)


def _regression_form(pair: Repeated, resampling: Resampling) -> list[Agreement]:
    """Limits b0 + b1 mean -+ 1.96 (c0 + c1 mean) at three places of the mean."""
    estimator = _estimator(pair)
    centre = pair.average.mean()
    records = []
    for name, share in _PLACES.items():
        place = float(np.quantile(pair.average, share))

        def two_limits(totals: Floats, at: float = place - centre) -> Floats:
            lines = _two_lines(totals)
            middle = lines[..., 0] + lines[..., 1] * at
            half = 1.96 * np.maximum(lines[..., 2] + lines[..., 3] * at, 0.0)
            return np.stack([middle - half, middle + half], axis=-1)

        found = bootstrap(Estimator(estimator.parts, two_limits), resampling)
        for at, side in enumerate(("low", "high")):
            method = f"regression form at a mean of {place:.4g} (centile {name[1:]}), bootstrap of subjects (BCa)"
            records.append(answered(pair.basis, f"loa_{side}_at_{name}", found.of(at), method, _SOURCE))
    return records


def _log_form(pair: Repeated, resampling: Resampling) -> list[Agreement]:
    """Ratios of rater to reference: the limits of agreement of the logarithms, taken back."""
    y, x = pair.average + pair.difference / 2, pair.average - pair.difference / 2
    if min(y.min(), x.min()) <= 0 or pair.basis.n_ratings != 2 * len(y):
        return []
    ratio = np.log(y / x)
    n = pair.basis.n_subjects
    total = np.zeros((n, 3))
    np.add.at(total, pair.owner, np.stack([np.ones_like(ratio), ratio, ratio**2], axis=1))

    def three(totals: Floats) -> Floats:
        count, first, second = (totals[..., at] for at in range(3))
        mean = first / count
        sd = np.sqrt(np.maximum(second - first**2 / count, 0.0) / (count - 1))
        return np.exp(np.stack([mean, mean - 1.96 * sd, mean + 1.96 * sd], axis=-1))

    found = bootstrap(Estimator(total, three), resampling)
    return [
        answered(
            pair.basis,
            name,
            found.of(at),
            "log form: ratio of rater to reference, bootstrap of subjects (BCa)",
            _SOURCE,
        )
        for at, name in enumerate(("ratio_bias", "ratio_loa_low", "ratio_loa_high"))
    ]
