"""Clear answers, with rows, to whatever people put into a table of ratings."""

from __future__ import annotations

from pathlib import Path

import pytest

from pasi_vision import agree
from pasi_vision.errors import InputError, TableError

HEAD = "subject_id,rater,reading,value\n"


def read(tmp_path: Path, rows: str, scale: str | None = "0-4 ordinal") -> agree.Ratings:
    path = tmp_path / "ratings.csv"
    path.write_text(rows if rows.startswith("subject_id") else HEAD + rows, encoding="utf-8")
    return agree.read_ratings(path, scale=scale)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("a,x,1,1\na,x,1,2\n", r"row 3 .*stands twice"),
        ("a,x,1,1\na,y,1,5\n", r"row 3 column value: '5' is off the scale"),
        ("a,x,1,1\na,y,1,2.5\n", r"row 3 column value: 2.5 is off the scale"),
        ("a,x,1,1\na,y,1\n", r"row 3: the row has 3 of 4 cells"),
        ("a,x,1,1\na,y,1,2,5\n", r"row 3: the row has 5 of 4 cells .*decimals with a point"),
        ("subject_id;rater;reading;value\na;x;1;2,5\n", r"row 1: the columns are separated by semicolons"),
        ("a,x,1,1\na,,1,2\n", r"row 3 column rater: the cell is empty"),
        ("a,x,1,1\na,y,1,severe\n", r"row 3 column value: 'severe' is not a number"),
        ("a,x,1,1\na,y,1,nan\n", r"row 3 column value: 'nan' is not a number"),
        ("a,x,1,1\na,y,1,inf\n", r"row 3 column value: 'inf' is not a number"),
        ('a,x,1,1\na,y,1,"1,5"\n', r"row 3 column value: '1,5' is not a number.*decimal point"),
        ("a,x,1,1\na,y,0,1\n", r"row 3 column reading: '0' is off the scale"),
        ("a,x,1,\na,y,1,\n", r"no row holds a value"),
    ],
)
def test_wrong_rows_are_named(tmp_path, rows, said):
    with pytest.raises(TableError, match=said):
        read(tmp_path, rows)


def test_empty_values_are_counted_not_lost(tmp_path, by_name):
    rows = "".join(f"s{s},{r},1,{'' if (s, r) == (3, 'x') else s % 5}\n" for s in range(8) for r in ("x", "y"))
    found = by_name(agree.exact(read(tmp_path, rows)))["exact"]
    assert (found.n_ratings, found.n_dropped) == (15, 1)
    assert "1 rows without a value" in found.reason


@pytest.mark.parametrize("n_subjects", [2, 3, 4])
def test_hardly_any_subjects(long, n_subjects):
    """Every figure has a value or a reason, and no interval is made of thin air."""
    table = long([[1, 2, 1], [3, 3, 2], [0, 1, 1], [4, 2, 3]][:n_subjects])
    for record in agree.audit(table, scale="0-4 ordinal", resampling=agree.Resampling(n=50)):
        assert record.value is not None or record.reason, record
        for end in (record.value, record.low, record.high):
            assert end is None or abs(end) < float("inf"), record


def test_words_as_grades(tmp_path, by_name):
    rows = "a,x,1,none\na,y,1,none\nb,x,1,mild\nb,y,1,severe\nc,x,1,severe\nc,y,1,severe\n"
    found = by_name(agree.exact(read(tmp_path, rows, "none,mild,severe ordinal")))
    assert found["exact"].value == pytest.approx(2 / 3)
    with pytest.raises(TableError, match=r"row 2 column value: 'none' is not known"):
        read(tmp_path, rows, "clear,bad nominal")


@pytest.mark.parametrize("scale", ["0-", "4-0", "0-4 rising", "a ordinal", "0-4 step 0", "0-4 step 0.3", "one two"])
def test_scales_that_are_none(scale):
    with pytest.raises(InputError, match="--scale"):
        agree.parse_scale(scale)


