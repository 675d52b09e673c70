"""Bring Django up for one portal folder; everything that touches the database comes after this."""

from __future__ import annotations

import os
from pathlib import Path

from pasi_vision.errors import InputError
from pasi_vision.portal.folder import FOLDER_VARIABLE, PortalFolder

__all__ = ["start"]


def start(root: str | Path) -> PortalFolder:
    """Set this process up to serve the portal in `root`.

    Raises:
        InputError: Django is not installed, the folder is no portal, or this process serves another one already.
    """
    folder = PortalFolder(Path(root).resolve())
    folder.settings()
    before = os.environ.get(FOLDER_VARIABLE)
    try:
        import django
        from django.apps import apps
    except ImportError as error:
        raise InputError("the portal needs Django", fix="Install pasi-vision[portal].") from error
    if apps.ready and before != str(folder.root):
        raise InputError(f"this process serves {before} already", where=str(root), fix="Use another process.")
    os.environ[FOLDER_VARIABLE] = str(folder.root)
    os.environ["DJANGO_SETTINGS_MODULE"] = "pasi_vision.portal.django_settings"
    django.setup()
    return folder
