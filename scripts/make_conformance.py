"""Write conformance/*.json with the independent slow implementation of tests/score/slow.py, never with the package's own engine."""

from __future__ import annotations

import importlib.util
import json
import random
from fractions import Fraction
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
POLICIES = ("half_open", "round_half_up", "floor")
EDGES = ("0.0001", "0.4", "0.49", "0.5", "0.6", "0.99", "1", "9", "9.49", "9.5", "9.9", "9.99", "10", "10.01", "29", "29.49", "29.5",
         "29.99", "30", "49", "49.49", "49.5", "49.99", "50", "69", "69.49", "69.5", "69.99", "70", "89", "89.49", "89.5", "89.99",
         "90", "99.5", "100", "0")  # fmt: skip


def slow() -> Any:
    """The slow implementation, loaded from the tests."""
    spec = importlib.util.spec_from_file_location("slow", ROOT / "tests" / "score" / "slow.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError("tests/score/slow.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def number(value: Fraction | bool | None) -> float | bool | None:
    """Six decimals; None and booleans as they are."""
    return value if value is None or isinstance(value, bool) else round(float(value), 6)


def bands(reference: Any) -> list[dict[str, Any]]:
    """Every edge under each policy."""
    percents = sorted(EDGES, key=float)
    return [
        {"area_percent": float(percent), **{policy: reference.area_score(percent, policy) for policy in POLICIES}}
        for percent in percents
    ]


def totals(reference: Any) -> dict[str, Any]:
    """All attainable PASI, each with findings that give it, and those of the 721 tenths that no findings give."""
    found = reference.attainable()
    return {
        "attainable": [{"pasi": t / 10, "regions": list(map(list, found[t]))} for t in sorted(found)],
        "unattainable": [t / 10 for t in range(721) if t not in found],
    }


def responses(reference: Any) -> list[dict[str, Any]]:
    """Attainable pairs with a baseline of at least 7 exactly on PASI-75 and PASI-90, each with its neighbour one tenth above."""
    found = reference.attainable()
    pairs = []
    for k, parts in ((75, 4), (90, 10)):
        for baseline in sorted(t for t in found if t >= 70 and t % parts == 0 and t // parts in found):
            for after in (baseline // parts, baseline // parts + 1):
                if after in found:
                    reached = 100 * (baseline - after) >= k * baseline
                    pairs.append({"k": k, "baseline": baseline / 10, "follow_up": after / 10, "reached": reached})
    return pairs


def visits(reference: Any) -> list[dict[str, Any]]:
    """Published and random visits, with missing parts, scored under every policy and BSA table."""
    rng = random.Random(6)
    regions = tuple(reference.WEIGHTS)
    published = [(15, 2, 1, 2), (15, 2, 1, 2), (20, 2, 2, 2), (20, 3, 2, 2)]
    cases: list[tuple[str, dict[str, dict[str, Any]]]] = []
    for name, rows in (
        ("all clear", [(0, 0, 0, 0)] * 4),
        ("all maximal", [(100, 4, 4, 4)] * 4),
        ("published example", published),
        ("a region missing", published[:3]),
        ("a grade missing", [*published[:3], (20, 3, None, 2)]),
        ("an area missing", [*published[:3], (None, 3, 2, 2)]),
        ("clear without grades", [(0, None, None, None)] * 4),
        ("nothing known", []),
    ):
        cases.append(
            (
                name,
                {
                    r: dict(zip(("area_percent", *reference.SIGNS), row, strict=True))
                    for r, row in zip(regions, rows, strict=False)
                },
            )
        )
    cases.append(
        ("area as a score", {r: {"area_score": 2, "erythema": 1, "induration": 2, "scaling": 3} for r in regions})
    )
    for case in range(300):
        decimals = rng.choice((0, 1, 2))
        visit = {
            r: {
                "area_percent": round(
                    rng.choice((rng.uniform(0, 100), rng.choice((0, 9.5, 10, 29.5, 30, 90)))), decimals
                ),
                **{sign: rng.choice((rng.randint(0, 4), rng.randint(0, 16) / 4)) for sign in reference.SIGNS},
            }
            for r in regions
        }
        cases.append((f"random {case}", visit))
    return [visit_case(reference, name, visit) for name, visit in cases]


def visit_case(reference: Any, name: str, visit: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """One visit and its exact answers."""
    low, high = reference.pasi_bounds(visit)
    return {
        "name": name,
        "regions": visit,
        "pasi": {policy: number(reference.pasi(visit, policy)) for policy in POLICIES},
        "pasi_low": number(low) if visit else None,
        "pasi_high": number(high) if visit else None,
        "pasi_continuous": number(reference.pasi_continuous(visit)),
        "bsa_percent": {table: number(reference.bsa_percent(visit, table)) for table in reference.BSA},
    }


COURSES: list[tuple[str, list[tuple[int, float | None]], dict[str, int | None]]] = [
    ("responds and holds", [(1, 20.0), (29, 10.0), (57, 5.0), (85, 2.0), (113, 0.0)], {}),
    (
        "relapse by the NPF rule only: exactly half is lost",
        [(1, 20.0), (29, 5.0), (57, 12.4), (85, 12.5), (113, 12.6)],
        {},
    ),
    ("relapse by both rules", [(1, 20.0), (29, 4.0), (57, 12.1)], {}),
    ("never reached PASI-50, so no NPF relapse", [(1, 20.0), (29, 11.0), (57, 16.0)], {}),
    ("exactly PASI-50", [(1, 20.0), (29, 10.0), (57, 15.0)], {}),
    ("exactly PASI-75 where floating point fails", [(1, 7.6), (29, 1.9), (57, 0.7)], {}),
    ("worse than baseline throughout", [(1, 8.0), (29, 10.0), (57, 12.0)], {}),
    ("new nadir after a relapse", [(1, 20.0), (29, 8.0), (57, 14.0), (85, 2.0), (113, 10.0), (141, 11.0)], {}),
    ("missing visit", [(1, 20.0), (29, None), (57, 5.0), (85, None), (113, 15.0)], {}),
    ("follow-up without baseline", [(29, 5.0), (57, 3.0)], {}),
    ("baseline not known", [(1, None), (29, 5.0)], {}),
    ("baseline 0", [(1, 0.0), (29, 0.0), (57, 2.0)], {}),
    ("two baselines", [(1, 10.0), (1, 8.0), (29, 2.0)], {}),
    ("visits before baseline", [(-13, 14.0), (1, 12.0), (29, 3.0)], {}),
    ("a PASI that no grades can give", [(1, 67.7), (29, 10.0)], {}),
    ("a follow-up that no grades can give", [(1, 20.0), (29, 12.35), (57, 5.0)], {}),
    ("rebound at exactly 125 %", [(1, 8.0), (29, 2.0), (57, 10.0)], {"withdrawal_day": 29}),
    ("rebound above 125 % in the third month", [(1, 8.0), (29, 2.0), (100, 10.4)], {"withdrawal_day": 29}),
    (
        "last day of each rebound window",
        [(1, 8.0), (29, 2.0), (90, 10.4), (120, 10.4), (121, 10.4)],
        {"withdrawal_day": 29},
    ),
    (
        "new type after withdrawal, seen later",
        [(1, 8.0), (29, 2.0), (130, 3.0)],
        {"withdrawal_day": 29, "new_type_day": 60},
    ),
    (
        "treatment started again",
        [(1, 20.0), (29, 4.0), (57, 6.0), (85, 5.0)],
        {"withdrawal_day": 29, "restart_day": 60},
    ),
    ("flare on treatment", [(1, 8.0), (29, 10.0), (57, 4.0)], {"withdrawal_day": 29}),
]


def courses(reference: Any) -> list[dict[str, Any]]:
    """Courses of response, relapse, rebound and missing data, and random ones."""
    rng = random.Random(7)
    possible = [t / 10 for t in sorted(reference.attainable())]
    cases = list(COURSES)
    for case in range(120):
        days = [1, *sorted(rng.sample(range(2, 400), rng.randint(1, 8)))]
        top = rng.choice((10, 40, len(possible)))
        values = [rng.choice(possible[:top]) if rng.random() > 0.1 else None for _ in days]
        stopped = {"withdrawal_day": rng.randint(1, 200)} if rng.random() < 0.5 else {}
        if stopped and rng.random() < 0.3:
            stopped["restart_day"] = stopped["withdrawal_day"] + rng.randint(1, 150)
        if stopped and rng.random() < 0.3:
            stopped["new_type_day"] = stopped["withdrawal_day"] + rng.randint(-20, 150)
        cases.append((f"random {case}", list(zip(days, values, strict=True)), stopped))
    told = []
    for name, values, stopped in cases:
        rows = [{"visit": f"v{place:02d}", "day": day, "pasi": pasi} for place, (day, pasi) in enumerate(values)]
        expected = reference.endpoints(rows, stopped)
        told.append(
            {
                "name": name,
                "rows": rows,
                "withdrawal": stopped,
                "expected": [
                    {key: value if key in ("visit", "day") else number(value) for key, value in row.items()}
                    for row in expected
                ],
            }
        )
    return told


def rates(reference: Any) -> list[dict[str, Any]]:
    """Small studies with missing visits and their responder counts under each rule that needs no random numbers."""
    rng = random.Random(8)
    possible = [t / 10 for t in sorted(reference.attainable()) if t <= 300]
    told = []
    for _ in range(40):
        visits = rng.randint(1, 5)
        gaps = rng.choice((0.0, 0.2, 0.6))
        subjects = [
            {
                "baseline": rng.choice([0.0, *possible[60:]]),
                "pasi": [None if rng.random() < gaps else rng.choice(possible[:120]) for _ in range(visits)],
            }
            for _ in range(rng.randint(2, 12))
        ]
        if not any(s["baseline"] for s in subjects):
            continue
        for visit in range(visits):  # a visit that nobody had is not planned
            if all(s["pasi"][visit] is None for s in subjects):
                subjects[0]["pasi"][visit] = 5.0
        expected = {
            rule: {
                str(k): [list(pair) for pair in reference.responder_counts(subjects, k, rule)]
                for k in (50, 75, 90, 100)
            }
            for rule in ("nri", "observed", "locf")
        }
        told.append({"subjects": subjects, "responders_and_counted": expected})
    return told


def main() -> None:
    """Write all vectors."""
    reference = slow()
    folder = ROOT / "conformance"
    for name, make in (
        ("bands", bands),
        ("totals", totals),
        ("responses", responses),
        ("visits", visits),
        ("courses", courses),
        ("rates", rates),
    ):
        text = json.dumps(make(reference), ensure_ascii=False, separators=(",", ":"))
        (folder / f"{name}.json").write_text(text.replace("},{", "},\n{") + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
