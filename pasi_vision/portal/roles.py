"""Who may do what: five roles and their permissions, as data; the route table and the docs are made from it."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType

__all__ = ["ALL_SITES", "PERMISSIONS", "Permission", "Role"]


class Role(StrEnum):
    """A person has exactly one role, so that nobody who scores blind can also see the model's scores."""

    UPLOADER = "uploader"
    CLINICIAN = "clinician"
    MONITOR = "monitor"
    ANALYST = "analyst"
    ADMINISTRATOR = "administrator"


class Permission(StrEnum):
    """What a route asks for."""

    OWN_ACCOUNT = "use their own account"
    SEE_SUBJECTS = "see subjects, visits and photographs"
    UPLOAD = "enrol subjects, send photographs and forms, close visits"
    SCORE = "score blinded visits and sign"
    SEE_SCORES = "see scores of clinicians and of the model"
    ASK = "ask queries"
    ANSWER = "answer queries"
    SEE_STUDY = "see the study's plan and dashboard"
    EXPORT = "export tables, photographs and scores"
    SEE_TRAIL = "see and export the audit trail"
    MANAGE = "manage people, jobs and the study's plan"


PERMISSIONS = MappingProxyType(
    {
        Role.UPLOADER: frozenset(
            {
                Permission.OWN_ACCOUNT,
                Permission.SEE_SUBJECTS,
                Permission.UPLOAD,
                Permission.ANSWER,
                Permission.SEE_STUDY,
            }
        ),
        Role.CLINICIAN: frozenset({Permission.OWN_ACCOUNT, Permission.SCORE}),
        Role.MONITOR: frozenset(
            {
                Permission.OWN_ACCOUNT,
                Permission.SEE_SUBJECTS,
                Permission.ASK,
                Permission.SEE_STUDY,
                Permission.SEE_TRAIL,
            }
        ),
        Role.ANALYST: frozenset(
            {
                Permission.OWN_ACCOUNT,
                Permission.SEE_SUBJECTS,
                Permission.SEE_SCORES,
                Permission.SEE_STUDY,
                Permission.EXPORT,
            }
        ),
        Role.ADMINISTRATOR: frozenset(
            {Permission.OWN_ACCOUNT, Permission.SEE_STUDY, Permission.SEE_TRAIL, Permission.MANAGE}
        ),
    }
)

ALL_SITES = frozenset({Role.ADMINISTRATOR})
"""Roles that are not bound to sites; an analyst or a monitor sees the sites that were given to them."""
