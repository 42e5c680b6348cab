import django.utils.timezone
from django.db import migrations, models
from django.db.models import Q

ANSWERED_OR_WAITING = (
    Q(status="WAITING", answered_at=None, answer__isnull=True, problem__isnull=True)
    | Q(status="DONE", answered_at__isnull=False, answer__isnull=False, problem__isnull=True)
    | Q(status="PARKED", answered_at__isnull=False, answer__isnull=True, problem__isnull=False)
)


class Migration(migrations.Migration):
    initial = True

    operations = [
        migrations.CreateModel(
            name="MoneyIntent",
            fields=[
                ("number", models.BigAutoField(primary_key=True, serialize=False)),
                ("id", models.UUIDField(editable=False, unique=True)),
                ("path", models.CharField(max_length=200)),
                ("body", models.JSONField()),
                ("line", models.CharField(blank=True, max_length=100)),
                (
                    "status",
                    models.CharField(
                        choices=[("WAITING", "Waiting"), ("DONE", "Done"), ("PARKED", "Parked")],
                        default="WAITING",
                        max_length=7,
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("next_attempt_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("last_error", models.TextField(blank=True)),
                ("answer", models.JSONField(null=True)),
                ("problem", models.JSONField(null=True)),
                ("answered_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=Q(status="WAITING"), fields=["number"], name="money_intent_waiting"
                    ),
                    models.Index(
                        condition=Q(status="WAITING") & ~Q(line=""),
                        fields=["line", "number"],
                        name="money_intent_line",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=ANSWERED_OR_WAITING,
                        name="money_intent_is_answered_or_waiting",
                    )
                ],
            },
        ),
    ]
