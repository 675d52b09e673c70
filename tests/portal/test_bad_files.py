"""Bad files, one by one: each is refused with a reason or stored right, never an error, and nothing of a bad one stays."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import logging
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import served

TUS = {"Tus-Resumable": "1.0.0"}


def announce(client: Any, visit: Any, length: int, view: str = "palms", **pairs: str) -> Any:
    pairs = {"visit": str(visit.pk), "view": view, **pairs}
    metadata = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items())
    return client.post("/api/v1/uploads/", headers={**TUS, "Upload-Length": str(length), "Upload-Metadata": metadata})


def patch(client: Any, address: str, data: bytes, offset: int) -> Any:
    kind = "application/offset+octet-stream"
    return client.patch(address, data, content_type=kind, headers={**TUS, "Upload-Offset": str(offset)})


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of a PNG."""
    return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")


def png_bomb() -> bytes:
    """A PNG that says 50,000 x 50,000 pixels in a few kilobytes."""
    header = (50_000).to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0])
    packed = zlib.compress(bytes(1_000_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def jpeg_bomb() -> bytes:
    """A JPEG whose header says 65,000 x 65,000 pixels."""
    stream = io.BytesIO()
    image().save(stream, format="JPEG")
    data = stream.getvalue()
    at = data.index(b"\xff\xc0") + 5  # marker, length, precision; then height and width
    return data[:at] + (65_000).to_bytes(2, "big") * 2 + data[at + 4 :]


def image(size: tuple[int, int] = (160, 120)) -> Any:
    from PIL import Image

    return Image.fromarray(np.random.default_rng(1).integers(90, 200, (size[1], size[0], 3), dtype=np.uint8))


def encoded(kind: str, size: tuple[int, int] = (80, 60), **options: Any) -> bytes:
    stream = io.BytesIO()
    image(size).save(stream, format=kind, **options)
    return stream.getvalue()


SCRIPT = b"<script>alert(1)</script>"
BAD = {
    "text": b"not a photograph at all",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg">' + SCRIPT + b"</svg>",
    "svg with a head": b'<?xml version="1.0"?><!DOCTYPE svg><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "packed svg": gzip.compress(b'<svg xmlns="http://www.w3.org/2000/svg"/>'),
    "html": b"<!doctype html>" + SCRIPT,
    "pdf": b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n",
    "zip": b"PK\x03\x04" + bytes(100),
    "packed bomb": gzip.compress(bytes(50_000_000)),
    "png header only": b"\x89PNG\r\n\x1a\n",
    "jpeg header only": b"\xff\xd8\xff\xe0",
    "heic header": b"\x00\x00\x00\x18ftypheic" + bytes(64),
    "film": b"\x00\x00\x00\x18ftypmp42" + bytes(64),
    "gif": encoded("GIF"),
    "one byte": b"\x00",
    "zeros": bytes(100_000),
    "png bomb": png_bomb(),
    "jpeg bomb": jpeg_bomb(),
    "gif and script": b"GIF89a/*" + bytes(20) + b"*/=1;alert(1)",
    "pdf around a jpeg": b"%PDF-1.7\nstream\n" + encoded("JPEG") + b"\nendstream",
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_files_are_refused_with_a_reason_and_leave_nothing(kind: str, signed_in: Any, send: Any) -> None:
    from pasi_vision.portal import vault
    from pasi_vision.portal.models import Photograph, Refusal, Upload
    from pasi_vision.portal.receive import staged_file

    told = send(signed_in("uploader"), BAD[kind])
    assert told["verdict"] == "refused"
    assert told["message"].startswith("This cannot be used as a photograph: ")
    assert "Traceback" not in told["message"]
    assert "script" not in told["message"]
    refusal, upload = Refusal.objects.get(), Upload.objects.get()
    assert (refusal.kind, refusal.sha256) == ("unreadable", hashlib.sha256(BAD[kind]).hexdigest())
    assert not Photograph.objects.exists()
    assert not staged_file(upload).exists()
    assert not vault.has(f"photographs/{upload.pk}.jpg")
    assert not vault.has(f"originals/{refusal.sha256[:2]}/{refusal.sha256}")


def test_an_empty_file_is_refused_before_anything_is_sent(signed_in: Any, study: Any) -> None:
    from pasi_vision.portal.models import Upload

    answer = announce(signed_in("uploader"), study.visit, 0)
    assert answer.status_code == 400
    assert answer.json() == {"error": "the file is empty", "fix": "Take the photograph again."}
    assert not Upload.objects.exists()


def _heic() -> bytes:
    return (Path(__file__).parents[1] / "photo" / "data" / "turned_p3.heic").read_bytes()


WHOLE = {
    "jpeg": lambda jpeg: jpeg(8),
    "progressive jpeg": lambda _: encoded("JPEG", progressive=True, quality=98),
    "png": lambda _: encoded("PNG"),
    "webp": lambda _: encoded("WEBP", quality=98),
    "tiff": lambda _: encoded("TIFF"),
    "heic": lambda _: _heic(),
}


@pytest.mark.parametrize("kind", WHOLE)
def test_a_photograph_cut_at_every_kilobyte_is_refused_and_then_taken_whole(
    kind: str, signed_in: Any, send: Any, jpeg: Any
) -> None:
    from pasi_vision.portal.models import Photograph

    data, client = WHOLE[kind](jpeg), signed_in("uploader")
    ends = range(1024, len(data), 1024)
    assert len(ends) >= 1
    for end in ends:
        told = send(client, data[:end])
        assert told["state"] == "done"
        assert told["verdict"] == "refused", end
        assert len(told["message"]) > 60
    assert not Photograph.objects.exists()
    assert send(client, data)["photograph"], "a refused part keeps nobody from sending it all"


POLYGLOTS = {
    "zip behind a jpeg": lambda jpeg: jpeg(9) + b"PK\x03\x04" + SCRIPT,
    "script in a comment": lambda jpeg: (
        b"\xff\xd8\xff\xfe" + (len(SCRIPT) + 2).to_bytes(2, "big") + SCRIPT + jpeg(9)[2:]
    ),
    "script behind a png": lambda _: encoded("PNG") + SCRIPT,
    "script in a png's text": lambda _: encoded("PNG").replace(
        chunk(b"IEND", b""), chunk(b"tEXt", b"Comment\0" + SCRIPT) + chunk(b"IEND", b"")
    ),
    "script in a tiff's description": lambda _: encoded("TIFF", description=SCRIPT.decode()),
}


@pytest.mark.parametrize("kind", POLYGLOTS)
def test_a_polyglot_is_stored_without_what_hid_behind_the_picture(
    kind: str, signed_in: Any, send: Any, jpeg: Any
) -> None:
    from pasi_vision.portal.models import Photograph

    data = POLYGLOTS[kind](jpeg)
    assert SCRIPT in data
    told = send(signed_in("uploader"), data)
    photograph = Photograph.objects.get(pk=told["photograph"])
    for size in ("full", "small"):
        answer = signed_in("monitor").get(f"/photographs/{photograph.pk}/{size}.jpg")
        assert answer["Content-Type"] == "image/jpeg"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert SCRIPT not in answer.content
        assert answer.content.endswith(b"\xff\xd9"), "nothing comes after the picture"


NAMES = (
    "../../../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "/etc/shadow",
    "<script>alert('jane-doe')</script>.jpg",
    "jane-doe.php\0.jpg",
    "jane-doe; rm -rf .jpg",
    "CON",
    "jane-doe" * 40,
    "jane-doe\r\nSet-Cookie: a=b",
    "=HYPERLINK(jane-doe)",
)


@pytest.mark.parametrize("name", NAMES)
def test_path_and_script_names_are_ignored_and_kept_nowhere(
    name: str, signed_in: Any, study: Any, jpeg: Any, caplog: pytest.LogCaptureFixture
) -> None:
    from django.apps import apps

    from pasi_vision.portal.folder import PortalFolder
    from pasi_vision.portal.models import Photograph

    data, client = jpeg(90), signed_in("uploader")
    with caplog.at_level(logging.DEBUG):
        made = announce(client, study.visit, len(data), filename=name, name=name, relativePath=name)
        assert made.status_code == 201
        patch(client, made["Location"], data, 0)
        told = client.post(f"{made['Location']}verdict/").json()
    photograph = Photograph.objects.get(pk=told["photograph"])
    assert photograph.file == f"photographs/{photograph.pk}.jpg"
    told_by = [str(list(model._default_manager.values())) for model in apps.get_models()]
    told_by += [str(path) for path in PortalFolder.current().root.rglob("*")] + [str(told), caplog.text]
    marks = [name] if "jane" not in name else [name, "jane-doe"]
    assert not [mark for mark in marks for text in told_by if mark in text and mark != "CON"]


@pytest.mark.parametrize(("kind", "name"), [("PNG", "x.jpg"), ("JPEG", "x.txt"), ("TIFF", "x.svg"), ("WEBP", "x")])
def test_a_wrong_extension_or_type_plays_no_part(kind: str, name: str, signed_in: Any, study: Any) -> None:
    data, client = encoded(kind), signed_in("uploader")
    address = announce(client, study.visit, len(data), filename=name, filetype="text/html")["Location"]
    patch(client, address, data, 0)
    told = client.post(f"{address}verdict/").json()
    shown = client.get(f"/photographs/{told['photograph']}/full.jpg")
    assert shown.content[:2] == b"\xff\xd8"
    assert shown["Content-Type"] == "image/jpeg"


def test_single_bytes_give_the_same_photograph(signed_in: Any, study: Any) -> None:
    from pasi_vision.portal import vault
    from pasi_vision.portal.models import Photograph

    stream = io.BytesIO()
    image((6, 4)).save(stream, format="PNG")
    data, client = stream.getvalue(), signed_in("uploader")
    assert len(data) > 100
    address = announce(client, study.visit, len(data), sha256=hashlib.sha256(data).hexdigest())["Location"]
    for offset in range(len(data)):
        assert patch(client, address, data[offset : offset + 1], offset)["Upload-Offset"] == str(offset + 1)
    assert client.post(f"{address}verdict/").json()["state"] == "done"
    photograph = Photograph.objects.get()
    assert photograph.sha256 == hashlib.sha256(data).hexdigest()
    assert vault.unseal(vault.get(photograph.sealed), photograph.sealed) == data


def test_the_same_file_from_two_browsers_that_take_turns_is_one_photograph(
    signed_in: Any, study: Any, jpeg: Any
) -> None:
    from pasi_vision.portal.models import Photograph, Refusal, Upload

    data, client = jpeg(91), signed_in("uploader")
    half, addresses = len(data) // 2, [announce(client, study.visit, len(data))["Location"] for _ in range(2)]
    assert addresses[0] != addresses[1]
    for part, offset in ((data[:half], 0), (data[half:], half)):
        for address in addresses:
            assert patch(client, address, part, offset).status_code == 204
    told = [client.post(f"{address}verdict/").json() for address in addresses]
    assert told[0]["photograph"] == told[1]["photograph"]
    assert Photograph.objects.count() == 1
    assert not Refusal.objects.exists()
    assert set(Upload.objects.values_list("state", flat=True)) == {"done"}


@pytest.mark.slow
def test_the_same_file_from_many_browsers_at_once_is_one_photograph(tmp_path: Path, jpeg: Any) -> None:
    """Two people, four browsers each, one visit, all at the same moment, against the running portal; three such photographs."""
    first, second = served.made(tmp_path / "portal", 2)
    site = served.bench_module()
    second = replace(second, visit=first.visit)
    with served.serving(tmp_path / "portal"), ThreadPoolExecutor(8) as pool:
        for number, view in enumerate(("palms", "soles", "trunk_back")):
            data = jpeg(92 + number)
            sent = [pool.submit(site.send, who, view, data, 20_000, 60) for who in (first, second) * 4]
            told = [each.result().answer for each in sent]
            assert {answer["state"] for answer in told} == {"done"}, told
            assert len({answer["photograph"] for answer in told}) == 1, told
    assert "nothing is wrong" in served.portal("verify", tmp_path / "portal").stdout
