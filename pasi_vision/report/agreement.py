"""The report of an audit of agreement: one self-contained HTML page, readable on screen and paper."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pasi_vision.report import agreement_figures as figures
from pasi_vision.report.plots import svg_of
from pasi_vision.storage import write_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["AgreementPage", "PairPicture", "write_agreement_report"]

Floats = NDArray[np.float64]

_MOST_PAIRS = 8


@dataclass(frozen=True)
class PairPicture:
    """What is drawn of one pair: differences and means of items, and the confusion table where the scale has categories."""

    rater: str
    reference: str
    means: Floats
    differences: Floats
    confusion: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class AgreementPage:
    """Everything that the page shows; records are plain mappings with the fields of agreement.json.

    Attributes:
        source: Name of the table that was audited.
        raters, labels: Names of raters and of categories (empty on a continuous scale).
        facts: Name -> text of what was read and how.
        records: All records.
        matrix: Title and (raters, raters) coefficients of every pair, NaN where there is none.
        pairs: Pairs to draw.
        ridge: Differences of each rater from the others.
        drift: Rater -> days, means, low, high of its control chart.
        outliers: Rows with subject, item, rater, value, expected, z, links.
        checklist, methods, sources: The GRRAS items, the methods paragraph and its sources.
        summary: Sentences that come first.
    """

    source: str
    raters: Sequence[str]
    labels: Sequence[str]
    facts: Mapping[str, str]
    records: Sequence[Mapping[str, Any]]
    matrix: tuple[str, Floats] | None = None
    pairs: Sequence[PairPicture] = ()
    ridge: Mapping[str, Floats] = field(default_factory=dict)
    drift: Mapping[str, tuple[Floats, Floats, Floats, Floats]] = field(default_factory=dict)
    outliers: Sequence[Mapping[str, Any]] = ()
    checklist: Sequence[Mapping[str, Any]] = ()
    methods: str = ""
    sources: Sequence[str] = ()
    summary: Sequence[str] = ()


def write_agreement_report(path: Path, page: AgreementPage) -> None:
    """Write the page whole or not at all; it loads nothing from anywhere."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("pasi_vision.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["svg"] = Markup
    environment.filters["number"] = _number
    environment.filters["sentence"] = lambda text: text[:1].upper() + text[1:].rstrip(".") + "."
    environment.filters["words"] = _in_words
    style = environment.loader.get_source(environment, "style.css")[0] if environment.loader else ""
    text = environment.get_template("agreement.html.j2").render(
        style=Markup(style),
        page=page,
        groups=_groups(page),
        drawn=_drawn(page),
        level=page.facts.get("Interval", "95 %"),
    )
    write_text(path, text)


def _in_words(name: str) -> str:
    """A statistic's name as a reader would say it; intra-rater figures carry the word in front."""
    if name.startswith("intra_"):
        rest = _in_words(name.removeprefix("intra_"))
        return f"Intra-rater {rest[0].lower() + rest[1:] if rest[:2].istitle() else rest}"
    return _WORDS.get(name, name)


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    if value == 0:
        return "0"
    magnitude = abs(value)
    return f"{value:.0f}" if magnitude >= 1000 else f"{value:.3g}" if magnitude < 0.1 else f"{value:.2f}"


def _groups(page: AgreementPage) -> list[dict[str, Any]]:
    """The records in the order a reader asks: together, pairs, beside the others, one rater alone, decisions, subgroups."""
    titles = {
        "together": "All raters together",
        "parts": "Where the variance comes from",
        "intra": "Each rater with himself or herself",
        "designs": "What other designs would reach",
        "pairs": "Pairs of raters",
        "others": "Each rater beside the others",
        "decisions": "Decisions",
        "subgroups": "Subgroups",
    }
    rows: dict[str, list[Mapping[str, Any]]] = {name: [] for name in titles}
    for record in page.records:
        rows[_place(record)].append(record)
    order = ("together", "pairs", "others", "intra", "parts", "designs", "decisions", "subgroups")
    return [{"name": name, "title": titles[name], "rows": _by_subset(rows[name])} for name in order if rows[name]]


def _place(record: Mapping[str, Any]) -> str:
    statistic, subset = str(record["statistic"]), record["subset"]
    if statistic.startswith("intra_"):
        return "intra"
    if statistic.startswith("design_"):
        return "designs"
    if statistic.startswith("variance_"):
        return "parts"
    if statistic.startswith(("pasi75", "pasi90", "relapse")):
        return "decisions"
    if subset is None:
        return "together"
    if "=" in subset.split("; ")[0] and not subset.startswith("rater="):
        return "subgroups"
    if subset.endswith("the others") or subset.startswith(("without ", "rater=")):
        return "others"
    return "pairs"


