"""Severity classes by named rules. They disagree with one another, so a class is worth nothing without the rule's name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

from pasi_vision.errors import InputError

__all__ = ["RULES", "Severity", "severity"]


@dataclass(frozen=True)
class Severity:
    """A class and the rule that gave it; None with a reason where the rule needs a measure that is not known."""

    rule: str
    severity: str | None
    reason: str = ""


@dataclass(frozen=True)
class Rule:
    """A severity rule: its source, the measures it needs, and how it classifies them."""

    source: str
    needs: tuple[str, ...]
    classify: Callable[[dict[str, float]], str]


def _three(value: float, moderate: float, severe: float) -> str:
    return "mild" if value < moderate else "severe" if value > severe else "moderate"


RULES = MappingProxyType(
    {
        "rule_of_tens": Rule(
            "Finlay, Br J Dermatol 2005;152:861-867: severe if BSA > 10 %, or PASI > 10, or DLQI > 10",
            ("pasi", "bsa_percent", "dlqi"),
            lambda v: "severe" if max(v["pasi"], v["bsa_percent"], v["dlqi"]) > 10 else "not severe",
        ),
        "european_consensus": Rule(
            "Mrowietz et al., Arch Dermatol Res 2011;303:1-10: moderate to severe if (BSA > 10 % or PASI > 10) and DLQI > 10; mild if none"
            " exceeds 10; otherwise mild unless special manifestations upgrade it",
            ("pasi", "bsa_percent", "dlqi"),
            lambda v: "moderate to severe" if max(v["pasi"], v["bsa_percent"]) > 10 and v["dlqi"] > 10 else "mild",
        ),
        "bsa_npf": Rule(
            "National Psoriasis Foundation: BSA < 3 % mild, 3-10 % moderate, > 10 % severe",
            ("bsa_percent",),
            lambda v: _three(v["bsa_percent"], 3, 10),
        ),
        "pasi_schmitt": Rule(
            "Schmitt & Wozel, Dermatology 2005;210:194-199: PASI < 7 mild, 7-12 moderate, > 12 severe",
            ("pasi",),
            lambda v: _three(v["pasi"], 7, 12),
        ),
        "nct03265613": Rule(
            "Inclusion of NCT03265613: moderate to severe if PASI > 7 or BSA > 10 %",
            ("pasi", "bsa_percent"),
            lambda v: "moderate to severe" if v["pasi"] > 7 or v["bsa_percent"] > 10 else "mild",
        ),
    }
)
"""Named severity rules with their sources."""


def severity(
    rule: str, *, pasi: float | None = None, bsa_percent: float | None = None, dlqi: float | None = None
) -> Severity:
    """Classify by one named rule.

    Raises:
        InputError: There is no such rule.

    >>> severity("pasi_schmitt", pasi=12.2).severity
    'severe'
    >>> severity("rule_of_tens", pasi=12.2).reason
    'bsa_percent, dlqi not known'
    """
    if rule not in RULES:
        raise InputError(f"severity rule {rule!r} is not known", fix=f"Use one of {', '.join(RULES)}.")
    given = {"pasi": pasi, "bsa_percent": bsa_percent, "dlqi": dlqi}
    missing = [name for name in RULES[rule].needs if given[name] is None]
    if missing:
        return Severity(rule, None, f"{', '.join(missing)} not known")
    return Severity(rule, RULES[rule].classify({name: value for name, value in given.items() if value is not None}))
