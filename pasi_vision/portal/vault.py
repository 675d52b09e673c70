"""Where photographs stand: written whole or not at all, originals sealed with AES-256-GCM, on disk or in S3-compatible storage."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage

from pasi_vision.errors import InputError, OutputError
from pasi_vision.portal.folder import PortalFolder
from pasi_vision.storage import output_folder, writing

__all__ = ["WholeFileStorage", "get", "has", "put", "remove", "seal", "unseal"]

_NONCE_BYTES = 12


class WholeFileStorage(FileSystemStorage):
    """Django's file storage, except that a file is there whole or not at all, whatever kills the process."""

    def _save(self, name: str, content: Any) -> str:
        target = self.path(name)
        output_folder(os.path.dirname(target))
        with writing(target) as stream:
            for chunk in content.chunks():
                stream.write(chunk)
        return str(name)

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """Names are ids or hashes: the same name is the same content, so it is written in place."""
        return name


@contextlib.contextmanager
def _object_store() -> Iterator[None]:
    """An object store that is away or refuses is an error in plain words; on disk there is none of it."""
    if isinstance(default_storage, FileSystemStorage) or isinstance(
        getattr(default_storage, "_wrapped", None), FileSystemStorage
    ):
        yield
        return
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise OutputError(
            f"the object store does not answer ({type(error).__name__})", where="vault", fix="It is tried again."
        ) from error


def put(name: str, data: bytes) -> None:
    """Write a file of the vault.

    Raises:
        OutputError: Disk full, no permission, or an object store that is away; nothing half-written stays.
    """
    with _object_store():
        default_storage.save(name, ContentFile(data))


def get(name: str) -> bytes:
    """Read a file of the vault.

    Raises:
        InputError: It is not there.
        OutputError: The object store is away.
    """
    try:
        with _object_store(), default_storage.open(name, "rb") as stream:
            data: bytes = stream.read()
    except FileNotFoundError as error:
        raise InputError("file not found", where=f"vault {name}", fix="Run `pasi-vision portal verify`.") from error
    return data


def has(name: str) -> bool:
    """Whether the vault holds a file of that name."""
    with _object_store():
        return bool(default_storage.exists(name))


def remove(name: str) -> None:
    """Take a file out of the vault (an uncovered picture after a person covered a face)."""
    with _object_store():
        default_storage.delete(name)


def seal(data: bytes, name: str) -> bytes:
    """Encrypt an original; its name is bound in, so that sealed files cannot be exchanged for one another."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(_key()).encrypt(nonce, data, name.encode())


def unseal(sealed: bytes, name: str) -> bytes:
    """Decrypt what `seal` made; used by `portal verify` only, no route serves it.

    Raises:
        InputError: The file was changed, exchanged, or sealed with another key.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        return AESGCM(_key()).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], name.encode())
    except InvalidTag as error:
        raise InputError(
            "the sealed original cannot be opened: it was changed, or sealed with another key",
            where=f"vault {name}",
            fix="Restore it from a backup.",
        ) from error


def _key() -> bytes:
    return bytes.fromhex(PortalFolder.current().secret("seal_key"))
