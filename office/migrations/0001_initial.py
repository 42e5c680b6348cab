"""The access log, append-only for every writer."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

GUARDS = """
CREATE TRIGGER access_is_never_changed BEFORE UPDATE OR DELETE ON office_access
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER accesses_are_never_emptied BEFORE TRUNCATE ON office_access
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
ALTER TABLE office_access ENABLE ALWAYS TRIGGER access_is_never_changed;
ALTER TABLE office_access ENABLE ALWAYS TRIGGER accesses_are_never_emptied;
"""
WITHOUT_GUARDS = """
DROP TRIGGER accesses_are_never_emptied ON office_access;
DROP TRIGGER access_is_never_changed ON office_access;
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("events", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Access",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="when"
                    ),
                ),
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("VIEW", "looked at"),
                            ("SEARCH", "searched"),
                            ("EXPORT", "exported"),
                            ("CHANGE", "changed"),
                        ],
                        max_length=8,
                        verbose_name="action",
                    ),
                ),
                ("subject", models.CharField(max_length=40, verbose_name="of what")),
                ("subject_id", models.CharField(blank=True, max_length=64, verbose_name="which")),
                ("detail", models.CharField(blank=True, max_length=500, verbose_name="detail")),
                ("reason", models.CharField(blank=True, max_length=500, verbose_name="reason")),
                ("request_id", models.CharField(max_length=64, verbose_name="request id")),
                (
                    "actor",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="who",
                    ),
                ),
            ],
            options={
                "verbose_name": "access",
                "verbose_name_plural": "access log",
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(fields=["actor", "id"], name="access_of_an_actor"),
                    models.Index(fields=["subject_id", "id"], name="access_to_a_subject"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("action__in", ["VIEW", "SEARCH", "EXPORT", "CHANGE"])),
                        name="access_action_is_known",
                    )
                ],
            },
        ),
        migrations.RunSQL(GUARDS, WITHOUT_GUARDS),
    ]
