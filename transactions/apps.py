from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TransactionsConfig(AppConfig):
    name = "transactions"
    verbose_name = _("Money")

    def ready(self) -> None:
        from events import resources
        from transactions.reading import queries

        resources.register(queries.read_resources)
