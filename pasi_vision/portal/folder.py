"""The portal's folder on disk: settings, secrets, database, photographs, staging; everything that is not code."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field

from pasi_vision.errors import InputError, SettingsError
from pasi_vision.settings import Settings, load_settings
from pasi_vision.storage import output_folder, write_text

__all__ = ["FOLDER_VARIABLE", "PortalFolder", "PortalSettings"]

FOLDER_VARIABLE = "PASI_PORTAL_DIR"
"""Environment variable that tells a process which portal folder it serves."""


class PortalSettings(Settings):
    """`portal.yaml`: how this installation runs. What the study asks for stands in the study's own YAML."""

    public_url: str = "http://127.0.0.1:8000"
    tls: Literal["none", "proxy", "files"] = "none"
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    mfa: Literal["optional", "required"] = "optional"
    idle_minutes: int = Field(30, ge=1, le=24 * 60)
    longest_session_hours: int = Field(12, ge=1, le=24)
    keep_originals: bool = True
    storage: Literal["files", "s3"] = "files"
    s3_bucket: str = ""
    s3_endpoint: str | None = None
    s3_region: str | None = None
    upload_max_mb: int = Field(60, ge=1, le=1000)
    web_processes: int = Field(1, ge=1, le=32)
    web_threads: int = Field(64, ge=1, le=256)
    examiners: int = Field(0, ge=0, le=64)
    job_attempts: int = Field(3, ge=1, le=20)
    lease_seconds: int = Field(60, ge=1, le=3600)


@dataclass(frozen=True)
class PortalFolder:
    """Where things stand inside one portal folder."""

    root: Path

    @classmethod
    def current(cls) -> PortalFolder:
        """The folder this process serves.

        Raises:
            SettingsError: `PASI_PORTAL_DIR` is not set.
        """
        named = os.environ.get(FOLDER_VARIABLE, "")
        if not named:
            raise SettingsError("no portal folder named", where=FOLDER_VARIABLE, fix="Set it to the portal's folder.")
        return cls(Path(named).resolve())

    @property
    def settings_file(self) -> Path:
        """portal.yaml."""
        return self.root / "portal.yaml"

    @property
    def study_file(self) -> Path:
        """study.yaml, the text from which the study was loaded first."""
        return self.root / "study.yaml"

    @property
    def secrets_file(self) -> Path:
        """secrets.json, readable by its owner only."""
        return self.root / "secrets.json"

    @property
    def database_file(self) -> Path:
        """The SQLite database, unused where DATABASE_URL names another."""
        return self.root / "portal.sqlite3"

    @property
    def vault(self) -> Path:
        """Photographs, sealed originals and masks, where storage is `files`."""
        return self.root / "vault"

    @property
    def staging(self) -> Path:
        """Uploads that are still arriving."""
        return self.root / "staging"

    @property
    def anchors_file(self) -> Path:
        """Heads of the audit trail noted outside the database, so that a cut-off end is noticed."""
        return self.root / "anchors.jsonl"

    def settings(self) -> PortalSettings:
        """Read portal.yaml.

        Raises:
            InputError: The folder is not a portal.
            SettingsError: A key or value is wrong.
        """
        if not self.settings_file.is_file():
            raise InputError("is not a portal folder", where=str(self.root), fix="Run `pasi-vision portal init` first.")
        return load_settings(PortalSettings, self.settings_file)

    def secret(self, name: str) -> str:
        """One of the secrets that `create` made: `secret_key` (sessions, tokens) or `seal_key` (originals)."""
        values: dict[str, str] = json.loads(self.secrets_file.read_text(encoding="utf-8"))
        return values[name]

    def create(self) -> None:
        """Make the folder with its settings and secrets.

        Raises:
            InputError: There is a portal in it already.
        """
        if self.settings_file.exists() or self.secrets_file.exists():
            raise InputError("holds a portal already", where=str(self.root), fix="Choose another folder.")
        output_folder(self.root)
        self.root.chmod(0o700)
        for part in (self.vault, self.staging):
            output_folder(part)
        self.write_secrets({"secret_key": secrets.token_urlsafe(64), "seal_key": secrets.token_hex(32)})
        write_text(self.settings_file, _SETTINGS_TEXT)

    def write_secrets(self, values: dict[str, str]) -> None:
        """Write the secrets readable by the owner only, from the first byte on."""
        descriptor = os.open(self.secrets_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(values, stream)


_SETTINGS_TEXT = """\
# How this installation of the portal runs; docs/portal.md explains every key. Restart after a change.
public_url: http://127.0.0.1:8000
tls: none              # none (loopback only), proxy (Caddy, nginx ... ends TLS) or files (tls_certificate, tls_key)
mfa: optional          # optional or required
idle_minutes: 30       # sign out after so long without a request
keep_originals: true   # keep each original, sealed (encrypted); no role is ever served it
storage: files         # files or s3 (then s3_bucket, s3_endpoint, s3_region; credentials from the environment)
"""
