"""The WSGI application, for any WSGI server; PASI_PORTAL_DIR names the portal's folder."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pasi_vision.portal.django_settings")
application = get_wsgi_application()