def _by_subset(records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Subsets with their records; the reason that all records of a subset share is said once."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for record in records:
        found.setdefault(record["subset"] or "", []).append(record)
    return [_with_shared_reason(subset, rows) for subset, rows in found.items()]


def _with_shared_reason(subset: str, records: list[Mapping[str, Any]]) -> dict[str, Any]:
    """One subset: its rows, reasons that several rows share (said once), and figures that could not be given for one such reason."""
    told = Counter(r["reason"] for r in records if r["reason"])
    shared = [reason for reason, times in told.items() if times >= 3]
    missing = {
        reason: [r["statistic"] for r in records if r["reason"] == reason and r["value"] is None] for reason in shared
    }
    rows = [
        {**r, "reason": None if r["reason"] in shared else r["reason"]}
        for r in records
        if not (r["reason"] in shared and r["value"] is None)
    ]
    notes = [reason for reason in shared if any(r["reason"] == reason and r["value"] is not None for r in records)]
    return {"subset": subset, "records": rows, "notes": notes, "missing": {k: v for k, v in missing.items() if v}}


def _drawn(page: AgreementPage) -> dict[str, Any]:
    """Every figure as SVG."""
    return {
        "matrix": _svg(figures.pair_matrix(page.raters, page.matrix[1], page.matrix[0])) if page.matrix else "",
        "ridge": _svg(figures.ridge(page.ridge)) if page.ridge else "",
        "pairs": [_pair(page, pair) for pair in page.pairs[:_MOST_PAIRS]],
        "left_out": max(len(page.pairs) - _MOST_PAIRS, 0),
        "drift": {name: _svg(figures.drift_plot(*chart, name)) for name, chart in page.drift.items()},
    }


def _pair(page: AgreementPage, pair: PairPicture) -> dict[str, str]:
    names = (pair.rater, pair.reference)
    subset = f"{pair.rater} vs {pair.reference}"
    lines = {
        r["statistic"]: (r["value"], r["low"], r["high"])
        for r in page.records
        if r["subset"] == subset and r["statistic"] in ("bias", "loa_low", "loa_high") and r["value"] is not None
    }
    return {
        "name": subset,
        "plot": _svg(figures.bland_altman(pair.means, pair.differences, lines, names)) if len(pair.means) else "",
        "confusion": ""
        if pair.confusion is None
        else _svg(figures.confusion_matrix(pair.confusion, page.labels, names)),
    }


def _svg(figure: Figure) -> str:
    import matplotlib

    with matplotlib.rc_context({"svg.hashsalt": "pasi-vision", "svg.fonttype": "none"}):
        return svg_of(figure)


_WORDS = {
    "icc_1": "ICC(1), one-way, single",
    "icc_1k": "ICC(1,k), one-way, mean of all",
    "icc_a1": "ICC(A,1), absolute agreement, single",
    "icc_ak": "ICC(A,k), absolute agreement, mean of all",
    "icc_c1": "ICC(C,1), consistency, single",
    "icc_ck": "ICC(C,k), consistency, mean of all",
    "sem": "Standard error of measurement",
    "sem_consistency": "… without differences between raters",
    "mdc95": "Minimal detectable change (95 %)",
    "bias": "Bias (mean difference)",
    "sd_difference": "SD of a difference",
    "loa_low": "Lower limit of agreement",
    "loa_high": "Upper limit of agreement",
    "proportional_bias": "Proportional bias (slope)",
    "spread_slope": "Growth of the spread (slope)",
    "ccc": "Concordance correlation",
    "deming_slope": "Deming slope",
    "deming_intercept": "Deming intercept",
    "passing_bablok_slope": "Passing-Bablok slope",
    "passing_bablok_intercept": "Passing-Bablok intercept",
    "kappa_unweighted": "Kappa",
    "kappa_linear": "Kappa, linear weights",
    "kappa_quadratic": "Kappa, quadratic weights",
    "fleiss_kappa": "Fleiss' kappa",
    "ac1": "Gwet's AC1",
    "ac2": "Gwet's AC2",
    "alpha_nominal": "Krippendorff's alpha, nominal",
    "alpha_ordinal": "Krippendorff's alpha, ordinal",
    "alpha_interval": "Krippendorff's alpha, interval",
    "exact": "Same category",
    "within_one": "Within one category",
    "individual_equivalence": "Individual equivalence (0: interchangeable)",
    "individual_equivalence_ratio": "… as a ratio (1: interchangeable)",
    "perfect_method_correlation": "Ceiling: correlation of a perfect method with one rater",
    "perfect_method_loa": "Ceiling: half width of a perfect method's limits",
    "rater_rater_loa": "Half width of two raters' limits",
    "interval_coverage": "Others inside this rater's interval",
    "drift_per_100_days": "Drift per 100 days",
    "loa_low_at_p10": "Lower limit where the mean is low (10th centile)",
    "loa_high_at_p10": "Upper limit where the mean is low (10th centile)",
    "loa_low_at_p50": "Lower limit at the median mean",
    "loa_high_at_p50": "Upper limit at the median mean",
    "loa_low_at_p90": "Lower limit where the mean is high (90th centile)",
    "loa_high_at_p90": "Upper limit where the mean is high (90th centile)",
    "ratio_bias": "Ratio of rater to reference",
    "ratio_loa_low": "Lower limit of the ratio",
    "ratio_loa_high": "Upper limit of the ratio",
    "variance_subject": "Variance between subjects",
    "variance_visit": "Variance between a subject's visits",
    "variance_rater": "Variance between raters",
    "variance_residual": "Residual variance (rater by visit)",
    "variance_reading": "Variance between readings",
    "pasi75_exact": "PASI-75: same decision",
    "pasi75_kappa": "PASI-75: kappa",
    "pasi75_patients_changed": "PASI-75: patients with any change",
    "pasi90_exact": "PASI-90: same decision",
    "pasi90_kappa": "PASI-90: kappa",
    "pasi90_patients_changed": "PASI-90: patients with any change",
    "relapse_exact": "Relapse: same decision",
    "relapse_kappa": "Relapse: kappa",
    "relapse_patients_changed": "Relapse: patients with any change",
}