def test_one_rater_one_subject_no_variation(long):
    answers = {
        "there is one rater only": agree.icc(long([[1], [2], [3]])),
        "too few subjects": agree.icc(long([[1, 2]])),
        "no variation: every rating is 2": agree.icc(long([[2, 2], [2, 2], [2, 2]])),
    }
    for reason, records in answers.items():
        assert all(r.value is None and r.low is None and reason in r.reason for r in records)


def test_no_variation_is_never_one(long):
    same = long([[2, 2, 2]] * 6)
    for record in agree.audit(same, scale="0-4 ordinal", resampling=agree.Resampling(n=50)):
        assert record.value is None or record.value not in (1.0,), record
        assert record.reason, record


def test_perfect_agreement_with_variation_is_one_without_false_interval(long, by_name):
    found = by_name(agree.kappa(long([[0, 0], [1, 1], [2, 2], [3, 3]] * 3), "r1", "r2", scale="0-4 ordinal"))
    record = found["kappa_quadratic"]
    assert record.value == 1.0
    assert record.low is None
    assert "no interval" in record.reason


def test_one_missing_cell_goes_to_reml(long, by_name):
    table = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, None]]
    found = by_name(agree.icc(long(table), agree.Resampling(n=200)))
    assert found["icc_a1"].n_ratings == 23
    assert found["icc_a1"].method.startswith("REML")
    assert found["icc_a1"].value == pytest.approx(0.29, abs=0.05)


def test_a_rater_who_scored_once(long, by_name):
    table = [[1, 1, None], [2, 3, None], [3, 3, 2], [4, 4, None], [0, 1, None]]
    found = by_name(agree.limits(long(table), "r3", "r1"))
    assert found["bias"].value is None
    assert "too few: r3 and r1 share 1 subject" in found["bias"].reason
    whole = by_name(agree.icc(long(table), agree.Resampling(n=200)))
    assert whole["icc_a1"].value is not None


def test_unknown_reference_and_undeclared_scale(long):
    table = long([[1, 2], [2, 2], [3, 4]])
    with pytest.raises(InputError, match=r"there is no rater 'r9'. The raters are r1, r2"):
        agree.audit(table, reference="r9")
    assert all("not declared" in r.reason for r in agree.kappa(table, "r1", "r2"))


def test_a_day_that_is_not_known(tmp_path):
    rows = "".join(
        f"s{s},v{v},{'' if s == 2 else 30 * v + 1},{r},{10 + s + v + ord(r) % 3}\n"
        for s in range(8)
        for v in (0, 1)
        for r in "xyz"
    )
    ratings = read(tmp_path, "subject_id,visit,day,rater,value\n" + rows, "0-72 continuous")
    records = agree.audit(ratings, by=(), resampling=agree.Resampling(n=25))
    drift = [r for r in records if r.statistic == "drift_per_100_days"]
    assert [r.n_subjects for r in drift] == [7, 7, 7]


def test_findings_and_scores_are_read(tmp_path, by_name):
    rows = [
        f"s{s},v1,1,{rater},1,{region},{10 + s},{(s + shift) % 5},{s % 5},{s % 5}"
        for s in range(6)
        for rater, shift in (("ann", 0), ("model", 1))
        for region in ("trunk", "head_neck")
    ]
    path = tmp_path / "findings.csv"
    head = "subject_id,visit,day,rater,reading,region,area_percent,erythema,induration,scaling\n"
    path.write_text(head + "\n".join(rows) + "\n", encoding="utf-8")
    grades = agree.read_ratings(path)
    assert grades.n_ratings == 6 * 2 * 2 * 3
    assert set(grades.columns["sign"]) == {"erythema", "induration", "scaling"}
    found = by_name(agree.exact(grades))
    assert found["exact"].value == pytest.approx(2 / 3)  # only erythema differs, always
    area = agree.read_ratings(path, value="area_percent")
    assert str(area.scale) == "0-100 continuous"
    with pytest.raises(InputError, match="no value 'pasi'"):
        agree.read_ratings(path, value="pasi")
