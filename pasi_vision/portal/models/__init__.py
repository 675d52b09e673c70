"""The portal's tables: people, study, photographs, readings, forms, work, queries, audit trail."""

from __future__ import annotations

from pasi_vision.portal.models.forms import AdverseEvent, DlqiForm
from pasi_vision.portal.models.people import ApiToken, Person
from pasi_vision.portal.models.photographs import Photograph, Refusal, Upload
from pasi_vision.portal.models.queries import Answer, Query
from pasi_vision.portal.models.readings import Assignment, SignedReading
from pasi_vision.portal.models.study import Gap, Site, StudyVersion, Subject, Visit
from pasi_vision.portal.models.trail import AuditEvent
from pasi_vision.portal.models.work import Job, ModelScore, Segmentation

__all__ = [
    "AdverseEvent",
    "Answer",
    "ApiToken",
    "Assignment",
    "AuditEvent",
    "DlqiForm",
    "Gap",
    "Job",
    "ModelScore",
    "Person",
    "Photograph",
    "Query",
    "Refusal",
    "Segmentation",
    "SignedReading",
    "Site",
    "StudyVersion",
    "Subject",
    "Upload",
    "Visit",
]
