"""A clinician's findings: drafts, signatures that seal, and new versions with a reason."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.utils import timezone

from pasi_vision.anatomy import GRADE_MAX, Region, Sign
from pasi_vision.errors import InputError, NotScorableError
from pasi_vision.portal import dealing
from pasi_vision.portal.models import Assignment, Person, SignedReading
from pasi_vision.portal.plan import StudyPlan
from pasi_vision.portal.trail import Subject, record
from pasi_vision.records import Finding, Score
from pasi_vision.tables import Status

__all__ = ["FIELDS", "complete", "content_of", "findings_of", "save_draft", "sha256_of_reading", "sign"]

FIELDS = tuple(f"{region.value}.{what}" for region in Region for what in ("area_percent", *(s.value for s in Sign)))
"""Names of a draft's values: `trunk.area_percent`, `trunk.erythema` ..."""


def save_draft(assignment: Assignment, given: dict[str, str]) -> dict[str, float]:
    """Keep what stands in the form, incomplete as it may be; gives what was understood.

    Raises:
        InputError: A value is off its scale, or the reading is signed and no new version was begun.
    """
    draft = {name: number for name in FIELDS if (number := _number(name, given.get(name, ""))) is not None}
    note = given.get("note", "").strip()[:1000]
    assignment.draft = {**draft, **({"note": note} if note else {})}
    assignment.draft_saved_at = timezone.now()
    assignment.save(update_fields=["draft", "draft_saved_at"])
    return draft


def complete(draft: dict[str, Any]) -> list[str]:
    """Names of the values that are still missing; with an area of 0 the grades of that region are 0 and not asked."""
    return [
        name
        for name in FIELDS
        if name not in draft and not (draft.get(f"{name.split('.')[0]}.area_percent") == 0 and "area" not in name)
    ]


def findings_of(assignment: Assignment, draft: dict[str, Any]) -> list[Finding]:
    """The four findings of a complete draft."""
    visit, rater = assignment.visit, assignment.clinician.username
    found = []
    for region in Region:
        area = float(draft[f"{region.value}.area_percent"])
        grades = {sign.value: float(draft.get(f"{region.value}.{sign.value}", 0)) if area else 0.0 for sign in Sign}
        found.append(
            Finding(
                visit.subject.code,
                visit.name,
                visit.day,
                rater,
                assignment.reading,
                region,
                area_percent=area,
                status=Status.SCORED,
                **grades,  # type: ignore[arg-type]  # the three signs are floats
            )
        )
    return found


def content_of(assignment: Assignment, draft: dict[str, Any]) -> dict[str, Any]:
    """What is signed: findings, score and the hashes of the photographs, without the subject (the assignment knows it).

    Raises:
        InputError: Values are missing.
    """
    missing = complete(draft)
    if missing:
        named = ", ".join(name.replace(".", " ").replace("_", " ") for name in missing[:4])
        raise InputError(f"{len(missing)} value(s) are missing: {named} ...", where="form", fix="Fill them in.")
    findings = findings_of(assignment, draft)
    score = _score(findings)
    keep = ("region", "area_percent", *(sign.value for sign in Sign))
    rows = [
        {name: str(value) if name == "region" else value for name, value in asdict(f).items() if name in keep}
        for f in findings
    ]
    return {
        "findings": rows,
        "note": draft.get("note", ""),
        "photographs": assignment.visit.shown_photographs(),
        "score": {"pasi": score.pasi, "pasi_continuous": score.pasi_continuous, "bsa_percent": score.bsa_percent},
    }


