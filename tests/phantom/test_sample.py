"""The sample of the repository: complete, small, and with the two flaws that the demo shows."""

from __future__ import annotations

from pasi_vision.anatomy import View
from pasi_vision.storage import resource
from pasi_vision.tables import FINDINGS, PHOTOS, read_table


def test_the_sample_is_three_patients_by_three_visits_with_one_view_missing() -> None:
    folder = resource("sample")
    photos = read_table(folder / "photos.csv", PHOTOS)
    assert all((folder / path).is_file() for path in photos["path"])
    assert sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) <= 12 * 2**20
    required = {view.value for view in View if view.value.endswith(("front", "back"))}
    by_visit = photos.groupby(["subject_id", "visit"])["view"].agg(set)
    assert len(by_visit) == 9
    lacking = {visit: required - views for visit, views in by_visit.items() if required - views}
    assert lacking == {("P0003", "week_8"): {"lower_limbs_back"}}
    assert "VI" in set(photos["skin_tone"])


def test_the_sample_has_truth_and_two_clinicians_with_two_readings() -> None:
    findings = read_table(resource("sample") / "findings.csv", FINDINGS)
    readings = findings.groupby("rater")["reading"].agg(lambda values: sorted(set(values)))
    assert readings.to_dict() == {"clinician_1": [1, 2], "clinician_2": [1, 2], "truth": [1]}
    assert len(findings) == 9 * 4 * 5
    truth = findings[findings["rater"] == "truth"]
    assert (truth["area_percent_exact"] <= truth["area_percent"]).all()
