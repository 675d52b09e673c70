"""The tus 1.0 protocol (https://tus.io/protocols/resumable-upload): core, creation and termination, on top of staged files.

The offset is the staged file's size: what is on disk is what was received, whatever happened to the process in between.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import fcntl
import os
from collections.abc import Iterator

from django.http import HttpRequest
from django.http.request import RawPostDataException, UnreadablePostError

from pasi_vision.errors import InputError, OutputError
from pasi_vision.portal import examiners
from pasi_vision.portal.folder import PortalFolder
from pasi_vision.portal.models import Upload
from pasi_vision.portal.receive import staged_file

__all__ = ["VERSION", "ProtocolError", "append", "metadata_of", "offset_of", "whole_number"]

VERSION = "1.0.0"
_CHUNK_BYTES = 1 << 20


class ProtocolError(InputError):
    """A request that the protocol does not allow, with the HTTP status it asks for."""

    def __init__(self, status: int, what: str, *, fix: str = "") -> None:
        super().__init__(what, fix=fix)
        self.status = status


def metadata_of(header: str) -> dict[str, str]:
    """The pairs of an Upload-Metadata header.

    Raises:
        ProtocolError: 400, where a value is not base64 of UTF-8.
    """
    pairs: dict[str, str] = {}
    for item in filter(None, (part.strip() for part in header.split(","))):
        key, _, value = item.partition(" ")
        try:
            pairs[key] = base64.b64decode(value, validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise ProtocolError(400, f"metadata {key[:40]!r} is not base64 of UTF-8 text") from error
    return pairs


def whole_number(text: str | None, header: str) -> int:
    """A header that holds a whole number, 0 or more.

    Raises:
        ProtocolError: 400, where it is missing or is not one.
    """
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 15:
        raise ProtocolError(400, f"header {header} is missing or is not a whole number")
    return int(text)


def offset_of(upload: Upload) -> int:
    """Bytes received so far."""
    if upload.state in (Upload.State.WHOLE, Upload.State.DONE):
        return int(upload.length)
    try:
        return staged_file(upload).stat().st_size
    except FileNotFoundError:
        return 0


def append(upload: Upload, offset: int, request: HttpRequest) -> int:
    """Append the request's body at `offset`; gives the new offset. What arrived before a connection broke is kept.

    Raises:
        ProtocolError: 409 for a wrong offset, 423 while another request writes, 413 for more bytes than were announced.
        OutputError: The disk is full.
    """
    announced = request.headers.get("content-length")
    end = offset + whole_number(announced, "Content-Length") if announced else offset
    if end > upload.length:
        raise ProtocolError(413, f"more than the {upload.length} bytes that were announced")
    with examiners.room(str(upload.pk), last=end == upload.length), _locked(upload) as descriptor:
        size = os.fstat(descriptor).st_size
        if size != offset:
            raise ProtocolError(409, f"offset {offset} is wrong, {size} bytes are here", fix="Ask with HEAD and go on.")
        try:
            return _write(descriptor, offset, int(upload.length), request)
        except OSError as error:
            if isinstance(error, UnreadablePostError):  # the connection broke
                return os.fstat(descriptor).st_size
            raise OutputError("the disk is full", where="staging", fix="Send it again later.") from error


def _write(descriptor: int, offset: int, length: int, request: HttpRequest) -> int:
    os.lseek(descriptor, offset, os.SEEK_SET)
    while offset < length:
        try:
            chunk = request.read(min(_CHUNK_BYTES, length - offset))
        except (UnreadablePostError, RawPostDataException):
            break
        if not chunk:
            break
        view = memoryview(chunk)
        while view:
            written = os.write(descriptor, view)
            view = view[written:]
            offset += written
    if offset == length:
        os.fsync(descriptor)
    return offset


@contextlib.contextmanager
def _locked(upload: Upload) -> Iterator[int]:
    """The staged file, open for writing and ours alone; the lock falls with the process."""
    PortalFolder.current().staging.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(staged_file(upload), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ProtocolError(
                423, "another request is sending this photograph", fix="Try again in a moment."
            ) from error
        yield descriptor
    finally:
        os.close(descriptor)
