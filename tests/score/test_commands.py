"""The commands from files to files: what they write, what they say about bad input, and their exit codes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pandas as pd
import pytest

from pasi_vision.cli import main
from pasi_vision.tables import COURSES, ENDPOINTS, SCORES, read_table

ROOT = Path(__file__).resolve().parents[2]
FINDINGS = """subject_id,visit,day,rater,reading,region,area_percent,erythema,induration,scaling
s1,baseline,1,r1,1,head_neck,15,2,1,2
s1,baseline,1,r1,1,upper_limbs,15,2,1,2
s1,baseline,1,r1,1,trunk,20,2,2,2
s1,baseline,1,r1,1,lower_limbs,20,3,2,2
"""


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """Run a command in this process; its exit code."""
    monkeypatch.setattr(sys, "argv", ["pasi-vision", *map(str, arguments)])
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def test_pasi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "f.csv").write_text(FINDINGS)
    assert run(monkeypatch, "pasi", tmp_path / "f.csv", "--out", tmp_path / "scores.csv") == 0
    scores = read_table(tmp_path / "scores.csv", SCORES)
    assert scores[["pasi", "bsa_percent", "status", "band_policy", "bsa_table"]].iloc[0].tolist() == [
        12.2, 18.5, "scored", "half_open", "pasi",
    ]  # fmt: skip
    record = json.loads((tmp_path / "scores.run.json").read_text())
    assert record["settings"]["band_policy"] == "half_open"
    assert len(record["inputs"]["findings"]) == 64
    assert "1 scored" in capsys.readouterr().out


def test_pasi_with_a_policy_of_the_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "f.csv").write_text(FINDINGS.replace("trunk,20", "trunk,29.5"))
    (tmp_path / "study.yaml").write_text("band_policy: round_half_up\nbsa_table: measured\n")
    assert (
        run(
            monkeypatch,
            "pasi",
            tmp_path / "f.csv",
            "--out",
            tmp_path / "s.parquet",
            "--settings",
            tmp_path / "study.yaml",
        )
        == 0
    )
    row = read_table(tmp_path / "s.parquet", SCORES).iloc[0]
    assert (row["pasi"], row["band_policy"], row["bsa_table"]) == (14.0, "round_half_up", "measured")  # 12.2 + 0.3 x 6


def test_pasi_says_which_visit_is_not_scorable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "f.csv").write_text("\n".join(FINDINGS.splitlines()[:-1]) + "\n")
    assert run(monkeypatch, "pasi", tmp_path / "f.csv", "--out", tmp_path / "s.csv") == 1
    assert "s1 baseline r1: partial: Lower limbs: no finding." in capsys.readouterr().err
    assert read_table(tmp_path / "s.csv", SCORES)["pasi_high"].iloc[0] == 35.4


def test_pasi_warns_of_shares_instead_of_per_cent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "f.csv").write_text(FINDINGS.replace("trunk,20", "trunk,0.2"))
    assert run(monkeypatch, "pasi", tmp_path / "f.csv", "--out", tmp_path / "s.csv") == 0
    warning = capsys.readouterr().err
    assert "f.csv row 4 column area_percent: 0.2 is below 1 per cent: is a share (0-1) meant" in warning
    assert json.loads((tmp_path / "s.run.json").read_text())["warnings"]


BAD = [
    ("missing file", None, "file not found"),
    ("grade 5", FINDINGS.replace("3,2,2", "5,2,2"), "row 5 column erythema: '5' is off the scale"),
    ("101", FINDINGS.replace("trunk,20", "trunk,101"), "row 4 column area_percent: '101' is off the scale"),
    ("twice", FINDINGS + FINDINGS.splitlines()[-1] + "\n", "row 6 columns subject_id, visit, rater, reading, region"),
    ("two days", FINDINGS.replace("baseline,1,r1,1,trunk", "baseline,2,r1,1,trunk"), "has two days, 1 and 2"),
    ("empty", "", "the file is empty"),
    ("unknown region", FINDINGS.replace("trunk", "torso"), "column region: 'torso' is not known"),
]


@pytest.mark.parametrize(("name", "text", "says"), BAD, ids=[case[0] for case in BAD])
def test_bad_findings_are_one_line_and_nothing_is_written(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    text: str | None,
    says: str,
) -> None:
    if text is not None:
        (tmp_path / "f.csv").write_text(text)
    assert run(monkeypatch, "pasi", tmp_path / "f.csv", "--out", tmp_path / "s.csv") == 2
    told = capsys.readouterr().err.strip().splitlines()
    assert len(told) == 1
    assert says in told[0]
    assert not list(tmp_path.glob("s.*"))


def test_endpoints_with_arms_withdrawal_and_findings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scores = ROOT / "docs" / "data" / "uvb_watson2021_scores.csv"
    stopped = ROOT / "docs" / "data" / "uvb_watson2021_withdrawal.csv"
    subjects = list(dict.fromkeys(pd.read_csv(scores)["subject_id"]))
    arms = pd.DataFrame({"subject_id": subjects, "arm": ["odd", "even"] * 48})
    arms.to_csv(tmp_path / "arms.csv", index=False)
    (tmp_path / "f.csv").write_text(FINDINGS.replace("r1", "clinic"))
    out = tmp_path / "out"
    assert run(
        monkeypatch, "endpoints", scores, "--out", out, "--arms", tmp_path / "arms.csv", "--withdrawal", stopped,
        "--findings", tmp_path / "f.csv",
    ) == 0  # fmt: skip
    header = (out / "endpoints.csv").read_text().splitlines()[0].split(",")
    for name in (
        "pasi",
        "change",
        "percent_change",
        "pasi50",
        "pasi75",
        "pasi90",
        "pasi100",
        "relapse_npf",
        "relapse_ema",
        "rebound",
    ):
        assert name in header
    assert len(read_table(out / "endpoints.csv", ENDPOINTS)) == 931
    assert len(read_table(out / "courses.csv", COURSES)) == 96
    summary = json.loads((out / "summary.json").read_text())
    assert summary["arms"] == ["even", "odd"]
    assert summary["rule_for_missing_visits"] == "nri"
    pictures = {path.name for path in (out / "figures").iterdir()}
    assert pictures == {f"clinic_1_{n}.png" for n in ("waterfall", "courses", "pasi75", "pasi90", "relapse", "regions")}
    page = (out / "report.html").read_text()
    assert page.count("<svg") == 6
    for link in ('src="', 'href="http', "url(http", "@import", "<script"):
        assert link not in page


def test_endpoints_without_a_baseline_keep_every_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "s.csv").write_text(
        "subject_id,visit,day,rater,reading,pasi\na,w4,29,r,1,5\nb,b,1,r,1,67.7\nb,w4,29,r,1,3\n"
    )
    assert run(monkeypatch, "endpoints", tmp_path / "s.csv", "--out", tmp_path / "out", "--no-figures") == 1
    told = read_table(tmp_path / "out" / "endpoints.csv", ENDPOINTS)
    assert told["reason"].tolist() == [
        "no baseline", "no grades give this PASI; baseline PASI not known", "baseline PASI not known",
    ]  # fmt: skip
    assert "a r: no endpoint: no baseline" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("subject_id,visit,day,rater,reading,pasi\na,b,1,r,1,73\n", "row 2 column pasi: '73' is off the scale"),
        ("subject_id,visit,day,rater,reading,pasi\na,b,1,r,1,5\na,b,1,r,1,5\n", "stands twice"),
        ("subject_id,visit,day,rater,pasi\na,b,1,r,5\n", "column 'reading' is missing"),
        ("subject_id,visit,day,rater,reading\na,b,1,r,1\n", "column 'pasi' is missing"),
    ],
)
def test_bad_scores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str, says: str
) -> None:
    (tmp_path / "s.csv").write_text(text)
    assert run(monkeypatch, "endpoints", tmp_path / "s.csv", "--out", tmp_path / "out") == 2
    assert says in capsys.readouterr().err


def test_dlqi_and_safety(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ",".join(f"item_{n}" for n in range(1, 11))
    (tmp_path / "d.csv").write_text(
        f"subject_id,visit,day,{names}\na,b,1,3,3,not_relevant,2,1,0,0,0,0,0\na,w,29,1,1,,,0,0,0,0,0,0\n"
    )
    assert run(monkeypatch, "dlqi", tmp_path / "d.csv", "--out", tmp_path / "o.csv") == 1
    assert "a,b,1,9,10,moderate effect,0,1,0,false," in (tmp_path / "o.csv").read_text()
    (tmp_path / "e.csv").write_text("subject_id,term,start_day,serious\na,fever,3,false\n")
    (tmp_path / "x.csv").write_text("subject_id,first_day,last_day\na,1,57\nb,1,57\n")
    assert (
        run(monkeypatch, "safety", tmp_path / "e.csv", "--exposure", tmp_path / "x.csv", "--out", tmp_path / "s.json")
        == 0
    )
    assert json.loads((tmp_path / "s.json").read_text())["all"]["events"] == 1


def test_calculator_needs_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, "calculator", "--out", tmp_path / "c.html") == 0
    page = (tmp_path / "c.html").read_text()
    for part in ("http:", "https:", "<link", "src=", "@import", "fetch("):
        assert part not in page
    assert page.count('type="number"') == 17


@pytest.mark.slow
def test_calculator_in_a_browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page itself, in Chromium: filled in by hand, it shows the published example."""
    from playwright.sync_api import sync_playwright

    assert run(monkeypatch, "calculator", "--out", tmp_path / "c.html") == 0
    with sync_playwright() as browsers:
        browser = browsers.chromium.launch(executable_path="/usr/bin/chromium")
        page = browser.new_page(offline=True)
        page.goto((tmp_path / "c.html").as_uri())
        rows = {
            "head_neck": (15, 2, 1, 2),
            "upper_limbs": (15, 2, 1, 2),
            "trunk": (20, 2, 2, 2),
            "lower_limbs": (20, 3, 2, 2),
        }
        for region, values in rows.items():
            for name, value in zip(("area_percent", "erythema", "induration", "scaling"), values, strict=True):
                page.fill(f'input[name="{region}.{name}"]', str(value))
        page.fill('input[name="baseline"]', "48.8")
        told = {name: page.inner_text(f"#{name}") for name in ("pasi", "pasi_continuous", "bsa_percent", "response")}
        assert told == {"pasi": "12.2", "pasi_continuous": "8.78", "bsa_percent": "18.5", "response": "PASI-75"}
        browser.close()
