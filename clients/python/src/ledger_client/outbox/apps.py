from django.apps import AppConfig


class OutboxConfig(AppConfig):
    name = "ledger_client.outbox"
    label = "ledger_outbox"
    verbose_name = "Ledger outbox"
    default_auto_field = "django.db.models.BigAutoField"
