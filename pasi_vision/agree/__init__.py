"""Agreement between raters, human or model: from a CSV to statistics with intervals, sources and reasons.

>>> import pandas as pd
>>> import pasi_vision.agree as agree
>>> judges = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]  # Shrout & Fleiss 1979
>>> rows = [(str(s), str(j), 1, v) for s, row in enumerate(judges) for j, v in enumerate(row)]
>>> ratings = pd.DataFrame(rows, columns=["subject_id", "rater", "reading", "value"])
>>> {r.statistic: round(r.value, 2) for r in agree.icc(ratings) if r.statistic in agree.ICC_FORMS}
{'icc_1': 0.17, 'icc_1k': 0.44, 'icc_a1': 0.29, 'icc_ak': 0.62, 'icc_c1': 0.71, 'icc_ck': 0.91}
"""

# Bound here at once, not when first asked for: `icc`, `kappa` ... are functions and modules of the same name, and the function must win.
from pasi_vision.agree.alpha import alpha
from pasi_vision.agree.audit import audit
from pasi_vision.agree.chance import chance_corrected, exact
from pasi_vision.agree.icc import ICC_FORMS, icc
from pasi_vision.agree.intra import intra_rater
from pasi_vision.agree.kappa import kappa
from pasi_vision.agree.limits import limits
from pasi_vision.agree.passing_bablok import passing_bablok
from pasi_vision.agree.planning import (
    plan_icc,
    plan_kappa,
    plan_limits,
    subjects_for_icc,
    subjects_for_kappa,
    subjects_for_limits,
)
from pasi_vision.agree.ratings import Ratings
from pasi_vision.agree.reading import ratings_from, read_ratings
from pasi_vision.agree.record import Agreement, find, read_agreement, write_agreement
from pasi_vision.agree.regression import ccc, deming
from pasi_vision.agree.resample import Resampling
from pasi_vision.agree.scale import Scale, parse_scale
from pasi_vision.agree.variance import variance_components

__all__ = [
    "ICC_FORMS",
    "Agreement",
    "Ratings",
    "Resampling",
    "Scale",
    "alpha",
    "audit",
    "ccc",
    "chance_corrected",
    "deming",
    "exact",
    "find",
    "icc",
    "intra_rater",
    "kappa",
    "limits",
    "parse_scale",
    "passing_bablok",
    "plan_icc",
    "plan_kappa",
    "plan_limits",
    "ratings_from",
    "read_agreement",
    "read_ratings",
    "subjects_for_icc",
    "subjects_for_kappa",
    "subjects_for_limits",
    "variance_components",
    "write_agreement",
]
