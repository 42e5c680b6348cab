from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TransactionsConfig(AppConfig):
    name = "transactions"
    verbose_name = _("Money")

    def ready(self) -> None:
        from accounts import erasing
        from events import resources
        from transactions import search
        from transactions.reading import queries

        resources.register(queries.read_resources)
        erasing.register(search.forget)
