"""Sending photographs: the tus protocol, bad files, and that sending twice is harmless."""

from __future__ import annotations

import base64
import hashlib
import io
from typing import Any

import pytest

TUS = {"Tus-Resumable": "1.0.0"}


def announce(client: Any, where: Any, length: object = 10, view: str = "palms", **changed: str) -> Any:
    pairs = {"visit": str(where.pk), "view": view, **changed}
    metadata = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items())
    return client.post("/api/v1/uploads/", headers={**TUS, "Upload-Length": str(length), "Upload-Metadata": metadata})


def patch(client: Any, address: str, data: bytes, offset: object, **headers: str) -> Any:
    kind = headers.pop("content_type", "application/offset+octet-stream")
    return client.patch(address, data, content_type=kind, headers={**TUS, "Upload-Offset": str(offset), **headers})


def test_options_name_version_extensions_and_the_longest_file(signed_in: Any) -> None:
    answer = signed_in("uploader").options("/api/v1/uploads/")
    assert answer.status_code == 204
    assert answer["Tus-Version"] == "1.0.0"
    assert "creation" in answer["Tus-Extension"]
    assert answer["Tus-Max-Size"] == "60000000"


def test_a_photograph_becomes_a_row_with_a_verdict_and_carries_no_metadata(
    signed_in: Any, send: Any, jpeg: Any
) -> None:
    from PIL import Image

    from pasi_vision.portal import vault
    from pasi_vision.portal.models import Photograph

    image = Image.open(io.BytesIO(jpeg(1)))
    exif = Image.Exif()
    exif[0x010E], exif[0x013B] = "John Smith", "photographer"  # description, artist
    stream = io.BytesIO()
    image.save(stream, format="JPEG", exif=exif, comment=b"secret comment")
    data = stream.getvalue()
    assert b"John Smith" in data
    told = send(signed_in("uploader"), data)
    photograph = Photograph.objects.get(pk=told["photograph"])
    assert told["verdict"] in ("accept", "accept with warning", "retake")
    assert told["message"]
    assert photograph.sha256 == hashlib.sha256(data).hexdigest()
    clean = vault.get(photograph.file)
    assert b"John Smith" not in clean
    assert b"secret comment" not in clean
    assert hashlib.sha256(clean).hexdigest() == photograph.file_sha256
    sealed = vault.get(photograph.sealed)
    assert b"John Smith" not in sealed, "the original is encrypted"
    assert vault.unseal(sealed, photograph.sealed) == data
    assert (photograph.width, photograph.height) == (640, 480)


def test_the_same_file_twice_and_from_two_people_is_one_photograph(
    signed_in: Any, send: Any, jpeg: Any, study: Any
) -> None:
    from pasi_vision.portal.models import Photograph

    first = send(signed_in("uploader"), jpeg(3))
    again = send(signed_in("uploader"), jpeg(3))
    study.people["uploader2"].sites.add("S01")
    other = send(signed_in("uploader2"), jpeg(3))
    assert first["photograph"] == again["photograph"] == other["photograph"]
    assert Photograph.objects.count() == 1


def test_the_same_file_for_another_view_or_subject_is_refused_with_a_reason(
    signed_in: Any, send: Any, jpeg: Any, study: Any
) -> None:
    from pasi_vision.portal.models import Photograph, Refusal

    send(signed_in("uploader"), jpeg(4))
    told = send(signed_in("uploader"), jpeg(4), view="trunk_back")
    assert told["verdict"] == "refused"
    assert "another view" in told["message"]
    told = send(signed_in("uploader2"), jpeg(4), visit=study.other_visit)
    assert told["verdict"] == "refused"
    assert "S01" not in told["message"], "nothing is told of the other site"
    assert Photograph.objects.count() == 1
    assert Refusal.objects.filter(kind="elsewhere").count() == 2


def test_an_interrupted_upload_goes_on_where_it_stopped(signed_in: Any, study: Any, jpeg: Any) -> None:
    data = jpeg(5)
    client = signed_in("uploader")
    address = announce(client, study.visit, len(data))["Location"]
    assert client.head(address, headers=TUS)["Upload-Offset"] == "0"
    assert patch(client, address, data[:1000], 0)["Upload-Offset"] == "1000"
    head = client.head(address, headers=TUS)
    assert head["Upload-Offset"] == "1000"
    assert head["Upload-Length"] == str(len(data))
    assert head["Cache-Control"] == "no-store"
    assert client.post(f"{address}verdict/").status_code == 202
    assert patch(client, address, data[1000:], 1000)["Upload-Offset"] == str(len(data))
    again = client.patch(
        address, b"", CONTENT_TYPE="application/offset+octet-stream", headers={**TUS, "Upload-Offset": str(len(data))}
    )
    assert again.status_code == 204, "the last answer may have been lost"
    assert client.post(f"{address}verdict/").json()["state"] == "done"


def test_what_a_killed_process_left_whole_is_found(signed_in: Any, study: Any, jpeg: Any) -> None:
    """All bytes are on disk, the database does not know it yet."""
    from pasi_vision.portal.models import Upload
    from pasi_vision.portal.receive import staged_file

    data = jpeg(6)
    client = signed_in("uploader")
    address = announce(client, study.visit, len(data))["Location"]
    upload = Upload.objects.get()
    staged_file(upload).write_bytes(data)
    assert client.head(address, headers=TUS)["Upload-Offset"] == str(len(data))
    assert client.post(f"{address}verdict/").json()["state"] == "done"


