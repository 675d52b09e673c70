"""Sets on disk: the same bytes whatever the jobs, resumable, extendable, and clear refusals."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import numpy as np
import pytest

from pasi_vision.anatomy import View
from pasi_vision.errors import InputError, OutputError, SettingsError
from pasi_vision.phantom import dataset
from pasi_vision.phantom.dataset import SetRequest, make_set
from pasi_vision.phantom.sheet import contact_sheet
from pasi_vision.records import Masks
from pasi_vision.storage import read_picture
from pasi_vision.tables import FINDINGS, PHOTOS, read_table

PRESET = """
name: tiny
views: [trunk_front, head_back]
megapixels: 0.007
median_bsa_percent: 2.0
clear: 0.0
drop_out: 0.0
cards: 0.0
body_close_ups: 1
"""


@pytest.fixture(scope="module")
def preset(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("preset") / "tiny.yaml"
    path.write_text(PRESET, encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, preset: str) -> Path:
    folder = tmp_path_factory.mktemp("set") / "a"
    report = make_set(SetRequest(folder, patients=1, visits=2, preset=preset, seed=3))
    assert (report.made, report.kept, report.failed) == (6, 0, {})
    return folder


def _bytes(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "contact.jpg"
    }


def test_the_layout_is_the_data_contract(made: Path) -> None:
    photos, findings = read_table(made / "photos.csv", PHOTOS), read_table(made / "findings.csv", FINDINGS)
    assert len(photos) == 6
    assert set(photos["view"]) == {"trunk_front", "head_back", "close_up"}
    assert sorted(set(photos["day"])) == [1, 29]
    assert len(findings) == 2 * 4 * 5  # visits x regions x (truth + two clinicians x two readings)
    for path in photos["path"]:
        masks = Masks.load(made / "masks", Path(path).stem)
        assert masks.regions.shape == read_picture(made / path).shape[:2]
        assert not (masks.lesion & (masks.regions == 0)).any()
        assert not (masks.outline & (masks.regions == 0)).any()
        assert not (masks.lesion & ~masks.outline).any()
        assert not masks.signs[~masks.lesion].any()
    truth = findings[findings["rater"] == "truth"]
    assert (truth["area_percent"] >= truth["area_percent_exact"]).all()


def test_running_again_changes_nothing(made: Path, preset: str) -> None:
    before = _bytes(made)
    request = SetRequest(made, patients=1, visits=2, preset=preset, seed=3)
    report = make_set(request)
    assert (report.made, report.kept) == (0, 6)
    assert _bytes(made) == before


def test_a_stopped_set_goes_on_to_the_same_bytes(made: Path, preset: str) -> None:
    before = _bytes(made)
    victims = sorted((made / "photos").glob("*.jpg"))[1:4]
    for path in victims:
        path.unlink()
    (made / "masks" / f"{victims[0].stem}.lesion.png").unlink()
    request = SetRequest(made, patients=1, visits=2, preset=preset, seed=3)
    assert make_set(request).made == 3
    assert _bytes(made) == before


@pytest.mark.slow
def test_jobs_and_parts_do_not_change_bytes(made: Path, tmp_path: Path, preset: str) -> None:
    other = tmp_path / "b"
    make_set(SetRequest(other, patients=2, visits=2, preset=preset, seed=3), jobs=2)
    first, second = _bytes(made), _bytes(other)
    shared = [name for name in first if name.startswith(("photos/P0001", "masks/P0001", "truth/P0001"))]
    assert len(shared) > 20
    assert all(first[name] == second[name] for name in shared)


def test_depth_and_place_of_every_pixel_if_asked(tmp_path: Path, preset: str) -> None:
    folder = tmp_path / "set"
    make_set(SetRequest(folder, patients=1, visits=2, preset=preset, seed=3))
    assert not list(folder.glob("truth/*.npz"))
    report = make_set(SetRequest(folder, patients=1, visits=2, preset=preset, seed=3, geometry=True))
    assert report.made > 0  # drawn once more, with the same bytes
    for file in folder.glob("truth/*_trunk_front.geometry.npz"):
        regions = read_picture(folder / "masks" / f"{file.name.partition('.')[0]}.regions.png", grey=True)
        with np.load(file) as stored:
            depth, place = stored["depth_mm"], stored["place_mm"]
        assert depth.shape == regions.shape
        assert 800 < np.median(depth[depth > 0]) < 3500
        assert ((depth > 0) <= (regions > 0)).all()
        height = np.ptp(place[depth > 0][:, 2])
        assert 300 < height < 1900  # a trunk with neck and thighs, in mm on the body
    again = make_set(SetRequest(folder, patients=1, visits=2, preset=preset, seed=3, geometry=True))
    assert again.made == 0


def test_another_seed_gives_another_patient(made: Path, tmp_path: Path, preset: str) -> None:
    other = tmp_path / "c"
    make_set(SetRequest(other, patients=1, visits=1, preset=preset, seed=4, masks=False))
    name = "photos/P0001_baseline_trunk_front.jpg"
    assert (made / name).read_bytes() != (other / name).read_bytes()
    assert not list((other / "masks").iterdir())


def test_one_failing_photograph_loses_nothing_else(
    tmp_path: Path, preset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pasi_vision.phantom import session

    real = session.take

    def take(*given: object) -> object:
        if given[4] is View.HEAD_BACK:
            raise ValueError("the lens fell off")
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(session, "take", take)
    report = make_set(SetRequest(tmp_path / "d", patients=1, visits=1, preset=preset, seed=3))
    assert report.failed == {"P0001_baseline_head_back": "ValueError: the lens fell off"}
    assert len(read_table(tmp_path / "d" / "photos.csv", PHOTOS)) == 2
    assert json.loads((tmp_path / "d" / "manifest.json").read_text())["failed"]


def test_a_full_disk_stops_with_a_plain_sentence_and_no_half_picture(
    tmp_path: Path, preset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OutputError(
            "the disk is full", where="photo", fix="Free space and run the same command again."
        ) from OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(dataset, "write_bytes", full)
    with pytest.raises(OutputError, match="disk is full"):
        make_set(SetRequest(tmp_path / "e", patients=1, visits=1, preset=preset, seed=3))
    assert not list((tmp_path / "e" / "photos").iterdir())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"patients": 0}, "nothing to make"),
        ({"patients": -1}, "negative"),
        ({"visits": 0}, "impossible"),
        ({"seed": -5}, "negative"),
    ],
)
def test_impossible_requests_are_refused(tmp_path: Path, change: dict[str, int], words: str) -> None:
    with pytest.raises(InputError, match=words):
        make_set(SetRequest(tmp_path / "f", **{"patients": 1, "visits": 1, **change}))
    assert not (tmp_path / "f").exists()


def test_unknown_presets_keys_and_foreign_folders_are_refused(tmp_path: Path, made: Path) -> None:
    with pytest.raises(SettingsError, match="unknown preset 'nice'"):
        make_set(SetRequest(tmp_path / "g", patients=1, visits=1, preset="nice"))
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(PRESET + "hats: 3\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="hats"):
        make_set(SetRequest(tmp_path / "g", patients=1, visits=1, preset=str(wrong)))
    with pytest.raises(InputError, match="another set"):
        make_set(SetRequest(made, patients=1, visits=2, preset="careful", seed=99))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(InputError, match="not empty"):
        make_set(SetRequest(tmp_path / "mine", patients=1, visits=1))


def test_the_contact_sheet_shows_every_photograph(made: Path, tmp_path: Path) -> None:
    sheet = read_picture(contact_sheet(made))
    assert sheet.shape == (240, 6 * 240, 3)
    assert all(np.std(sheet[:, 240 * i : 240 * (i + 1)]) > 5 for i in range(6))
    (made / "contact.jpg").unlink()
    with pytest.raises(InputError, match="no photographs"):
        contact_sheet(tmp_path)
