"""Triggers: the audit trail, signed readings and plan versions can be added to and never changed, on both databases."""

from __future__ import annotations

from typing import Any

from django.db import migrations

TABLES = ("portal_auditevent", "portal_signedreading", "portal_studyversion")
WORDS = "rows of this table are never changed or deleted"


def add(apps: Any, schema_editor: Any) -> None:
    """Create the triggers."""
    if schema_editor.connection.vendor == "sqlite":
        for table in TABLES:
            for what in ("UPDATE", "DELETE"):
                schema_editor.execute(
                    f"CREATE TRIGGER {table}_no_{what.lower()} BEFORE {what} ON {table} BEGIN SELECT RAISE(ABORT, '{WORDS}'); END"
                )
        schema_editor.execute(
            "CREATE TRIGGER portal_auditevent_in_order BEFORE INSERT ON portal_auditevent "
            "WHEN NEW.number <> (SELECT COALESCE(MAX(number), 0) + 1 FROM portal_auditevent) "
            "BEGIN SELECT RAISE(ABORT, 'events are added at the end'); END"
        )
        return
    schema_editor.execute(
        "CREATE FUNCTION portal_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{WORDS}'; END $$"
    )
    for table in TABLES:
        schema_editor.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION portal_append_only()"
        )
        schema_editor.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION portal_append_only()"
        )
    schema_editor.execute(
        "CREATE FUNCTION portal_in_order() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN IF NEW.number <> (SELECT COALESCE(MAX(number), 0) + 1 FROM portal_auditevent) "
        "THEN RAISE EXCEPTION 'events are added at the end'; END IF; RETURN NEW; END $$"
    )
    schema_editor.execute(
        "CREATE TRIGGER portal_auditevent_in_order BEFORE INSERT ON portal_auditevent "
        "FOR EACH ROW EXECUTE FUNCTION portal_in_order()"
    )


class Migration(migrations.Migration):
    """There is no way back: a trail that could be unlocked would not be one."""

    dependencies = [("portal", "0001_initial")]
    operations = [migrations.RunPython(add)]
