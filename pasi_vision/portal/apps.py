"""The portal as a Django application."""

from __future__ import annotations

from django.apps import AppConfig


class PortalApp(AppConfig):
    """Registers models and the signals that note logins in the audit trail."""

    name = "pasi_vision.portal"
    label = "portal"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect the signals."""
        from pasi_vision.portal import accounts

        accounts.connect_signals()