@pytest.mark.parametrize(
    ("offset", "status"),
    [(1, 409), (999, 409), ("-1", 400), ("x", 400), ("", 400), ("1.5", 400), ("²", 400), ("9" * 40, 400)],
)
def test_wrong_offsets_are_refused(signed_in: Any, study: Any, offset: object, status: int) -> None:
    client = signed_in("uploader")
    address = announce(client, study.visit, 2000)["Location"]
    answer = client.patch(
        address,
        b"abc",
        content_type="application/offset+octet-stream",
        HTTP_TUS_RESUMABLE="1.0.0",
        HTTP_UPLOAD_OFFSET=str(offset),
    )
    assert answer.status_code == status
    assert answer["Tus-Resumable"] == "1.0.0"
    assert client.head(address, headers=TUS)["Upload-Offset"] == "0"


def test_the_protocols_other_refusals(signed_in: Any, study: Any) -> None:
    client = signed_in("uploader")
    address = announce(client, study.visit, 5)["Location"]
    assert client.patch(address, b"abc").status_code == 412, "no protocol version"
    assert patch(client, address, b"abc", 0, content_type="text/plain").status_code == 415
    assert patch(client, address, b"abcdefgh", 0).status_code == 413, "more than announced"
    assert announce(client, study.visit, 0).status_code == 400
    assert announce(client, study.visit, "a").status_code == 400
    assert announce(client, study.visit, 10**9).status_code == 413
    assert announce(client, study.visit, 10, view="elbow").status_code == 400
    assert announce(client, study.visit, 10, visit="../../etc").status_code == 400
    assert announce(client, study.visit, 10, sha256="xyz").status_code == 400
    assert announce(client, study.other_visit, 10).status_code == 404
    bad = client.post("/api/v1/uploads/", headers={**TUS, "Upload-Length": "5", "Upload-Metadata": "visit ???"})
    assert bad.status_code == 400
    assert client.delete(address, headers=TUS).status_code == 204
    assert client.head(address, headers=TUS).status_code == 410
    assert patch(client, address, b"abc", 0).status_code == 410


def test_a_closed_visit_takes_no_photograph(signed_in: Any, study: Any) -> None:
    from pasi_vision.portal.models import Visit

    Visit.objects.filter(pk=study.visit.pk).update(state="closed")
    assert announce(signed_in("uploader"), study.visit).status_code == 403


def test_a_file_that_changed_on_its_way_is_refused(signed_in: Any, study: Any, jpeg: Any) -> None:
    data = jpeg(7)
    client = signed_in("uploader")
    address = announce(client, study.visit, len(data), sha256="0" * 64)["Location"]
    patch(client, address, data, 0)
    told = client.post(f"{address}verdict/").json()
    assert told["verdict"] == "refused"
    assert "changed on its way" in told["message"]


def test_pictures_are_served_as_jpeg_and_the_original_to_nobody(
    signed_in: Any, send: Any, jpeg: Any, study: Any
) -> None:
    told = send(signed_in("uploader"), jpeg(10))
    address = f"/photographs/{told['photograph']}"
    answer = signed_in("monitor").get(f"{address}/full.jpg")
    assert answer["Content-Type"] == "image/jpeg"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer.content[:2] == b"\xff\xd8"
    for name in ("original", "sealed", "..", "full.jpg"):
        assert signed_in("monitor").get(f"{address}/{name}.jpg").status_code == 404


def test_two_requests_for_one_upload_do_not_mix(signed_in: Any, study: Any) -> None:
    import fcntl

    from pasi_vision.portal.models import Upload
    from pasi_vision.portal.receive import staged_file

    client = signed_in("uploader")
    address = announce(client, study.visit, 10)["Location"]
    patch(client, address, b"ab", 0)
    with staged_file(Upload.objects.get()).open("rb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)  # another process is writing
        assert patch(client, address, b"cd", 2).status_code == 423
    assert patch(client, address, b"cd", 2)["Upload-Offset"] == "4"


def test_a_full_disk_is_said_and_the_upload_goes_on_later(
    signed_in: Any, study: Any, jpeg: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno

    data, client = jpeg(70), signed_in("uploader")
    address = announce(client, study.visit, len(data))["Location"]
    patch(client, address, data[:500], 0)
    with monkeypatch.context() as full:

        def write(*_: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        full.setattr("pasi_vision.portal.tus.os.write", write)
        answer = patch(client, address, data[500:], 500)
        assert answer.status_code == 507
        assert "disk is full" in answer.json()["error"]
    assert client.head(address, headers=TUS)["Upload-Offset"] == "500"
    patch(client, address, data[500:], 500)
    with monkeypatch.context() as full:

        def put(*_: object) -> None:
            from pasi_vision.errors import OutputError

            raise OutputError("the disk is full", where="vault")

        full.setattr("pasi_vision.portal.vault.put", put)
        for _ in range(10):  # however often somebody asks meanwhile: a full disk is not the photograph's fault
            assert client.post(f"{address}verdict/").status_code == 507
    from django.utils import timezone

    from pasi_vision.portal.models import Job

    Job.objects.update(due_at=timezone.now())
    assert client.post(f"{address}verdict/").json()["state"] == "done", "nothing was lost"
