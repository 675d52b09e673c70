"""`pasi-vision agree` and `agree-plan`: files, exit codes, one line on wrong use; and what the package does not load."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pasi_vision import agree
from pasi_vision.cli import app
from pasi_vision.errors import InputError

FIELDS = [
    "statistic",
    "subset",
    "value",
    "low",
    "high",
    "n_subjects",
    "n_ratings",
    "n_dropped",
    "method",
    "source",
    "reason",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Three raters grade 14 patients at two visits; the model gives intervals; one patient is far out; run once."""
    base = tmp_path_factory.mktemp("agree")
    rows = ["subject_id,visit,day,rater,reading,value,site,low,high"]
    for s in range(14):
        for v, day in enumerate((1, 85)):
            for r, shift in (("ann", 0.0), ("bo", 1.5), ("model", 0.5)):
                value = (
                    10
                    + s
                    - 4 * v
                    + shift
                    + ((s * 7 + v * 3 + len(r)) % 5) / 5
                    + (25 if (s, v, r) == (5, 1, "model") else 0)
                )
                bounds = f"{value - 2:.1f},{value + 2:.1f}" if r == "model" else ","
                rows.append(f"s{s:02},v{v},{day},{r},1,{value:.1f},{'north' if s % 2 else 'south'},{bounds}")
    (base / "ratings.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    photos = ["subject_id,visit,day,view,path", "s05,v1,85,trunk_front,pictures/s05.jpg"]
    (base / "photos.csv").write_text("\n".join(photos) + "\n", encoding="utf-8")
    arguments = ["agree", str(base / "ratings.csv"), "--out", str(base / "out"), "--scale", "0-72 continuous"]
    arguments += ["--reference", "ann", "--by", "site", "--bootstrap", "60", "--seed", "3", "--model", "model"]
    done = CliRunner().invoke(app, [*arguments, "--photos", str(base / "photos.csv")])
    assert done.exit_code == 0, done.output
    assert "bo vs ann: bias" in done.output
    return base


def test_agreement_json_is_a_list_of_records(folder):
    rows = json.loads((folder / "out" / "agreement.json").read_text(encoding="utf-8"))
    assert all(list(row) == FIELDS for row in rows)
    assert all(row["value"] is not None or row["reason"] for row in rows)
    assert all(row["method"] and row["source"] for row in rows)
    assert {row["subset"] for row in rows} >= {None, "bo vs ann", "model vs ann", "site=north", "site=south; bo vs ann"}
    assert agree.read_agreement(folder / "out" / "agreement.json")[0].statistic == "icc_1"
    table = (folder / "out" / "agreement.csv").read_text(encoding="utf-8").splitlines()
    assert table[0] == ",".join(FIELDS)
    assert "nan" not in "\n".join(table).lower().split(",")


def test_model_beside_the_humans(folder):
    records = agree.read_agreement(folder / "out" / "agreement.json")
    coverage = agree.find(records, "interval_coverage", "rater=model")
    assert 0 < coverage.value < 1
    ratio = agree.find(records, "individual_equivalence_ratio", "model vs the others")
    assert ratio.value > 1  # one visit is 25 points off
    assert agree.find(records, "icc_a1", "without model").n_ratings == 56
    assert agree.find(records, "pasi75_exact", "bo vs ann").n_subjects == 14


def test_report_is_self_contained_and_links_photographs(folder):
    page = (folder / "out" / "report.html").read_text(encoding="utf-8")
    for part in ("<svg", "GRRAS", "Bland", "Methods", 'href="../pictures/s05.jpg"', "prefers-color-scheme"):
        assert part in page, part
    assert "http://" not in page.replace("http://www.w3.org", "").replace("http://purl.org", "").replace(
        "http://creativecommons.org", ""
    )
    assert "<script" not in page
    assert "s05" in (folder / "out" / "outliers.csv").read_text(encoding="utf-8")
    assert json.loads((folder / "out" / "run.json").read_text(encoding="utf-8"))["seed"] == 3


def test_same_seed_same_answer(folder):
    ratings = agree.read_ratings(folder / "ratings.csv", scale="0-72 continuous")
    once, again = (agree.audit(ratings, by=(), resampling=agree.Resampling(n=40, seed=5)) for _ in range(2))
    assert once == again


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        (["--reference", "nobody"], "there is no rater 'nobody'"),
        (["--by", "eye_colour"], "there is no column 'eye_colour'"),
        (["--scale", "0-20"], "is off the scale"),
        (["--scale", "many"], "is not understood"),
    ],
)
def test_wrong_use_is_one_line(folder, extra, said):
    done = CliRunner().invoke(app, ["agree", str(folder / "ratings.csv"), "--out", str(folder / "none"), *extra])
    assert isinstance(done.exception, InputError)
    assert said in str(done.exception)
    assert done.exception.exit_code == 2
    assert not (folder / "none").exists()


