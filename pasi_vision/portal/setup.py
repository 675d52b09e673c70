"""Making a portal: folder, database, study, first administrator."""

from __future__ import annotations

from pathlib import Path

from pasi_vision.portal.folder import PortalFolder
from pasi_vision.portal.roles import Role
from pasi_vision.storage import write_text

__all__ = ["initialize", "migrate"]


def initialize(root: Path, study_text: str | None, administrator: str) -> tuple[PortalFolder, str]:
    """Make a portal in `root`; gives the folder and the first administrator's one-time password.

    Raises:
        InputError: There is one already.
        SettingsError: The study's plan is wrong.
    """
    from pasi_vision.portal.plan import parse_plan, plan_text
    from pasi_vision.portal.start import start

    text = study_text if study_text is not None else plan_text()
    parse_plan(text, where="study.yaml")  # before anything is made
    folder = PortalFolder(root.resolve())
    folder.create()
    write_text(folder.study_file, text)
    start(folder.root)
    migrate()
    from pasi_vision.portal.accounts import add_person
    from pasi_vision.portal.study_now import load_plan

    load_plan(text, None)
    _, password = add_person(None, administrator, "Administrator", Role.ADMINISTRATOR, ())
    return folder, password


def migrate() -> None:
    """Bring the database to this version's schema."""
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0, database="default")
