"""Adverse events carry CTCAE's grade and the three relations of the package's table of events."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models

GRADES = {"mild": 1, "moderate": 2, "severe": 3}
RELATED = {"possible": "possibly", "probable": "related", "definite": "related"}


def forward(apps: Any, schema_editor: Any) -> None:
    """Words to grades; nothing is lost: every word has its grade."""
    for event in apps.get_model("portal", "AdverseEvent").objects.all():
        event.grade = GRADES[event.severity]
        event.related = RELATED.get(event.related, event.related)
        event.save(update_fields=["grade", "related"])


class Migration(migrations.Migration):
    """Forward only, as all of the portal's."""

    dependencies = [("portal", "0002_append_only")]
    operations = [
        migrations.AddField(
            "adverseevent", "grade", models.PositiveSmallIntegerField(default=1), preserve_default=False
        ),
        migrations.RunPython(forward),
        migrations.RemoveField("adverseevent", "severity"),
    ]
