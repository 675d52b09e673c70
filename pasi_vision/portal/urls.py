"""The route table: every address of the portal, and who may use it."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import include, path

from pasi_vision.portal.roles import Permission as P
from pasi_vision.portal.routes import Route, url_of
from pasi_vision.portal.views import (
    api,
    dashboard,
    exports,
    forms,
    home,
    people,
    photographs,
    queries,
    readings,
    study,
    subjects,
    tokens,
    trail,
    uploads,
    visits,
)

__all__ = ["PUBLIC", "ROUTES", "urlpatterns"]

_POST = ("POST",)
_BOTH = ("GET", "HEAD", "POST")

ROUTES = (
    Route("", home.page, "home", P.OWN_ACCOUNT),
    Route("subjects/", subjects.index, "subjects", P.SEE_SUBJECTS, seen="subjects viewed"),
    Route("subjects/enrol/", subjects.enrol, "enrol", P.UPLOAD, _POST),
    Route("subjects/<uuid:subject_id>/", subjects.one, "subject", P.SEE_SUBJECTS, seen="subject viewed"),
    Route("subjects/<uuid:subject_id>/visits/", visits.start, "open-visit", P.UPLOAD, _POST),
    Route("subjects/<uuid:subject_id>/events/", forms.adverse_event, "adverse-event", P.UPLOAD, _POST),
    Route("visits/<uuid:visit_id>/", visits.page, "visit", P.SEE_SUBJECTS, seen="visit viewed"),
    Route("visits/<uuid:visit_id>/views/", visits.view_tiles, "visit-views", P.SEE_SUBJECTS),
    Route("visits/<uuid:visit_id>/camera/", visits.camera, "camera", P.UPLOAD, seen="visit viewed"),
    Route("visits/<uuid:visit_id>/close/", visits.close, "close-visit", P.UPLOAD, _POST),
    Route("visits/<uuid:visit_id>/reopen/", visits.reopen, "reopen-visit", P.ASK, _POST),
    Route("visits/<uuid:visit_id>/dlqi/", forms.dlqi, "dlqi", P.UPLOAD, _POST),
    Route("visits/<uuid:visit_id>/queries/", queries.ask, "ask", P.ASK, _POST),
    Route(
        "photographs/<uuid:photograph_id>/", photographs.page, "photograph", P.SEE_SUBJECTS, seen="photograph viewed"
    ),
    Route("photographs/<uuid:photograph_id>/<slug:size>.jpg", photographs.image, "photograph-image", P.SEE_SUBJECTS),
    Route("photographs/<uuid:photograph_id>/confirm/", photographs.confirm, "confirm", P.UPLOAD, _POST),
    Route("photographs/<uuid:photograph_id>/cover/", photographs.cover_page, "cover", P.UPLOAD, _BOTH),
    Route("photographs/<uuid:photograph_id>/withdraw/", photographs.take_out, "withdraw", P.UPLOAD, _POST),
    Route("photographs/<uuid:photograph_id>/keep/", photographs.keep, "keep", P.UPLOAD, _POST),
    Route("readings/", readings.waiting, "readings", P.SCORE),
    Route("readings/<uuid:reading_id>/", readings.page, "reading", P.SCORE, seen="reading opened"),
    Route("readings/<uuid:reading_id>/draft/", readings.draft, "draft", P.SCORE, _POST),
    Route("readings/<uuid:reading_id>/sign/", readings.sign_it, "sign", P.SCORE, _POST),
    Route("readings/<uuid:reading_id>/<int:number>.jpg", readings.image, "reading-image", P.SCORE),
    Route("tables/", forms.tables, "tables", P.UPLOAD, _BOTH),
    Route("queries/", queries.index, "queries", P.SEE_SUBJECTS),
    Route("queries/<uuid:query_id>/answer/", queries.answer, "answer", P.ANSWER, _POST),
    Route("queries/<uuid:query_id>/close/", queries.close, "close-query", P.ASK, _POST),
    Route("dashboard/", dashboard.page, "dashboard", P.SEE_STUDY),
    Route("study/", study.page, "study", P.SEE_STUDY),
    Route("exports/", exports.index, "exports", P.EXPORT),
    Route("exports/<slug:name>/", exports.one, "export", P.EXPORT),
    Route("people/", people.index, "people", P.MANAGE),
    Route("people/add/", people.add, "add-person", P.MANAGE, _POST),
    Route("people/<uuid:person_id>/password/", people.password, "person-password", P.MANAGE, _POST),
    Route("people/<uuid:person_id>/active/", people.active, "person-active", P.MANAGE, _POST),
    Route("jobs/", study.jobs, "jobs", P.MANAGE),
    Route("jobs/<int:job_id>/again/", study.job_again, "job-again", P.MANAGE, _POST),
    Route("trail/", trail.page, "trail", P.SEE_TRAIL),
    Route("trail/export/", trail.export, "trail-export", P.SEE_TRAIL),
    Route("tokens/", tokens.index, "tokens", P.OWN_ACCOUNT),
    Route("tokens/add/", tokens.add, "add-token", P.OWN_ACCOUNT, _POST),
    Route("tokens/<uuid:token_id>/revoke/", tokens.revoke, "revoke-token", P.OWN_ACCOUNT, _POST),
    Route("help/api/", api.page, "api-page", P.OWN_ACCOUNT),
    Route("api/v1/openapi.json", api.openapi, "openapi", P.OWN_ACCOUNT),
    Route("api/v1/subjects/", api.subjects, "api-subjects", P.SEE_SUBJECTS),
    Route("api/v1/visits/", api.visits, "api-visits", P.SEE_SUBJECTS),
    Route("api/v1/photographs/", api.photographs, "api-photographs", P.SEE_SUBJECTS),
    Route("api/v1/queries/", api.queries, "api-queries", P.SEE_SUBJECTS),
    Route("api/v1/findings/", api.findings, "api-findings", P.EXPORT, seen="findings exported"),
    Route("api/v1/scores/", api.scores, "api-scores", P.EXPORT, seen="scores exported"),
    Route("api/v1/uploads/", uploads.collection, "uploads", P.UPLOAD, ("POST", "OPTIONS")),
    Route("api/v1/uploads/<uuid:upload_id>/", uploads.one, "upload", P.UPLOAD, ("HEAD", "PATCH", "DELETE")),
    Route("api/v1/uploads/<uuid:upload_id>/verdict/", uploads.verdict, "verdict", P.UPLOAD, _POST),
)


def _alive(request: HttpRequest) -> HttpResponse:
    """For a proxy or a watchdog: the web process answers. Tells nothing else."""
    return HttpResponse("ok", content_type="text/plain")


def _closed(request: HttpRequest, **_: object) -> HttpResponse:
    """Pages of allauth that this house does not have: sign-up, e-mail addresses, password reset by e-mail."""
    raise Http404


PUBLIC = (
    path("alive/", _alive, name="alive"),
    *(
        path(f"account/{name}/", _closed)
        for name in ("signup", "email", "confirm-email", "password/reset", "password/set")
    ),
    path("account/password/reset/<path:rest>", _closed),
    path("account/login/code/confirm/", _closed),
    path("account/confirm-email/<path:rest>", _closed),
    path("account/", include("allauth.account.urls")),
    path("account/2fa/", include("allauth.mfa.urls")),
)
"""Reached without a role: the sign-in pages guard themselves."""

urlpatterns = [*(url_of(route) for route in ROUTES), *PUBLIC]
handler404 = "pasi_vision.portal.views.home.not_found"
handler500 = "pasi_vision.portal.views.home.broken"
handler403 = "pasi_vision.portal.views.home.forbidden"
handler400 = "pasi_vision.portal.views.home.bad_request"
