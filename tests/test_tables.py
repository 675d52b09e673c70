"""Tables: what is read is what stood in the file, a wrong cell is named by file, row and column, and every engine agrees."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import pasi_vision.tables.files as files
from pasi_vision.errors import InputError, OutputError, TableError
from pasi_vision.tables import FINDINGS, SCORES, read_table, write_table

HEADER = "subject_id,visit,day,rater,reading,region,area_percent,erythema,induration,scaling"
GOOD = "s1,baseline,1,r1,1,trunk,15,2,1,2"


def csv(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "findings.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


@pytest.fixture(params=["arrow", "pandas"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of reading and writing CSV, whichever is installed beside the other."""
    if request.param == "pandas":
        monkeypatch.setattr(files, "_has_arrow", lambda: False)
    return str(request.param)


CASES = [
    ("grade 5", ["s1,baseline,1,r1,1,trunk,15,5,1,2"], HEADER, "row 2 column erythema: '5' is off the scale"),
    ("101 per cent", [GOOD, "s1,baseline,1,r1,1,head_neck,101,2,1,2"], HEADER, "row 3 column area_percent: '101' is off"),
    ("negative", ["s1,baseline,1,r1,1,trunk,-1,2,1,2"], HEADER, "row 2 column area_percent: '-1' is off the scale"),
    ("unknown region", ["s1,baseline,1,r1,1,torso,15,2,1,2"], HEADER, "row 2 column region: 'torso' is not known"),
    ("a word", ["s1,baseline,1,r1,1,trunk,many,2,1,2"], HEADER, "row 2 column area_percent: 'many' is not a number"),
    ("nan", ["s1,baseline,1,r1,1,trunk,nan,2,1,2"], HEADER, "row 2 column area_percent: 'nan' is not a number"),
    ("comma", ['s1,baseline,1,r1,1,trunk,"9,5",2,1,2'], HEADER, "column area_percent: '9,5' is not a number"),
    ("half a day", ["s1,baseline,1.5,r1,1,trunk,15,2,1,2"], HEADER, "row 2 column day: '1.5' is not a whole number"),
    ("no day", ["s1,baseline,,r1,1,trunk,15,2,1,2"], HEADER, "row 2 column day: the cell is empty"),
    ("reading 0", ["s1,baseline,1,r1,0,trunk,15,2,1,2"], HEADER, "row 2 column reading: '0' is off the scale"),
    ("twice", [GOOD, GOOD], HEADER, "row 3 columns subject_id, visit, rater, reading, region"),
    ("wrong column", [GOOD], HEADER.replace("erythema", "erytema"), "row 1: column 'erythema' is missing. Is 'erytema' meant"),
    ("no area", ["s1,baseline,1,r1,1,trunk,15,2,1,2"], HEADER.replace("area_percent", "area"), "one of the columns area_percent or area_"),
    ("no rows", [], HEADER, "the table has no rows"),
    ("semicolons", [GOOD.replace(",", ";")], HEADER.replace(",", ";"), "separated by semicolons"),
    ("too many cells", [GOOD + ",7,8"], HEADER, "row 2: the rows have more cells than the header"),
    ("one cell too many", [GOOD, GOOD.replace("s1", "s2") + ",7"], HEADER, "not a UTF-8 CSV"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "rows", "header", "says"), CASES, ids=[case[0] for case in CASES])
def test_a_wrong_cell_is_named(tmp_path: Path, engine: str, name: str, rows: list[str], header: str, says: str) -> None:
    path = csv(tmp_path, *rows, header=header)
    with pytest.raises(TableError) as error:
        read_table(path, FINDINGS)
    assert says in str(error.value)
    assert str(path) in str(error.value)


def test_missing_and_empty_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="file not found"):
        read_table(tmp_path / "none.csv", FINDINGS)
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(TableError, match="the file is empty"):
        read_table(tmp_path / "empty.csv", FINDINGS)
    (tmp_path / "latin.csv").write_bytes(HEADER.encode() + b"\n\xe9" + GOOD.encode())
    with pytest.raises(TableError, match="not a UTF-8 CSV"):
        read_table(tmp_path / "latin.csv", FINDINGS)
    (tmp_path / "broken.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match="not a Parquet file"):
        read_table(tmp_path / "broken.parquet", FINDINGS)


def test_cells_are_read_as_they_stand(tmp_path: Path, engine: str) -> None:
    path = csv(
        tmp_path,
        " 007 ,baseline, 1 ,r1,1,trunk,9.5,2,,2,free text",
        '"Müller, A",baseline,-3,r1,1,trunk,,2.25,1,2,',
        header=HEADER + ",note",
    )
    frame = read_table(path, FINDINGS)
    assert frame["subject_id"].tolist() == ["007", "Müller, A"]
    assert frame["day"].tolist() == [1, -3]
    assert frame["day"].dtype == np.int64
    assert frame["area_percent"].tolist()[0] == 9.5
    assert np.isnan(frame["area_percent"].tolist()[1])
    assert np.isnan(frame["induration"].tolist()[0])
    assert frame["note"].tolist() == ["free text", ""]


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path, engine: str) -> None:
    path = csv(tmp_path, GOOD)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_table(path, FINDINGS)["subject_id"].tolist() == ["s1"]


def scores() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "subject_id": ["s1", "s2", "s3"],
            "visit": ["baseline"] * 3,
            "day": [1, 1, 1],
            "rater": ["r1"] * 3,
            "reading": [1] * 3,
            "pasi": [12.2, np.nan, 12.0],
            "pasi_continuous": [0.1 + 0.2, 1e-7, np.nan],
            "status": ["scored", "not_scorable", "scored"],
            "reason": ["", 'said "no", twice', None],
            "wanted": [True, False, True],
        }
    )


def test_every_engine_writes_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = scores()
    plain["reason"] = ["", "no photograph", None]
    for number, frame in enumerate((scores(), plain)):
        for engine in (True, False):
            monkeypatch.setattr(files, "_has_arrow", lambda engine=engine: engine)
            write_table(tmp_path / f"{engine}.csv", frame, SCORES)
        written = (tmp_path / "True.csv").read_text()
        assert written == (tmp_path / "False.csv").read_text()
        reason = '"said ""no"", twice"' if number == 0 else "no photograph"
        assert written.splitlines() == [
            "subject_id,visit,day,rater,reading,pasi,pasi_continuous,status,reason,wanted",
            "s1,baseline,1,r1,1,12.2,0.30000000000000004,scored,,true",
            f"s2,baseline,1,r1,1,,1e-7,not_scorable,{reason},false",
            "s3,baseline,1,r1,1,12,,scored,,true",
        ]


@pytest.mark.parametrize("name", ["scores.csv", "scores.parquet"])
def test_what_is_written_is_read_back(tmp_path: Path, name: str) -> None:
    write_table(tmp_path / name, scores(), SCORES)
    back = read_table(tmp_path / name, SCORES)
    assert back["reason"].tolist() == [None, 'said "no", twice', None]
    numbers = ["pasi", "pasi_continuous", "day", "reading"]
    pd.testing.assert_frame_equal(back[numbers], scores()[numbers])
    assert back["subject_id"].tolist() == ["s1", "s2", "s3"]
    assert read_table(tmp_path / name, SCORES, categories=True)["rater"].dtype == "category"


def test_nothing_half_written_stays(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="off the scale"):
        write_table(tmp_path / "scores.csv", scores().assign(pasi=73.0), SCORES)
    with pytest.raises(OutputError, match="cannot be written"):
        write_table(tmp_path / "no" / "scores.csv", scores(), SCORES)
    assert list(tmp_path.iterdir()) == []
