"""An independent slow implementation in fractions, written from the definitions and sharing no code with the package.

Everything is loops over dictionaries; nothing is fast. The conformance vectors are made with it (scripts/make_conformance.py), and the
package is tested against it.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

WEIGHTS = {
    "head_neck": Fraction(1, 10),
    "upper_limbs": Fraction(2, 10),
    "trunk": Fraction(3, 10),
    "lower_limbs": Fraction(4, 10),
}
BSA = {
    "pasi": {"head_neck": 10, "upper_limbs": 20, "trunk": 30, "lower_limbs": 40},
    "rule_of_nines": {"head_neck": 9, "upper_limbs": 18, "trunk": 37, "lower_limbs": 36},
    "rule_of_nines_obese": {
        "head_neck": Fraction(200, 102),
        "upper_limbs": Fraction(1000, 102),
        "trunk": Fraction(5000, 102),
        "lower_limbs": Fraction(4000, 102),
    },
    "measured": {"head_neck": 9, "upper_limbs": 19, "trunk": 27, "lower_limbs": 45},
}
SIGNS = ("erythema", "induration", "scaling")
Number = int | str | float | Fraction


def exact(value: Number) -> Fraction:
    """The decimal that was written, not the binary number nearest to it."""
    return value if isinstance(value, Fraction) else Fraction(str(value))


def printed_band(whole_percent: int) -> int:
    """The bands as registries print them: 0, 1-9, 10-29, 30-49, 50-69, 70-89, 90-100."""
    for score, (first, last) in enumerate(((0, 0), (1, 9), (10, 29), (30, 49), (50, 69), (70, 89), (90, 100))):
        if first <= whole_percent <= last:
            return score
    raise ValueError(whole_percent)


def area_score(percent: Number, policy: str = "half_open") -> int:
    """Area score of a percentage under a policy."""
    value = exact(percent)
    if policy == "round_half_up":
        return printed_band(math.floor(value + Fraction(1, 2)))
    if policy == "floor":
        return printed_band(math.floor(value))
    if value == 0:
        return 0
    return printed_band(max(1, math.floor(value)))


def continuous_area(percent: Number) -> Fraction:
    """Area score without steps: 0, 10, 30, 50, 70, 90, 100 % are 0, 1, 2, 3, 4, 5, 6, straight lines between."""
    value = exact(percent)
    for score, (first, last) in enumerate(((0, 10), (10, 30), (30, 50), (50, 70), (70, 90), (90, 100))):
        if value <= last:
            return score + (value - first) / (last - first)
    raise ValueError(percent)


def whole_grade(grade: Number) -> int:
    """The nearest grade, halves up."""
    return math.floor(exact(grade) + Fraction(1, 2))


def pasi(visit: dict[str, dict[str, Any]], policy: str = "half_open") -> Fraction | None:
    """PASI of {region: {area_percent or area_score, erythema, induration, scaling}}; None where something is not known."""
    total = Fraction(0)
    for region, weight in WEIGHTS.items():
        row = visit.get(region, {})
        if row.get("area_score") is not None:
            area = int(row["area_score"])
        elif row.get("area_percent") is not None:
            area = area_score(row["area_percent"], policy)
        else:
            return None
        if area == 0:
            continue
        if any(row.get(sign) is None for sign in SIGNS):
            return None
        total += weight * area * sum(whole_grade(row[sign]) for sign in SIGNS)
    return total


def pasi_bounds(visit: dict[str, dict[str, Any]], policy: str = "half_open") -> tuple[Fraction, Fraction]:
    """Least and greatest PASI where all skin was seen: every unknown area or grade at either end of its scale."""
    ends = []
    for worst in (False, True):
        filled = {}
        for region in WEIGHTS:
            row = dict(visit.get(region, {}))
            if row.get("area_percent") is None and row.get("area_score") is None:
                row["area_score"] = 6 if worst else 0
            for sign in SIGNS:
                if row.get(sign) is None:
                    row[sign] = 4 if worst else 0
            filled[region] = row
        value = pasi(filled, policy)
        assert value is not None
        ends.append(value)
    return ends[0], ends[1]


def pasi_continuous(visit: dict[str, dict[str, Any]]) -> Fraction | None:
    """PASI with continuous grades and areas."""
    total = Fraction(0)
    for region, weight in WEIGHTS.items():
        row = visit.get(region, {})
        if row.get("area_percent") is None:
            return None
        if exact(row["area_percent"]) == 0:
            continue
        if any(row.get(sign) is None for sign in SIGNS):
            return None
        total += weight * continuous_area(row["area_percent"]) * sum(exact(row[sign]) for sign in SIGNS)
    return total


def bsa_percent(visit: dict[str, dict[str, Any]], table: str = "pasi") -> Fraction | None:
    """Affected body surface in percent."""
    total = Fraction(0)
    for region, share in BSA[table].items():
        percent = visit.get(region, {}).get("area_percent")
        if percent is None:
            return None
        total += Fraction(share) * exact(percent) / 100
    return total


def attainable() -> dict[int, tuple[tuple[int, int, int, int], ...]]:
    """Every PASI in tenths that grades can give, with (erythema, induration, scaling, area score) per region that give it."""
    single: dict[int, tuple[int, int, int, int]] = {}
    for area in range(7):
        for e in range(5):
            for i in range(5):
                for s in range(5):
                    single.setdefault((e + i + s) * area, (e, i, s, area))
    found: dict[int, tuple[tuple[int, int, int, int], ...]] = {0: ()}
    for weight in (1, 2, 3, 4):
        grown: dict[int, tuple[tuple[int, int, int, int], ...]] = {}
        for total, regions in found.items():
            for product, values in single.items():
                grown.setdefault(total + weight * product, (*regions, values))
        found = grown
    return found


def endpoints(
    rows: list[dict[str, Any]], withdrawal: dict[str, int | None] | None = None, baseline_day: int = 1
) -> list[dict[str, Any]]:
    """Endpoints of one course, visit by visit; None where nothing can be said."""
    possible = attainable()
    ended = (withdrawal or {}).get("withdrawal_day")
    restarted = (withdrawal or {}).get("restart_day")
    new_type = (withdrawal or {}).get("new_type_day")
    rows = sorted(rows, key=lambda row: (row["day"], row["visit"]))
    scored = [row for row in rows if row["pasi"] is not None and usable(row["pasi"], possible)]
    baselines = [row for row in scored if row["day"] == baseline_day]
    base = exact(baselines[0]["pasi"]) if len(baselines) == 1 else None
    told = []
    for row in rows:
        out: dict[str, Any] = dict.fromkeys(
            ("change", "percent_change", "pasi50", "pasi75", "pasi90", "pasi100", "relapse_npf", "relapse_ema", "rebound",
             "rebound_ema", "flare")
        )  # fmt: skip
        out |= {"visit": row["visit"], "day": row["day"]}
        told.append(out)
        now = exact(row["pasi"]) if row in scored else None
        out |= {f"pasi_at_most_{k}": None if now is None else now <= k for k in (1, 2, 3, 5)}
        if base is None or row["day"] < baseline_day:
            continue
        if restarted is not None and row["day"] >= restarted:
            out["relapse_ema"] = True
        for name, window in (("rebound", 91), ("rebound_ema", 61)):
            began = new_type is not None and ended is not None and ended < new_type <= ended + window
            if began and new_type is not None and row["day"] >= new_type:
                out[name] = True
        if now is None:
            continue
        least = min(exact(r["pasi"]) for r in scored if baseline_day <= r["day"] <= row["day"] and _not_after(r, row))
        out["change"] = now - base
        if least < base and out["relapse_ema"] is None:
            out["relapse_ema"] = now - least > (base - least) / 2
        if base == 0:
            continue
        out["percent_change"] = 100 * (now - base) / base
        out |= {f"pasi{k}": (base - now) / base >= Fraction(k, 100) for k in (50, 75, 90, 100)}
        if (base - least) / base >= Fraction(1, 2):
            out["relapse_npf"] = now - least >= (base - least) / 2
        if ended is not None and ended < row["day"] <= ended + 91 and out["rebound"] is None:
            out["rebound"] = now >= base * Fraction(5, 4)
        if ended is not None and ended < row["day"] <= ended + 61 and out["rebound_ema"] is None:
            out["rebound_ema"] = now > base * Fraction(5, 4)
        on_treatment = ended is None or row["day"] <= ended or (restarted is not None and row["day"] >= restarted)
        if on_treatment:
            changed = new_type is not None and new_type <= row["day"] and (ended is None or new_type <= ended)
            out["flare"] = now >= base * Fraction(5, 4) or changed
    return told


def usable(value: Number, possible: dict[int, Any]) -> bool:
    """Whether grades can give this PASI."""
    tenths = exact(value) * 10
    return tenths.denominator == 1 and int(tenths) in possible


def _not_after(first: dict[str, Any], second: dict[str, Any]) -> bool:
    return bool((first["day"], first["visit"]) <= (second["day"], second["visit"]))


def responder_counts(subjects: list[dict[str, Any]], k: int, rule: str) -> list[tuple[int, int]]:
    """(responders, denominator) at each visit; subjects are {baseline, pasi: [... or None]}; a baseline of 0 is left out."""
    usable_subjects = [s for s in subjects if exact(s["baseline"]) > 0]
    told = []
    for visit in range(len(subjects[0]["pasi"])):
        responders = counted = 0
        for subject in usable_subjects:
            base, value = exact(subject["baseline"]), subject["pasi"][visit]
            if value is None and rule == "observed":
                continue
            counted += 1
            if value is None and rule == "nri":
                continue
            if value is None:  # locf
                before = [v for v in subject["pasi"][:visit] if v is not None]
                value = before[-1] if before else subject["baseline"]
            responders += (base - exact(value)) / base >= Fraction(k, 100)
        told.append((responders, counted))
    return told
