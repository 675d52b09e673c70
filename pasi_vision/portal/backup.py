"""Backups while the portal runs: the database as rows at one moment, then the files that these rows name.

The rows are JSON lines, the same for SQLite and PostgreSQL, so a portal can move from one to the other. Files are written before the rows
that name them and never change under their name, so what the rows name is whole.
"""

from __future__ import annotations

import json
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from pasi_vision.errors import InputError
from pasi_vision.portal.folder import PortalFolder
from pasi_vision.provenance import package_version
from pasi_vision.storage import output_folder, sha256_of, write_bytes, write_json, writing

__all__ = ["back_up", "restore"]

_SKIPPED = frozenset({"contenttypes.contenttype", "auth.permission", "sessions.session", "auth.group"})
"""Made by Django itself (types, permissions), or worth nothing later (sessions)."""


def back_up(folder: PortalFolder, out: Path) -> dict[str, Any]:
    """Write a backup to a new folder; the manifest comes last, so a backup without one is not whole.

    Raises:
        InputError: The folder is not empty.
        OutputError: It cannot be written.
    """
    from pasi_vision.portal import trail

    if out.exists() and any(out.iterdir()):
        raise InputError("is not empty", where=str(out), fix="Name a new folder.")
    output_folder(out).chmod(0o700)
    rows, names, head = _write_rows(out / "rows.jsonl")
    files = _copy_files(out, names)
    for part in (folder.settings_file, folder.study_file, folder.secrets_file, folder.anchors_file):
        if part.is_file():
            write_bytes(out / part.name, part.read_bytes())
    (out / "secrets.json").chmod(0o600)
    manifest = {
        "pasi_vision": package_version(),
        "schema": _schema(),
        "rows": rows,
        "rows_sha256": sha256_of(out / "rows.jsonl"),
        "files": len(files),
        "file_sha256": files,
        "trail": {"number": head[0], "sha256": head[1]},
    }
    write_json(out / "manifest.json", manifest)
    trail.note_head(folder.anchors_file)
    return manifest


def restore(root: Path, source: Path) -> dict[str, Any]:
    """Make a portal from a backup.

    Raises:
        InputError: The backup is not whole or was changed, there is a portal already, or it was made by another version.
    """
    manifest = _checked_manifest(source)
    folder = PortalFolder(root.resolve())
    if folder.settings_file.exists():
        raise InputError("holds a portal already", where=str(root), fix="Choose another folder.")
    for part in (output_folder(folder.root), folder.vault, folder.staging):
        output_folder(part).chmod(0o700)
    folder.write_secrets(json.loads((source / "secrets.json").read_text(encoding="utf-8")))
    for name in ("study.yaml", "anchors.jsonl", "portal.yaml"):
        if (source / name).is_file():
            write_bytes(folder.root / name, (source / name).read_bytes())
    from pasi_vision.portal.start import start

    start(folder.root)
    from pasi_vision.portal.setup import migrate

    migrate()
    if _schema() != manifest["schema"]:
        raise InputError(
            f"was made with pasi-vision {manifest['pasi_vision']}",
            where=str(source),
            fix="Restore it with that version, then run `pasi-vision portal migrate` with this one.",
        )
    _read_rows(source / "rows.jsonl")
    _bring_files(source, manifest["file_sha256"])
    return manifest


def _models() -> list[Any]:
    """All models whose rows are kept, those that others point to first."""
    from django.apps import apps
    from django.core import serializers

    kept = [(config, None) for config in apps.get_app_configs()]
    ordered = serializers.sort_dependencies(kept, allow_cycles=True)
    return [model for model in ordered if model._meta.label_lower not in _SKIPPED]


def _write_rows(target: Path) -> tuple[int, list[str], tuple[int, str]]:
    """Write every row as it was at one moment; gives how many, the vault's files they name, and the trail's head."""
    from django.core import serializers
    from django.db import transaction

    from pasi_vision.portal.models import AuditEvent, Photograph

    rows = 0
    with transaction.atomic(using="snapshot"), writing(target, "w", encoding="utf-8") as stream:
        for model in _models():
            found = model._default_manager.using("snapshot").order_by("pk").iterator(chunk_size=500)
            for row in found:
                stream.write(serializers.serialize("json", [row], cls=_encoder())[1:-1] + "\n")
                rows += 1
        names = [
            name
            for photograph in Photograph.objects.using("snapshot").iterator(chunk_size=500)
            for name in (photograph.file, photograph.thumbnail, photograph.sealed)
            if name
        ]
        last = AuditEvent.objects.using("snapshot").order_by("-number").first()
    return rows, names, (last.number, last.sha256) if last else (0, "")


@lru_cache
def _encoder() -> Any:
    from django.core.serializers.json import DjangoJSONEncoder

    class WholeTimes(DjangoJSONEncoder):
        """Django's own cuts times to milliseconds; a signature is sealed with its microseconds."""

        def default(self, value: Any) -> Any:
            return value.isoformat() if isinstance(value, datetime) else super().default(value)

    return WholeTimes


def _copy_files(out: Path, names: list[str]) -> dict[str, str]:
    from pasi_vision.portal import vault

    hashes: dict[str, str] = {}
    for name in names:
        try:
            data = vault.get(name)
        except InputError:
            # A face was covered after the rows were read: the uncovered picture is gone, as it must be. `verify` names the rest.
            continue
        target = out / "vault" / name
        output_folder(target.parent)
        write_bytes(target, data)
        hashes[name] = sha256_of(data)
    return hashes


def _checked_manifest(source: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((source / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError("is not a whole backup (no manifest)", where=str(source), fix="Choose another one.") from error
    if sha256_of(source / "rows.jsonl") != manifest["rows_sha256"]:
        raise InputError("was changed or cut off", where=str(source / "rows.jsonl"), fix="Choose another backup.")
    for name, sha256 in manifest["file_sha256"].items():
        path = source / "vault" / name
        if not path.resolve().is_relative_to((source / "vault").resolve()):
            raise InputError("lies outside the backup", where=name, fix="Choose another backup.")
        if not path.is_file() or sha256_of(path) != sha256:
            raise InputError("is missing or was changed", where=str(path), fix="Choose another backup.")
    return manifest


def _read_rows(path: Path) -> None:
    from django.core import serializers
    from django.db import connection, transaction

    with transaction.atomic(), connection.constraint_checks_disabled(), path.open(encoding="utf-8") as stream:
        for line in stream:
            for row in serializers.deserialize("json", f"[{line}]"):
                row.save(force_insert=True)
    connection.check_constraints()
    _set_sequences()


def _set_sequences() -> None:
    """On PostgreSQL, counters go on after the highest number that was restored."""
    from django.core.management.color import no_style
    from django.db import connection

    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), _models()):
            cursor.execute(statement)


def _bring_files(source: Path, names: dict[str, str]) -> None:
    from pasi_vision.portal import vault

    for name in names:
        vault.put(name, (source / "vault" / name).read_bytes())


def _schema() -> list[str]:
    from django.db import connection
    from django.db.migrations.recorder import MigrationRecorder

    return sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations())
