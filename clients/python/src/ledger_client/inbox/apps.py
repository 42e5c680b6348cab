from django.apps import AppConfig


class InboxConfig(AppConfig):
    name = "ledger_client.inbox"
    label = "ledger_inbox"
    verbose_name = "Ledger inbox"
    default_auto_field = "django.db.models.BigAutoField"