def test_one_rater_is_answered(tmp_path):
    (tmp_path / "one.csv").write_text("subject_id,rater,reading,value\na,x,1,1\nb,x,1,2\n", encoding="utf-8")
    done = CliRunner().invoke(app, ["agree", str(tmp_path / "one.csv"), "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert "Nothing can be said about agreement between raters: there is one rater only" in done.output


def test_raters_who_differ_by_a_constant(tmp_path):
    """Hardly any residual: limits that would be infinite are left out, without a warning."""
    rows = ["subject_id,visit,day,rater,reading,pasi"]
    for s in range(12):
        for v, day in ((0, 1), (1, 81)):
            rows += [f"s{s},v{v},{day},{r},1,{20 + s - 6 * v + shift:.1f}" for r, shift in (("a", 0), ("b", 0.9))]
    (tmp_path / "scores.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    arguments = ["agree", str(tmp_path / "scores.csv"), "--out", str(tmp_path / "out"), "--reference", "a"]
    done = CliRunner().invoke(app, [*arguments, "--bootstrap", "50"])
    assert done.exit_code == 0, done.output
    records = agree.read_agreement(tmp_path / "out" / "agreement.json")
    assert agree.find(records, "bias").value == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--subjects", "7"], "7 subjects give limits of agreement +- 1.28 SD."),
        (
            ["--subjects", "60", "--readings", "2", "--reading-share", "0.5"],
            "readings each) give limits of agreement +- 0.38 SD.",
        ),
        (["--icc", "0.8", "--raters", "3", "--width", "0.2"], "36 subjects and 3 raters"),
        (["--kappa", "0.6", "--shares", "0.5,0.5", "--width", "0.2"], "246 subjects"),
    ],
)
def test_plans(arguments, said):
    done = CliRunner().invoke(app, ["agree-plan", *arguments])
    assert done.exit_code == 0, done.output
    assert said in done.output


def test_readings_are_not_averaged_for_kappa():
    arguments = ["--kappa", "0.6", "--shares", "0.5,0.5", "--width", "0.2", "--readings", "2"]
    with pytest.raises(InputError, match="a mean of two grades is no grade"):
        CliRunner().invoke(app, ["agree-plan", *arguments], catch_exceptions=False)


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["--subjects", "30", "--raters", "5"], "--raters"),
        (["--subjects", "30", "--intra-icc", "0.9"], "--intra-icc"),
        (["--subjects", "30", "--shares", "0.5,0.5"], "--shares"),
        (["--subjects", "30", "--icc", "0.8", "--reading-share", "0.5"], "--reading-share"),
        (["--subjects", "30", "--icc", "0.8", "--kappa", "0.6"], "--kappa"),
    ],
)
def test_options_without_effect_are_refused(arguments, option):
    with pytest.raises(InputError, match=f"{option} has no say"):
        CliRunner().invoke(app, ["agree-plan", *arguments], catch_exceptions=False)


def test_importing_agree_loads_neither_torch_nor_cv2():
    code = "import sys, pasi_vision.agree; print([m for m in ('torch', 'cv2', 'matplotlib') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
