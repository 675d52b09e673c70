"""The engine and the calculator page pass the conformance vectors, which the independent slow implementation makes."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pasi_vision.anatomy import BSA_TABLES, Region
from pasi_vision.records import Finding
from pasi_vision.report.calculator import calculator_script
from pasi_vision.score import StudySettings, pasi, pasi_tenths
from pasi_vision.score.attainable import attainable_tenths, is_attainable
from pasi_vision.score.bands import BandPolicy, area_score
from pasi_vision.score.endpoints import endpoints
from pasi_vision.score.missing import responder_counts, schedule
from pasi_vision.score.response import responds
from pasi_vision.score.settings import EndpointSettings

Vectors = dict[str, Any]
ROOT = Path(__file__).resolve().parents[2]


def findings_of(regions: dict[str, dict[str, Any]]) -> list[Finding]:
    return [Finding("s1", "v", 1, "r", 1, Region(name), **values) for name, values in regions.items()]


def test_vectors_are_those_of_the_slow_implementation(vectors: Vectors, slow: ModuleType) -> None:
    assert vectors["bands"] == [
        {"area_percent": row["area_percent"], **{p: slow.area_score(row["area_percent"], p) for p in BandPolicy}}
        for row in vectors["bands"]
    ]
    for case in vectors["visits"]:
        expected = slow.pasi(case["regions"], "half_open")
        assert case["pasi"]["half_open"] == (None if expected is None else round(float(expected), 6)), case["name"]
    for case in vectors["courses"]:
        expected_rows = slow.endpoints(case["rows"], case["withdrawal"])
        assert [row["pasi75"] for row in case["expected"]] == [row["pasi75"] for row in expected_rows], case["name"]


def test_bands(vectors: Vectors) -> None:
    assert len(vectors["bands"]) == 37
    for row in vectors["bands"]:
        for policy in BandPolicy:
            assert area_score(row["area_percent"], policy) == row[policy], row


def test_all_697_totals(vectors: Vectors) -> None:
    totals = vectors["totals"]
    assert len(totals["attainable"]) == 697
    assert {round(row["pasi"] * 10) for row in totals["attainable"]} == attainable_tenths()
    for row in totals["attainable"]:
        assert pasi_tenths(dict(zip(Region, map(tuple, row["regions"]), strict=True))) == round(row["pasi"] * 10)
    assert not is_attainable(totals["unattainable"]).any()
    assert 67.7 in totals["unattainable"]


def test_all_boundary_pairs(vectors: Vectors) -> None:
    reached = [row for row in vectors["responses"] if row["reached"]]
    assert sum(row["k"] == 75 for row in reached) == 159
    assert sum(row["k"] == 90 for row in reached) == 64
    for row in vectors["responses"]:
        assert responds(row["baseline"], row["follow_up"], row["k"]) is row["reached"], row


def test_plain_floating_point_fails_on_36_of_them(vectors: Vectors) -> None:
    wrong = [
        row["k"]
        for row in vectors["responses"]
        if row["reached"] and not (row["baseline"] - row["follow_up"]) / row["baseline"] * 100 >= row["k"]
    ]
    assert (wrong.count(75), wrong.count(90)) == (20, 16)


def close(found: float | None, expected: float | None) -> bool:
    return found is None if expected is None else found is not None and abs(found - expected) < 2e-6


@pytest.mark.parametrize("policy", list(BandPolicy))
def test_visits(vectors: Vectors, policy: BandPolicy) -> None:
    tables = iter([*BSA_TABLES] * len(vectors["visits"]))
    for case in vectors["visits"]:
        if not case["regions"]:
            continue
        table = next(tables)
        score = pasi(findings_of(case["regions"]), StudySettings(band_policy=policy, bsa_table=table))
        assert score.pasi == case["pasi"][policy], case["name"]
        assert close(score.pasi_continuous, case["pasi_continuous"]), case["name"]
        assert close(score.bsa_percent, case["bsa_percent"][table]), case["name"]
        if policy is BandPolicy.HALF_OPEN:
            assert (score.pasi_low, score.pasi_high) == (case["pasi_low"], case["pasi_high"]), case["name"]


def test_courses(vectors: Vectors) -> None:
    rows, stopped = [], []
    for number, case in enumerate(vectors["courses"]):
        name = f"{number:04d}"
        rows += [{"subject_id": name, "rater": "r", "reading": 1, **row} for row in case["rows"]]
        if case["withdrawal"]:
            stopped.append({"subject_id": name, **case["withdrawal"]})
    scores = pd.DataFrame(rows).astype({"pasi": float})
    found = endpoints(scores.sample(frac=1, random_state=1), EndpointSettings(), pd.DataFrame(stopped)).visits
    by_key = {
        (s, v): row for s, v, row in zip(found["subject_id"], found["visit"], found.to_dict("records"), strict=True)
    }
    assert len(found) == len(rows)
    for number, case in enumerate(vectors["courses"]):
        for expected in case["expected"]:
            row = by_key[f"{number:04d}", expected["visit"]]
            for name in set(expected) - {"visit", "day"}:
                value = None if pd.isna(row[name]) else row[name]
                if isinstance(expected[name], bool) or expected[name] is None:
                    assert value is None if expected[name] is None else value == expected[name], (
                        case["name"],
                        name,
                        expected,
                    )
                else:
                    assert close(value, expected[name]), (case["name"], name, expected)
            if any(value is None for value in expected.values()):
                assert row["reason"], (case["name"], expected)


def test_rates_with_missing_visits(vectors: Vectors) -> None:
    rows = []
    for number, study in enumerate(vectors["rates"]):
        for place, subject in enumerate(study["subjects"]):
            values = [subject["baseline"], *subject["pasi"]]
            rows += [
                {
                    "subject_id": f"s{place:02d}",
                    "visit": f"v{n}",
                    "day": 1 + 28 * n,
                    "rater": f"r{number:02d}",
                    "reading": 1,
                    "pasi": pasi,
                }
                for n, pasi in enumerate(values)
            ]
    derived = endpoints(pd.DataFrame(rows).astype({"pasi": float}))
    for number, study in enumerate(vectors["rates"]):
        plan = schedule(derived, f"r{number:02d}", 1)
        for rule, by_k in study["responders_and_counted"].items():
            for k, expected in by_k.items():
                holds, counted = responder_counts(plan, int(k), rule)
                assert np.column_stack([holds, counted]).tolist() == expected, (number, rule, k)


def test_the_calculator_computes_the_same(vectors: Vectors) -> None:
    import quickjs

    context = quickjs.Context()
    context.eval(calculator_script().replace("const CONSTANTS", "var CONSTANTS"))

    def run(call: str) -> Any:
        return json.loads(context.eval(f"JSON.stringify({call})"))

    for row in vectors["bands"]:
        for policy in BandPolicy:
            assert run(f"areaScore({row['area_percent']}, '{policy}')") == row[policy]
    for row in vectors["responses"]:
        assert run(f"responds({row['baseline']}, {row['follow_up']}, {row['k']})") is row["reached"]
    for case in vectors["visits"]:
        for policy, table in zip([*BandPolicy, BandPolicy.FLOOR], BSA_TABLES, strict=True):
            found = run(f"score({json.dumps(case['regions'])}, '{policy}', '{table}')")
            assert found["pasi"] == case["pasi"][policy], case["name"]
            if found["pasi"] is not None:
                assert close(found["pasi_continuous"], case["pasi_continuous"]), case["name"]
                assert close(found["bsa_percent"], case["bsa_percent"][table]), case["name"]
            else:
                assert found["reason"].startswith("Not known"), case["name"]
    assert np.isclose(run("continuousArea(100)"), 6)


def test_the_written_files_are_up_to_date(vectors: Vectors, tmp_path: Path) -> None:
    """Making the vectors again gives the committed files: nobody edited one of them by hand."""
    import importlib.util

    spec = importlib.util.spec_from_file_location("make_conformance", ROOT / "scripts" / "make_conformance.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    reference = module.slow()
    for name in ("bands", "totals", "responses", "visits", "courses", "rates"):
        assert json.loads(json.dumps(getattr(module, name)(reference))) == vectors[name], name
