"""Agreement of the decisions that follow from PASI: PASI-75, PASI-90 and relapse, and how many patients change class.

All in whole tenths of a point, because floating point misjudges pairs that lie exactly on a threshold.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pasi_vision.agree.kappa import kappa_of_pair
from pasi_vision.agree.pairs import Pair, all_pairs, pair_of
from pasi_vision.agree.ratings import Integers, Ratings
from pasi_vision.agree.record import Agreement, Basis, answered, unanswered
from pasi_vision.agree.resample import Resampling, wilson
from pasi_vision.agree.scale import parse_scale

__all__ = ["decisions", "has_decisions"]

_SOURCE = (
    "Feldman & Krueger, Ann Rheum Dis 2005;64(Suppl II):ii65-ii68; National Psoriasis Foundation definition of relapse"
)
_PASI_HIGHEST = 72.0


@dataclass(frozen=True)
class _Rule:
    """A decision at a follow-up visit from tenths of baseline, follow-up and best (lowest) score so far."""

    name: str
    needs_response: bool

    def decide(self, baseline: Integers, now: Integers, best: Integers) -> NDArray[np.bool_]:
        if self.name == "relapse":
            # Half of the best improvement so far is lost.
            return np.asarray((best < baseline) & (2 * (now - best) >= baseline - best))
        return np.asarray(100 * (baseline - now) >= int(self.name.removeprefix("pasi")) * baseline)


_RULES = (_Rule("pasi75", False), _Rule("pasi90", False), _Rule("relapse", True))


def has_decisions(ratings: Ratings) -> bool:
    """Whether these are PASI scores (0-72) of subjects seen on several days."""
    days = ratings.columns.get("day")
    return (
        ratings.scale.high == _PASI_HIGHEST
        and ratings.scale.low == 0
        and days is not None
        and "region" not in ratings.columns
    )


def decisions(ratings: Ratings, reference: str | None, resampling: Resampling) -> list[Agreement]:
    """Per pair of raters and decision: `*_exact` (same decision), `*_kappa` and `*_patients_changed` (share of patients with any change).

    Baseline is a subject's earliest day that both raters scored; each rater's own baseline counts for that rater's decision.
    """
    if not has_decisions(ratings):
        return []
    day = _item_days(ratings)
    return [
        record
        for rater, other in all_pairs(ratings, reference)
        for record in _of_pair(pair_of(ratings, rater, other), day, resampling)
    ]


def _item_days(ratings: Ratings) -> Integers:
    days = np.full(len(ratings.item_subject), -(2**31), dtype=np.int64)
    given = np.array([value is not None and value == value for value in ratings.columns["day"]])
    days[ratings.item[given]] = [int(value) for value in ratings.columns["day"][given]]
    return days


def _of_pair(pair: Pair, item_day: Integers, resampling: Resampling) -> list[Agreement]:
    day = item_day[pair.item]
    order = np.lexsort((day, pair.owner))
    owner = pair.owner[order]
    tenths = np.rint(10 * np.stack([pair.y[order], pair.x[order]])).astype(np.int64)
    first = np.r_[True, np.diff(owner) > 0]
    start = np.maximum.accumulate(np.where(first, np.arange(len(owner)), 0))
    baseline = tenths[:, start]
    best = _best_so_far(tenths, start)
    later = ~first & (baseline > 0).all(axis=0)
    records = []
    for rule in _RULES:
        chosen = later & (best < baseline).all(axis=0) if rule.needs_response else later
        decided = [rule.decide(baseline[at], tenths[at], best[at])[chosen] for at in (0, 1)]
        records += _records(pair, rule.name, decided, owner[chosen], resampling)
    return records


def _best_so_far(tenths: Integers, start: Integers) -> Integers:
    """Each subject's lowest score before the visit (at the baseline: the baseline)."""
    best = tenths.copy()
    for at in range(1, tenths.shape[1]):
        if start[at] != at:
            best[:, at] = np.minimum(best[:, at - 1], tenths[:, at - 1])
    return best


def _records(
    pair: Pair, name: str, decided: list[NDArray[np.bool_]], owner: Integers, resampling: Resampling
) -> list[Agreement]:
    subjects, position = np.unique(owner, return_inverse=True)
    n = len(subjects)
    basis = Basis(pair.basis.subset, n, 2 * len(owner), pair.basis.n_dropped, pair.basis.notes)
    names = [f"{name}_exact", f"{name}_kappa", f"{name}_patients_changed"]
    if n < 2:
        return unanswered(
            basis, names, f"too few subjects with a follow-up to decide on: {n}", "decision agreement", _SOURCE
        )
    differs = decided[0] != decided[1]
    shares = np.bincount(position, weights=differs, minlength=n)
    visits = np.bincount(position, minlength=n)
    changed = int((shares > 0).sum())
    same = float(1 - differs.mean())
    error = float(np.sqrt(n / (n - 1) * np.sum((shares - differs.mean() * visits) ** 2)) / len(owner))
    decision_pair = Pair(
        pair.rater,
        pair.reference,
        decided[0].astype(np.float64),
        decided[1].astype(np.float64),
        position.astype(np.int64),
        np.arange(len(owner)),
        replace(basis, notes=()),
    )
    kappa = kappa_of_pair(decision_pair, parse_scale("no,yes nominal"), resampling)[0]
    z = resampling.t(n - 1)
    return [
        answered(
            basis, names[0], (same, *wilson(same, error, n, z)), "share of follow-up visits, Wilson interval", _SOURCE
        ),
        answered(
            basis, names[1], (kappa.value, kappa.low, kappa.high), kappa.method, kappa.source, caution=_said(kappa)
        ),
        answered(
            basis,
            names[2],
            (changed / n, *wilson(changed / n, 0.0, n, z)),
            f"{changed} of {n} patients, Wilson interval",
            _SOURCE,
        ),
    ]


def _said(kappa: Agreement) -> str:
    return (kappa.reason or "") if kappa.value is None else ""
