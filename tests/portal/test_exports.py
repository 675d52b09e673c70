"""Exports: the design's tables through their one home, photographs with a manifest."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

from pasi_vision.portal import signing
from pasi_vision.portal.models import Assignment, Photograph, Visit
from pasi_vision.tables import FINDINGS, PHOTOS, SCORES, read_table

GIVEN = {
    **{f"{region}.area_percent": "10" for region in ("head_neck", "upper_limbs", "trunk", "lower_limbs")},
    **{
        f"{r}.{s}": "2"
        for r in ("head_neck", "upper_limbs", "trunk", "lower_limbs")
        for s in ("erythema", "induration", "scaling")
    },
}


def test_findings_and_scores_read_back_as_the_designs_tables(study: Any, signed_in: Any, tmp_path: Path) -> None:
    assert signed_in("analyst").get("/exports/findings/").status_code == 400, "there are none yet, said in words"
    Visit.objects.update(state="closed")
    study.visit.refresh_from_db()
    reading = Assignment.objects.create(
        visit=study.visit, clinician=study.people["clinician"], reading=1, purpose="first", place=0
    )
    signing.save_draft(reading, GIVEN)
    signing.sign(reading, study.people["clinician"], "a long password 17")
    for name, table, rows in (("findings", FINDINGS, 4), ("scores", SCORES, 1)):
        path = tmp_path / f"{name}.csv"
        path.write_bytes(signed_in("analyst").get(f"/exports/{name}/").getvalue())
        assert len(read_table(path, table)) == rows
    scores = read_table(tmp_path / "scores.csv", SCORES).iloc[0]
    assert (scores["subject_id"], scores["visit"], scores["rater"], scores["pasi"]) == (
        "S01-001",
        "baseline",
        "clinician",
        12.0,
    )
    rows = signed_in("analyst").get("/api/v1/scores/").json()["rows"]
    assert [row["pasi"] for row in rows] == [12.0]


def test_the_archive_holds_cleared_photographs_with_their_hashes(
    study: Any, signed_in: Any, send: Any, jpeg: Any, tmp_path: Path
) -> None:
    shown, hidden = (
        send(signed_in("uploader"), jpeg(60 + n), view=view) for n, view in enumerate(("trunk_front", "palms"))
    )
    Photograph.objects.update(kept_reason="test")
    Photograph.objects.filter(pk=shown["photograph"]).update(identity="confirmed")
    archive = zipfile.ZipFile(io.BytesIO(signed_in("analyst").get("/exports/photographs/").getvalue()))
    manifest = json.loads(archive.read("manifest.json"))["photographs"]
    assert len(manifest) == 1, "what nobody has looked at is not exported"
    assert hashlib.sha256(archive.read(manifest[0]["path"])).hexdigest() == manifest[0]["sha256"]
    assert hidden["photograph"][:8] not in " ".join(archive.namelist())
    (tmp_path / "photos.csv").write_bytes(archive.read("photos.csv"))
    assert read_table(tmp_path / "photos.csv", PHOTOS)["path"].tolist() == [manifest[0]["path"]]


def test_the_api_answers_wrong_pages_in_words(signed_in: Any) -> None:
    for query in ("limit=9999", "limit=x", "offset=-1", "offset=99999999999"):
        answer = signed_in("analyst").get(f"/api/v1/visits/?{query}")
        assert answer.status_code == 400
        assert answer.json()["error"]


def test_openapi_describes_every_api_route(signed_in: Any) -> None:
    from pasi_vision.portal.urls import ROUTES

    described = signed_in("analyst").get("/api/v1/openapi.json").json()["paths"]
    assert len(described) == len({route.pattern for route in ROUTES if route.is_api})
    assert described["/api/v1/uploads/{upload_id}/"]["patch"]["parameters"][0]["name"] == "upload_id"


def test_the_dashboard_sums_model_against_clinicians_by_hand(study: Any, signed_in: Any) -> None:
    """Clinician 12.0 (above), model 15.0: the difference is 3.0, and nobody without the permission sees it."""
    from pasi_vision.portal.models import ModelScore, Visit

    Visit.objects.update(state="closed")
    study.visit.refresh_from_db()
    reading = Assignment.objects.create(
        visit=study.visit, clinician=study.people["clinician"], reading=1, purpose="first", place=0
    )
    signing.save_draft(reading, GIVEN)
    signing.sign(reading, study.people["clinician"], "a long password 17")
    Visit.objects.filter(pk=study.visit.pk).update(state="closed")
    score = {"pasi": 15.0, "pasi_low": 9.0, "pasi_high": 21.0, "status": "scored"}
    ModelScore.objects.create(visit=study.visit, model="m@1", photographs_key="k", score=score)
    context = signed_in("analyst").get("/dashboard/").context
    assert (context["agreement"].visits, context["agreement"].mean_difference) == (1, 3.0)
    assert context["agreement"].standard_deviation is None, "one visit has no spread"
    assert b"Model and clinicians" not in signed_in("monitor").get("/dashboard/").content


def test_the_dashboard_counts_photographs_refusals_by_reason_and_overdue_visits(
    study: Any, signed_in: Any, send: Any, jpeg: Any
) -> None:
    """One photograph, two unreadable files and the same file for another view; the baseline of January leaves three visits overdue."""
    client = signed_in("uploader")
    told = send(client, jpeg(95), view="palms")
    for data in (b"no photograph", b"no photograph either"):
        send(client, data)
    send(client, jpeg(95), view="soles")
    Photograph.objects.filter(pk=told["photograph"]).update(
        verdict="retake", measures=[{"name": "sharpness", "value": 1, "unit": "", "verdict": "retake"}]
    )
    context = signed_in("monitor").get("/dashboard/").context
    assert context["reasons"] == [("unreadable", 2), ("sharpness", 1), ("elsewhere", 1)]
    figures = dict(context["figures"])
    assert (figures["photographs"], figures["open visits"], figures["overdue visits"]) == (1, 1, 3)
    (site,) = context["sites"]
    assert (site.n_subjects, site.n_photographs, site.n_retake, site.n_refused) == (1, 1, 1, 3)
    assert {entry.planned.name for entry in context["overdue"]} == {"week 4", "week 8", "week 12"}
    elsewhere = dict(signed_in("monitor2").get("/dashboard/").context["figures"])
    assert elsewhere["photographs"] == 0