def sign(assignment: Assignment, by: Person, password: str, *, reason: str = "") -> SignedReading:
    """Seal the draft under the signer's name, time and meaning; asks for the password again.

    Raises:
        InputError: Wrong password, missing values, not the signer's own reading, or a change without a reason.
    """
    from pasi_vision.portal.study_now import current_plan

    if assignment.clinician_id != by.pk:
        raise InputError("this reading is somebody else's", where="signature", fix="Sign your own readings.")
    check_password(by, password)
    plan = current_plan()
    with transaction.atomic():
        assignment = (
            Assignment.objects.select_for_update().select_related("visit__subject", "clinician").get(pk=assignment.pk)
        )
        if assignment.visit.is_open:
            raise InputError("the visit was opened again", where="signature", fix="It comes back once it is closed.")
        last = assignment.versions.order_by("-version").first()
        reason = reason.strip()[:300]
        if last and not reason:
            raise InputError("a change after signing needs a reason", where="reason", fix="Write one sentence.")
        content = content_of(assignment, assignment.draft)
        if last and last.content == content:
            raise InputError("nothing was changed", where="form", fix="Leave the page, or change a value.")
        signed = SignedReading(
            assignment=assignment,
            version=last.version + 1 if last else 1,
            content=content,
            signer=by,
            signer_name=by.full_name,
            signed_at=timezone.now(),
            meaning=plan.readings.meaning,
            reason=reason,
        )
        signed.sha256 = sha256_of_reading(signed)
        signed.save(force_insert=True)
        Assignment.objects.filter(pk=assignment.pk).update(done=True)
        assignment.done = True
        _note(signed, by, last, plan)
    return signed


def _note(signed: SignedReading, by: Person, last: SignedReading | None, plan: StudyPlan) -> None:
    assignment = signed.assignment
    record(
        by,
        "reading signed" if last is None else "reading changed and signed",
        Subject("reading", assignment.pk, assignment.visit.subject.site_id),
        before={"version": last.version, "sha256": last.sha256} if last else None,
        after={"version": signed.version, "sha256": signed.sha256},
        reason=signed.reason,
    )
    dealing.deal_again(assignment, plan)


def check_password(person: Person, password: str) -> None:
    """Raise unless it is the person's password; wrong ones count towards the lock as at sign-in.

    Raises:
        InputError: It is wrong, or the account is locked.
    """
    from axes.handlers.proxy import AxesProxyHandler
    from django.http import HttpRequest

    request = HttpRequest()
    request.META["REMOTE_ADDR"] = "127.0.0.1"
    credentials = {"username": person.username}
    if not AxesProxyHandler.is_allowed(request, credentials):
        raise InputError(
            "too many wrong passwords", where="signature", fix="Wait 15 minutes or ask your administrator."
        )
    if not person.check_password(password):
        from django.contrib.auth.signals import user_login_failed

        user_login_failed.send(sender="signature", credentials=credentials, request=request)
        raise InputError("the password is wrong", where="signature", fix="Type it again.")


def sha256_of_reading(signed: SignedReading) -> str:
    """SHA-256 over content, signer, time and meaning: what the signature seals."""
    sealed = {
        "assignment": str(signed.assignment_id),
        "version": signed.version,
        "content": signed.content,
        "signer": str(signed.signer_id),
        "signer_name": signed.signer_name,
        "signed_at": signed.signed_at.isoformat(timespec="microseconds"),
        "meaning": signed.meaning,
        "reason": signed.reason,
    }
    return hashlib.sha256(json.dumps(sealed, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _score(findings: list[Finding]) -> Score:
    from pasi_vision.score import pasi

    score = pasi(findings)
    if score.pasi is None:
        raise NotScorableError(score.reason, where="form", fix="Complete the findings.")
    return score


def _number(name: str, text: str) -> float | None:
    text = str(text).strip().replace(",", ".")
    if not text:
        return None
    most = 100 if name.endswith("area_percent") else GRADE_MAX
    try:
        number = float(text)
    except ValueError as error:
        raise InputError(f"{text[:20]!r} is not a number", where=name, fix="Use digits.") from error
    if not 0 <= number <= most or (most == GRADE_MAX and number != int(number)):
        raise InputError(f"{text[:20]} is off the scale", where=name, fix=f"Use 0 to {most}.")
    return number
