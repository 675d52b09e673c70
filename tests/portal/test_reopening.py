"""A closed visit is opened again with a reason: what waits is held back, what was signed stays, other photographs are read anew."""

from __future__ import annotations

from typing import Any

import pytest

from pasi_vision.errors import InputError
from pasi_vision.portal import signing, visits
from pasi_vision.portal.models import Assignment, AuditEvent, Photograph, SignedReading, Visit
from pasi_vision.portal.study_now import current_plan

PASSWORD = "a long password 17"
REGIONS = ("head_neck", "upper_limbs", "trunk", "lower_limbs")
GIVEN = {
    **{f"{region}.area_percent": "10" for region in REGIONS},
    **{f"{region}.{sign}": "2" for region in REGIONS for sign in ("erythema", "induration", "scaling")},
}


def usable(told: Any, study: Any) -> None:
    photograph = Photograph.objects.get(pk=told["photograph"])
    if photograph.verdict == "retake":
        visits.keep_anyway(photograph, "test picture", study.people["uploader"])
    visits.confirm_identity(photograph, study.people["uploader"])


def close(study: Any) -> Visit:
    visit, plan = Visit.objects.get(pk=study.visit.pk), current_plan()
    visits.close_visit(visit, dict.fromkeys(plan.views, "not possible"), study.people["uploader"], plan)
    return visit


@pytest.fixture
def closed(study: Any, signed_in: Any, send: Any, jpeg: Any) -> Visit:
    """A closed visit, dealt to two of three clinicians, of whom the first has signed."""
    usable(send(signed_in("uploader"), jpeg(80)), study)
    visit = close(study)
    first = visit.assignments.order_by("clinician__username").first()
    signing.save_draft(first, GIVEN)
    signing.sign(first, first.clinician, PASSWORD)
    return visit


def reopen(study: Any, signed_in: Any, name: str = "monitor", reason: str = "A photograph shows a name tag.") -> Any:
    return signed_in(name).post(f"/visits/{study.visit.pk}/reopen/", {"reason": reason})


def test_only_a_monitor_reopens_and_only_with_a_reason(closed: Visit, study: Any, signed_in: Any) -> None:
    assert reopen(study, signed_in, "uploader").status_code == 403
    assert reopen(study, signed_in, reason=" ").status_code == 400
    assert reopen(study, signed_in).status_code == 302
    assert reopen(study, signed_in).status_code == 400, "it is open already"
    event = AuditEvent.objects.get(action="visit reopened")
    assert event.reason == "A photograph shows a name tag."
    assert event.before["gaps"], "what was said of missing views is kept"
    assert signed_in("uploader").get(f"/visits/{study.visit.pk}/camera/").status_code == 200


def test_readings_are_held_back_while_a_visit_is_open(closed: Visit, study: Any, signed_in: Any) -> None:
    waiting = closed.assignments.get(done=False, purpose="first")
    client = signed_in(waiting.clinician.username)
    assert str(waiting.pk) in client.get("/readings/").content.decode()
    reopen(study, signed_in)
    assert str(waiting.pk) not in client.get("/readings/").content.decode()
    assert client.post(f"/readings/{waiting.pk}/sign/", {**GIVEN, "password": PASSWORD}).status_code == 404
    close(study)
    assert str(waiting.pk) in client.get("/readings/").content.decode()


def test_the_same_photographs_again_change_nothing_for_who_signed(closed: Visit, study: Any, signed_in: Any) -> None:
    firsts = set(closed.assignments.filter(purpose="first").values_list("pk", flat=True))
    reopen(study, signed_in)
    close(study)
    assert closed.assignments.filter(done=True).count() == 1
    assert set(closed.assignments.filter(purpose="first").values_list("pk", flat=True)) == firsts


def test_other_photographs_are_read_anew_in_a_new_version(
    closed: Visit, study: Any, signed_in: Any, send: Any, jpeg: Any
) -> None:
    reopen(study, signed_in)
    usable(send(signed_in("uploader"), jpeg(81), "palms"), study)
    close(study)
    reading = Assignment.objects.get(visit=closed, versions__isnull=False)
    assert not reading.done
    assert reading.draft == {}, "a fresh look"
    assert SignedReading.objects.count() == 1, "what was signed stays"
    signing.save_draft(reading, GIVEN)
    with pytest.raises(InputError, match="needs a reason"):
        signing.sign(reading, reading.clinician, PASSWORD)
    signing.sign(reading, reading.clinician, PASSWORD, reason="other photographs")
    first, second = SignedReading.objects.order_by("version")
    assert (len(first.content["photographs"]), len(second.content["photographs"])) == (1, 2)
    assert AuditEvent.objects.filter(action="reading asked again").count() == 1
