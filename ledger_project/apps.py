from django.apps import AppConfig, apps
from django.conf import settings
from django.db.models.signals import post_migrate


class LedgerProjectConfig(AppConfig):
    name = "ledger_project"

    def ready(self) -> None:
        from ledger_project import checks  # noqa: F401, they register themselves
        from ledger_project.groups import create_groups

        # The last of our apps that has models: by then all permissions are there.
        post_migrate.connect(create_groups, sender=apps.get_app_config("transactions"))
        if settings.TRACING:
            from ledger_project import tracing

            tracing.instrument()
